// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
import Protobuf
package import Selectors

/// How many pods of a group may be evicted.
package struct DisruptionBudget: Sendable {
    package let namespace: String
    package let selector: LabelSelector
    package let allowed: Int32
    /// Pods whose eviction is under way, which cost nothing more.
    package let disrupted: Set<String>

    /// The budget of an object; nil when its selector cannot be understood.
    package init?(_ budget: PolicyV1.PodDisruptionBudget) {
        guard let selector = try? LabelSelector(budget.spec.selector) else { return nil }
        self.namespace = budget.metadata.namespace
        self.selector = selector
        self.allowed = budget.status.disruptionsAllowed
        self.disrupted = Set(budget.status.disruptedPods.map(\.key))
    }

    /// Whether evicting a pod uses some of the budget. An empty selector is for no pod here.
    package func covers(_ pod: PodInfo) -> Bool {
        self.namespace == pod.namespace && !self.selector.isEmpty
            && self.selector.matches(pod.labels) && !self.disrupted.contains(pod.name)
    }
}
