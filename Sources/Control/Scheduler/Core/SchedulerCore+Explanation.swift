// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
import Protobuf

// Why a pod goes where it goes.

/// What the plugins say of one node for a pod.
package struct NodeExplanation: Sendable {
    /// A plugin's score of the node.
    package struct PluginScore: Sendable {
        package let plugin: PluginName
        package let weight: Int64
        package let raw: Int64
        package let normalized: Int64
    }

    package let node: String
    /// The plugins that refuse the node, and why.
    package let refusals: [(plugin: PluginName, reasons: [String])]
    /// By plugin; empty when the node is refused.
    package let scores: [PluginScore]
    /// The weighted sum; nil when the node is refused.
    package let total: Int64?
}

extension SchedulerCore {
    /// What every plugin says of every node for a pod, the best node first. A pod that runs is
    /// looked at as if it were to be scheduled anew.
    ///
    /// - Returns: nil when the pod is another scheduler's.
    package func explain(_ pod: CoreV1.Pod) -> [NodeExplanation]? {
        var pod = pod
        let nodeName = pod.spec.nodeName
        pod.spec.nodeName = ""
        let info = PodInfo(pod)
        guard let profile = self.profile(of: info) else { return nil }
        let placed = self.cluster.removePod(uid: info.uid)
        defer { if let placed { self.cluster.setPod(placed, on: nodeName) } }
        let cycle = SchedulingCycle(info, profile, self.cluster)
        var refused: [NodeExplanation] = []
        var feasible: [Int] = []
        for row in self.cluster.order {
            let refusals = cycle.allRefusals(row)
            if refusals.isEmpty {
                feasible.append(row)
            } else {
                refused.append(
                    NodeExplanation(
                        node: self.cluster.names[row],
                        refusals: refusals,
                        scores: [],
                        total: nil
                    )
                )
            }
        }
        let scored = ScoredNodes(info, feasible, profile, self.cluster)
        let good = feasible.indices.map { index in
            NodeExplanation(
                node: self.cluster.names[feasible[index]],
                refusals: [],
                scores: scored.columns.map { column in
                    NodeExplanation.PluginScore(
                        plugin: column.plugin,
                        weight: column.weight,
                        raw: column.raw[index],
                        normalized: column.normalized[index]
                    )
                },
                total: scored.totals[index]
            )
        }
        return good.sorted { ($0.total ?? 0) > ($1.total ?? 0) } + refused
    }
}

extension SchedulingCycle {
    /// All the plugins that refuse a row, not only the first.
    func allRefusals(_ row: Int) -> [(plugin: PluginName, reasons: [String])] {
        if self.isRefused {
            let plugin = self.diagnosis.plugins.names.first ?? .prioritySort
            return [(plugin, self.diagnosis.overall?.reasons ?? [])]
        }
        var refusals: [(plugin: PluginName, reasons: [String])] = []
        for active in self.checks {
            if let rejection = active.check.refusal(row, self.cluster) {
                refusals.append((active.plugin, rejection.reasons))
            }
        }
        if let rows = self.rows, !rows.contains(row), refusals.isEmpty {
            let plugin = self.diagnosis.plugins.names.first ?? .prioritySort
            return [(plugin, self.diagnosis.others?.reasons ?? [])]
        }
        return refusals
    }
}
