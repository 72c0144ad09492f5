// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
import Protobuf

extension CoreV1.Toleration {
    /// Source: upstream `k8s.io/api/core/v1/toleration.go`, ToleratesTaint.
    package func tolerates(_ taint: CoreV1.Taint) -> Bool {
        if !self.effect.isEmpty, self.effect != taint.effect { return false }
        if !self.key.isEmpty, self.key != taint.key { return false }
        switch self.operator {
        case "", "Equal": return self.value == taint.value
        case "Exists": return true
        default: return false
        }
    }
}
