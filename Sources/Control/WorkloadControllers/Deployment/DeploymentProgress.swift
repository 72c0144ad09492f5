// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
import ControllerKit
package import KubernetesAPI
import Protobuf
package import Scalars

/// What the status of a Deployment says. Pure.
///
/// Source: upstream `pkg/controller/deployment/progress.go`, `sync.go`.
package enum DeploymentProgress {
    /// The status as the ReplicaSets have it.
    package static func status(
        _ deployment: AppsV1.Deployment,
        _ sets: DeploymentSets,
        now: Timestamp
    ) -> AppsV1.DeploymentStatus {
        let numbers = DeploymentNumbers(deployment)
        let all = sets.all
        let available = all.reduce(0) { $0 + $1.status.availableReplicas }
        let total = all.reduce(0) { $0 + $1.status.replicas }
        var status = AppsV1.DeploymentStatus.with {
            $0.observedGeneration = deployment.metadata.generation
            $0.replicas = total
            $0.updatedReplicas = sets.new?.status.replicas ?? 0
            $0.readyReplicas = all.reduce(0) { $0 + $1.status.readyReplicas }
            $0.availableReplicas = available
            $0.unavailableReplicas = max(total - available, 0)
            $0.collisionCount = deployment.status.collisionCount
            $0.conditions = deployment.status.conditions
        }
        if all.allSatisfy({ $0.status.terminatingReplicas != nil }) {
            status.terminatingReplicas = all.reduce(0) { $0 + ($1.status.terminatingReplicas ?? 0) }
        }
        if Int(available) >= numbers.minAvailable {
            status.set(
                "Available",
                "True",
                "MinimumReplicasAvailable",
                "Deployment has minimum availability.",
                now
            )
        } else {
            status.set(
                "Available",
                "False",
                "MinimumReplicasUnavailable",
                "Deployment does not have minimum availability.",
                now
            )
        }
        return status
    }

    /// The status during a rollout: whether it is complete, gets on, or is stuck.
    package static func rolloutStatus(
        _ deployment: AppsV1.Deployment,
        _ sets: DeploymentSets,
        now: Timestamp
    ) -> AppsV1.DeploymentStatus {
        var status = self.status(deployment, sets, now: now)
        if !deployment.hasProgressDeadline {
            status.conditions.removeAll { $0.type == "Progressing" }
        }
        let current = deployment.status.condition("Progressing")
        let wasComplete =
            status.replicas == status.updatedReplicas
            && current?.reason == "NewReplicaSetAvailable"
        if deployment.hasProgressDeadline && !wasComplete {
            self.setProgress(&status, deployment, sets.new, current, now)
        }
        self.setFailure(&status, sets)
        return status
    }

    private static func setProgress(
        _ status: inout AppsV1.DeploymentStatus,
        _ deployment: AppsV1.Deployment,
        _ new: AppsV1.ReplicaSet?,
        _ current: AppsV1.DeploymentCondition?,
        _ now: Timestamp
    ) {
        let subject =
            new.map { "ReplicaSet \"\($0.metadata.name)\"" }
            ?? "Deployment \"\(deployment.metadata.name)\""
        if self.isComplete(deployment, status) {
            status.set(
                "Progressing",
                "True",
                "NewReplicaSetAvailable",
                "\(subject) has successfully progressed.",
                now
            )
        } else if self.isProgressing(deployment.status, status) {
            // Each step renews the time from which the deadline counts.
            let since = current?.status == "True" ? current?.lastTransitionTime : nil
            status.conditions.removeAll { $0.type == "Progressing" }
            status.set(
                "Progressing",
                "True",
                "ReplicaSetUpdated",
                "\(subject) is progressing.",
                now
            )
            if let since, let index = status.conditions.indices.last {
                status.conditions[index].lastTransitionTime = since
            }
        } else if self.isTimedOut(deployment, status, now) {
            status.set(
                "Progressing",
                "False",
                "ProgressDeadlineExceeded",
                "\(subject) has timed out progressing.",
                now
            )
        }
    }

    private static func setFailure(
        _ status: inout AppsV1.DeploymentStatus,
        _ sets: DeploymentSets
    ) {
        let failures = ([sets.new].compactMap { $0 } + sets.old).flatMap { set in
            set.status.conditions.filter { $0.type == "ReplicaFailure" }
        }
        status.conditions.removeAll { $0.type == "ReplicaFailure" }
        guard let failure = failures.first else { return }
        status.conditions.append(
            AppsV1.DeploymentCondition.with {
                $0.type = "ReplicaFailure"
                $0.status = failure.status
                $0.reason = failure.reason
                $0.message = failure.message
                $0.lastTransitionTime = failure.lastTransitionTime
                $0.lastUpdateTime = failure.lastTransitionTime
            }
        )
    }

    package static func isComplete(
        _ deployment: AppsV1.Deployment,
        _ status: AppsV1.DeploymentStatus
    ) -> Bool {
        let replicas = deployment.spec.replicas ?? 1
        return status.updatedReplicas == replicas && status.replicas == replicas
            && status.availableReplicas == replicas
            && status.observedGeneration >= deployment.metadata.generation
    }

    private static func isProgressing(
        _ old: AppsV1.DeploymentStatus,
        _ new: AppsV1.DeploymentStatus
    ) -> Bool {
        new.updatedReplicas > old.updatedReplicas
            || new.replicas - new.updatedReplicas < old.replicas - old.updatedReplicas
            || new.readyReplicas > old.readyReplicas
            || new.availableReplicas > old.availableReplicas
    }

    private static func isTimedOut(
        _ deployment: AppsV1.Deployment,
        _ status: AppsV1.DeploymentStatus,
        _ now: Timestamp
    ) -> Bool {
        guard let condition = status.condition("Progressing"),
            condition.reason != "NewReplicaSetAvailable"
        else { return false }
        if condition.reason == "ProgressDeadlineExceeded" { return true }
        return self.timeLeft(deployment, condition, now) < .zero
    }

    /// How long until a rollout that does not get on is over its deadline; nil when it has none.
    package static func nextCheck(
        _ deployment: AppsV1.Deployment,
        _ status: AppsV1.DeploymentStatus,
        now: Timestamp
    ) -> Duration? {
        guard deployment.hasProgressDeadline, let condition = status.condition("Progressing"),
            !self.isComplete(deployment, status),
            condition.reason != "ProgressDeadlineExceeded"
        else { return nil }
        return max(self.timeLeft(deployment, condition, now), .zero) + .seconds(1)
    }

    private static func timeLeft(
        _ deployment: AppsV1.Deployment,
        _ condition: AppsV1.DeploymentCondition,
        _ now: Timestamp
    ) -> Duration {
        let deadline = Duration.seconds(Int64(deployment.spec.progressDeadlineSeconds ?? 0))
        return deadline - now.since(condition.lastUpdateTime.timestamp ?? .zero)
    }
}

extension AppsV1.DeploymentStatus {
    func condition(_ type: String) -> AppsV1.DeploymentCondition? {
        self.conditions.first { $0.type == type }
    }

    /// Sets a condition; one that says the same stays as it is.
    mutating func set(
        _ type: String,
        _ status: String,
        _ reason: String,
        _ message: String,
        _ now: Timestamp
    ) {
        let current = self.condition(type)
        if let current, current.status == status, current.reason == reason { return }
        self.conditions.removeAll { $0.type == type }
        self.conditions.append(
            AppsV1.DeploymentCondition.with {
                $0.type = type
                $0.status = status
                $0.reason = reason
                $0.message = message
                $0.lastUpdateTime = MetaV1.Time(now)
                $0.lastTransitionTime =
                    current?.status == status
                    ? current?.lastTransitionTime ?? MetaV1.Time(now) : MetaV1.Time(now)
            }
        )
    }
}
