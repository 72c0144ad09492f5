// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
import Protobuf

/// Whether a pod may run on a node as its node selector and required node affinity have it. Pure.
///
/// Source: upstream `k8s.io/component-helpers/scheduling/corev1/nodeaffinity`.
package enum NodeAffinityMatcher {
    package static func fits(_ spec: CoreV1.PodSpec, _ node: CoreV1.Node) -> Bool {
        let labels = node.metadata.labels
        guard spec.nodeSelector.allSatisfy({ labels[$0.key] == $0.value }) else { return false }
        let required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
        guard let required else { return true }
        return required.nodeSelectorTerms.contains { self.matches($0, node) }
    }

    /// Whether a term matches; an empty one matches nothing.
    package static func matches(_ term: CoreV1.NodeSelectorTerm, _ node: CoreV1.Node) -> Bool {
        if term.matchExpressions.isEmpty, term.matchFields.isEmpty { return false }
        let labels = node.metadata.labels
        return term.matchExpressions.allSatisfy { self.matches($0, labels[$0.key]) }
            && term.matchFields.allSatisfy { field in
                self.matches(field, field.key == "metadata.name" ? node.metadata.name : nil)
            }
    }

    private static func matches(_ term: CoreV1.NodeSelectorRequirement, _ value: String?) -> Bool {
        switch term.operator {
        case "In": return value.map { term.values.contains($0) } ?? false
        case "NotIn": return value.map { !term.values.contains($0) } ?? true
        case "Exists": return value != nil
        case "DoesNotExist": return value == nil
        case "Gt", "Lt":
            guard let own = value.flatMap({ Int64($0) }),
                let other = term.values.first.flatMap({ Int64($0) })
            else { return false }
            return term.operator == "Gt" ? own > other : own < other
        default: return false
        }
    }
}
