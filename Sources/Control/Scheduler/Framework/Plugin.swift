// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// A plugin of the scheduler. What it does at which point, the protocols below say.
///
/// A plugin holds its arguments and no state: what it works out for a pod lies in the checks and
/// scorers that it makes for one scheduling cycle.
package protocol Plugin: Sendable {
    var name: PluginName { get }

    /// The changes that may make a pod schedulable that the plugin refused.
    var interest: ChangeKinds { get }

    /// Whether a change may make the pod schedulable: upstream's queueing hint. Called only for
    /// changes of the kinds in ``interest``; an error on the side of yes costs time, one on the side
    /// of no leaves a pod waiting.
    func mayHelp(_ change: ClusterChange, _ pod: PodInfo, _ cluster: Cluster) -> Bool
}

/// PreEnqueue: a plugin that keeps pods out of the queue.
package protocol PreEnqueuePlugin: Plugin {
    /// Why the pod must not be tried yet; nil when it may be.
    func refusal(of pod: PodInfo) -> Rejection?
}

/// PreFilter and Filter: a plugin that refuses nodes.
package protocol FilterPlugin: Plugin {
    /// Works out what checking nodes for the pod needs.
    func prepareFilter(_ pod: PodInfo, _ cluster: Cluster) -> FilterPreparation
}

/// What a filter plugin has to say before any node is looked at.
package enum FilterPreparation {
    /// The plugin refuses no node for this pod.
    case skip
    /// The plugin refuses the pod on all nodes.
    case refuse(Rejection)
    /// Nodes must be checked; if `rows` is not nil, only those are worth it.
    case check(any NodeCheck, rows: Set<Int>? = nil)
}

/// Filter, for one pod in one cycle.
package protocol NodeCheck: AnyObject {
    /// Why the node will not do; nil when it will.
    func refusal(_ row: Int, _ cluster: Cluster) -> Rejection?

    /// Takes in that a pod was added to a node, or taken from it, for a try.
    func change(_ pod: PodInfo, _ row: Int, added: Bool, _ cluster: Cluster)
}

extension NodeCheck {
    package func change(_ pod: PodInfo, _ row: Int, added: Bool, _ cluster: Cluster) {}
}

/// PreScore, Score and NormalizeScore: a plugin that prefers some nodes to others.
package protocol ScorePlugin: Plugin {
    /// Works out what scoring needs; nil when the plugin has no preference for this pod.
    func prepareScore(_ pod: PodInfo, _ rows: [Int], _ cluster: Cluster) -> (any NodeScorer)?
}

/// Score, for one pod in one cycle.
package protocol NodeScorer {
    /// The scores of the rows, before they are made comparable.
    func scores(_ rows: [Int], _ cluster: Cluster) -> [Int64]

    /// Makes scores comparable: 0 to ``Score/maximum``.
    func normalize(_ scores: inout [Int64], _ rows: [Int])
}

extension NodeScorer {
    package func normalize(_ scores: inout [Int64], _ rows: [Int]) {}
}

/// Scores of nodes.
package enum Score {
    /// The best score.
    package static let maximum: Int64 = 100

    /// Scales scores so that the highest becomes ``maximum``, or, turned round, 0.
    ///
    /// Source: upstream `plugins/helper/normalize_score.go`, DefaultNormalizeScore.
    package static func scale(_ scores: inout [Int64], isReversed: Bool) {
        let highest = scores.max() ?? 0
        guard highest > 0 else {
            if isReversed {
                for index in scores.indices { scores[index] = self.maximum }
            }
            return
        }
        for index in scores.indices {
            let score = scores[index] * self.maximum / highest
            scores[index] = isReversed ? self.maximum - score : score
        }
    }
}
