// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The affinity terms of pods that run, each with its weight on the nodes where such pods are.
///
/// Pods of one workload have equal terms, so a pod that is scheduled meets each term once, not once
/// for every pod that has it.
package struct TermTable<Term: Hashable> {
    /// A term's weight by row; rows without it are absent.
    package private(set) var rows: [Term: [Int: Int64]] = [:]

    /// Whether no pod has a term.
    package var isEmpty: Bool { self.rows.isEmpty }

    mutating func add(_ term: Term, _ row: Int, _ weight: Int64) {
        var weights = self.rows.removeValue(forKey: term) ?? [:]
        let sum = (weights[row] ?? 0) + weight
        weights[row] = sum == 0 ? nil : sum
        if !weights.isEmpty { self.rows[term] = weights }
    }
}
