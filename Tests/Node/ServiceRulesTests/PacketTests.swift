// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf
import Testing

@testable import ServiceRules

@Suite("Packets through the rules of a Service")
struct PacketTests {
    /// What a packet asks for.
    enum Aim: Sendable {
        case address(String, UInt16)
        case nodePort
    }

    struct Case: CustomStringConvertible, Sendable {
        var description: String
        var service: @Sendable (inout CoreV1.Service) -> Void = { _ in }
        var places: [Sample.Place]
        /// A pod of this node, the node itself, or somebody outside of the cluster.
        var from = "10.244.0.9"
        var isFromNode = false
        var to: Aim = .address("10.96.1.1", 80)
        var outcome: Set<PacketWalk.Outcome>
    }

    private static let here = Sample.Place(address: "10.244.0.2")
    private static let there = Sample.Place(address: "10.244.1.2", node: "b")
    private static let outside = "203.0.113.5"
    private static let toHere = PacketWalk.Outcome.sent(to: "10.244.0.2 . 8080", masqueraded: false)
    private static let toThere = PacketWalk.Outcome.sent(
        to: "10.244.1.2 . 8080",
        masqueraded: false
    )
    private static let toHereMasqueraded = PacketWalk.Outcome.sent(
        to: "10.244.0.2 . 8080",
        masqueraded: true
    )
    private static let toThereMasqueraded = PacketWalk.Outcome.sent(
        to: "10.244.1.2 . 8080",
        masqueraded: true
    )

    private static func place(
        _ ready: Bool,
        terminating: Bool = false,
        serving: Bool? = nil,
        _ address: String = "10.244.0.2"
    ) -> Sample.Place {
        Sample.Place(address: address, ready: ready, terminating: terminating, serving: serving)
    }

    private static let nodePort: @Sendable (inout CoreV1.Service) -> Void = {
        $0.spec.type = "NodePort"
    }
    private static let local: @Sendable (inout CoreV1.Service) -> Void = {
        $0.spec.type = "LoadBalancer"
        $0.spec.externalTrafficPolicy = "Local"
        $0.spec.externalIPs.append("192.0.2.1")
        $0.status.loadBalancer.ingress.append(
            CoreV1.LoadBalancerIngress.with { $0.ip = "192.0.2.2" }
        )
    }
    private static let balancer: @Sendable (inout CoreV1.Service) -> Void = {
        $0.spec.type = "LoadBalancer"
        $0.status.loadBalancer.ingress.append(
            CoreV1.LoadBalancerIngress.with { $0.ip = "192.0.2.2" }
        )
    }
    private static func guarded(_ ranges: String...) -> @Sendable (inout CoreV1.Service) -> Void {
        {
            Self.balancer(&$0)
            for range in ranges { $0.spec.loadBalancerSourceRanges.append(range) }
        }
    }

    // MARK: - Which endpoints

