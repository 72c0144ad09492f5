// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import NameRules
import Protobuf
import Testing

@testable import CloudController

@Suite("LocalProvider")
struct LocalProviderTests {
    private static func node(_ addresses: (String, String)...) -> CoreV1.Node {
        CoreV1.Node.with { node in
            for (type, address) in addresses {
                node.status.addresses.append(
                    CoreV1.NodeAddress.with {
                        $0.type = type
                        $0.address = address
                    }
                )
            }
        }
    }

    private static func service(
        _ name: String = "web",
        _ change: (inout CoreV1.Service) -> Void = { _ in }
    ) -> CoreV1.Service {
        CoreV1.Service.with { service in
            service.metadata.name = name
            service.spec.type = "LoadBalancer"
            change(&service)
        }
    }

    private static func addresses(
        _ nodes: [CoreV1.Node],
        _ change: (inout CoreV1.Service) -> Void = { _ in }
    ) async throws -> [String] {
        try await LocalProvider(pool: AddressPool([])) { [] }
            .ensureLoadBalancer(for: Self.service("web", change), nodes: nodes)
            .ingress.map(\.ip)
    }

    private static let nodes = [
        Self.node(("InternalIP", "192.0.2.2"), ("Hostname", "b"), ("InternalIP", "fd00::2")),
        Self.node(("InternalIP", "10.0.0.1"), ("ExternalIP", "192.0.2.1")),
    ]

    // MARK: - Without a pool

