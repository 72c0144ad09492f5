// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The scores of nodes for one pod, by plugin.
package struct ScoredNodes {
    /// What one plugin says.
    package struct Column {
        package let plugin: PluginName
        package let weight: Int64
        /// Before they were made comparable, in the order of rows.
        package let raw: [Int64]
        /// 0 to 100.
        package let normalized: [Int64]
    }

    package let rows: [Int]
    package private(set) var columns: [Column] = []
    /// The weighted sums.
    package private(set) var totals: [Int64]

    /// Scores rows with all plugins of a profile.
    package init(
        _ pod: PodInfo,
        _ rows: [Int],
        _ profile: Profile,
        _ cluster: Cluster,
        _ watch: CycleWatch? = nil
    ) {
        self.rows = rows
        self.totals = [Int64](repeating: 0, count: rows.count)
        for weighted in profile.scores {
            func score() -> (raw: [Int64], normalized: [Int64])? {
                guard let scorer = weighted.plugin.prepareScore(pod, rows, cluster) else {
                    return nil
                }
                let raw = scorer.scores(rows, cluster)
                var normalized = raw
                scorer.normalize(&normalized, rows)
                return (raw, normalized)
            }
            let result = watch.map { $0.time(weighted.plugin.name, .score, score) } ?? score()
            guard let (raw, scores) = result else { continue }
            for index in scores.indices { self.totals[index] += scores[index] * weighted.weight }
            self.columns.append(
                Column(
                    plugin: weighted.plugin.name,
                    weight: weighted.weight,
                    raw: raw,
                    normalized: scores
                )
            )
        }
    }

    /// One of the best rows, each with the same chance; nil when there is none.
    package func best(using random: inout SeededGenerator) -> Int? {
        guard let highest = self.totals.max() else { return nil }
        var chosen: Int?
        var ties: UInt64 = 0
        for (index, total) in self.totals.enumerated() where total == highest {
            ties += 1
            if ties == 1 || random.next(upperBound: ties) == 0 { chosen = self.rows[index] }
        }
        return chosen
    }
}
