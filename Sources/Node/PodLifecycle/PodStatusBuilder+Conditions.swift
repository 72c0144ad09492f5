// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf
import Scalars

extension PodStatusBuilder {
    private static let owned: Set<String> = [
        "PodScheduled", "Ready", "Initialized", "ContainersReady", "PodReadyToStartContainers",
    ]

    /// Sets the conditions the kubelet owns and keeps those of others.
    func setConditions(_ status: inout CoreV1.PodStatus) {
        var conditions: [CoreV1.PodCondition] = [
            self.readyToStart(status),
            self.initialized(status),
        ]
        let containersReady = self.containersReady(status)
        conditions.append(self.ready(status, containersReady: containersReady))
        conditions.append(containersReady)
        conditions.append(Self.condition("PodScheduled", true))
        if self.previous.conditions.contains(where: { $0.type == "PodScheduled" }) == false,
            self.pod.isStatic == false, self.pod.spec.nodeName.isEmpty
        {
            conditions.removeLast()
        }
        if let ending = self.ending, ending.reason == "Evicted" {
            conditions.append(
                Self.condition(
                    "DisruptionTarget",
                    true,
                    reason: "TerminationByKubelet",
                    message: ending.message
                )
            )
        }
        for index in conditions.indices {
            conditions[index].observedGeneration = self.pod.metadata.generation
            let old = self.previous.conditions.first { $0.type == conditions[index].type }
            if let old, old.status == conditions[index].status {
                conditions[index].lastTransitionTime = old.lastTransitionTime
            } else {
                conditions[index].lastTransitionTime = MetaV1.Time(self.now)
            }
        }
        let made = Set(conditions.map(\.type))
        for other in self.others where !made.contains(other.type) { conditions.append(other) }
        status.conditions = RepeatedField(conditions)
    }

    /// The conditions that others keep: as the API server has them, not as this kubelet has once told.
    private var others: [CoreV1.PodCondition] {
        self.pod.status.conditions.filter { !Self.owned.contains($0.type) }
    }

    private static func condition(
        _ type: String,
        _ isTrue: Bool,
        reason: String = "",
        message: String = ""
    ) -> CoreV1.PodCondition {
        CoreV1.PodCondition.with {
            $0.type = type
            $0.status = isTrue ? "True" : "False"
            $0.reason = reason
            $0.message = message
        }
    }

    private func readyToStart(_ status: CoreV1.PodStatus) -> CoreV1.PodCondition {
        let isReady =
            (self.runtime.sandbox.map {
                $0.isReady && ($0.usesHostNetwork || !$0.addresses.isEmpty)
            } ?? false)
        return Self.condition("PodReadyToStartContainers", isReady)
    }

    private func initialized(_ status: CoreV1.PodStatus) -> CoreV1.PodCondition {
        if status.phase == PodPhase.succeeded {
            return Self.condition("Initialized", true, reason: "PodCompleted")
        }
        var incomplete: [String] = []
        for (spec, state) in zip(self.pod.initSpecs, status.initContainerStatuses) {
            if spec.kind == .sidecar {
                if !(state.started ?? false) { incomplete.append(spec.name) }
            } else if !state.ready {
                incomplete.append(spec.name)
            }
        }
        let hasBegun = self.pod.regularSpecs.contains {
            self.runtime.container(named: $0.name) != nil
        }
        if incomplete.isEmpty || hasBegun { return Self.condition("Initialized", true) }
        return Self.condition(
            "Initialized",
            false,
            reason: "ContainersNotInitialized",
            message: "containers with incomplete status: [\(incomplete.joined(separator: " "))]"
        )
    }

    private func containersReady(_ status: CoreV1.PodStatus) -> CoreV1.PodCondition {
        if status.phase == PodPhase.succeeded {
            return Self.condition("ContainersReady", false, reason: "PodCompleted")
        }
        if status.phase == PodPhase.failed {
            return Self.condition("ContainersReady", false, reason: "PodFailed")
        }
        var unready: [String] = []
        for (spec, state) in zip(self.pod.initSpecs, status.initContainerStatuses)
        where spec.kind == .sidecar && !state.ready {
            unready.append(spec.name)
        }
        unready += status.containerStatuses.filter { !$0.ready }.map(\.name)
        if unready.isEmpty { return Self.condition("ContainersReady", true) }
        return Self.condition(
            "ContainersReady",
            false,
            reason: "ContainersNotReady",
            message: "containers with unready status: [\(unready.joined(separator: " "))]"
        )
    }

    private func ready(
        _ status: CoreV1.PodStatus,
        containersReady: CoreV1.PodCondition
    ) -> CoreV1.PodCondition {
        if containersReady.status != "True" {
            return Self.condition(
                "Ready",
                false,
                reason: containersReady.reason,
                message: containersReady.message
            )
        }
        var problems: [String] = []
        for gate in self.pod.spec.readinessGates {
            let found = self.others.first { $0.type == gate.conditionType }
            if found == nil {
                problems.append(
                    "corresponding condition of pod readiness gate \"\(gate.conditionType)\" "
                        + "does not exist."
                )
            } else if found?.status != "True" {
                problems.append(
                    "the status of pod readiness gate \"\(gate.conditionType)\" is not "
                        + "\"True\", but \(found?.status ?? "")"
                )
            }
        }
        if problems.isEmpty { return Self.condition("Ready", true) }
        return Self.condition(
            "Ready",
            false,
            reason: "ReadinessGatesNotReady",
            message: problems.joined(separator: ", ")
        )
    }
}
