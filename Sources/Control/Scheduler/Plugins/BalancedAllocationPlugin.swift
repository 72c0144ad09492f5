// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Prefers nodes whose resources would be used to the same degree.
///
/// Source: upstream `plugins/noderesources/balanced_allocation.go`.
package struct BalancedAllocationPlugin: ScorePlugin {
    package let name = PluginName.nodeResourcesBalancedAllocation
    package let interest: ChangeKinds = []

    let resources: [ScoringStrategy.Weighted]

    package init(resources: [ScoringStrategy.Weighted] = ScoringStrategy.defaultResources) {
        self.resources = resources
    }

    package func mayHelp(_ change: ClusterChange, _ pod: PodInfo, _ cluster: Cluster) -> Bool {
        false
    }

    package func prepareScore(
        _ pod: PodInfo,
        _ rows: [Int],
        _ cluster: Cluster
    ) -> (any NodeScorer)? {
        let resources = self.resources.map { ScoredResource($0, of: pod, countsDefaults: false) }
        // Pods that ask for nothing would all be drawn to one node.
        return resources.allSatisfy { $0.added == 0 } ? nil : Scorer(resources: resources)
    }

    private struct Scorer: NodeScorer {
        let resources: [ScoredResource]

        func scores(_ rows: [Int], _ cluster: Cluster) -> [Int64] {
            let columns = self.resources.map { cluster.scalars[$0.name] }
            if self.resources.count == 2 { return self.pairScores(rows, columns, cluster) }
            var fractions: [Double] = []
            return rows.map { row in
                fractions.removeAll(keepingCapacity: true)
                for (index, resource) in self.resources.enumerated() {
                    let (requested, capacity) = resource.usage(row, columns[index], cluster)
                    if capacity == 0 { continue }
                    fractions.append(min(Double(requested) / Double(capacity), 1))
                }
                return Self.score(deviation: Self.deviation(fractions))
            }
        }

        /// The common case, without a list of fractions.
        private func pairScores(
            _ rows: [Int],
            _ columns: [ScalarColumn?],
            _ cluster: Cluster
        ) -> [Int64] {
            let (first, second) = (self.resources[0], self.resources[1])
            return rows.map { row in
                let left = first.usage(row, columns[0], cluster)
                let right = second.usage(row, columns[1], cluster)
                if left.capacity == 0 || right.capacity == 0 { return Score.maximum }
                let one = min(Double(left.requested) / Double(left.capacity), 1)
                let other = min(Double(right.requested) / Double(right.capacity), 1)
                return Self.score(deviation: abs((one - other) / 2))
            }
        }

        private static func score(deviation: Double) -> Int64 {
            Int64((1 - deviation) * Double(Score.maximum))
        }

        /// The standard deviation.
        private static func deviation(_ fractions: [Double]) -> Double {
            switch fractions.count {
            case 0, 1:
                return 0
            case 2:
                return abs((fractions[0] - fractions[1]) / 2)
            default:
                let mean = fractions.reduce(0, +) / Double(fractions.count)
                let squares = fractions.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
                return (squares / Double(fractions.count)).squareRoot()
            }
        }
    }
}
