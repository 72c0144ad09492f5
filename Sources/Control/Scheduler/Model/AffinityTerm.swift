// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
import Protobuf
package import Selectors

/// Pods that another pod wants near itself, or away from itself.
package struct AffinityTerm: Sendable, Hashable {
    package let pods: PodGroup
    /// The label of nodes that says what "near" is.
    package let topologyKey: String

    package init(_ term: CoreV1.PodAffinityTerm, of namespace: String) throws(SelectorError) {
        var namespaces = Array(term.namespaces).sorted()
        var namespaceSelector: LabelSelector?
        if let selector = term.namespaceSelector {
            namespaceSelector = try LabelSelector(selector)
        } else if namespaces.isEmpty {
            namespaces = [namespace]
        }
        self.pods = PodGroup(
            namespaces: namespaces,
            namespaceSelector: namespaceSelector,
            selector: try LabelSelector(term.labelSelector)
        )
        self.topologyKey = term.topologyKey
    }

    /// Whether a pod is one of those.
    package func matches(_ pod: PodInfo, namespaceLabels: LabelSet?) -> Bool {
        self.pods.contains(pod, namespaceLabels: namespaceLabels)
    }
}

/// An affinity term that is a wish, not a demand.
package struct WeightedAffinityTerm: Sendable, Hashable {
    package let term: AffinityTerm
    package let weight: Int64
}

/// Pods, told by their namespaces and labels.
package struct PodGroup: Sendable, Hashable {
    /// In order.
    package let namespaces: [String]
    /// Namespaces beside those that are named; nil when there are none.
    package let namespaceSelector: LabelSelector?
    package let selector: LabelSelector

    package init(
        namespaces: [String],
        namespaceSelector: LabelSelector? = nil,
        selector: LabelSelector
    ) {
        self.namespaces = namespaces
        self.namespaceSelector = namespaceSelector
        self.selector = selector
    }

    /// Whether a pod is in the group.
    package func contains(_ pod: PodInfo, namespaceLabels: LabelSet?) -> Bool {
        self.containsNamespace(pod.namespace, namespaceLabels) && self.selector.matches(pod.labels)
    }

    private func containsNamespace(_ name: String, _ labels: LabelSet?) -> Bool {
        for namespace in self.namespaces where namespace == name { return true }
        guard let selector = self.namespaceSelector else { return false }
        return selector.matches(labels ?? [:])
    }
}
