// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
package import ControllerKit
import EventRecording
import Informers
package import KubernetesAPI
import ObjectModel
import Protobuf
import ResourceClient
package import Scalars
import Selectors
import WorkQueues

/// Says how many pods of an application may be evicted now.
///
/// Watches: PodDisruptionBudgets, pods, ReplicaSets, Deployments, StatefulSets,
/// ReplicationControllers. Writes: budgets' status. Promises: an eviction that was allowed counts
/// until it shows.
package final class DisruptionController: Controller {
    package static let name = "disruption-controller"
    /// How long an eviction may take to show before it counts as failed.
    private static let evictionTimeout: Duration = .seconds(120)

    private let context: ControllerContext
    private let loop: ReconcileLoop<ObjectKey>
    private let budgets: Informer<PolicyV1.PodDisruptionBudget>
    private let pods: Informer<CoreV1.Pod>
    private let sets: Informer<AppsV1.ReplicaSet>
    private let deployments: Informer<AppsV1.Deployment>
    private let stateful: Informer<AppsV1.StatefulSet>
    private let controllers: Informer<CoreV1.ReplicationController>
    private let client: Client<PolicyV1.PodDisruptionBudget>

    package init(_ context: ControllerContext) {
        self.context = context
        self.loop = ReconcileLoop(Self.name, context)
        self.budgets = context.informer(of: PolicyV1.PodDisruptionBudget.self)
        self.pods = context.informer(of: CoreV1.Pod.self)
        self.sets = context.informer(of: AppsV1.ReplicaSet.self)
        self.deployments = context.informer(of: AppsV1.Deployment.self)
        self.stateful = context.informer(of: AppsV1.StatefulSet.self)
        self.controllers = context.informer(of: CoreV1.ReplicationController.self)
        self.client = context.client()
        let queue = self.loop.queue
        let budgets = self.budgets
        budgets.addHandler { queue.add($0.object.objectKey) }
        self.pods.addHandler { event in
            if case .updated(let old, let new) = event, !Self.matters(old, new) { return }
            for budget in budgets.list(in: event.object.metadata.namespace)
            where LabelSelector(budget.spec.selector).matches(event.object.metadata) {
                queue.add(budget.objectKey)
            }
        }
        // A size that changes changes what is expected.
        @Sendable func all(_ namespace: String) {
            for budget in budgets.list(in: namespace) { queue.add(budget.objectKey) }
        }
        self.deployments.addHandler { event in
            if case .updated(let old, let new) = event, old.spec.replicas == new.spec.replicas {
                return
            }
            all(event.object.metadata.namespace)
        }
        self.stateful.addHandler { event in
            if case .updated(let old, let new) = event, old.spec.replicas == new.spec.replicas {
                return
            }
            all(event.object.metadata.namespace)
        }
    }

    package var isQuiet: Bool { self.loop.isQuiet }

    package func run() async {
        await self.loop.run(workers: 2) {
            await self.budgets.waitForSync()
            await self.pods.waitForSync()
            await self.sets.waitForSync()
            await self.deployments.waitForSync()
            await self.stateful.waitForSync()
            await self.controllers.waitForSync()
        } _: { key in
            try await self.reconcile(key)
        }
    }

    private static func matters(_ old: CoreV1.Pod, _ new: CoreV1.Pod) -> Bool {
        old.isReady != new.isReady || old.isTerminal != new.isTerminal
            || (old.metadata.deletionTimestamp == nil) != (new.metadata.deletionTimestamp == nil)
            || old.metadata.labels != new.metadata.labels
    }

    private func reconcile(_ key: ObjectKey) async throws(StatusError) {
        guard var budget = self.budgets.get(key) else { return }
        let pods = self.pods.list(in: key.namespace, LabelSelector(budget.spec.selector))
        let now = self.context.clock.now
        let expected: Int
        do throws(DisruptionFailure) {
            expected = try self.expected(budget, pods)
        } catch {
            self.context.recorder.record(
                .warning,
                "CalculateExpectedPodCountFailed",
                "Failed to calculate the number of expected pods: \(error.message)",
                about: budget
            )
            return try await self.fail(budget, error.message, now)
        }
        if pods.isEmpty {
            self.context.recorder.record(.normal, "NoPods", "No matching pods found", about: budget)
        }
        let (status, next) = Self.status(budget, pods: pods, expected: expected, now: now)
        if let next { self.loop.queue.add(key, after: next) }
        guard status != budget.status else { return }
        budget.status = status
        _ = try await self.client.updateStatus(budget)
    }

    private func fail(
        _ budget: PolicyV1.PodDisruptionBudget,
        _ message: String,
        _ now: Timestamp
    ) async throws(StatusError) {
        var budget = budget
        let before = budget.status
        budget.status.disruptionsAllowed = 0
        budget.status.setAllowed(false, "SyncFailed", message, budget.metadata.generation, now)
        guard budget.status != before else { return }
        _ = try await self.client.updateStatus(budget)
    }

    // MARK: Numbers

    struct DisruptionFailure: Error {
        var message: String
    }

    /// How many pods there should be: as the pods' owners want, where the budget needs to know.
    private func expected(
        _ budget: PolicyV1.PodDisruptionBudget,
        _ pods: [CoreV1.Pod]
    ) throws(DisruptionFailure) -> Int {
        let needsOwners: Bool
        if budget.spec.maxUnavailable != nil {
            needsOwners = true
        } else if case .string = budget.spec.minAvailable?.value {
            needsOwners = true
        } else {
            needsOwners = false
        }
        guard needsOwners else { return pods.count }
        var sizes: [String: Int] = [:]
        for pod in pods where pod.isActive {
            guard let owner = pod.metadata.controller else { continue }
            guard let (uid, size) = self.scale(of: owner, in: pod.metadata.namespace) else {
                throw DisruptionFailure(
                    message: "found no controllers for pod \"\(pod.metadata.name)\""
                )
            }
            sizes[uid] = size
        }
        return sizes.values.reduce(0, +)
    }

    private func scale(
        of owner: MetaV1.OwnerReference,
        in namespace: String
    ) -> (uid: String, size: Int)? {
        switch owner.kind {
        case "ReplicaSet":
            guard let set = self.sets.get(owner.name, in: namespace), set.metadata.uid == owner.uid
            else { return nil }
            if let above = set.metadata.controller, above.kind == "Deployment",
                let deployment = self.deployments.get(above.name, in: namespace)
            {
                return (deployment.metadata.uid, Int(deployment.spec.replicas ?? 1))
            }
            return (owner.uid, Int(set.spec.replicas ?? 1))
        case "StatefulSet":
            guard let set = self.stateful.get(owner.name, in: namespace) else { return nil }
            return (owner.uid, Int(set.spec.replicas ?? 1))
        case "ReplicationController":
            guard let controller = self.controllers.get(owner.name, in: namespace) else {
                return nil
            }
            return (owner.uid, Int(controller.spec.replicas ?? 1))
        default: return nil
        }
    }

    /// The status of a budget, and when it changes by itself. Pure.
    package static func status(
        _ budget: PolicyV1.PodDisruptionBudget,
        pods: [CoreV1.Pod],
        expected: Int,
        now: Timestamp
    ) -> (status: PolicyV1.PodDisruptionBudgetStatus, nextCheck: Duration?) {
        var desired = 0
        if let most = budget.spec.maxUnavailable {
            desired = max(expected - most.scaled(of: expected, roundingUp: true), 0)
        } else if let least = budget.spec.minAvailable {
            desired = least.scaled(of: expected, roundingUp: true)
        }
        var status = budget.status
        var next: Duration?
        var pending: Set<String> = []
        for (name, time) in budget.status.disruptedPods {
            let pod = pods.first { $0.metadata.name == name }
            let left = Self.evictionTimeout - now.since(time.timestamp ?? now)
            guard let pod, pod.metadata.deletionTimestamp == nil, left > .zero else {
                status.disruptedPods[name] = nil
                continue
            }
            pending.insert(name)
            next = min(next ?? left, left)
        }
        let healthy = pods.filter {
            $0.isActive && $0.isReady && !pending.contains($0.metadata.name)
        }.count
        status.currentHealthy = Int32(healthy)
        status.desiredHealthy = Int32(desired)
        status.expectedPods = Int32(expected)
        status.disruptionsAllowed = expected > 0 ? Int32(max(healthy - desired, 0)) : 0
        status.observedGeneration = budget.metadata.generation
        let allows = status.disruptionsAllowed > 0
        status.setAllowed(
            allows,
            allows ? "SufficientPods" : "InsufficientPods",
            "",
            budget.metadata.generation,
            now
        )
        return (status, next)
    }
}

extension PolicyV1.PodDisruptionBudgetStatus {
    mutating func setAllowed(
        _ isAllowed: Bool,
        _ reason: String,
        _ message: String,
        _ generation: Int64,
        _ now: Timestamp
    ) {
        let status = isAllowed ? "True" : "False"
        let index = self.conditions.firstIndex { $0.type == "DisruptionAllowed" }
        let since =
            index.flatMap {
                self.conditions[$0].status == status
                    ? self.conditions[$0].lastTransitionTime : nil
            } ?? MetaV1.Time(now)
        let condition = MetaV1.Condition.with {
            $0.type = "DisruptionAllowed"
            $0.status = status
            $0.reason = reason
            $0.message = message
            $0.observedGeneration = generation
            $0.lastTransitionTime = since
        }
        if let index {
            self.conditions[index] = condition
        } else {
            self.conditions.append(condition)
        }
    }
}
