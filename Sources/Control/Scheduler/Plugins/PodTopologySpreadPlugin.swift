// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf
import Selectors

/// Keeps the pods of a group spread evenly over topology domains.
///
/// Source: upstream `plugins/podtopologyspread`.
package struct PodTopologySpreadPlugin: FilterPlugin, ScorePlugin {
    package let name = PluginName.podTopologySpread
    package let interest: ChangeKinds = [
        .node, .nodeRemoved, .podPlaced, .placedPodUpdated, .placedPodRemoved, .podUpdated,
    ]

    let defaults: SpreadDefaults

    package init(defaults: SpreadDefaults = .system) {
        self.defaults = defaults
    }

    package func prepareFilter(_ pod: PodInfo, _ cluster: Cluster) -> FilterPreparation {
        do throws(SelectorError) {
            let constraints = try SpreadConstraint.constraints(
                of: pod,
                "DoNotSchedule",
                defaults: self.defaults,
                cluster
            )
            if constraints.isEmpty { return .skip }
            return .check(SpreadCheck(pod, constraints, cluster))
        } catch {
            return .refuse(.unresolvable(error.description))
        }
    }

    package func prepareScore(
        _ pod: PodInfo,
        _ rows: [Int],
        _ cluster: Cluster
    ) -> (any NodeScorer)? {
        let constraints = try? SpreadConstraint.constraints(
            of: pod,
            "ScheduleAnyway",
            defaults: self.defaults,
            cluster
        )
        guard let constraints, !constraints.isEmpty else { return nil }
        let needsAllLabels =
            !pod.pod.spec.topologySpreadConstraints.isEmpty || !self.defaults.isSystem
        return SpreadScorer(pod, constraints, rows, needsAllLabels: needsAllLabels, cluster)
    }

    package func mayHelp(_ change: ClusterChange, _ pod: PodInfo, _ cluster: Cluster) -> Bool {
        let constraints = try? SpreadConstraint.constraints(
            of: pod,
            "DoNotSchedule",
            defaults: self.defaults,
            cluster
        )
        guard let constraints else { return true }
        switch change {
        case .podPlaced(let other), .placedPodRemoved(let other):
            return Self.counts(other, pod, constraints)
        case .placedPodUpdated(let old, let new):
            if old.labels == new.labels, old.isTerminating == new.isTerminating { return false }
            return Self.counts(old, pod, constraints) || Self.counts(new, pod, constraints)
        // One domain fewer may leave the spread even enough.
        case .nodeAdded(let node), .nodeRemoved(let node):
            return Self.hasLabels(node, constraints)
        case .nodeUpdated(let old, let new, let parts):
            if parts.contains(.taints) { return true }
            return parts.contains(.labels)
                && (Self.hasLabels(old, constraints) || Self.hasLabels(new, constraints))
        case .podUpdated(let old, let new):
            return old.labels != new.labels
                || old.pod.spec.topologySpreadConstraints
                    != new.pod.spec.topologySpreadConstraints
        case .namespaceChanged, .volumeObject:
            return false
        }
    }

    private static func counts(
        _ other: PodInfo,
        _ pod: PodInfo,
        _ constraints: [SpreadConstraint]
    ) -> Bool {
        other.namespace == pod.namespace
            && constraints.contains { $0.selector.matches(other.labels) }
    }

    private static func hasLabels(_ node: CoreV1.Node, _ constraints: [SpreadConstraint]) -> Bool {
        let labels = node.metadata.labels
        return constraints.allSatisfy { labels[$0.topologyKey] != nil }
    }
}

/// Counts pods by domain and refuses nodes where one more would make the spread too uneven.
private final class SpreadCheck: NodeCheck {
    static let skewed = Rejection.resolvable(
        "node(s) didn't match pod topology spread constraints"
    )
    static let unlabelled = Rejection.unresolvable(
        "node(s) didn't match pod topology spread constraints (missing required label)"
    )

    private struct Domains {
        let constraint: SpreadConstraint
        /// The number of pods by the number of the label's value; -1 where there is no such domain.
        var pods: [Int64]
        var domainCount = 0
        var fewest: Int64 = 0

        mutating func update() {
            var fewest = Int64.max
            var count = 0
            for number in self.pods where number >= 0 {
                count += 1
                fewest = min(fewest, number)
            }
            self.domainCount = count
            self.fewest = count < self.constraint.minDomains ? 0 : fewest
        }
    }

    private let pod: PodInfo
    private var domains: [Domains]
    private let eligibility: SpreadEligibility

    init(_ pod: PodInfo, _ constraints: [SpreadConstraint], _ cluster: Cluster) {
        self.pod = pod
        self.eligibility = SpreadEligibility(pod, cluster)
        self.domains = constraints.map { constraint in
            Domains(
                constraint: constraint,
                pods: [Int64](repeating: -1, count: constraint.column.valueCount)
            )
        }
        for index in self.domains.indices {
            let constraint = constraints[index]
            let numbers = constraint.column.numbers
            let counts = constraint.counter.counts
            for row in cluster.order
            where self.hasAllLabels(row) && self.eligibility.counts(row, constraint, cluster) {
                let number = Int(numbers[row])
                self.domains[index].pods[number] =
                    max(self.domains[index].pods[number], 0) + Int64(counts[row])
            }
            self.domains[index].update()
        }
    }

    private func hasAllLabels(_ row: Int) -> Bool {
        for domain in self.domains where domain.constraint.column.numbers[row] == 0 {
            return false
        }
        return true
    }

    func refusal(_ row: Int, _ cluster: Cluster) -> Rejection? {
        for domain in self.domains {
            let constraint = domain.constraint
            let number = Int(constraint.column.numbers[row])
            if number == 0 { return Self.unlabelled }
            let pods = max(domain.pods[number], 0) + (constraint.countsSelf ? 1 : 0)
            if pods - domain.fewest > constraint.maxSkew { return Self.skewed }
        }
        return nil
    }

    func change(_ pod: PodInfo, _ row: Int, added: Bool, _ cluster: Cluster) {
        guard pod.namespace == self.pod.namespace, !pod.isTerminating, self.hasAllLabels(row)
        else { return }
        for index in self.domains.indices {
            let constraint = self.domains[index].constraint
            guard constraint.selector.matches(pod.labels),
                self.eligibility.counts(row, constraint, cluster)
            else { continue }
            let number = Int(constraint.column.numbers[row])
            self.domains[index].pods[number] =
                max(self.domains[index].pods[number], 0) + (added ? 1 : -1)
            self.domains[index].update()
        }
    }
}
