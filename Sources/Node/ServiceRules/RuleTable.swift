// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The whole table of one address family as the kernel has it, and the scripts that change it.
///
/// A pure value: it says what to tell nftables; when the kernel refuses a script the table as it was
/// is still what the kernel has, because a script is one transaction.
public struct RuleTable: Sendable {
    public let family: AddressFamily
    /// The fragments by Service.
    public private(set) var fragments: [String: RuleFragment] = [:]
    /// Which Service has a key of a map: two Services may claim the same external address.
    private var owners: [RuleFragment.Collection: [String: String]] = [:]

    /// The name of our tables; nothing outside of them is ever touched.
    public static let name = "apus-proxy"
    /// The bit of a packet's mark that says it is to be masqueraded: upstream's.
    static let masqueradeMark = "0x4000"

    /// The range of the cluster's pods, which leave it under the node's address; empty for none.
    private let podRange: String

    public init(_ family: AddressFamily, podRange: String = "") {
        self.family = family
        self.podRange = podRange
    }

    private var path: String { "\(self.family.keyword) \(Self.name)" }

    // MARK: - Whole

    /// Removes our table, whether it is there or not.
    public static func removal(_ family: AddressFamily) -> String {
        "table \(family.keyword) \(self.name)\ndelete table \(family.keyword) \(self.name)\n"
    }

    /// Replaces whatever our table holds by what this value says.
    public var script: String {
        var text = Self.removal(self.family) + self.skeleton
        for (_, fragment) in self.fragments.sorted(by: { $0.key < $1.key }) {
            text += self.additions(fragment)
        }
        for collection in RuleFragment.Collection.allCases {
            let owned = self.owners[collection] ?? [:]
            let elements = owned.sorted { $0.key < $1.key }.compactMap { key, owner in
                self.fragments[owner]?.elements[collection]?[key].map { Self.element(key, $0) }
            }
            text += self.change("add", collection, elements)
        }
        return text
    }

    /// The parts that do not depend on Services.
    private var skeleton: String {
        let address = self.family.addressType
        let keyword = self.family.keyword
        let lookup = "\(keyword) daddr . meta l4proto . th dport"
        let local = "fib daddr type local \(keyword) daddr != \(self.family.loopback)"
        let refused = "ct state new \(lookup) vmap @refused"
        return """
            table \(self.path) {
            map services { type \(address) . inet_proto . inet_service : verdict; }
            map node-ports { type inet_proto . inet_service : verdict; }
            map refused { type \(address) . inet_proto . inet_service : verdict; }
            map refused-node-ports { type inet_proto . inet_service : verdict; }
            set hairpins { type \(address) . \(address); }
            chain refuse { reject; }
            chain mark-for-masquerade { meta mark set meta mark or \(Self.masqueradeMark); }
            chain dispatch {
            \(lookup) vmap @services
            \(local) meta l4proto . th dport vmap @node-ports
            }
            chain nat-prerouting { type nat hook prerouting priority dstnat; jump dispatch; }
            chain nat-output { type nat hook output priority -100; jump dispatch; }
            chain nat-postrouting {
            type nat hook postrouting priority srcnat;
            \(keyword) saddr . \(keyword) daddr @hairpins masquerade
            \(self.leavingPods)
            meta mark and \(Self.masqueradeMark) == 0 return
            meta mark set meta mark xor \(Self.masqueradeMark)
            masquerade fully-random
            }
            chain filter-input {
            type filter hook input priority -110;
            \(refused)
            ct state new \(local) meta l4proto . th dport vmap @refused-node-ports
            }
            chain filter-forward { type filter hook forward priority -110; \(refused); }
            chain filter-output { type filter hook output priority -110; \(refused); }
            }

            """
    }

    /// What pods send out of the cluster leaves under the address of the node, since nobody outside
    /// knows the way to a pod.
    private var leavingPods: String {
        guard !self.podRange.isEmpty else { return "" }
        let keyword = self.family.keyword
        return "\(keyword) saddr \(self.podRange) \(keyword) daddr != \(self.podRange) masquerade"
    }

    // MARK: - Changes

