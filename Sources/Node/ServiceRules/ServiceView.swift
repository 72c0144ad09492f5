// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import KubernetesAPI
import Protobuf

/// What the rules need to know of a Service and its endpoints in one address family, taken out of
/// the objects and checked: whatever is malformed is not in here and never reaches the kernel.
public struct ServiceView: Sendable, Hashable {
    /// `namespace/name`
    public var name: String
    public var clusterAddress: String
    public var externalAddresses: [String] = []
    public var loadBalancerAddresses: [String] = []
    /// Who may use the load balancer's addresses; empty is everyone.
    public var sourceRanges: [String] = []
    /// Whether who may use them is limited: by ranges of which perhaps none is of this family.
    public var hasFirewall = false
    /// Seconds for which a client keeps its endpoint; nil without session affinity.
    public var affinitySeconds: Int?
    public var internalIsLocal = false
    public var externalIsLocal = false
    /// Where load balancers ask whether this node has endpoints; 0 for nowhere.
    public var healthCheckPort: UInt16 = 0
    public var ports: [Port] = []

    public struct Port: Sendable, Hashable {
        public var name: String
        public var transport: TransportProtocol
        public var port: UInt16
        /// 0 for none.
        public var nodePort: UInt16
        public var endpoints: [Endpoint]
    }

    public struct Endpoint: Sendable, Hashable, Comparable {
        public var address: String
        public var port: UInt16
        public var isLocal: Bool
        public var isReady: Bool
        public var isServing: Bool
        public var isTerminating: Bool
        /// Zones that the endpoint is meant for; empty is all.
        public var zones: Set<String> = []
        /// Whether it is meant for this node; nil when it says nothing about nodes.
        public var isForThisNode: Bool?

        /// As maps name it.
        var place: String { "\(self.address) . \(self.port)" }

        public static func < (left: Endpoint, right: Endpoint) -> Bool {
            (left.address, left.port) < (right.address, right.port)
        }
    }
}

extension ServiceView {
    /// The longest that a client keeps its endpoint: a day, by validation.
    static let longestAffinity = 86_400
    /// Upstream's default for a Service with affinity.
    static let defaultAffinity = 10_800

    /// The label by which a Service says that another proxy serves it.
    public static let proxyNameLabel = "service.kubernetes.io/service-proxy-name"
    /// The label of Services without an address of their own.
    static let headlessLabel = "service.kubernetes.io/headless"

    /// - Parameter nodeName: this node: its endpoints are local.
    /// - Returns: nil for a Service that needs no rules in this family: headless, ExternalName, or
    ///   another proxy's.
    public init?(
        _ service: CoreV1.Service,
        _ slices: [DiscoveryV1.EndpointSlice],
        _ family: AddressFamily,
        nodeName: String
    ) {
        let spec = service.spec
        let labels = service.metadata.labels
        guard spec.type != "ExternalName", labels[Self.proxyNameLabel] == nil,
            labels[Self.headlessLabel] == nil,
            let address = spec.clusterIPs.lazy.compactMap(family.canonical).first
                ?? family.canonical(spec.clusterIP)
        else { return nil }
        self.name = "\(service.metadata.namespace)/\(service.metadata.name)"
        self.clusterAddress = address
        self.externalAddresses = spec.externalIPs.compactMap(family.canonical)
        // White space around ranges is upstream's, too.
        let ranges = spec.loadBalancerSourceRanges.map(Self.trimmed).filter { !$0.isEmpty }
        self.hasFirewall = !ranges.isEmpty
        self.sourceRanges = family.ranges(ranges)
        if spec.type == "LoadBalancer" {
            self.loadBalancerAddresses = service.status.loadBalancer.ingress.compactMap { ingress in
                // With ipMode Proxy packets have to pass the load balancer.
                ingress.ipMode != "Proxy" ? family.canonical(ingress.ip) : nil
            }
        }
        if spec.sessionAffinity == "ClientIP" {
            let seconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds.map(Int.init)
            self.affinitySeconds = min(
                max(seconds ?? Self.defaultAffinity, 1),
                Self.longestAffinity
            )
        }
        if spec.externalTrafficPolicy == "Local", spec.type == "LoadBalancer" {
            self.healthCheckPort = UInt16(exactly: spec.healthCheckNodePort) ?? 0
        }
        self.internalIsLocal = spec.internalTrafficPolicy == "Local"
        self.externalIsLocal = spec.externalTrafficPolicy == "Local"
        let allNodePorts = spec.type == "NodePort" || spec.type == "LoadBalancer"
        self.ports = spec.ports.compactMap { port in
            guard
                let transport = TransportProtocol(
                    rawValue: port.protocol.isEmpty ? "TCP" : port.protocol
                ),
                let number = UInt16(exactly: port.port), number > 0
            else { return nil }
            return Port(
                name: port.name,
                transport: transport,
                port: number,
                nodePort: allNodePorts ? UInt16(exactly: port.nodePort) ?? 0 : 0,
                endpoints: Self.endpoints(slices, port.name, transport, family, nodeName)
            )
        }
    }

