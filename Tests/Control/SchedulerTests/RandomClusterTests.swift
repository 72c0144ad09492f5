// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import KubernetesAPI
import Protobuf
import Testing

@testable import Scheduler

/// Random events, after each of which the scheduler's verdicts must be those of a model that knows
/// nothing but the objects, and its scores those of a scheduler that was just started.
@Suite("Random clusters") struct RandomClusterTests {
    /// How many clusters are tried; many more in long runs.
    static let clusters: UInt64 = getenv("APUS_TEST_LONG") == nil ? 400 : 20_000
    /// In so many parts, which run side by side.
    static let parts: UInt64 = 4

    @Test("have the feasible nodes that a model finds", arguments: 0..<Self.parts)
    func feasible(_ part: UInt64) throws {
        for seed in stride(from: part, to: Self.clusters, by: Int(Self.parts)) {
            var run = Run(seed: seed)
            for _ in 0..<12 { run.step() }
            try run.check()
            for _ in 0..<4 { run.step() }
            try run.check()
        }
    }

    /// A cluster as the scheduler knows it, and as the model does.
    struct Run {
        let seed: UInt64
        let core: SchedulerCore
        var model = NaiveScheduler()
        var objects: RandomObjects
        var number = 0

        init(seed: UInt64) {
            self.seed = seed
            self.objects = RandomObjects(seed: seed)
            self.core = Self.emptyCore()
        }

        static func emptyCore() -> SchedulerCore {
            var profile = Profile.standard
            profile.preemption = nil
            return SchedulerCore(profiles: [profile], seed: 1)
        }

        mutating func step() {
            switch Int.random(in: 0..<10, using: &self.objects.random) {
            case 0...2: self.setNode()
            case 3: self.removeNode()
            case 4, 5: self.addPod()
            case 6: self.changePod()
            case 7: self.removePod()
            case 8: self.schedule()
            default: self.setNamespace()
            }
        }

        private mutating func setNode() {
            let node = self.objects.node("n\(self.objects.pick([0, 1, 2, 3, 4, 5]))")
            self.model.nodes[node.metadata.name] = node
            self.core.setNode(node, now: .zero)
        }

        private mutating func removeNode() {
            guard let name = self.model.nodes.keys.sorted().first else { return }
            self.model.nodes[name] = nil
            self.core.removeNode(name, now: .zero)
        }

        private mutating func addPod() {
            self.number += 1
            // Some are on nodes that are not known.
            let node = "n\(self.objects.pick([0, 1, 2, 3, 4, 5]))"
            let pod = self.objects.pod("p\(self.number)", on: node)
            self.model.pods[pod.metadata.uid] = pod
            self.core.setPod(pod, now: .zero)
        }

        private mutating func changePod() {
            guard let uid = self.model.pods.keys.sorted().last, var pod = self.model.pods[uid]
            else { return }
            if self.objects.happens(20) {
                pod.status.phase = "Succeeded"
                self.model.pods[uid] = nil
            } else {
                pod.metadata.labels = MapField(self.objects.labels())
                pod.metadata.deletionTimestamp = .with { $0.seconds = 1 }
                self.model.pods[uid] = pod
            }
            self.core.setPod(pod, now: .zero)
        }

        private mutating func removePod() {
            guard let uid = self.model.pods.keys.sorted().first else { return }
            self.model.pods[uid] = nil
            self.core.removePod(uid: uid, now: .zero)
        }

        private mutating func setNamespace() {
            let name = self.objects.pick(RandomObjects.namespaces)
            let team = self.objects.pick(["1", "2"])
            self.model.namespaces[name] = ["team": team]
            self.core.setNamespace(name, ["team": team], now: .zero)
        }

        /// Schedules a pod, and sees it bound or not.
        private mutating func schedule() {
            self.number += 1
            var pod = self.objects.pod("q\(self.number)")
            pod.metadata.deletionTimestamp = nil
            self.core.setPod(pod, now: .zero)
            let feasible = self.model.feasibleNodes(pod)
            while let decision = self.core.decide(now: .zero) {
                guard case .bind(let info, let node, _) = decision, info.uid == pod.metadata.uid
                else { continue }
                #expect(feasible.contains(node), "seed \(self.seed)")
                pod.spec.nodeName = node
                self.model.pods[info.uid] = pod
            }
            #expect(
                feasible.isEmpty == pod.spec.nodeName.isEmpty,
                "seed \(self.seed): \(feasible.sorted())"
            )
            if pod.spec.nodeName.isEmpty {
                self.core.removePod(uid: pod.metadata.uid, now: .zero)
            } else if self.objects.happens(30) {
                self.core.bindingFailed(pod.metadata.uid, now: .zero)
                self.core.removePod(uid: pod.metadata.uid, now: .zero)
                self.model.pods[pod.metadata.uid] = nil
            } else if self.objects.happens(50) {
                self.core.setPod(pod, now: .zero)
            }
        }

        /// Compares with the model and with a scheduler that is told all at once.
        mutating func check() throws {
            let fresh = Self.emptyCore()
            for name in self.model.nodes.keys.sorted() {
                if let node = self.model.nodes[name] { fresh.setNode(node, now: .zero) }
            }
            for (name, labels) in self.model.namespaces {
                fresh.setNamespace(name, ["team": labels["team"] ?? ""], now: .zero)
            }
            for pod in self.model.pods.values { fresh.setPod(pod, now: .zero) }
            for _ in 0..<2 {
                var pod = self.objects.pod("new")
                pod.metadata.deletionTimestamp = nil
                let old = try #require(self.core.explain(pod))
                let new = try #require(fresh.explain(pod))
                let feasible = Set(old.filter { $0.total != nil }.map(\.node))
                #expect(feasible == self.model.feasibleNodes(pod), "seed \(self.seed)")
                #expect(Self.scores(old) == Self.scores(new), "seed \(self.seed)")
            }
        }

        private static func scores(_ nodes: [NodeExplanation]) -> [String: [String]] {
            var scores: [String: [String]] = [:]
            for node in nodes {
                scores[node.node] =
                    node.refusals.map { "\($0.plugin) \($0.reasons)" }
                    + node.scores.map { "\($0.plugin) \($0.raw) \($0.normalized)" }
            }
            return scores
        }
    }
}