    /// Puts a Service's fragment in the place of the one it had; nil removes the Service.
    ///
    /// - Returns: the script that makes the same change in the kernel; empty when nothing differs.
    public mutating func replace(_ service: String, by fragment: RuleFragment?) -> String {
        let old = self.fragments[service] ?? RuleFragment()
        let new = fragment ?? RuleFragment()
        self.fragments[service] = fragment
        guard old != new else { return "" }
        var text = ""
        // Elements that point at chains go before the chains, and come after them.
        for collection in RuleFragment.Collection.allCases {
            text += self.removeElements(of: service, collection, old, new)
        }
        text += self.additions(new, besides: old)
        for collection in RuleFragment.Collection.allCases {
            text += self.addElements(of: service, collection, new)
        }
        return text + self.removals(old, besides: new)
    }

    private mutating func removeElements(
        of service: String,
        _ collection: RuleFragment.Collection,
        _ old: RuleFragment,
        _ new: RuleFragment
    ) -> String {
        let kept = new.elements[collection] ?? [:]
        var gone: [String] = []
        var heirs: [String] = []
        for (key, value) in old.elements[collection] ?? [:] {
            guard kept[key] != value, self.owners[collection]?[key] == service else { continue }
            gone.append(key)
            self.owners[collection]?[key] = nil
            if kept[key] == nil { heirs.append(key) }
        }
        var text = self.change("delete", collection, gone.sorted())
        // What another Service claims too is its from now on.
        for key in heirs.sorted() {
            let heir = self.fragments.filter { $0.value.elements[collection]?[key] != nil }.keys
                .min()
            guard let heir, let value = self.fragments[heir]?.elements[collection]?[key] else {
                continue
            }
            self.owners[collection, default: [:]][key] = heir
            text += self.change("add", collection, [Self.element(key, value)])
        }
        return text
    }

    private mutating func addElements(
        of service: String,
        _ collection: RuleFragment.Collection,
        _ new: RuleFragment
    ) -> String {
        var added: [String] = []
        for (key, value) in new.elements[collection] ?? [:]
        where self.owners[collection]?[key] == nil {
            self.owners[collection, default: [:]][key] = service
            added.append(Self.element(key, value))
        }
        return self.change("add", collection, added.sorted())
    }

    /// Chains and sets of a fragment that the kernel has not, or has otherwise.
    private func additions(
        _ new: RuleFragment,
        besides old: RuleFragment = RuleFragment()
    ) -> String {
        var text = ""
        for (name, seconds) in new.affinitySets.sorted(by: { $0.key < $1.key })
        where old.affinitySets[name] == nil {
            text += "add set \(self.path) \(name) { type \(self.family.addressType); "
            text += "flags dynamic,timeout; timeout \(seconds)s; }\n"
        }
        let changed = new.chains.filter { old.chains[$0.key] != $0.value }.sorted {
            $0.key < $1.key
        }
        // All chains first: they point at one another.
        for (name, _) in changed where old.chains[name] == nil {
            text += "add chain \(self.path) \(name)\n"
        }
        for (name, rules) in changed {
            if old.chains[name] != nil { text += "flush chain \(self.path) \(name)\n" }
            for rule in rules { text += "add rule \(self.path) \(name) \(rule)\n" }
        }
        return text
    }

    private func removals(_ old: RuleFragment, besides new: RuleFragment) -> String {
        var text = ""
        let chains = old.chains.keys.filter { new.chains[$0] == nil }.sorted()
        // Flushed first: they point at one another.
        for name in chains { text += "flush chain \(self.path) \(name)\n" }
        for name in chains { text += "delete chain \(self.path) \(name)\n" }
        for name in old.affinitySets.keys.sorted() where new.affinitySets[name] == nil {
            text += "delete set \(self.path) \(name)\n"
        }
        return text
    }

    private func change(
        _ verb: String,
        _ collection: RuleFragment.Collection,
        _ elements: [String]
    ) -> String {
        guard !elements.isEmpty else { return "" }
        return "\(verb) element \(self.path) \(collection.rawValue) "
            + "{ \(elements.joined(separator: ", ")) }\n"
    }

    private static func element(_ key: String, _ value: String) -> String {
        value.isEmpty ? key : "\(key) : \(value)"
    }
}
