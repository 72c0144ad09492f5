// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf
import Selectors

/// Puts pods near those they want near themselves, and away from those they do not.
///
/// Source: upstream `plugins/interpodaffinity`.
package struct InterPodAffinityPlugin: FilterPlugin, ScorePlugin {
    package let name = PluginName.interPodAffinity
    package let interest: ChangeKinds = [
        .node, .podPlaced, .placedPodUpdated, .placedPodRemoved, .podUpdated, .namespaceChanged,
    ]

    /// What required affinity of running pods to the new one counts when nodes are scored.
    let hardPodAffinityWeight: Int64
    /// Whether wishes of running pods count for nothing when the new one has none itself.
    let ignoresPreferencesOfExistingPods: Bool

    package init(
        hardPodAffinityWeight: Int64 = 1,
        ignoresPreferencesOfExistingPods: Bool = false
    ) {
        self.hardPodAffinityWeight = hardPodAffinityWeight
        self.ignoresPreferencesOfExistingPods = ignoresPreferencesOfExistingPods
    }

    package func prepareFilter(_ pod: PodInfo, _ cluster: Cluster) -> FilterPreparation {
        if let error = pod.parseError { return .refuse(.unresolvable("parsing pod: \(error)")) }
        let check = AffinityCheck(pod, cluster)
        return check.isEmpty ? .skip : .check(check)
    }

    package func prepareScore(
        _ pod: PodInfo,
        _ rows: [Int],
        _ cluster: Cluster
    ) -> (any NodeScorer)? {
        if self.ignoresPreferencesOfExistingPods, !pod.affinity.hasPreferences { return nil }
        let scorer = AffinityScorer(pod, hardWeight: self.hardPodAffinityWeight, cluster)
        return scorer.isEmpty ? nil : scorer
    }

    package func mayHelp(_ change: ClusterChange, _ pod: PodInfo, _ cluster: Cluster) -> Bool {
        switch change {
        case .podPlaced(let other):
            return self.isWanted(other, pod, cluster)
        case .placedPodRemoved(let other):
            return self.isUnwanted(other, pod, cluster)
        case .placedPodUpdated(let old, let new):
            if old.labels == new.labels { return false }
            return !self.isWanted(old, pod, cluster) && self.isWanted(new, pod, cluster)
                || self.isUnwanted(old, pod, cluster) && !self.isUnwanted(new, pod, cluster)
        case .nodeAdded(let node):
            return self.hasTopology(node, pod)
        case .nodeUpdated(_, let new, let parts):
            return parts.contains(.labels) && self.hasTopology(new, pod)
        case .podUpdated(let old, let new):
            return old.labels != new.labels
        case .namespaceChanged:
            return true
        case .nodeRemoved, .volumeObject:
            return false
        }
    }

    private func isWanted(_ other: PodInfo, _ pod: PodInfo, _ cluster: Cluster) -> Bool {
        let labels = cluster.namespaceLabels[other.namespace]
        let terms = pod.affinity.requiredAffinity
        return !terms.isEmpty && terms.allSatisfy { $0.matches(other, namespaceLabels: labels) }
    }

    private func isUnwanted(_ other: PodInfo, _ pod: PodInfo, _ cluster: Cluster) -> Bool {
        let labels = cluster.namespaceLabels[other.namespace]
        if pod.affinity.requiredAntiAffinity.contains(where: {
            $0.matches(other, namespaceLabels: labels)
        }) {
            return true
        }
        let ownLabels = cluster.namespaceLabels[pod.namespace]
        return other.affinity.requiredAntiAffinity.contains {
            $0.matches(pod, namespaceLabels: ownLabels)
        }
    }

    /// A node with the topology of a term may be where other pods can be, or where none are; one
    /// without is out of reach of anti-affinity.
    private func hasTopology(_ node: CoreV1.Node, _ pod: PodInfo) -> Bool {
        let labels = node.metadata.labels
        let affinity = pod.affinity
        if affinity.requiredAffinity.contains(where: { labels[$0.topologyKey] == nil }) {
            return false
        }
        return true
    }
}

/// Knows in which domains pods are that the pod must be near, must avoid, or is avoided by.
private final class AffinityCheck: NodeCheck {
    static let affinity = Rejection.unresolvable("node(s) didn't match pod affinity rules")
    static let antiAffinity = Rejection.resolvable(
        "node(s) didn't match pod anti-affinity rules"
    )
    static let existingAntiAffinity = Rejection.resolvable(
        "node(s) didn't satisfy existing pods anti-affinity rules"
    )

