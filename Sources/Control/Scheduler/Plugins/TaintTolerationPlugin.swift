// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf

/// Refuses nodes with taints that the pod does not tolerate, and prefers those with fewer soft ones.
package struct TaintTolerationPlugin: FilterPlugin, ScorePlugin {
    package let name = PluginName.taintToleration
    package let interest: ChangeKinds = [.node, .podUpdated]

    static let refusal = Rejection.unresolvable("node(s) had untolerated taint(s)")

    package init() {}

    package func prepareFilter(_ pod: PodInfo, _ cluster: Cluster) -> FilterPreparation {
        let isRefused = cluster.taintSets.map { taints in
            taints.contains { $0.isHard && !pod.tolerations.tolerate($0) }
        }
        return isRefused.contains(true) ? .check(Check(isRefused: isRefused)) : .skip
    }

    package func mayHelp(_ change: ClusterChange, _ pod: PodInfo, _ cluster: Cluster) -> Bool {
        switch change {
        case .nodeAdded(let node):
            return self.isTolerated(node, pod)
        case .nodeUpdated(let old, let new, _):
            return !self.isTolerated(old, pod) && self.isTolerated(new, pod)
        case .podUpdated(let old, let new):
            return old.tolerations != new.tolerations
        case .nodeRemoved, .podPlaced, .placedPodUpdated, .placedPodRemoved, .namespaceChanged,
            .volumeObject:
            return false
        }
    }

    private func isTolerated(_ node: CoreV1.Node, _ pod: PodInfo) -> Bool {
        node.spec.taints.lazy.compactMap(Taint.init)
            .allSatisfy { !$0.isHard || pod.tolerations.tolerate($0) }
    }

    /// The verdict on each set of taints.
    private final class Check: NodeCheck {
        let isRefused: [Bool]

        init(isRefused: [Bool]) {
            self.isRefused = isRefused
        }

        func refusal(_ row: Int, _ cluster: Cluster) -> Rejection? {
            self.isRefused[cluster.taintSetOfRow[row]] ? TaintTolerationPlugin.refusal : nil
        }
    }

    package func prepareScore(
        _ pod: PodInfo,
        _ rows: [Int],
        _ cluster: Cluster
    ) -> (any NodeScorer)? {
        let soft = pod.tolerations.filter {
            $0.effect.isEmpty || $0.effect == Taint.Effect.preferNoSchedule.rawValue
        }
        return Scorer(
            counts: cluster.taintSets.map { taints in
                Int64(taints.count { !$0.isHard && !soft.tolerate($0) })
            }
        )
    }

    /// The number of soft taints in each set that the pod does not tolerate.
    private struct Scorer: NodeScorer {
        let counts: [Int64]

        func scores(_ rows: [Int], _ cluster: Cluster) -> [Int64] {
            rows.map { self.counts[cluster.taintSetOfRow[$0]] }
        }

        func normalize(_ scores: inout [Int64], _ rows: [Int]) {
            Score.scale(&scores, isReversed: true)
        }
    }
}
