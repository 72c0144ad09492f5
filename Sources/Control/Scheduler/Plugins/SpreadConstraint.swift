// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
import Protobuf
package import Selectors

/// A topology spread constraint of a pod, made ready.
package struct SpreadConstraint {
    package let maxSkew: Int64
    package let topologyKey: String
    package let selector: LabelSelector
    package let minDomains: Int
    /// Whether nodes that the pod's node affinity rules out are left out of the count.
    let honorsAffinity: Bool
    /// Whether nodes with taints that the pod does not tolerate are left out of the count.
    let honorsTaints: Bool
    let column: LabelColumn
    let counter: PodCounter
    /// Whether the pod counts itself.
    let countsSelf: Bool

    /// The constraints of a pod of one kind, `DoNotSchedule` or `ScheduleAnyway`.
    static func constraints(
        of pod: PodInfo,
        _ whenUnsatisfiable: String,
        defaults: SpreadDefaults,
        _ cluster: Cluster
    ) throws(SelectorError) -> [SpreadConstraint] {
        let own = pod.pod.spec.topologySpreadConstraints
        var result: [SpreadConstraint] = []
        if !own.isEmpty {
            for constraint in own where constraint.whenUnsatisfiable == whenUnsatisfiable {
                var selector = try LabelSelector(constraint.labelSelector)
                for key in constraint.matchLabelKeys {
                    guard let value = pod.labels[key] else { continue }
                    selector = selector.adding([try LabelRequirement(key, .isIn, [value])])
                }
                result.append(SpreadConstraint(constraint, selector, pod, cluster))
            }
            return result
        }
        let some = defaults.constraints.filter { $0.whenUnsatisfiable == whenUnsatisfiable }
        guard !some.isEmpty, let selector = cluster.workloads.selector(for: pod) else { return [] }
        return some.map { SpreadConstraint($0, selector, pod, cluster) }
    }

    private init(
        _ constraint: CoreV1.TopologySpreadConstraint,
        _ selector: LabelSelector,
        _ pod: PodInfo,
        _ cluster: Cluster
    ) {
        self.maxSkew = Int64(constraint.maxSkew)
        self.topologyKey = constraint.topologyKey
        self.selector = selector
        self.minDomains = Int(constraint.minDomains ?? 1)
        self.honorsAffinity = constraint.nodeAffinityPolicy != "Ignore"
        self.honorsTaints = constraint.nodeTaintsPolicy == "Honor"
        self.column = cluster.labelColumn(constraint.topologyKey)
        self.countsSelf = selector.matches(pod.labels)
        self.counter = cluster.counter(
            PodCount(
                [PodGroup(namespaces: [pod.namespace], selector: selector)],
                skipsTerminating: true
            )
        )
    }
}

/// How pods are spread that do not say themselves.
package struct SpreadDefaults: Sendable {
    package let constraints: [CoreV1.TopologySpreadConstraint]
    /// Whether these are the scheduler's own, which do not mind nodes without a zone.
    package let isSystem: Bool

    package init(constraints: [CoreV1.TopologySpreadConstraint], isSystem: Bool) {
        self.constraints = constraints
        self.isSystem = isSystem
    }

    /// Softly over zones and nodes.
    package static let system = SpreadDefaults(
        constraints: [
            .with {
                $0.topologyKey = Cluster.hostnameLabel
                $0.whenUnsatisfiable = "ScheduleAnyway"
                $0.maxSkew = 3
            },
            .with {
                $0.topologyKey = Cluster.zoneLabel
                $0.whenUnsatisfiable = "ScheduleAnyway"
                $0.maxSkew = 5
            },
        ],
        isSystem: true
    )
}

/// Which nodes a constraint counts pods on.
struct SpreadEligibility {
    private let affinity: RequiredNodeMatcher
    private let isTainted: [Bool]

    init(_ pod: PodInfo, _ cluster: Cluster) {
        self.affinity = RequiredNodeMatcher(pod.pod.spec, cluster)
        self.isTainted = cluster.taintSets.map { taints in
            taints.contains { $0.isHard && !pod.tolerations.tolerate($0) }
        }
    }

    func counts(_ row: Int, _ constraint: SpreadConstraint, _ cluster: Cluster) -> Bool {
        if constraint.honorsAffinity, !self.affinity.isEmpty,
            !self.affinity.matches(row, cluster)
        {
            return false
        }
        return !constraint.honorsTaints || !self.isTainted[cluster.taintSetOfRow[row]]
    }
}
