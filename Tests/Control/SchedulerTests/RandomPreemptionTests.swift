// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import KubernetesAPI
import Protobuf
import Scalars
import Selectors
import Testing

@testable import Scheduler

/// Preemption in random clusters with budgets, compared with the rules carried out one by one on a
/// model.
@Suite("Random preemption") struct RandomPreemptionTests {
    /// What evicting pods from a node costs, in the order in which it counts.
    struct Cost: Comparable {
        let violations: Int
        let highestPriority: Int32
        let prioritySum: Int64
        let count: Int
        /// Later is better.
        let start: Int64

        static func < (left: Cost, right: Cost) -> Bool {
            if left.violations != right.violations { return left.violations < right.violations }
            if left.highestPriority != right.highestPriority {
                return left.highestPriority < right.highestPriority
            }
            if left.prioritySum != right.prioritySum { return left.prioritySum < right.prioritySum }
            if left.count != right.count { return left.count < right.count }
            return left.start > right.start
        }
    }

    static let clusters: UInt64 = getenv("APUS_TEST_LONG") == nil ? 400 : 20_000

    @Test("evicts the pods that the rules name", arguments: 0..<UInt64(4))
    func victims(_ part: UInt64) throws {
        var evictions = 0
        for seed in stride(from: part, to: Self.clusters, by: 4) where try Self.run(seed) {
            evictions += 1
        }
        #expect(evictions > 5)
    }

    /// - Returns: whether pods had to go.
    static func run(_ seed: UInt64) throws -> Bool {
        var objects = RandomObjects(seed: seed)
        var model = NaiveScheduler()
        for number in 0..<4 {
            let node = objects.node("n\(number)")
            model.nodes[node.metadata.name] = node
        }
        for number in 0..<10 {
            var pod = objects.pod("p\(number)", on: "n\(objects.pick([0, 1, 2, 3]))")
            pod.metadata.deletionTimestamp = nil
            // Each another, so that there is one right order.
            pod.status.startTime = .with { $0.seconds = Int64(number * 7 % 10) }
            model.pods[pod.metadata.uid] = pod
        }
        var preemptor = objects.pod("vip")
        preemptor.metadata.deletionTimestamp = nil
        preemptor.spec.priority = 7
        let core = SchedulerCore(seed: seed)
        for node in model.nodes.values { core.setNode(node, now: .zero) }
        for pod in model.pods.values { core.setPod(pod, now: .zero) }
        let budget = DisruptionBudget(
            .with {
                $0.metadata.namespace = "default"
                $0.spec.selector = selector(objects.selector())
                $0.status.disruptionsAllowed = objects.pick([0, 1])
            }
        )
        core.cluster.budgets["default/b"] = budget
        core.setPod(preemptor, now: .zero)
        guard model.feasibleNodes(preemptor).isEmpty else { return false }
        let refused = try #require(core.decide(now: .zero)?.refused)
        let expected = model.nodes.keys.compactMap { node in
            Self.victims(node, preemptor, model, budget).map { (node, $0) }
        }
        guard let least = expected.map(\.1.cost).min() else {
            #expect(refused.victims.isEmpty, "seed \(seed)")
            return false
        }
        let chosen = try #require(refused.nominatedNode, "seed \(seed)")
        let eviction = try #require(
            expected.first { $0.0 == chosen }?.1,
            "seed \(seed): \(chosen)"
        )
        #expect(
            refused.victims.map(\.uid).sorted() == eviction.pods.map(\.metadata.uid).sorted(),
            "seed \(seed)"
        )
        #expect(eviction.cost == least, "seed \(seed)")
        return true
    }

    private static func isProtected(
        _ pods: [CoreV1.Pod],
        _ budget: DisruptionBudget?
    ) -> [Bool] {
        var left = budget?.allowed ?? 0
        return pods.map { pod in
            guard let budget, budget.covers(PodInfo(pod)) else { return false }
            left -= 1
            return left < 0
        }
    }

    /// The most important first: by priority, then by how long they have run.
    private static func ordered(_ pods: [CoreV1.Pod]) -> [CoreV1.Pod] {
        pods.sorted { left, right in
            if left.spec.priority != right.spec.priority {
                return left.spec.priority ?? 0 > right.spec.priority ?? 0
            }
            return (left.start, left.metadata.uid) < (right.start, right.metadata.uid)
        }
    }

    /// Which pods must leave a node; nil when that would not help.
    private static func victims(
        _ node: String,
        _ preemptor: CoreV1.Pod,
        _ cluster: NaiveScheduler,
        _ budget: DisruptionBudget?
    ) -> Eviction? {
        var model = cluster
        let lower = Self.ordered(
            model.pods.values.filter {
                $0.spec.nodeName == node && $0.spec.priority ?? 0 < preemptor.spec.priority ?? 0
            }
        )
        for pod in lower { model.pods[pod.metadata.uid] = nil }
        guard !lower.isEmpty, model.isFeasible(preemptor, node) else { return nil }
        var eviction = Eviction()
        let isProtected = Self.isProtected(lower, budget)
        for wanted in [true, false] {
            for (pod, isThis) in zip(lower, isProtected) where isThis == wanted {
                model.pods[pod.metadata.uid] = pod
                if model.isFeasible(preemptor, node) { continue }
                model.pods[pod.metadata.uid] = nil
                eviction.pods.append(pod)
                if isThis { eviction.violations += 1 }
            }
        }
        return eviction.pods.isEmpty ? nil : eviction
    }

    /// Pods that leave a node.
    struct Eviction {
        var pods: [CoreV1.Pod] = []
        /// How many of them a budget protects.
        var violations = 0

        var cost: Cost {
            let priorities = self.pods.map { $0.spec.priority ?? 0 }
            let highest = priorities.max() ?? 0
            return Cost(
                violations: self.violations,
                highestPriority: highest,
                prioritySum: priorities.reduce(0) { $0 + Int64($1) + Int64(Int32.max) + 1 },
                count: self.pods.count,
                start: self.pods.filter { $0.spec.priority ?? 0 == highest }.map(\.start).min()
                    ?? 0
            )
        }
    }
}

extension CoreV1.Pod {
    /// When it started, in seconds.
    fileprivate var start: Int64 { self.status.startTime?.timestamp?.seconds ?? .max }
}
