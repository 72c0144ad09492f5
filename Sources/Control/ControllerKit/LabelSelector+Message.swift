// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
import Protobuf
package import Selectors

extension LabelSelector {
    /// The selector of an object's field: nothing when it is absent or cannot be understood.
    package init(_ message: MetaV1.LabelSelector?) {
        guard let message else {
            self = .nothing
            return
        }
        let expressions = message.matchExpressions.map {
            Expression(key: $0.key, operator: $0.operator, values: Array($0.values))
        }
        do throws(SelectorError) {
            try self.init(matchLabels: message.matchLabels, matchExpressions: expressions)
        } catch {
            // Validation has let it through, so it stems from elsewhere; it selects nothing.
            self = .nothing
        }
    }

    /// Whether an object's labels match.
    package func matches(_ metadata: MetaV1.ObjectMeta) -> Bool {
        let labels = metadata.labels
        return self.matches(lookup: { labels[$0] })
    }
}
