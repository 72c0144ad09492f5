// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
import ControllerKit
package import KubernetesAPI
import Protobuf
package import Scalars

/// What a ReplicaSet needs: pods to create, pods to delete, and what its status says. Pure.
///
/// Source: upstream `pkg/controller/replicaset/replica_set.go`, `replica_set_utils.go`.
package struct ReplicaPlan {
    /// Pods created or deleted at most in one go.
    package static let burst = 500

    package var creations = 0
    package var deletions: [CoreV1.Pod] = []
    /// Of ready pods among them, when there is a choice: their age in ages of the youngest ready pod.
    package var deletionAgeRatios: [Double] = []
    package var status = ReplicaStatus()
    /// When a pod becomes available if nothing else happens.
    package var nextCheck: Duration?

    /// - Parameters:
    ///   - pods: all that the owner controls.
    ///   - related: pods of the same application, for the choice of what to delete.
    package init<Owner: ReplicaOwner>(
        _ owner: Owner,
        pods: [CoreV1.Pod],
        related: [CoreV1.Pod],
        now: Timestamp
    ) {
        let active = pods.filter(\.isActive)
        if owner.metadata.deletionTimestamp == nil {
            let missing = owner.wantedReplicas - active.count
            if missing > 0 {
                self.creations = min(missing, Self.burst)
            } else if missing < 0 {
                self.deletions = DeletionOrder(related: related, now: now)
                    .first(min(-missing, Self.burst), of: active)
                if self.deletions.count < active.count {
                    self.deletionAgeRatios = Self.ageRatios(self.deletions, of: active, now)
                }
            }
        }
        self.status = Self.status(owner, active, pods, now)
        self.nextCheck =
            active.compactMap {
                $0.timeUntilAvailable(minReadySeconds: owner.minReadySeconds, now: now)
            }.min()
    }

    /// Whole numbers, as upstream divides.
    private static func ageRatios(
        _ deletions: [CoreV1.Pod],
        of active: [CoreV1.Pod],
        _ now: Timestamp
    ) -> [Double] {
        func age(_ pod: CoreV1.Pod) -> Int64 {
            let created = pod.metadata.creationTimestamp.timestamp ?? now
            return now.since(created).components.seconds * 1000
        }
        let youngest = active.lazy.filter(\.isReady).map(age).min() ?? 0
        guard youngest > 0 else { return [] }
        return deletions.filter(\.isReady).map { Double(age($0) / youngest) }
    }

    private static func status<Owner: ReplicaOwner>(
        _ owner: Owner,
        _ active: [CoreV1.Pod],
        _ pods: [CoreV1.Pod],
        _ now: Timestamp
    ) -> ReplicaStatus {
        var status = owner.replicaStatus
        status.replicas = Int32(active.count)
        status.observedGeneration = owner.metadata.generation
        let wanted = owner.podTemplate.metadata.labels
        var fullyLabeled: Int32 = 0
        var ready: Int32 = 0
        var available: Int32 = 0
        for pod in active {
            let labels = pod.metadata.labels
            if wanted.allSatisfy({ labels[$0.key] == $0.value }) { fullyLabeled += 1 }
            if pod.isReady { ready += 1 }
            if pod.isAvailable(minReadySeconds: owner.minReadySeconds, now: now) { available += 1 }
        }
        status.fullyLabeledReplicas = fullyLabeled
        status.readyReplicas = ready
        status.availableReplicas = available
        status.terminatingReplicas = Int32(
            pods.filter { !$0.isTerminal && $0.metadata.deletionTimestamp != nil }.count
        )
        return status
    }
}

extension ReplicaStatus {
    /// Notes that pods could not be created or deleted, or that they can again.
    ///
    /// - Parameter failure: why, and whether it was a creation; nil when all went well.
    mutating func setFailure(_ failure: (message: String, isCreation: Bool)?, now: Timestamp) {
        guard let failure else {
            self.conditions.removeAll { $0.type == "ReplicaFailure" }
            return
        }
        // The first failure stands until it is over, as upstream has it.
        guard !self.conditions.contains(where: { $0.type == "ReplicaFailure" }) else { return }
        self.conditions.append(
            AppsV1.ReplicaSetCondition.with {
                $0.type = "ReplicaFailure"
                $0.status = "True"
                $0.reason = failure.isCreation ? "FailedCreate" : "FailedDelete"
                $0.message = failure.message
                $0.lastTransitionTime = MetaV1.Time(now)
            }
        )
    }
}
