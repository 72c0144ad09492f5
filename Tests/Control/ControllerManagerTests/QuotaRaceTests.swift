// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import APIServer
import Access
import Admission
import Clocks
import ClusterControllers
import ControllerKit
import Engine
import Informers
import KubernetesAPI
import NIOPosix
import ObjectModel
import Protobuf
import RPCInterface
import ResourceClient
import Scalars
import Testing

/// Admission of the real server and the real controller count the same quotas, at the same time.
@Suite("Quotas under way") struct QuotaRaceTests {
    private static func withCluster(
        _ body: @Sendable @escaping (any RPCChannel) async throws -> Void
    ) async throws {
        let store = try EmbeddedStore(backend: MemoryBackend())
        var configuration = APIServer.Configuration()
        configuration.access = { objects in
            var parts = AccessParts.open
            parts.admission = AdmissionChain([ResourceQuotaAdmission(objects)])
            return parts
        }
        let server = APIServer(configuration, store: store)
        let informers = InformerFactory(server.channel, clock: SystemClock())
        let context = ControllerContext(
            component: "test",
            informers: informers,
            channel: server.channel,
            clock: SystemClock()
        )
        let monitor = ResourceMonitor(context)
        let controller = ResourceQuotaController(context, monitor: monitor)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run(group: MultiThreadedEventLoopGroup.singleton) }
            await server.waitUntilReady()
            group.addTask { await informers.run() }
            group.addTask { await monitor.run() }
            group.addTask { await controller.run() }
            try await body(server.channel)
            group.cancelAll()
        }
        try store.close()
    }

    private static func pod(_ name: String, in namespace: String) -> CoreV1.Pod {
        CoreV1.Pod.with {
            $0.metadata.name = name
            $0.metadata.namespace = namespace
            $0.spec.containers.append(
                CoreV1.Container.with {
                    $0.name = "main"
                    $0.image = "example.com/main:1"
                }
            )
        }
    }

    /// Creates a pod as soon as the quota has been counted; false when there is no room for it.
    private static func isLetIn(_ pod: CoreV1.Pod, _ pods: Client<CoreV1.Pod>) async throws -> Bool
    {
        while true {
            do throws(StatusError) {
                _ = try await pods.create(pod)
                return true
            } catch {
                if error.message.contains("exceeded quota") { return false }
                guard error.message.contains("status unknown") || error.isConflict else {
                    throw error
                }
            }
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    /// How many of some pods that are created at once are let in.
    private static func letIn(
        _ names: [String],
        _ namespace: String,
        _ pods: Client<CoreV1.Pod>
    ) async throws -> Int {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for name in names {
                group.addTask { try await Self.isLetIn(Self.pod(name, in: namespace), pods) }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
    }

    @Test("never let in more, right after the quota, while others come and when one has gone")
    func race() async throws {
        try await Self.withCluster { channel in
            let pods = Client<CoreV1.Pod>(channel)
            let quotas = Client<CoreV1.ResourceQuota>(channel)
            for round in 0..<40 {
                let namespace = "round-\(round)"
                _ = try await Client<CoreV1.Namespace>(channel).create(
                    CoreV1.Namespace.with { $0.metadata.name = namespace }
                )
                // One that was there before counts as much as the others.
                let before = round % 2
                if before == 1 { _ = try await pods.create(Self.pod("before", in: namespace)) }
                _ = try await quotas.create(
                    CoreV1.ResourceQuota.with {
                        $0.metadata.name = "team"
                        $0.metadata.namespace = namespace
                        $0.spec.hard["pods"] = Resource.Quantity(Quantity(Int64(3)))
                    }
                )
                let first = try await Self.letIn((0..<6).map { "a-\($0)" }, namespace, pods)
                #expect(first == 3 - before, "round \(round)")
                // Room for one, which is seen when its predecessor's end is.
                let there = try await pods.list(in: namespace).items.map(\.metadata.name)
                let one = try #require(there.first)
                _ = try await pods.delete(
                    one,
                    in: namespace,
                    DeleteOptions(gracePeriodSeconds: 0)
                )
                var second = 0
                let deadline = ContinuousClock.now + .seconds(60)
                while second == 0, ContinuousClock.now < deadline {
                    second = try await Self.letIn((0..<4).map { "b-\($0)" }, namespace, pods)
                }
                #expect(second == 1, "round \(round)")
                #expect(try await pods.list(in: namespace).items.count == 3, "round \(round)")
                let quota = try await quotas.get("team", in: namespace)
                #expect(quota.status.used["pods"]?.string == "3", "round \(round)")
            }
        }
    }
}
