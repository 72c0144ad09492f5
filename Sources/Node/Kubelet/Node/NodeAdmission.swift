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

    /// Why not; nil when it does.
    func refusal(of pod: CoreV1.Pod, beside others: [CoreV1.Pod]) -> PodStatusBuilder.Ending? {
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

    private func shortage(_ name: String, needed: Int64, used: Int64) -> PodStatusBuilder.Ending {
        let capacity = self.allocatable[name].map { name == "cpu" ? $0.milliValue : $0.value } ?? 0
        return .init(
            reason: "OutOf\(name)",
            message: "Node didn't have enough resource: \(name), requested: \(needed), "
                + "used: \(used), capacity: \(capacity)"
        )
    }
}
