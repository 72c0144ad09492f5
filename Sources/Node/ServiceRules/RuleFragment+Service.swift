// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension RuleFragment {
    /// The rules of a Service.
    ///
    /// Most need elements alone, which lead to shared chains. A port of a Service has chains of its
    /// own where clients keep their endpoint or the external traffic policy is `Local`:
    ///
    ///     cluster-H     to an endpoint, as traffic inside of the cluster goes
    ///     everywhere-H  to any endpoint, for external-H
    ///     external-H    what comes from outside: decides about masquerading, then to an endpoint
    ///     firewall-H    who may use the load balancer, then on
    ///
    /// H names the port by a hash. With session affinity each endpoint has a chain of its own.
    public init(_ service: ServiceView, _ context: RuleContext) {
        self.init()
        guard !service.ports.isEmpty else { return }
        self.add(.clusterAddresses, service.clusterAddress)
        for port in service.ports { self.add(service, port, context) }
    }

    private mutating func add(
        _ service: ServiceView,
        _ port: ServiceView.Port,
        _ context: RuleContext
    ) {
        let all = port.endpoints.preferred(zone: context.zone)
        let local = port.endpoints.filter(\.isLocal).usable
        // Only what starts on this node comes back to it without having left.
        for endpoint in all + local where endpoint.isLocal {
            self.add(.hairpins, "\(endpoint.address) . \(endpoint.address)")
        }
        let target = Target(service, port, context)
        let inner = service.internalIsLocal ? local : all
        let key = target.key(service.clusterAddress)
        if inner.isEmpty {
            self.add(.refused, key, all.isEmpty ? .refuse : .drop)
        } else if service.affinitySeconds == nil {
            self.add(.services, key, Self.shared(.inner, inner), inner.map(\.place))
        } else {
            let chain = "cluster-\(target.tag)"
            self.chains[chain] =
                Self.masqueradeForeign(context) + self.balance(inner, target, service)
            self.add(.services, key, .chain(chain), inner.map(\.place))
        }
        self.addExternal(service, target, all: all, local: local)
    }

    private static func shared(
        _ entrance: SharedChain.Entrance,
        _ endpoints: [ServiceView.Endpoint]
    ) -> Verdict {
        .shared(SharedChain(entrance: entrance, count: endpoints.count))
    }

    /// What reaches the Service from outside of the cluster.
    private mutating func addExternal(
        _ service: ServiceView,
        _ target: Target,
        all: [ServiceView.Endpoint],
        local: [ServiceView.Endpoint]
    ) {
        let balancers = service.loadBalancerAddresses
        let addresses = service.externalAddresses + balancers
        guard !addresses.isEmpty || target.nodePort != 0 else { return }
        let endpoints = service.externalIsLocal ? local : all
        if endpoints.isEmpty {
            // A load balancer notices a drop and goes to another node; nobody has it: refuse.
            let verdict = all.isEmpty ? Verdict.refuse : .drop
            for address in addresses { self.add(.refused, target.key(address), verdict) }
            if target.nodePort != 0 { self.add(.refusedNodePorts, target.nodePortKey, verdict) }
            // What this drops is what the Service's own chain below has not sent anywhere.
            guard !all.isEmpty else { return }
        }
        let own = self.ownExternalChain(service, target, all: all, local: local)
        let places = (own == nil ? endpoints : all + local.filter { !all.contains($0) }).map(
            \.place
        )
        let outer = own.map(Verdict.chain) ?? Self.shared(.outer, endpoints)
        for address in service.externalAddresses {
            self.add(.services, target.key(address), outer, places)
        }
        if target.nodePort != 0 {
            let verdict = own.map(Verdict.chain) ?? Self.shared(.port, endpoints)
            self.add(.nodePorts, target.nodePortKey, verdict, places)
        }
        guard !balancers.isEmpty else { return }
        guard service.hasFirewall else {
            for address in balancers { self.add(.services, target.key(address), outer, places) }
            return
        }
        self.addFirewall(service, target, outer, places)
    }

    /// The chain for what comes from outside, where the shared ones cannot do.
    private mutating func ownExternalChain(
        _ service: ServiceView,
        _ target: Target,
        all: [ServiceView.Endpoint],
        local: [ServiceView.Endpoint]
    ) -> String? {
        guard service.externalIsLocal || service.affinitySeconds != nil else { return nil }
        let external = "external-\(target.tag)"
        let everywhere = "everywhere-\(target.tag)"
        if !all.isEmpty { self.chains[everywhere] = self.balance(all, target, service) }
        guard service.externalIsLocal else {
            self.chains[external] = ["jump mark-for-masquerade", "goto \(everywhere)"]
            return external
        }
        var rules: [String] = []
        if !all.isEmpty {
            // Pods and this node itself may use every endpoint, as by the cluster's address.
            if !target.clusterRange.isEmpty {
                rules.append("\(target.keyword) saddr \(target.clusterRange) goto \(everywhere)")
            }
            rules.append("fib saddr type local jump mark-for-masquerade")
            rules.append("fib saddr type local goto \(everywhere)")
        }
        self.chains[external] = rules + self.balance(local, target, service)
        return external
    }

    /// Who may use the load balancer's addresses.
    private mutating func addFirewall(
        _ service: ServiceView,
        _ target: Target,
        _ outer: Verdict,
        _ places: [String]
    ) {
        let firewall = "firewall-\(target.tag)"
        var rules: [String] = []
        if !service.sourceRanges.isEmpty {
            let ranges = service.sourceRanges.joined(separator: ", ")
            rules.append("\(target.keyword) saddr { \(ranges) } \(outer.text)")
        }
        self.chains[firewall] = rules + ["drop"]
        var verdict = Verdict.chain(firewall)
        if case .shared(let chain) = outer {
            self.firewallChains.insert(chain)
            verdict = .guarded(firewall)
        }
        for address in service.loadBalancerAddresses {
            self.add(.services, target.key(address), verdict, places)
        }
    }

    /// Rules that send a packet to one of the endpoints, each as likely as the others.
    private mutating func balance(
        _ endpoints: [ServiceView.Endpoint],
        _ target: Target,
        _ service: ServiceView
    ) -> [String] {
        guard !endpoints.isEmpty else { return [] }
        guard let seconds = service.affinitySeconds else {
            if endpoints.count == 1, let only = endpoints.first { return [target.send(only)] }
            let choices = endpoints.enumerated().map { "\($0.offset) : \($0.element.place)" }
            return [
                "\(target.transport) dnat \(target.keyword) addr . port to numgen random mod "
                    + "\(endpoints.count) map { \(choices.joined(separator: ", ")) }"
            ]
        }
        var remembered: [String] = []
        var choices: [String] = []
        for (index, endpoint) in endpoints.enumerated() {
            let id = Self.hash("\(target.tag) \(endpoint.place)")
            // The time of a set cannot be changed: another time is another set.
            let clients = "clients-\(id)-\(seconds)"
            let chain = "endpoint-\(id)"
            self.affinitySets[clients] = seconds
            self.chains[chain] = [
                "update @\(clients) { \(target.keyword) saddr }", target.send(endpoint),
            ]
            remembered.append("\(target.keyword) saddr @\(clients) goto \(chain)")
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

    /// 64 bits of FNV-1a as hexadecimal digits.
    fileprivate static func hash(_ text: String) -> String {
        var value: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// A port of a Service in the language of rules.
private struct Target {
    let family: AddressFamily
    let clusterRange: String
    /// Names the port in chains: names of chains are short and have few characters.
    let tag: String
    let protocolKeyword: String
    let port: UInt16
    let nodePort: UInt16

    init(_ service: ServiceView, _ port: ServiceView.Port, _ context: RuleContext) {
        self.family = context.family
        self.clusterRange = context.clusterRange
        self.tag = RuleFragment.hash("\(service.name) \(port.name) \(port.transport.rawValue)")
        self.protocolKeyword = port.transport.keyword
        self.port = port.port
        self.nodePort = port.nodePort
    }

    var keyword: String { self.family.keyword }
    var transport: String { "meta l4proto \(self.protocolKeyword)" }

    /// The key under which the port is looked up.
    func key(_ address: String) -> String {
        "\(address) . \(self.protocolKeyword) . \(self.port)"
    }

    var nodePortKey: String { "\(self.protocolKeyword) . \(self.nodePort)" }

    /// The rule that sends a packet to an endpoint.
    func send(_ endpoint: ServiceView.Endpoint) -> String {
        let address = self.family == .ipv4 ? endpoint.address : "[\(endpoint.address)]"
        return "\(self.transport) dnat \(self.keyword) to \(address):\(endpoint.port)"
    }
}
