// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc

/// Scores nodes by how few pods of the group are in their domains.
///
/// Source: upstream `plugins/podtopologyspread/scoring.go`.
struct SpreadScorer: NodeScorer {
    private struct Domains {
        let constraint: SpreadConstraint
        let weight: Double
        /// Pods by the number of the label's value; empty when each node is its own domain.
        let pods: [Int64]
    }

    private let domains: [Domains]
    /// By position in the list of rows: whether the node lacks a label and gets no score.
    private let isIgnored: [Bool]

    init(
        _ pod: PodInfo,
        _ constraints: [SpreadConstraint],
        _ rows: [Int],
        needsAllLabels: Bool,
        _ cluster: Cluster
    ) {
        func lacksLabel(_ row: Int) -> Bool {
            needsAllLabels && constraints.contains { $0.column.numbers[row] == 0 }
        }
        let isIgnored = rows.map(lacksLabel)
        let scored = isIgnored.count { !$0 }
        let eligibility = SpreadEligibility(pod, cluster)
        self.isIgnored = isIgnored
        self.domains = constraints.map { constraint in
            if constraint.topologyKey == Cluster.hostnameLabel {
                return Domains(
                    constraint: constraint,
                    weight: Self.weight(domains: scored),
                    pods: []
                )
            }
            let numbers = constraint.column.numbers
            var pods = [Int64](repeating: -1, count: constraint.column.valueCount)
            var count = 0
            for (position, row) in rows.enumerated() where !isIgnored[position] {
                if pods[Int(numbers[row])] < 0 {
                    pods[Int(numbers[row])] = 0
                    count += 1
                }
            }
            let counts = constraint.counter.counts
            for row in cluster.order {
                let number = Int(numbers[row])
                guard counts[row] != 0, pods[number] >= 0, !lacksLabel(row),
                    eligibility.counts(row, constraint, cluster)
                else { continue }
                pods[number] += Int64(counts[row])
            }
            return Domains(
                constraint: constraint,
                weight: Self.weight(domains: count),
                pods: pods
            )
        }
    }

    /// Domains of which there are many count more, since fewer pods are in each.
    private static func weight(domains: Int) -> Double {
        log(Double(domains + 2))
    }

    func scores(_ rows: [Int], _ cluster: Cluster) -> [Int64] {
        rows.indices.map { position in
            if self.isIgnored[position] { return 0 }
            let row = rows[position]
            var score = 0.0
            for domain in self.domains {
                let constraint = domain.constraint
                let number = Int(constraint.column.numbers[row])
                if number == 0 { continue }
                let pods =
                    domain.pods.isEmpty
                    ? Int64(constraint.counter.counts[row]) : max(domain.pods[number], 0)
                score += Double(pods) * domain.weight + Double(constraint.maxSkew - 1)
            }
            return Int64(score.rounded())
        }
    }

    func normalize(_ scores: inout [Int64], _ rows: [Int]) {
        var lowest = Int64.max
        var highest: Int64 = 0
        for (position, score) in scores.enumerated() where !self.isIgnored[position] {
            lowest = min(lowest, score)
            highest = max(highest, score)
        }
        for position in scores.indices {
            if self.isIgnored[position] {
                scores[position] = 0
            } else if highest == 0 {
                scores[position] = Score.maximum
            } else {
                scores[position] =
                    Score.maximum * (highest + lowest - scores[position]) / highest
            }
        }
    }
}
