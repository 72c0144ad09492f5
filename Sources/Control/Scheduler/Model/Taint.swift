// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
import Protobuf
import Scalars

/// What keeps pods off a node that do not tolerate it.
package struct Taint: Sendable, Hashable {
    package let key: String
    package let value: String
    package let effect: Effect

    /// What a taint does to pods that do not tolerate it.
    package enum Effect: String, Sendable, Hashable {
        case noSchedule = "NoSchedule"
        case preferNoSchedule = "PreferNoSchedule"
        case noExecute = "NoExecute"
    }

    package init(key: String, value: String = "", effect: Effect) {
        self.key = key
        self.value = value
        self.effect = effect
    }

    /// The taint of a message; nil when its effect is unknown, and so without effect.
    package init?(_ taint: CoreV1.Taint) {
        guard let effect = Effect(rawValue: taint.effect) else { return nil }
        self.init(key: taint.key, value: taint.value, effect: effect)
    }

    /// Whether the taint keeps pods from being scheduled.
    package var isHard: Bool { self.effect != .preferNoSchedule }

    /// What a cordoned node has, whether it is written in its taints or not.
    package static let unschedulable = Taint(
        key: "node.kubernetes.io/unschedulable",
        effect: .noSchedule
    )
}

/// What a pod puts up with.
package struct Toleration: Sendable, Hashable {
    package let key: String
    package let `operator`: String
    package let value: String
    package let effect: String

    package init(_ toleration: CoreV1.Toleration) {
        self.key = toleration.key
        self.operator = toleration.operator
        self.value = toleration.value
        self.effect = toleration.effect
    }

    /// Whether the pod puts up with a taint.
    ///
    /// Source: upstream `k8s.io/api/core/v1/toleration.go`, ToleratesTaint.
    package func tolerates(_ taint: Taint) -> Bool {
        if !self.effect.isEmpty, self.effect != taint.effect.rawValue { return false }
        if !self.key.isEmpty, self.key != taint.key { return false }
        switch self.operator {
        case "", "Equal": return self.value == taint.value
        case "Exists": return true
        case "Lt", "Gt":
            guard let bound = Int64(self.value), let actual = Int64(taint.value) else {
                return false
            }
            return self.operator == "Lt" ? actual < bound : actual > bound
        default: return false
        }
    }
}

extension Sequence where Element == Toleration {
    /// Whether any of them tolerates the taint.
    package func tolerate(_ taint: Taint) -> Bool {
        self.contains { $0.tolerates(taint) }
    }
}