    private static let endpoints: [Case] = [
        Case(
            description: "every ready endpoint, wherever it is",
            places: [here, there],
            outcome: [toHere, toThere]
        ),
        Case(
            description: "not one that is not ready",
            places: [here, place(false, "10.244.0.3")],
            outcome: [toHere]
        ),
        Case(
            description: "not one that terminates while another is ready",
            places: [here, place(false, terminating: true, "10.244.0.3")],
            outcome: [toHere]
        ),
        Case(
            description: "those that serve while they terminate when nothing is ready",
            places: [place(false, terminating: true)],
            outcome: [toHere]
        ),
        Case(
            description: "not one that terminates and no longer serves",
            places: [place(false, terminating: true, serving: false)],
            outcome: [.refused]
        ),
        Case(
            description: "not one that serves, is not ready and does not terminate",
            places: [place(false, serving: true)],
            outcome: [.refused]
        ),
        Case(description: "refused without endpoints", places: [], outcome: [.refused]),
        Case(
            description: "another port of the address is nobody's",
            places: [here],
            to: .address("10.96.1.1", 81),
            outcome: [.passed]
        ),
        Case(
            description: "endpoints that publish what is not ready come as ready ones",
            service: { $0.spec.publishNotReadyAddresses = true },
            places: [here],
            outcome: [toHere]
        ),
        Case(
            description: "the zone's endpoints",
            places: [
                Sample.Place(address: "10.244.0.2", zones: ["z1"]),
                Sample.Place(address: "10.244.1.2", node: "b", zones: ["z2"]),
            ],
            outcome: [toHere]
        ),
        Case(
            description: "all when one has no hint for a zone",
            places: [Sample.Place(address: "10.244.0.2", zones: ["z1"]), there],
            outcome: [toHere, toThere]
        ),
        Case(
            description: "all when no hint is for this zone",
            places: [
                Sample.Place(address: "10.244.0.2", zones: ["z2"]),
                Sample.Place(address: "10.244.1.2", node: "b", zones: ["z2"]),
            ],
            outcome: [toHere, toThere]
        ),
        Case(
            description: "the node's endpoints before the zone's",
            places: [
                Sample.Place(address: "10.244.0.2", zones: ["z1"], nodes: ["a"]),
                Sample.Place(address: "10.244.1.2", node: "b", zones: ["z1"], nodes: ["b"]),
            ],
            outcome: [toHere]
        ),
        Case(
            description: "the zone's when no hint is for this node",
            places: [
                Sample.Place(address: "10.244.0.2", zones: ["z2"], nodes: ["c"]),
                Sample.Place(address: "10.244.1.2", node: "b", zones: ["z1"], nodes: ["b"]),
            ],
            outcome: [toThere]
        ),
        Case(
            description: "the zone's when one has no hint for a node",
            places: [
                Sample.Place(address: "10.244.0.2", zones: ["z1"], nodes: ["a"]),
                Sample.Place(address: "10.244.1.2", node: "b", zones: ["z1"]),
            ],
            outcome: [toHere, toThere]
        ),
        Case(
            description: "a hint of what is not ready counts for nothing",
            places: [
                Sample.Place(address: "10.244.0.2", ready: false, zones: ["z1"]),
                Sample.Place(address: "10.244.1.2", node: "b", zones: ["z2"]),
            ],
            outcome: [toThere]
        ),
        Case(
            description: "an address in two slices is one endpoint",
            places: [here, here],
            outcome: [toHere]
        ),
    ]

    // MARK: - Policies and masquerading

