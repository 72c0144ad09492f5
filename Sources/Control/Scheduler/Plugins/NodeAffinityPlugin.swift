// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
import Protobuf

/// Refuses nodes that the pod's selector and required affinity do not match, and prefers those that
/// its preferred affinity does.
package struct NodeAffinityPlugin: FilterPlugin, ScorePlugin {
    package let name = PluginName.nodeAffinity
    package let interest: ChangeKinds = [.node, .podUpdated]

    static let podRefusal = Rejection.unresolvable(
        "node(s) didn't match Pod's node affinity/selector"
    )
    static let addedRefusal = Rejection.unresolvable(
        "node(s) didn't match scheduler-enforced node affinity"
    )

    /// Affinity of all pods of the profile, beside their own.
    let addedAffinity: CoreV1.NodeAffinity?

    package init(addedAffinity: CoreV1.NodeAffinity? = nil) {
        self.addedAffinity = addedAffinity
    }

    package func prepareFilter(_ pod: PodInfo, _ cluster: Cluster) -> FilterPreparation {
        let required = RequiredNodeMatcher(pod.pod.spec, cluster)
        let added = self.addedAffinity.map { RequiredNodeMatcher($0, cluster) }
        if required.isEmpty, added?.isEmpty ?? true { return .skip }
        if let names = required.names {
            if names.isEmpty { return .refuse(Self.podRefusal) }
            return .check(
                Check(required: required, added: added),
                rows: Set(names.compactMap(cluster.row))
            )
        }
        return .check(Check(required: required, added: added))
    }

    package func mayHelp(_ change: ClusterChange, _ pod: PodInfo, _ cluster: Cluster) -> Bool {
        switch change {
        case .nodeAdded(let node):
            return self.matches(node.metadata.name, pod, cluster)
        case .nodeUpdated(_, let new, let parts):
            return parts.contains(.labels) && self.matches(new.metadata.name, pod, cluster)
        case .podUpdated(let old, let new):
            return old.pod.spec.nodeSelector != new.pod.spec.nodeSelector
                || old.pod.spec.affinity?.nodeAffinity != new.pod.spec.affinity?.nodeAffinity
        case .nodeRemoved, .podPlaced, .placedPodUpdated, .placedPodRemoved, .namespaceChanged,
            .volumeObject:
            return false
        }
    }

    private func matches(_ node: String, _ pod: PodInfo, _ cluster: Cluster) -> Bool {
        guard let row = cluster.row(node) else { return false }
        if let addedAffinity, !RequiredNodeMatcher(addedAffinity, cluster).matches(row, cluster) {
            return false
        }
        return RequiredNodeMatcher(pod.pod.spec, cluster).matches(row, cluster)
    }

    private final class Check: NodeCheck {
        let required: RequiredNodeMatcher
        let added: RequiredNodeMatcher?

        init(required: RequiredNodeMatcher, added: RequiredNodeMatcher?) {
            self.required = required
            self.added = added
        }

        func refusal(_ row: Int, _ cluster: Cluster) -> Rejection? {
            if let added, !added.matches(row, cluster) { return NodeAffinityPlugin.addedRefusal }
            return self.required.matches(row, cluster) ? nil : NodeAffinityPlugin.podRefusal
        }
    }

    package func prepareScore(
        _ pod: PodInfo,
        _ rows: [Int],
        _ cluster: Cluster
    ) -> (any NodeScorer)? {
        let wishes = [pod.pod.spec.affinity?.nodeAffinity, self.addedAffinity]
            .flatMap { affinity in
                (affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map { wish in
                    (NodeTermMatcher(wish.preference, cluster), Int64(wish.weight))
                }
            }
        return wishes.isEmpty ? nil : Scorer(wishes: wishes)
    }

    private struct Scorer: NodeScorer {
        let wishes: [(term: NodeTermMatcher, weight: Int64)]

        func scores(_ rows: [Int], _ cluster: Cluster) -> [Int64] {
            rows.map { row in
                self.wishes.reduce(0) { sum, wish in
                    wish.term.matches(row, cluster) ? sum + wish.weight : sum
                }
            }
        }

        func normalize(_ scores: inout [Int64], _ rows: [Int]) {
            Score.scale(&scores, isReversed: false)
        }
    }
}
