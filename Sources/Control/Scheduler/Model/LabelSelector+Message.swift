// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
import Protobuf
package import Selectors

extension LabelSelector {
    /// The selector of an object: nothing when it is absent, everything when it is empty.
    package init(_ object: MetaV1.LabelSelector?) throws(SelectorError) {
        guard let object else {
            self = .nothing
            return
        }
        try self.init(
            matchLabels: object.matchLabels,
            matchExpressions: object.matchExpressions.map { expression in
                Expression(
                    key: expression.key,
                    operator: expression.operator,
                    values: Array(expression.values)
                )
            }
        )
    }
}