    private static let policies: [Case] = [
        Case(
            description: "masqueraded from outside of the pods' range by the cluster's address",
            places: [there],
            from: outside,
            outcome: [toThereMasqueraded]
        ),
        Case(
            description: "internal policy Local keeps to this node",
            service: { $0.spec.internalTrafficPolicy = "Local" },
            places: [here, there],
            outcome: [toHere]
        ),
        Case(
            description: "internal policy Local drops when the endpoints are elsewhere",
            service: { $0.spec.internalTrafficPolicy = "Local" },
            places: [there],
            outcome: [.dropped]
        ),
        Case(
            description: "internal policy Local refuses when there are none at all",
            service: { $0.spec.internalTrafficPolicy = "Local" },
            places: [],
            outcome: [.refused]
        ),
        Case(
            description: "internal policy Local takes this node's that terminate",
            service: { $0.spec.internalTrafficPolicy = "Local" },
            places: [place(false, terminating: true), there],
            outcome: [toHere]
        ),
        Case(
            description: "node ports reach every endpoint, masqueraded",
            service: nodePort,
            places: [here, there],
            from: outside,
            to: .nodePort,
            outcome: [toHereMasqueraded, toThereMasqueraded]
        ),
        Case(
            description: "node ports masquerade pods, too",
            service: nodePort,
            places: [there],
            to: .nodePort,
            outcome: [toThereMasqueraded]
        ),
        Case(
            description: "a Service of type ClusterIP has no node port",
            places: [here],
            from: outside,
            to: .nodePort,
            outcome: [.passed]
        ),
        Case(
            description: "node ports without endpoints refuse",
            service: nodePort,
            places: [],
            from: outside,
            to: .nodePort,
            outcome: [.refused]
        ),
        Case(
            description: "external policy Local keeps the client's address",
            service: local,
            places: [here, there],
            from: outside,
            to: .nodePort,
            outcome: [toHere]
        ),
        Case(
            description: "external policy Local drops when the endpoints are elsewhere",
            service: local,
            places: [there],
            from: outside,
            to: .nodePort,
            outcome: [.dropped]
        ),
        Case(
            description: "external policy Local refuses when there are none at all",
            service: local,
            places: [],
            from: outside,
            to: .address("192.0.2.2", 80),
            outcome: [.refused]
        ),
        Case(
            description: "external policy Local takes this node's that terminate",
            service: local,
            places: [place(false, terminating: true), there],
            from: outside,
            to: .address("192.0.2.2", 80),
            outcome: [toHere]
        ),
        Case(
            description: "external policy Local lets pods use every endpoint",
            service: local,
            places: [here, there],
            to: .address("192.0.2.2", 80),
            outcome: [toHere, toThere]
        ),
        Case(
            description: "external policy Local lets the node use every endpoint, masqueraded",
            service: local,
            places: [here, there],
            from: "198.51.100.1",
            isFromNode: true,
            to: .address("192.0.2.2", 80),
            outcome: [toHereMasqueraded, toThereMasqueraded]
        ),
        Case(
            description: "external policy Local lets pods use other nodes' where this one has none",
            service: local,
            places: [there],
            to: .nodePort,
            outcome: [toThere]
        ),
        Case(
            description: "external policy Local lets a node without endpoints use others'",
            service: local,
            places: [there],
            from: "198.51.100.1",
            isFromNode: true,
            to: .address("192.0.2.2", 80),
            outcome: [toThereMasqueraded]
        ),
        Case(
            description: "affinity and external policy Local drop what comes from outside as well",
            service: {
                Self.local(&$0)
                $0.spec.sessionAffinity = "ClientIP"
            },
            places: [there],
            from: outside,
            to: .nodePort,
            outcome: [.dropped]
        ),
        Case(
            description: "external policy Local leaves the cluster's address alone",
            service: local,
            places: [here, there],
            outcome: [toHere, toThere]
        ),
        Case(
            description: "external addresses reach every endpoint, masqueraded",
            service: { $0.spec.externalIPs.append("192.0.2.1") },
            places: [here, there],
            from: outside,
            to: .address("192.0.2.1", 80),
            outcome: [toHereMasqueraded, toThereMasqueraded]
        ),
        Case(
            description: "external addresses follow external policy Local",
            service: local,
            places: [here, there],
            from: outside,
            to: .address("192.0.2.1", 80),
            outcome: [toHere]
        ),
        Case(
            description: "load balancers' addresses reach every endpoint",
            service: balancer,
            places: [here, there],
            from: outside,
            to: .address("192.0.2.2", 80),
            outcome: [toHereMasqueraded, toThereMasqueraded]
        ),
        Case(
            description: "load balancers that are proxies get no rule",
            service: {
                $0.spec.type = "LoadBalancer"
                $0.status.loadBalancer.ingress.append(
                    CoreV1.LoadBalancerIngress.with {
                        $0.ip = "192.0.2.2"
                        $0.ipMode = "Proxy"
                    }
                )
            },
            places: [here],
            from: outside,
            to: .address("192.0.2.2", 80),
            outcome: [.passed]
        ),
        Case(
            description: "source ranges let in whom they name",
            service: guarded("203.0.113.0/24"),
            places: [here],
            from: outside,
            to: .address("192.0.2.2", 80),
            outcome: [toHereMasqueraded]
        ),
        Case(
            description: "source ranges drop all others",
            service: guarded("198.51.100.0/24"),
            places: [here],
            from: outside,
            to: .address("192.0.2.2", 80),
            outcome: [.dropped]
        ),
        Case(
            description: "source ranges do not hold for node ports",
            service: guarded("198.51.100.0/24"),
            places: [here],
            from: outside,
            to: .nodePort,
            outcome: [toHereMasqueraded]
        ),
        Case(
            description: "source ranges of the other family alone let nobody in",
            service: guarded("2001:db8::/32"),
            places: [here],
            from: outside,
            to: .address("192.0.2.2", 80),
            outcome: [.dropped]
        ),
        Case(
            description: "white space around source ranges is nothing",
            service: guarded(" 203.0.113.0/24 "),
            places: [here],
            from: outside,
            to: .address("192.0.2.2", 80),
            outcome: [toHereMasqueraded]
        ),
        Case(
            description: "source ranges together with external policy Local",
            service: {
                Self.local(&$0)
                $0.spec.loadBalancerSourceRanges.append("203.0.113.0/24")
            },
            places: [here, there],
            from: outside,
            to: .address("192.0.2.2", 80),
            outcome: [toHere]
        ),
        Case(
            description: "affinity reaches every endpoint",
            service: { $0.spec.sessionAffinity = "ClientIP" },
            places: [here, there],
            outcome: [toHere, toThere]
        ),
        Case(
            description: "affinity holds for node ports",
            service: {
                $0.spec.type = "NodePort"
                $0.spec.sessionAffinity = "ClientIP"
            },
            places: [here, there],
            from: outside,
            to: .nodePort,
            outcome: [toHereMasqueraded, toThereMasqueraded]
        ),
        Case(
            description: "affinity masquerades who is outside of the pods' range",
            service: { $0.spec.sessionAffinity = "ClientIP" },
            places: [here],
            from: outside,
            outcome: [toHereMasqueraded]
        ),
    ]

