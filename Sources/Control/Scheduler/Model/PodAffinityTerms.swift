// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
import Protobuf
package import Selectors

/// All the terms of a pod's affinity to other pods, read once.
package struct PodAffinityTerms: Sendable {
    package var requiredAffinity: [AffinityTerm] = []
    package var requiredAntiAffinity: [AffinityTerm] = []
    package var preferredAffinity: [WeightedAffinityTerm] = []
    package var preferredAntiAffinity: [WeightedAffinityTerm] = []

    package init() {}

    package init(_ affinity: CoreV1.Affinity?, namespace: String) throws(SelectorError) {
        guard let affinity else { return }
        if let near = affinity.podAffinity {
            self.requiredAffinity = try Self.terms(
                near.requiredDuringSchedulingIgnoredDuringExecution,
                namespace
            )
            self.preferredAffinity = try Self.weighted(
                near.preferredDuringSchedulingIgnoredDuringExecution,
                namespace
            )
        }
        if let away = affinity.podAntiAffinity {
            self.requiredAntiAffinity = try Self.terms(
                away.requiredDuringSchedulingIgnoredDuringExecution,
                namespace
            )
            self.preferredAntiAffinity = try Self.weighted(
                away.preferredDuringSchedulingIgnoredDuringExecution,
                namespace
            )
        }
    }

    /// Whether there are none.
    package var isEmpty: Bool {
        self.requiredAffinity.isEmpty && self.requiredAntiAffinity.isEmpty
            && !self.hasPreferences
    }

    /// Whether there are wishes.
    package var hasPreferences: Bool {
        !self.preferredAffinity.isEmpty || !self.preferredAntiAffinity.isEmpty
    }

    private static func terms(
        _ terms: RepeatedField<CoreV1.PodAffinityTerm>,
        _ namespace: String
    ) throws(SelectorError) -> [AffinityTerm] {
        var result: [AffinityTerm] = []
        for term in terms { result.append(try AffinityTerm(term, of: namespace)) }
        return result
    }

    private static func weighted(
        _ terms: RepeatedField<CoreV1.WeightedPodAffinityTerm>,
        _ namespace: String
    ) throws(SelectorError) -> [WeightedAffinityTerm] {
        var result: [WeightedAffinityTerm] = []
        for term in terms {
            result.append(
                WeightedAffinityTerm(
                    term: try AffinityTerm(term.podAffinityTerm, of: namespace),
                    weight: Int64(term.weight)
                )
            )
        }
        return result
    }
}
