// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import APIServer
import Clocks
import Engine
import KubernetesAPI
import Logging
import NIOPosix
import ObjectModel
import Protobuf
import RPCInterface
import ResourceClient
import Scheduler
import Testing

@testable import KubeScheduler

/// The scheduler against the real API server, both in this process.
@Suite("kube-scheduler") struct KubeSchedulerTests {
    static func node(_ name: String, cpu: String = "4") -> CoreV1.Node {
        .with {
            $0.metadata.name = name
            for (resource, amount) in [("cpu", cpu), ("memory", "8Gi"), ("pods", "110")] {
                $0.status.allocatable[resource] = .with { $0.string = amount }
                $0.status.capacity[resource] = .with { $0.string = amount }
            }
        }
    }

    static func pod(_ name: String, cpu: String, priority: Int32? = nil) -> CoreV1.Pod {
        .with {
            $0.metadata.name = name
            $0.metadata.namespace = "default"
            $0.spec.schedulerName = "default-scheduler"
            $0.spec.priority = priority
            $0.spec.containers.append(
                .with {
                    $0.name = "main"
                    $0.image = "web"
                    $0.resources.requests["cpu"] = .with { $0.string = cpu }
                }
            )
        }
    }

    /// Runs a server and a scheduler around a test.
    static func withScheduler(
        _ body: @Sendable @escaping (any RPCChannel) async throws -> Void
    ) async throws {
        let store = try EmbeddedStore(backend: MemoryBackend())
        let server = APIServer(APIServer.Configuration(), store: store)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await server.run(group: MultiThreadedEventLoopGroup.singleton)
            }
            await server.waitUntilReady()
            let channel = server.channel
            let scheduler = KubeScheduler(
                KubeScheduler.Configuration(),
                watching: channel,
                writing: channel,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            )
            group.addTask { try await scheduler.run() }
            try await body(channel)
            group.cancelAll()
        }
        try store.close()
    }

    /// Waits until the pod is as it should be.
    static func wait(
        _ client: Client<CoreV1.Pod>,
        _ name: String,
        until isDone: @Sendable (CoreV1.Pod) -> Bool
    ) async throws -> CoreV1.Pod {
        let pod = try await client.get(name, in: "default")
        if isDone(pod) { return pod }
        let watch = try await client.watch(
            in: "default",
            name: name,
            from: pod.metadata.resourceVersion
        )
        while let batch = try await watch.next() {
            for event in batch.events {
                switch event {
                case .added(let pod), .modified(let pod):
                    if isDone(pod) { return pod }
                case .deleted, .bookmark: continue
                }
            }
        }
        return pod
    }

    /// Waits for an event.
    static func event(
        _ reason: String,
        _ channel: any RPCChannel
    ) async throws -> CoreV1.Event {
        let client = Client<CoreV1.Event>(channel)
        let list = try await client.list(in: "default")
        if let event = list.items.first(where: { $0.reason == reason }) { return event }
        let watch = try await client.watch(in: "default", from: list.resourceVersion)
        while let batch = try await watch.next() {
            for case .added(let event) in batch.events where event.reason == reason {
                return event
            }
        }
        return CoreV1.Event()
    }

    @Test("binds a pod to a node that has room", .timeLimit(.minutes(1)))
    func binding() async throws {
        try await Self.withScheduler { channel in
            let nodes = Client<CoreV1.Node>(channel)
            _ = try await nodes.create(Self.node("small", cpu: "1"))
            _ = try await nodes.create(Self.node("big"))
            let pods = Client<CoreV1.Pod>(channel)
            _ = try await pods.create(Self.pod("p", cpu: "2"))
            let bound = try await Self.wait(pods, "p") { !$0.spec.nodeName.isEmpty }
            #expect(bound.spec.nodeName == "big")
            let condition = bound.status.conditions.first { $0.type == "PodScheduled" }
            #expect(condition?.status == "True")
        }
    }

    @Test("says why there is no node, and goes on when there is", .timeLimit(.minutes(1)))
    func unschedulable() async throws {
        try await Self.withScheduler { channel in
            let nodes = Client<CoreV1.Node>(channel)
            _ = try await nodes.create(Self.node("small", cpu: "1"))
            let pods = Client<CoreV1.Pod>(channel)
            _ = try await pods.create(Self.pod("p", cpu: "2"))
            let event = try await Self.event("FailedScheduling", channel)
            #expect(event.involvedObject.name == "p")
            #expect(event.source.component == "default-scheduler")
            #expect(
                event.message
                    == "0/1 nodes are available: 1 Insufficient cpu. no new claims to "
                    + "deallocate, preemption: 0/1 nodes are available: 1 Preemption is not "
                    + "helpful for scheduling."
            )
            _ = try await nodes.create(Self.node("big"))
            let bound = try await Self.wait(pods, "p") { !$0.spec.nodeName.isEmpty }
            #expect(bound.spec.nodeName == "big")
            let explanation = try await PodExplanation("p", in: "default", channel: channel)
            #expect(explanation.nodes.map(\.node) == ["big", "small"])
            #expect(explanation.text.contains("NodeResourcesFit: Insufficient cpu"))
        }
    }

    @Test("binds many pods at once, each once", .timeLimit(.minutes(5)))
    func many() async throws {
        try await Self.withScheduler { channel in
            let nodes = Client<CoreV1.Node>(channel)
            for number in 0..<5 { _ = try await nodes.create(Self.node("n\(number)")) }
            let pods = Client<CoreV1.Pod>(channel)
            for number in 0..<50 { _ = try await pods.create(Self.pod("p\(number)", cpu: "400m")) }
            var counts: [String: Int] = [:]
            for number in 0..<50 {
                let pod = try await Self.wait(pods, "p\(number)") { !$0.spec.nodeName.isEmpty }
                counts[pod.spec.nodeName, default: 0] += 1
            }
            #expect(counts.values.allSatisfy { $0 == 10 })
        }
    }
}
