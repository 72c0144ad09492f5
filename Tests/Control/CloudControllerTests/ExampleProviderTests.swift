// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import CloudController
import KubernetesAPI
import Protobuf
import Testing

@Suite("The provider that docs/cloud.md shows")
struct ExampleProviderTests {
    private static func client() -> RackClient {
        RackClient([
            "a": RackClient.Machine(id: "7", rack: "r1", address: "192.0.2.1"),
            "b": RackClient.Machine(id: "8", rack: "r2", address: "192.0.2.2", isOn: false),
        ])
    }

    private static func node(_ name: String) -> CoreV1.Node {
        CoreV1.Node.with { $0.metadata.name = name }
    }

    @Test("a balancer that is asked for again is the same, and goes with its Service")
    func balancers() async throws {
        let client = Self.client()
        let balancers = try #require(RackProvider(client).loadBalancers)
        let service = CoreV1.Service.with { $0.metadata.uid = "u1" }
        for _ in 0..<2 {
            let status = try await balancers.ensureLoadBalancer(for: service, nodes: [])
            #expect(status.ingress.map(\.ip) == ["198.51.100.1"])
        }
        for _ in 0..<2 { try await balancers.ensureLoadBalancerDeleted(for: service) }
        #expect(await client.balancers.isEmpty)
    }

    @Test("a machine is known, off, or gone")
    func instances() async throws {
        let client = Self.client()
        let instances = try #require(RackProvider(client).instances)
        let found = try #require(try await instances.metadata(Self.node("a")))
        #expect(found.providerID == "rack://7")
        #expect(found.zone == "r1")
        #expect(found.addresses == [.init(type: "InternalIP", address: "192.0.2.1")])
        #expect(try await !instances.isShutDown(Self.node("a")))
        #expect(try await instances.isShutDown(Self.node("b")))
        await client.remove(machine: "b")
        #expect(try await !instances.exists(Self.node("b")))
        #expect(try await instances.metadata(Self.node("b")) == nil)
    }

    @Test("a route is there once, however often it is made")
    func routes() async throws {
        let routes = try #require(RackProvider(Self.client()).routes)
        let route = CloudRoute(name: "a-4", node: "a", destination: "10.244.0.0/24")
        for _ in 0..<2 { try await routes.create(route, cluster: "k") }
        #expect(try await routes.list(cluster: "k") == [route])
        for _ in 0..<2 { try await routes.delete(route, cluster: "k") }
        #expect(try await routes.list(cluster: "k").isEmpty)
    }
}
