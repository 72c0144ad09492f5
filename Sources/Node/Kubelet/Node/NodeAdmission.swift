// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import PodLifecycle
import Protobuf
import Scalars

/// Whether the node takes a pod: what the scheduler may have overlooked or not known.
///
/// Source: upstream `pkg/kubelet/lifecycle/predicate.go`.
struct NodeAdmission: Sendable {
    let allocatable: [String: Scalars.Quantity]
    let sysctls: SysctlAllowlist

    /// Why not; nil when it does.
    ///
    /// - Parameter pressures: conditions of the node that hold, such as `MemoryPressure`.
    func refusal(
        of pod: CoreV1.Pod,
        beside others: [CoreV1.Pod],
        pressures: Set<String> = []
    ) -> PodStatusBuilder.Ending? {
        if let refusal = Self.refusal(of: pod, under: pressures) { return refusal }
        if let refusal = self.sysctls.refusal(of: pod) { return refusal }
        if let system = pod.spec.os?.name, !system.isEmpty, system != "linux" {
            return .init(
                reason: "PodOSNotSupported",
                message: "Failed to admit pod as the OS field doesn't match node OS"
            )
        }
        if others.count + 1 > Int(self.allocatable["pods"]?.value ?? .max) {
            return self.shortage("pods", needed: 1, used: Int64(others.count))
        }
        let wanted = PodResources(of: pod).requests
        let used = others.map { PodResources(of: $0).requests }
        for name in ["cpu", "memory", "ephemeral-storage"] {
            guard let need = wanted[name], !need.isZero, let capacity = self.allocatable[name]
            else { continue }
            let isMilli = name == "cpu"
            let amount = { (value: Scalars.Quantity) in isMilli ? value.milliValue : value.value }
            let taken = used.reduce(Int64(0)) { $0 + ($1[name].map(amount) ?? 0) }
            guard taken + amount(need) > amount(capacity) else { continue }
            return self.shortage(name, needed: amount(need), used: taken)
        }
        return nil
    }

    /// A node under pressure takes no pods but those that the cluster cannot do without, and short of
    /// memory alone also those that have asked for some.
    ///
    /// Source: upstream `pkg/kubelet/eviction/eviction_manager.go` (`Admit`).
    private static func refusal(
        of pod: CoreV1.Pod,
        under pressures: Set<String>
    ) -> PodStatusBuilder.Ending? {
        if pressures.isEmpty || pod.isCritical { return nil }
        if pressures == ["MemoryPressure"] {
            if QOSClass(of: pod) != .bestEffort || Self.toleratesMemoryPressure(pod) { return nil }
        }
        return .init(
            reason: "Evicted",
            message: "The node had condition: [\(pressures.sorted().joined(separator: " "))]. "
        )
    }

    private static func toleratesMemoryPressure(_ pod: CoreV1.Pod) -> Bool {
        pod.spec.tolerations.contains { toleration in
            let isForAll = toleration.operator == "Exists"
            let fitsKey =
                toleration.key == "node.kubernetes.io/memory-pressure"
                || toleration.key.isEmpty && isForAll
            let fitsEffect = toleration.effect.isEmpty || toleration.effect == "NoSchedule"
            return fitsKey && fitsEffect && (isForAll || toleration.value.isEmpty)
        }
    }

    private func shortage(_ name: String, needed: Int64, used: Int64) -> PodStatusBuilder.Ending {
        let capacity = self.allocatable[name].map { name == "cpu" ? $0.milliValue : $0.value } ?? 0
        return .init(
            reason: "OutOf\(name)",
            message: "Node didn't have enough resource: \(name), requested: \(needed), "
                + "used: \(used), capacity: \(capacity)"
        )
    }
}
