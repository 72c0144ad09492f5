// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension RuleFragment {
    /// The rules of a Service.
    ///
    /// A port of a Service has up to four chains:
    ///
    ///     cluster-H    to an endpoint, as traffic inside of the cluster goes
    ///     local-H      to an endpoint on this node
    ///     external-H   what comes from outside: decides about masquerading, then one of the above
    ///     firewall-H   who may use the load balancer, then external-H
    ///
    /// H names the port by a hash. With session affinity each endpoint has a chain of its own.
    public init(_ service: ServiceView, _ context: RuleContext) {
        self.init()
        for port in service.ports { self.add(service, port, context) }
    }

    private mutating func add(
        _ service: ServiceView,
        _ port: ServiceView.Port,
        _ context: RuleContext
    ) {
        let tag = Self.tag(service.name, port)
        let all = port.endpoints.preferred(zone: context.zone)
        let local = port.endpoints.filter(\.isLocal).usable
        let inner = service.internalIsLocal ? local : all
        for endpoint in Set(all + local) {
            self.add(.hairpins, "\(endpoint.address) . \(endpoint.address)")
        }

        let target = Target(port, context.family)
        let cluster = "cluster-\(tag)"
        if inner.isEmpty {
            self.add(
                .refused,
                target.key(service.clusterAddress),
                all.isEmpty ? "goto refuse" : "drop"
            )
        } else {
            self.chains[cluster] =
                Self.masqueradeForeign(context) + self.balance(inner, tag, port, service, context)
            self.add(.services, target.key(service.clusterAddress), "goto \(cluster)")
        }
        self.addExternal(service, port, target, tag, all: all, local: local, context)
    }

    /// What reaches the Service from outside of the cluster.
    private mutating func addExternal(
        _ service: ServiceView,
        _ port: ServiceView.Port,
        _ target: Target,
        _ tag: String,
        all: [ServiceView.Endpoint],
        local: [ServiceView.Endpoint],
        _ context: RuleContext
    ) {
        let addresses = service.externalAddresses + service.loadBalancerAddresses
        guard !addresses.isEmpty || port.nodePort != 0 else { return }
        let endpoints = service.externalIsLocal ? local : all
        guard !endpoints.isEmpty else {
            // A load balancer notices a drop and goes to another node; nobody has it: refuse.
            let verdict = all.isEmpty ? "goto refuse" : "drop"
            for address in addresses { self.add(.refused, target.key(address), verdict) }
            if port.nodePort != 0 {
                self.add(.refusedNodePorts, target.nodePortKey, verdict)
            }
            return
        }
        let external = "external-\(tag)"
        var rules: [String] = []
        let everywhere = "everywhere-\(tag)"
        if !service.externalIsLocal || !all.isEmpty {
            self.chains[everywhere] = self.balance(all, tag, port, service, context)
        }
        if service.externalIsLocal {
            let keyword = context.family.keyword
            // Pods and this node itself may use every endpoint, as by the cluster's address.
            if !context.clusterRange.isEmpty {
                rules.append("\(keyword) saddr \(context.clusterRange) goto \(everywhere)")
            }
            rules.append("fib saddr type local jump mark-for-masquerade")
            rules.append("fib saddr type local goto \(everywhere)")
            rules += self.balance(local, tag, port, service, context)
        } else {
            rules = ["jump mark-for-masquerade", "goto \(everywhere)"]
        }
        self.chains[external] = rules
        for address in service.externalAddresses {
            self.add(.services, target.key(address), "goto \(external)")
        }
        if port.nodePort != 0 { self.add(.nodePorts, target.nodePortKey, "goto \(external)") }
        guard !service.loadBalancerAddresses.isEmpty else { return }
        var entrance = external
        if !service.sourceRanges.isEmpty {
            entrance = "firewall-\(tag)"
            let ranges = service.sourceRanges.joined(separator: ", ")
            self.chains[entrance] = [
                "\(context.family.keyword) saddr { \(ranges) } goto \(external)", "drop",
            ]
        }
        for address in service.loadBalancerAddresses {
            self.add(.services, target.key(address), "goto \(entrance)")
        }
    }

    /// Rules that send a packet to one of the endpoints, each as likely as the others.
    private mutating func balance(
        _ endpoints: [ServiceView.Endpoint],
        _ tag: String,
        _ port: ServiceView.Port,
        _ service: ServiceView,
        _ context: RuleContext
    ) -> [String] {
        let keyword = context.family.keyword
        let transport = "meta l4proto \(port.transport.keyword)"
        func place(_ endpoint: ServiceView.Endpoint) -> String {
            "\(endpoint.address) . \(endpoint.port)"
        }
        guard let seconds = service.affinitySeconds else {
            if endpoints.count == 1, let only = endpoints.first {
                let address = context.family == .ipv4 ? only.address : "[\(only.address)]"
                return ["\(transport) dnat \(keyword) to \(address):\(only.port)"]
            }
            let choices = endpoints.enumerated().map { "\($0.offset) : \(place($0.element))" }
            return [
                "\(transport) dnat \(keyword) addr . port to numgen random mod \(endpoints.count) map "
                    + "{ \(choices.joined(separator: ", ")) }"
            ]
        }
        var remembered: [String] = []
        var choices: [String] = []
        for (index, endpoint) in endpoints.enumerated() {
            let id = Self.hash("\(tag) \(place(endpoint))")
            // The time of a set cannot be changed: another time is another set.
            let clients = "clients-\(id)-\(seconds)"
            let chain = "endpoint-\(id)"
            let address = context.family == .ipv4 ? endpoint.address : "[\(endpoint.address)]"
            self.affinitySets[clients] = seconds
            self.chains[chain] = [
                "update @\(clients) { \(keyword) saddr }",
                "\(transport) dnat \(keyword) to \(address):\(endpoint.port)",
            ]
            remembered.append("\(keyword) saddr @\(clients) goto \(chain)")
            choices.append("\(index) : goto \(chain)")
        }
        return remembered + [
            "numgen random mod \(endpoints.count) vmap { \(choices.joined(separator: ", ")) }"
        ]
    }

    /// Marks what comes from outside of the cluster for masquerading: its answer has to come back
    /// here.
    private static func masqueradeForeign(_ context: RuleContext) -> [String] {
        guard !context.clusterRange.isEmpty else { return [] }
        return [
            "\(context.family.keyword) saddr != \(context.clusterRange) jump mark-for-masquerade"
        ]
    }

    /// The keys under which a port is looked up.
    private struct Target {
        let transport: String
        let port: UInt16
        let nodePort: UInt16

        init(_ port: ServiceView.Port, _ family: AddressFamily) {
            self.transport = port.transport.keyword
            self.port = port.port
            self.nodePort = port.nodePort
        }

        func key(_ address: String) -> String { "\(address) . \(self.transport) . \(self.port)" }
        var nodePortKey: String { "\(self.transport) . \(self.nodePort)" }
    }

    /// Names a port of a Service in chains: names of chains are short and have few characters.
    static func tag(_ service: String, _ port: ServiceView.Port) -> String {
        self.hash("\(service) \(port.name) \(port.transport.rawValue)")
    }

    /// 64 bits of FNV-1a as hexadecimal digits.
    private static func hash(_ text: String) -> String {
        var value: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
