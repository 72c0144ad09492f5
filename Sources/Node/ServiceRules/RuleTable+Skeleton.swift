// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension RuleTable {
    /// The parts that do not depend on Services.
    var skeleton: String {
        let address = self.family.addressType
        let keyword = self.family.keyword
        let lookup = "\(keyword) daddr . meta l4proto . th dport"
        let index = "numgen random mod 2"
        // A reset, where there can be one: the kernel sends one ICMP error a second to an address, so
        // that whoever is refused often would wait.
        let refused = "ct state new \(lookup) vmap @refused"
        // A port of a cluster's address that no Service has; what this machine serves itself at
        // such an address, as cluster DNS does, is left alone.
        let unused =
            "ct state new fib daddr type != local \(keyword) daddr @cluster-addresses goto refuse"
        return """
            table \(self.path) {
            map services { type \(address) . inet_proto . inet_service : verdict; }
            map endpoints { typeof \(lookup) . \(index) : \(keyword) daddr . th dport; }
            map node-ports { type inet_proto . inet_service : verdict; }
            map node-port-endpoints { typeof meta l4proto . th dport . \(index) \
            : \(keyword) daddr . th dport; }
            map refused { type \(address) . inet_proto . inet_service : verdict; }
            map refused-node-ports { type inet_proto . inet_service : verdict; }
            set cluster-addresses { type \(address); }
            set hairpins { type \(address) . \(address); }
            \(self.nodePortAddressSet)
            chain refuse { meta l4proto tcp reject with tcp reset; reject; }
            chain mark-for-masquerade { meta mark set meta mark or \(self.options.mark); }
            chain dispatch {
            \(lookup) vmap @services
            \(self.toNodePort) meta l4proto . th dport vmap @node-ports
            }
            chain nat-prerouting { type nat hook prerouting priority dstnat; jump dispatch; }
            chain nat-output { type nat hook output priority -100; jump dispatch; }
            chain nat-postrouting {
            type nat hook postrouting priority srcnat;
            \(keyword) saddr . \(keyword) daddr @hairpins masquerade
            \(self.leavingPods)
            meta mark and \(self.options.mark) == 0 return
            meta mark set meta mark xor \(self.options.mark)
            masquerade fully-random
            }
            chain filter-input {
            type filter hook input priority -110;
            \(refused)
            ct state new \(self.toNodePort) meta l4proto . th dport vmap @refused-node-ports
            }
            chain filter-forward {
            type filter hook forward priority -110;
            \(refused)
            \(unused)
            }
            chain filter-output {
            type filter hook output priority -90;
            \(refused)
            ct state new \(self.toNodePort) meta l4proto . th dport vmap @refused-node-ports
            \(unused)
            }
            }

            """
    }

    /// Matches packets to an address that serves node ports.
    private var toNodePort: String {
        let keyword = self.family.keyword
        guard self.options.nodePortAddresses != nil else {
            return "fib daddr type local \(keyword) daddr != \(self.family.loopback)"
        }
        return "\(keyword) daddr @node-port-addresses"
    }

    private var nodePortAddressSet: String {
        guard let addresses = self.options.nodePortAddresses else { return "" }
        let own = Set(addresses.compactMap(self.family.canonical)).sorted()
        let elements = own.isEmpty ? "" : "elements = { \(own.joined(separator: ", ")) }; "
        return "set node-port-addresses { type \(self.family.addressType); \(elements)}"
    }

    /// What pods send out of the cluster leaves under the address of the node, since nobody outside
    /// knows the way to a pod.
    private var leavingPods: String {
        let range = self.options.podRange
        guard !range.isEmpty else { return "" }
        let keyword = self.family.keyword
        return "\(keyword) saddr \(range) \(keyword) daddr != \(range) masquerade"
    }

    /// A shared chain with its rules.
    func definition(_ chain: SharedChain) -> String {
        let keyword = self.family.keyword
        var key = "meta l4proto . th dport . numgen random mod \(chain.count)"
        var map = "node-port-endpoints"
        if chain.entrance != .port {
            key = "\(keyword) daddr . \(key)"
            map = "endpoints"
        }
        var text = "add chain \(self.path) \(chain.name)\n"
        if let rule = self.masquerading(chain.entrance) {
            text += "add rule \(self.path) \(chain.name) \(rule)\n"
        }
        return text + "add rule \(self.path) \(chain.name) meta l4proto { tcp, udp, sctp } "
            + "dnat \(keyword) to \(key) map @\(map)\n"
    }

    /// The rule that decides whether a packet is masqueraded.
    private func masquerading(_ entrance: SharedChain.Entrance) -> String? {
        let always = "jump mark-for-masquerade"
        guard entrance == .inner, !self.options.masqueradesAll else { return always }
        let range = self.options.podRange
        return range.isEmpty ? nil : "\(self.family.keyword) saddr != \(range) \(always)"
    }
}