    private static func trimmed(_ text: String) -> String {
        var rest = text[...]
        while rest.first == " " { rest.removeFirst() }
        while rest.last == " " { rest.removeLast() }
        return String(rest)
    }

    /// Endpoints on this node that traffic may go to: what a health check of the node counts.
    public var localEndpointCount: Int {
        var addresses: Set<String> = []
        for port in self.ports {
            addresses.formUnion(port.endpoints.filter { $0.isLocal && $0.isReady }.map(\.address))
        }
        return addresses.count
    }

    /// The endpoints of a port, each once, in order.
    private static func endpoints(
        _ slices: [DiscoveryV1.EndpointSlice],
        _ portName: String,
        _ transport: TransportProtocol,
        _ family: AddressFamily,
        _ nodeName: String
    ) -> [Endpoint] {
        var found: [String: Endpoint] = [:]
        for slice in slices where slice.addressType == family.rawValue {
            let ports = slice.ports.filter {
                ($0.name ?? "") == portName && ($0.protocol ?? "TCP") == transport.rawValue
            }
            for port in ports {
                guard let number = port.port.flatMap({ UInt16(exactly: $0) }), number > 0 else {
                    continue
                }
                for endpoint in slice.endpoints {
                    // All addresses of an endpoint are the same place; upstream uses the first.
                    guard let text = endpoint.addresses.first,
                        let address = family.endpoint(text)
                    else { continue }
                    let conditions = endpoint.conditions
                    let isReady = conditions.ready ?? true
                    let entry = Endpoint(
                        address: address,
                        port: number,
                        isLocal: endpoint.nodeName == nodeName,
                        isReady: isReady,
                        isServing: conditions.serving ?? isReady,
                        isTerminating: conditions.terminating ?? false,
                        zones: Set(endpoint.hints?.forZones.map(\.name) ?? []),
                        isForThisNode: endpoint.hints.flatMap { hints in
                            hints.forNodes.isEmpty
                                ? nil : hints.forNodes.contains { $0.name == nodeName }
                        }
                    )
                    // The same pod in two slices, while it moves from one to the other.
                    let key = "\(address) \(number)"
                    if let other = found[key], other.isReady, !isReady { continue }
                    found[key] = entry
                }
            }
        }
        return found.values.sorted()
    }
}

extension [ServiceView.Endpoint] {
    /// Those that traffic goes to: the ready ones; when there are none, those that still serve while
    /// they terminate. Upstream: `pkg/proxy/topology.go`.
    var usable: [ServiceView.Endpoint] {
        let ready = self.filter(\.isReady)
        return ready.isEmpty ? self.filter { $0.isServing && $0.isTerminating } : ready
    }

    /// The usable ones that are meant for this node or its zone, where all of them have hints and
    /// some fit; else all.
    func preferred(zone: String) -> [ServiceView.Endpoint] {
        let usable = self.usable
        if usable.allSatisfy({ $0.isForThisNode != nil }) {
            let near = usable.filter { $0.isForThisNode == true }
            if !near.isEmpty { return near }
        }
        guard !zone.isEmpty, usable.allSatisfy({ !$0.zones.isEmpty }) else { return usable }
        let near = usable.filter { $0.zones.contains(zone) }
        return near.isEmpty ? usable : near
    }
}
