// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
import Protobuf

extension IntStr.IntOrString {
    /// A number of `total`: the number itself, or the percentage; 0 for a text that is neither.
    ///
    /// Source: upstream apimachinery `pkg/util/intstr`, GetScaledValueFromIntOrPercent.
    package func scaled(of total: Int, roundingUp: Bool) -> Int {
        switch self.value {
        case .int(let number): return Int(number)
        case .string(let text):
            guard text.hasSuffix("%"), let percent = Int(text.dropLast()) else { return 0 }
            let product = percent * total
            if product % 100 == 0 { return product / 100 }
            let down = product >= 0 ? product / 100 : product / 100 - 1
            return roundingUp ? down + 1 : down
        }
    }
}
