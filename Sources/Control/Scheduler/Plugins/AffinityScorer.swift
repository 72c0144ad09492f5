// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Scores nodes by the wishes of the pod about others and of others about the pod.
struct AffinityScorer: NodeScorer {
    /// The sum of weights by domain.
    private struct Domains {
        let column: LabelColumn
        var weights: [Int64]

        init(_ column: LabelColumn) {
            self.column = column
            self.weights = [Int64](repeating: 0, count: column.valueCount)
        }

        mutating func add(_ row: Int, _ weight: Int64) {
            self.weights[Int(self.column.numbers[row])] += weight
        }
    }

    private var domains: [String: Domains] = [:]

    init(_ pod: PodInfo, hardWeight: Int64, _ cluster: Cluster) {
        for wish in pod.affinity.preferredAffinity {
            self.add(wish.term, wish.weight, cluster)
        }
        for wish in pod.affinity.preferredAntiAffinity {
            self.add(wish.term, -wish.weight, cluster)
        }
        let labels = cluster.namespaceLabels[pod.namespace]
        if hardWeight > 0 {
            for (term, rows) in cluster.requiredAffinity.rows
            where term.matches(pod, namespaceLabels: labels) {
                self.add(term, rows, hardWeight, cluster)
            }
        }
        for (term, rows) in cluster.preferences.rows
        where term.matches(pod, namespaceLabels: labels) {
            self.add(term, rows, 1, cluster)
        }
        // Nodes without the label are in no domain.
        for key in self.domains.keys { self.domains[key]?.weights[0] = 0 }
    }

    var isEmpty: Bool {
        self.domains.values.allSatisfy { $0.weights.allSatisfy { $0 == 0 } }
    }

    private mutating func add(_ term: AffinityTerm, _ weight: Int64, _ cluster: Cluster) {
        let counts = cluster.counter(PodCount([term.pods])).counts
        var domains = self.take(term.topologyKey, cluster)
        for row in cluster.order where counts[row] != 0 {
            domains.add(row, weight * Int64(counts[row]))
        }
        self.domains[term.topologyKey] = domains
    }

    private mutating func add(
        _ term: AffinityTerm,
        _ rows: [Int: Int64],
        _ factor: Int64,
        _ cluster: Cluster
    ) {
        var domains = self.take(term.topologyKey, cluster)
        for (row, weight) in rows where cluster.isLive[row] { domains.add(row, weight * factor) }
        self.domains[term.topologyKey] = domains
    }

    private mutating func take(_ key: String, _ cluster: Cluster) -> Domains {
        self.domains.removeValue(forKey: key) ?? Domains(cluster.labelColumn(key))
    }

    func scores(_ rows: [Int], _ cluster: Cluster) -> [Int64] {
        var scores = [Int64](repeating: 0, count: rows.count)
        for domains in self.domains.values {
            for (position, row) in rows.enumerated() {
                scores[position] += domains.weights[Int(domains.column.numbers[row])]
            }
        }
        return scores
    }

    func normalize(_ scores: inout [Int64], _ rows: [Int]) {
        let lowest = scores.min() ?? 0
        let difference = (scores.max() ?? 0) - lowest
        for position in scores.indices {
            guard difference > 0 else {
                scores[position] = 0
                continue
            }
            let share = Double(scores[position] - lowest) / Double(difference)
            scores[position] = Int64(Double(Score.maximum) * share)
        }
    }
}