    @Test("gives the nodes' addresses, external ones first, in the Service's families")
    func families() async throws {
        #expect(try await Self.addresses(Self.nodes) == ["192.0.2.1", "192.0.2.2"])
        #expect(
            try await Self.addresses(Self.nodes) { $0.spec.ipFamilies.append("IPv6") }
                == ["fd00::2"]
        )
        #expect(try await Self.addresses([]) == [])
    }

    @Test("gives the address that is asked for, if a node has it")
    func wanted() async throws {
        #expect(
            try await Self.addresses(Self.nodes) { $0.spec.loadBalancerIP = "192.0.2.2" }
                == ["192.0.2.2"]
        )
        #expect(
            try await Self.addresses(Self.nodes) { $0.spec.loadBalancerIP = "192.0.2.9" } == []
        )
    }

    // MARK: - With a pool

    @Test(
        "pools are addresses, ranges and spans",
        arguments: [
            (["192.0.2.7"], "192.0.2.7", true), (["192.0.2.7"], "192.0.2.8", false),
            (["192.0.2.0/30"], "192.0.2.3", true), (["192.0.2.0/30"], "192.0.2.4", false),
            (["192.0.2.250-192.0.3.5"], "192.0.3.0", true),
            (["192.0.2.250-192.0.3.5"], "192.0.3.6", false),
            (["fd00::/126"], "fd00::3", true), (["fd00::/126"], "fd00::4", false),
            (["fd00::-fd00::ff"], "fd00::80", true), (["0.0.0.0/0"], "fd00::1", false),
        ] as [([String], String, Bool)]
    )
    func pools(texts: [String], address: String, isIn: Bool) throws {
        let address = try #require(IPAddress(parsing: address))
        #expect(try AddressPool(texts).contains(address) == isIn)
    }

    @Test(
        "what is no pool is refused",
        arguments: [
            "", "x", "192.0.2.0/33", "192.0.2.9-192.0.2.1", "192.0.2.1-fd00::1",
            "192.0.2.1-192.0.2.2-192.0.2.3", "192.0.2.1-",
        ]
    )
    func noPool(_ text: String) {
        #expect(throws: AddressPool.Failure.self) { try AddressPool([text]) }
    }

    private static func holding(_ name: String, _ address: String) -> CoreV1.Service {
        Self.service(name) { service in
            service.status.loadBalancer.ingress.append(
                CoreV1.LoadBalancerIngress.with { $0.ip = address }
            )
        }
    }

    struct Case: CustomStringConvertible, Sendable {
        var description: String
        var pool = ["192.0.2.1-192.0.2.3", "fd00::1-fd00::2"]
        var held: [String] = []
        var own: String?
        var families: [String] = []
        var wanted = ""
        /// Nil when none can be had.
        var given: [String]?
    }

    static let cases: [Case] = [
        Case(description: "the first that is free", given: ["192.0.2.1"]),
        Case(description: "not one that is taken", held: ["192.0.2.1"], given: ["192.0.2.2"]),
        Case(
            description: "the first gap",
            held: ["192.0.2.1", "192.0.2.3"],
            given: ["192.0.2.2"]
        ),
        Case(
            description: "the one that it has",
            held: ["192.0.2.2"],
            own: "192.0.2.3",
            given: ["192.0.2.3"]
        ),
        Case(
            description: "another when what it has is no longer in the pool",
            own: "198.51.100.1",
            given: ["192.0.2.1"]
        ),
        Case(
            description: "another when what it has is somebody else's as well",
            held: ["192.0.2.1"],
            own: "192.0.2.1",
            given: ["192.0.2.2"]
        ),
        Case(
            description: "none when all are taken",
            held: ["192.0.2.1", "192.0.2.2", "192.0.2.3"],
            given: nil
        ),
        Case(description: "one of IPv6", families: ["IPv6"], given: ["fd00::1"]),
        Case(
            description: "one of each family",
            held: ["fd00::1"],
            families: ["IPv6", "IPv4"],
            given: ["fd00::2", "192.0.2.1"]
        ),
        Case(
            description: "one of the family that has any",
            held: ["fd00::1", "fd00::2"],
            families: ["IPv4", "IPv6"],
            given: ["192.0.2.1"]
        ),
        Case(description: "the one that it asks for", wanted: "192.0.2.3", given: ["192.0.2.3"]),
        Case(
            description: "not one that it asks for and another has",
            held: ["192.0.2.3"],
            wanted: "192.0.2.3",
            given: nil
        ),
        Case(
            description: "not one that it asks for and the pool has not",
            wanted: "198.51.100.1",
            given: nil
        ),
        Case(description: "not what is no address", wanted: "x; reboot", given: nil),
        Case(
            description: "the last address there is",
            pool: ["255.255.255.255"],
            given: ["255.255.255.255"]
        ),
        Case(
            description: "none behind the last address there is",
            pool: ["255.255.255.255"],
            held: ["255.255.255.255"],
            given: nil
        ),
    ]

    @Test("gives of its pool", arguments: Self.cases)
    func pool(_ example: Case) throws {
        let provider = LocalProvider(pool: try AddressPool(example.pool)) { [] }
        var service = example.own.map { Self.holding("web", $0) } ?? Self.service()
        for family in example.families { service.spec.ipFamilies.append(family) }
        service.spec.loadBalancerIP = example.wanted
        let others = example.held.enumerated().map { Self.holding("s\($0.offset)", $0.element) }
        if let given = example.given {
            #expect(try provider.addresses(for: service, among: others + [service]) == given)
        } else {
            #expect(throws: LocalProvider.Failure.self) {
                try provider.addresses(for: service, among: others + [service])
            }
        }
    }

    // MARK: - Which node has an address

    private static func machine(
        _ name: String,
        ready: Bool = true,
        excluded: Bool = false,
        tainted: Bool = false
    ) -> CoreV1.Node {
        CoreV1.Node.with { node in
            node.metadata.name = name
            if excluded { node.metadata.labels[NodeState.excludeLabel] = "" }
            if tainted {
                node.spec.taints.append(CoreV1.Taint.with { $0.key = NodeState.deletionTaint })
            }
            node.status.conditions.append(
                CoreV1.NodeCondition.with {
                    $0.type = "Ready"
                    $0.status = ready ? "True" : "Unknown"
                }
            )
        }
    }

    private static func holder(
        _ nodes: [CoreV1.Node],
        holder: String? = nil,
        address: String = "192.0.2.1",
        local: [String]? = nil
    ) throws -> String? {
        var service = Self.holding("web", address)
        if let holder {
            service.metadata.annotations[AnnouncementController.nodeAnnotation] = holder
        }
        var slices: [DiscoveryV1.EndpointSlice] = []
        if let local {
            service.spec.externalTrafficPolicy = "Local"
            slices = [
                DiscoveryV1.EndpointSlice.with { slice in
                    for node in local {
                        slice.endpoints.append(DiscoveryV1.Endpoint.with { $0.nodeName = node })
                    }
                }
            ]
        }
        let pool = try AddressPool(["192.0.2.1-192.0.2.9"])
        return AnnouncementController.holder(service, pool, nodes, slices)
    }

    @Test("a node keeps an address while it takes traffic")
    func keeps() throws {
        let nodes = ["a", "b", "c"].map { Self.machine($0) }
        for name in ["a", "b", "c"] { #expect(try Self.holder(nodes, holder: name) == name) }
        #expect(try Self.holder(nodes, holder: "gone") != "gone")
    }

    @Test("an address moves off a node that is not ready, excluded, about to go or gone")
    func moves() throws {
        for bad in [
            Self.machine("a", ready: false), Self.machine("a", excluded: true),
            Self.machine("a", tainted: true),
        ] {
            #expect(try Self.holder([bad, Self.machine("b")], holder: "a") == "b")
        }
        #expect(try Self.holder([Self.machine("b")], holder: "a") == "b")
        #expect(try Self.holder([Self.machine("a", ready: false)], holder: "a") == nil)
    }

    @Test("an address that is not of the pool is nobody's to announce")
    func foreign() throws {
        #expect(try Self.holder([Self.machine("a")], address: "198.51.100.1") == nil)
    }

    @Test("policy Local goes where endpoints are, and elsewhere only when there are none")
    func local() throws {
        let nodes = ["a", "b", "c"].map { Self.machine($0) }
        #expect(try Self.holder(nodes, holder: "a", local: ["b"]) == "b")
        #expect(try Self.holder(nodes, holder: "a", local: []) == "a")
    }

    @Test("addresses spread over the nodes, and stay when another node goes")
    func spread() throws {
        let nodes = (0..<4).map { Self.machine("node-\($0)") }
        let pool = try AddressPool(["10.0.0.0/16"])
        func place(_ index: Int, _ nodes: [CoreV1.Node]) -> String? {
            AnnouncementController.holder(
                Self.holding("service-\(index)", "10.0.0.1"),
                pool,
                nodes,
                []
            )
        }
        let before = (0..<400).map { place($0, nodes) }
        for node in nodes {
            let share = before.count { $0 == node.metadata.name }
            #expect((50...150).contains(share))
        }
        let after = (0..<400).map { place($0, Array(nodes.dropLast())) }
        for (old, new) in zip(before, after) where old != "node-3" { #expect(old == new) }
    }
}
