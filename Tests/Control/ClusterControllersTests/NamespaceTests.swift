// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ClusterControllers
import ControllerHarness
import KubernetesAPI
import MemoryCluster
import Protobuf
import ResourceClient
import Testing

@Suite("NamespaceController")
struct NamespaceTests {
    private static let finalizer = "example.com/hold"

    private static func map(_ name: String) -> CoreV1.ConfigMap {
        CoreV1.ConfigMap.with {
            $0.metadata.name = name
            $0.metadata.namespace = "team"
        }
    }

    @Test(
        "a namespace that takes the name of one that went unseen keeps its content, until it goes"
    )
    func again() async throws {
        let harness = ControllerHarness()
        let monitor = ResourceMonitor(harness.context())
        let running = Task { await monitor.run() }
        let namespaces = harness.client(CoreV1.Namespace.self)
        let maps = harness.client(CoreV1.ConfigMap.self)
        let team = CoreV1.Namespace.with { $0.metadata.name = "team" }
        let controller = NamespaceController(harness.context(), monitor: monitor)
        func isGone() async throws -> Bool { try await namespaces.list().items.isEmpty }
        try await harness.run([controller]) {
            _ = try await namespaces.create(team)
            var held = Self.map("held")
            held.metadata.finalizers = [Self.finalizer]
            held = try await maps.create(held)
            try await namespaces.delete("team")
            let isTold = try await harness.poll {
                try await namespaces.get("team").status.conditions.contains {
                    $0.type == "NamespaceFinalizersRemaining" && $0.status == "True"
                }
            }
            #expect(isTold)
            // The controller works on with what it knows, and hears of all the rest at once.
            #expect(await harness.poll { controller.isQuiet })
            harness.cluster.hold("namespaces")
            held = try await maps.get("held", in: "team")
            held.metadata.finalizers = []
            _ = try await maps.update(held)
            #expect(try await harness.poll { try await isGone() })
            _ = try await namespaces.create(team)
            _ = try await maps.create(Self.map("other"))
            // Seen, that is; or gone, which would be wrong.
            let isSeen = try await harness.poll {
                if try await maps.list().items.isEmpty { return true }
                return monitor.content(of: "team").contains { _, objects in
                    objects.contains { $0.metadata.name == "other" }
                }
            }
            #expect(isSeen)
            #expect(await harness.poll { controller.isQuiet })
            #expect(try await maps.list().items.map(\.metadata.name) == ["other"])
            try await namespaces.delete("team")
            harness.cluster.release("namespaces")
            #expect(try await harness.poll { try await isGone() })
            #expect(try await maps.list().items.isEmpty)
        }
        running.cancel()
        await running.value
    }
}
