// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import Glibc
import KubernetesAPI
import Logging
import MemoryCluster
import ObjectModel
import Protobuf
import RPC
import RPCInterface
import ResourceClient
import Scalars
import Scheduler
import Synchronization
import Testing

@testable import KubeScheduler

/// The scheduler is killed and started again at random, while its writes fail, their answers are
/// lost and its watches break. Every pod must get one node, once, and no node more than it has.
@Suite("kube-scheduler under faults") struct SchedulerFaultTests {
    static let runs: UInt64 = getenv("APUS_TEST_LONG") == nil ? 8 : 200
    static let nodes = 4
    /// Just as many as there is room for.
    static let pods = 32

    /// Faults by chance, as long as they are wanted.
    final class Faults: Sendable {
        private struct State {
            var random: SeededGenerator
            var isOn = true
        }

        private let state: Mutex<State>

        init(seed: UInt64) {
            self.state = Mutex(State(random: SeededGenerator(seed: seed)))
        }

        func stop() { self.state.withLock { $0.isOn = false } }

        /// Each fourth write of the scheduler is refused or loses its answer.
        func next(_ target: ApusResource.Target) -> MemoryCluster.Fault? {
            guard target.resource == "pods", !target.subresource.isEmpty else { return nil }
            return self.state.withLock { state in
                guard state.isOn else { return nil }
                switch state.random.next(upperBound: UInt64(8)) {
                case 0: return .refuse(.serviceUnavailable("fault"))
                case 1: return .loseAnswer
                default: return nil
                }
            }
        }

        func happens(_ oneOf: UInt64) -> Bool {
            self.state.withLock { $0.random.next(upperBound: oneOf) == 0 }
        }
    }

    @Test("loses no pod and doubles none", .timeLimit(.minutes(2)), arguments: 0..<Self.runs)
    func killed(_ seed: UInt64) async throws {
        let faults = Faults(seed: seed)
        let cluster = MemoryCluster { _, target in faults.next(target) }
        let channel = InProcessChannel(services: [cluster])
        let nodes = Client<CoreV1.Node>(channel)
        for number in 0..<Self.nodes {
            _ = try await nodes.create(KubeSchedulerTests.node("n\(number)"))
        }
        let assignments = Assignments(channel)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await assignments.watch() }
            let pods = Client<CoreV1.Pod>(channel)
            var created = 0
            while created < Self.pods {
                // Part of the pods come while nothing schedules, part while it does.
                let upper = min(created + 8, Self.pods)
                let start = created
                try await Self.withScheduler(channel) {
                    for number in start..<upper {
                        let name = "p\(number)"
                        _ = try await pods.create(KubeSchedulerTests.pod(name, cpu: "500m"))
                        if faults.happens(4) { cluster.dropWatches() }
                    }
                    await assignments.wait(forAtLeast: start + Int(seed % 8))
                }
                created = upper
            }
            faults.stop()
            try await Self.withScheduler(channel) {
                await assignments.wait(forAtLeast: Self.pods)
            }
            group.cancelAll()
        }
        #expect(assignments.doubled == [])
        let list = try await Client<CoreV1.Pod>(channel).list()
        let counts = Dictionary(grouping: list.items, by: \.spec.nodeName).mapValues(\.count)
        #expect(list.items.count == Self.pods)
        #expect(counts.count == Self.nodes, "seed \(seed): \(counts)")
        #expect(counts.values.allSatisfy { $0 == Self.pods / Self.nodes }, "\(counts)")
    }

    /// Runs a scheduler around a body, and kills it then.
    static func withScheduler(
        _ channel: any RPCChannel,
        _ body: @Sendable @escaping () async throws -> Void
    ) async throws {
        var configuration = KubeScheduler.Configuration()
        configuration.initialBackoff = .milliseconds(1)
        configuration.maximumBackoff = .milliseconds(2)
        let scheduler = KubeScheduler(
            configuration,
            watching: channel,
            writing: channel,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await scheduler.run() }
            try await body()
            group.cancelAll()
        }
    }

    /// The nodes that pods were given, as a watch sees it that nothing disturbs.
    final class Assignments: Sendable {
        private struct State {
            var nodes: [String: String] = [:]
            var doubled: [String] = []
            var waiters: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
        }

        private let state = Mutex(State())
        private let pods: Client<CoreV1.Pod>

        init(_ channel: any RPCChannel) {
            self.pods = Client(channel)
        }

        /// Pods whose node changed.
        var doubled: [String] { self.state.withLock { $0.doubled } }

        func watch() async throws {
            var version = "1"
            while !Task.isCancelled {
                // Ends when watches are dropped; what was missed is in the history.
                let watch = try await self.pods.watch(from: version)
                while let batch = try await watch.next() {
                    for event in batch.events {
                        switch event {
                        case .added(let pod), .modified(let pod):
                            version = pod.metadata.resourceVersion
                            self.note(pod)
                        case .deleted, .bookmark: break
                        }
                    }
                }
            }
        }

        private func note(_ pod: CoreV1.Pod) {
            let node = pod.spec.nodeName
            guard !node.isEmpty else { return }
            let ready = self.state.withLock { state in
                if let old = state.nodes.updateValue(node, forKey: pod.metadata.uid), old != node {
                    state.doubled.append(pod.metadata.name)
                }
                let count = state.nodes.count
                let ready = state.waiters.filter { $0.count <= count }
                state.waiters.removeAll { $0.count <= count }
                return ready
            }
            for waiter in ready { waiter.continuation.resume() }
        }

        func wait(forAtLeast count: Int) async {
            await withCheckedContinuation { continuation in
                let isReady = self.state.withLock { state in
                    if state.nodes.count >= count { return true }
                    state.waiters.append((count, continuation))
                    return false
                }
                if isReady { continuation.resume() }
            }
        }
    }
}
