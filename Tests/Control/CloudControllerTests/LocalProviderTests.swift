// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import CloudController
import KubernetesAPI
import Protobuf
import Testing

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

    private static func addresses(
        _ nodes: [CoreV1.Node],
        _ change: (inout CoreV1.Service) -> Void = { _ in }
    ) async throws -> [String] {
        let service = CoreV1.Service.with { service in
            service.spec.type = "LoadBalancer"
            change(&service)
        }
        return try await LocalProvider().ensureLoadBalancer(for: service, nodes: nodes)
            .ingress.map(\.ip)
    }

    private static let nodes = [
        Self.node(("InternalIP", "192.0.2.2"), ("Hostname", "b"), ("InternalIP", "fd00::2")),
        Self.node(("InternalIP", "10.0.0.1"), ("ExternalIP", "192.0.2.1")),
    ]

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
}