    /// Pods by domain of one term.
    private struct Domains {
        let term: AffinityTerm
        let column: LabelColumn
        var pods: [Int64]

        init(_ term: AffinityTerm, _ cluster: Cluster) {
            self.term = term
            self.column = cluster.labelColumn(term.topologyKey)
            self.pods = [Int64](repeating: 0, count: self.column.valueCount)
        }

        mutating func add(_ row: Int, _ amount: Int64) {
            self.pods[Int(self.column.numbers[row])] += amount
        }

        func count(_ row: Int) -> Int64 {
            self.pods[Int(self.column.numbers[row])]
        }

        func hasLabel(_ row: Int) -> Bool { self.column.numbers[row] != 0 }
    }

    private let pod: PodInfo
    private let namespaceLabels: LabelSet?
    private var near: [Domains]
    private var away: [Domains]
    private var existing: [Domains] = []
    /// Whether the pod is one of those it wants to be near, and may so be the first of them.
    private let wantsItself: Bool

    init(_ pod: PodInfo, _ cluster: Cluster) {
        self.pod = pod
        let labels = cluster.namespaceLabels[pod.namespace]
        self.namespaceLabels = labels
        let affinity = pod.affinity
        self.near = affinity.requiredAffinity.map { Domains($0, cluster) }
        self.away = affinity.requiredAntiAffinity.map { Domains($0, cluster) }
        self.wantsItself = affinity.requiredAffinity.allSatisfy {
            $0.matches(pod, namespaceLabels: labels)
        }
        if !self.near.isEmpty {
            let counter = cluster.counter(PodCount(affinity.requiredAffinity.map(\.pods)))
            for row in cluster.order where counter.counts[row] != 0 {
                for index in self.near.indices {
                    self.near[index].add(row, Int64(counter.counts[row]))
                }
            }
        }
        for index in self.away.indices {
            let counter = cluster.counter(PodCount([self.away[index].term.pods]))
            for row in cluster.order where counter.counts[row] != 0 {
                self.away[index].add(row, Int64(counter.counts[row]))
            }
        }
        for (term, rows) in cluster.antiAffinity.rows
        where term.matches(pod, namespaceLabels: labels) {
            var domains = Domains(term, cluster)
            for (row, count) in rows where cluster.isLive[row] { domains.add(row, count) }
            self.existing.append(domains)
        }
        self.clearUnlabelled()
    }

    /// Nodes without the label are in no domain.
    private func clearUnlabelled() {
        for index in self.near.indices { self.near[index].pods[0] = 0 }
        for index in self.away.indices { self.away[index].pods[0] = 0 }
        for index in self.existing.indices { self.existing[index].pods[0] = 0 }
    }

    var isEmpty: Bool {
        self.near.isEmpty && self.away.isEmpty && self.existing.isEmpty
    }

    func refusal(_ row: Int, _ cluster: Cluster) -> Rejection? {
        if !self.near.isEmpty, !self.isNear(row) { return Self.affinity }
        for domains in self.away where domains.count(row) > 0 { return Self.antiAffinity }
        for domains in self.existing where domains.count(row) > 0 {
            return Self.existingAntiAffinity
        }
        return nil
    }

    private func isNear(_ row: Int) -> Bool {
        var finds = true
        for domains in self.near {
            if !domains.hasLabel(row) { return false }
            if domains.count(row) <= 0 { finds = false }
        }
        if finds { return true }
        // The first pod of a group that wants to be near itself may go anywhere.
        return self.wantsItself
            && self.near.allSatisfy { domains in domains.pods.allSatisfy { $0 <= 0 } }
    }

    func change(_ pod: PodInfo, _ row: Int, added: Bool, _ cluster: Cluster) {
        let labels = cluster.namespaceLabels[pod.namespace]
        let amount: Int64 = added ? 1 : -1
        if !self.near.isEmpty,
            self.near.allSatisfy({ $0.term.matches(pod, namespaceLabels: labels) })
        {
            for index in self.near.indices { self.near[index].add(row, amount) }
        }
        for index in self.away.indices
        where self.away[index].term.matches(pod, namespaceLabels: labels) {
            self.away[index].add(row, amount)
        }
        for term in pod.affinity.requiredAntiAffinity
        where term.matches(self.pod, namespaceLabels: self.namespaceLabels) {
            if let index = self.existing.firstIndex(where: { $0.term == term }) {
                self.existing[index].add(row, amount)
            } else {
                var domains = Domains(term, cluster)
                domains.add(row, amount)
                self.existing.append(domains)
            }
        }
        self.clearUnlabelled()
    }
}
