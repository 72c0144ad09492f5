// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The whole table of one address family as the kernel has it, and the scripts that change it.
///
/// A pure value: it says what to tell nftables; when the kernel refuses a script the table as it was
/// is still what the kernel has, because a script is one transaction.
public struct RuleTable: Sendable {
    public let family: AddressFamily
    public var options: Options
    /// The fragments by Service.
    public private(set) var fragments: [String: RuleFragment] = [:]
    /// Which Service has a key of a map: two Services may claim the same external address.
    var owners: [RuleFragment.Collection: [String: String]] = [:]
    /// The others that claim a key.
    var rivals: [RuleFragment.Collection: [String: Set<String>]] = [:]
    /// How many Services have a policy `Local` and no endpoint on this node, though some elsewhere:
    /// inside of the cluster and from outside.
    public private(set) var withoutLocalEndpoints = (internal: 0, external: 0)
    /// The shared chains that the kernel has: few, so none is ever taken away.
    private var sharedChains = SharedChain.usual
    /// Whether a shared chain is wanted that the kernel has not: it has to be given ``script`` then.
    /// nftables does not take a rule that uses a map of ours in another transaction than the map.
    public private(set) var lacksChains = false

    /// The name of our tables; nothing outside of them is ever touched.
    public static let name = "apus-proxy"

    /// What does not depend on Services.
    public struct Options: Sendable, Hashable {
        /// The range of the cluster's pods, which leave it under the node's address; empty for none.
        public var podRange = ""
        /// The addresses of this node that serve node ports; nil for all but loopback.
        public var nodePortAddresses: [String]?
        /// Whether everything that goes to a Service is masqueraded.
        public var masqueradesAll = false
        /// The bit of a packet's mark that says it is to be masqueraded: 0 to 31.
        public var masqueradeBit = 14

        public init() {}

        var mark: String { "0x" + String(UInt32(1) << UInt32(self.masqueradeBit), radix: 16) }
    }

    public init(_ family: AddressFamily, _ options: Options = Options()) {
        self.family = family
        self.options = options
    }

    var path: String { "\(self.family.keyword) \(Self.name)" }

    /// Removes our table, whether it is there or not.
    public static func removal(_ family: AddressFamily) -> String {
        "table \(family.keyword) \(self.name)\ndelete table \(family.keyword) \(self.name)\n"
    }

    /// Replaces whatever our table holds by what this value says.
    public var script: String {
        var text = Self.removal(self.family) + self.skeleton
        for chain in self.sharedChains.sorted() { text += self.definition(chain) }
        for (_, fragment) in self.fragments.sorted(by: { $0.key < $1.key }) {
            text += self.additions(fragment)
        }
        var changes = ElementChanges()
        for collection in RuleFragment.Collection.allCases {
            for (key, owner) in self.owners[collection] ?? [:] {
                if let element = self.fragments[owner]?.elements[collection]?[key] {
                    changes.replace(collection, key, nil, by: element)
                }
            }
        }
        return text + changes.additions(self.path)
    }

    /// Puts a Service's fragment in the place of the one it had; nil removes the Service.
    ///
    /// - Returns: the script that makes the same change in the kernel; empty when nothing differs.
    public mutating func replace(_ service: String, by fragment: RuleFragment?) -> String {
        let old = self.fragments[service] ?? RuleFragment()
        let new = fragment ?? RuleFragment()
        self.fragments[service] = fragment
        guard old != new else { return "" }
        self.withoutLocalEndpoints.internal += new.lacksInner - old.lacksInner
        self.withoutLocalEndpoints.external += new.lacksOuter - old.lacksOuter
        var changes = ElementChanges()
        for collection in RuleFragment.Collection.allCases {
            self.change(service, collection, old, new, &changes)
        }
        let count = self.sharedChains.count
        self.sharedChains.formUnion(new.sharedChains)
        self.lacksChains = self.lacksChains || self.sharedChains.count > count
        // Elements that point at chains go before the chains, and come after them.
        var text = changes.deletions(self.path)
        text += self.additions(new, besides: old)
        text += changes.additions(self.path)
        return text + self.removals(old, besides: new)
    }

    /// Says that the kernel is given ``script`` next.
    public mutating func takeWhole() -> String {
        self.lacksChains = false
        return self.script
    }

    /// The element that a packet with this key meets.
    public func element(
        _ collection: RuleFragment.Collection,
        _ key: String
    ) -> RuleFragment.Element? {
        self.owners[collection]?[key].flatMap { self.fragments[$0]?.elements[collection]?[key] }
    }
}