    @Test("go to", arguments: Self.endpoints)
    func endpoint(_ example: Case) { Self.check(example) }

    @Test("follow", arguments: Self.policies)
    func policy(_ example: Case) { Self.check(example) }

    private static func check(_ example: Case) {
        guard
            let fragment = Sample.fragment(Sample.service(example.service), example.places)
        else {
            Issue.record("no rules")
            return
        }
        let walk = PacketWalk(
            fragment: fragment,
            context: Sample.context,
            source: example.from,
            isFromNode: example.isFromNode
        )
        switch example.to {
        case .address(let address, let port):
            #expect(walk.outcomes(address: address, port: port) == example.outcome)
        case .nodePort:
            #expect(walk.outcomes(nodePort: 30080) == example.outcome)
        }
    }

    @Test("of every protocol", arguments: [("UDP", "udp"), ("SCTP", "sctp"), ("TCP", "tcp")])
    func protocols(name: String, keyword: String) throws {
        let service = Sample.service { $0.spec.ports[0].protocol = name }
        var slice = Sample.slice([Self.here])
        slice.ports[0].protocol = name
        let view = try #require(ServiceView(service, [slice], .ipv4, nodeName: "a"))
        let walk = PacketWalk(
            fragment: RuleFragment(view, Sample.context),
            context: Sample.context,
            source: "10.244.0.9"
        )
        #expect(walk.outcomes(address: "10.96.1.1", transport: keyword) == [Self.toHere])
        let other = keyword == "tcp" ? "udp" : "tcp"
        #expect(walk.outcomes(address: "10.96.1.1", transport: other) == [.passed])
    }

    @Test("each family has its own rules")
    func families() throws {
        let service = Sample.service {
            $0.spec.clusterIPs.append("10.96.1.1")
            $0.spec.clusterIPs.append("FD00:0::1")
        }
        let slices = [
            Sample.slice([Self.here]),
            Sample.slice([Sample.Place(address: "fd00:244::0:2")], family: .ipv6),
        ]
        let view = try #require(ServiceView(service, slices, .ipv6, nodeName: "a"))
        // In the one canonical form, so that keys are the same however they were written.
        #expect(view.clusterAddress == "fd00::1")
        #expect(view.ports[0].endpoints.map(\.address) == ["fd00:244::2"])
        let other = try #require(ServiceView(service, slices, .ipv4, nodeName: "a"))
        #expect(other.ports[0].endpoints.map(\.address) == ["10.244.0.2"])
    }

    @Test("only endpoints of this node are pairs for hairpins")
    func hairpins() {
        let unknown = Sample.Place(address: "10.244.7.7", node: nil)
        let fragment = Sample.fragment(Sample.service(), [Self.here, Self.there, unknown])
        let pairs = fragment?.elements[.hairpins]?.keys.sorted()
        #expect(pairs == ["10.244.0.2 . 10.244.0.2"])
    }

    @Test("a node's health counts its ready endpoints, each address once")
    func localEndpoints() throws {
        let service = Sample.service {
            Self.local(&$0)
            $0.spec.healthCheckNodePort = 31000
        }
        let slices = [
            Sample.slice([Self.here, Self.there, Self.place(false, "10.244.0.3")])
        ]
        let view = try #require(ServiceView(service, slices, .ipv4, nodeName: "a"))
        #expect(view.healthCheckPort == 31000)
        #expect(view.localEndpointCount == 1)
        let cluster = Sample.service {
            $0.spec.type = "LoadBalancer"
            $0.spec.healthCheckNodePort = 31000
        }
        #expect(ServiceView(cluster, slices, .ipv4, nodeName: "a")?.healthCheckPort == 0)
    }
}
