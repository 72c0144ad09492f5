// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Selectors

/// Which pods a counter counts.
package struct PodCount: Sendable, Hashable {
    /// A pod must be in all of the groups.
    package let groups: [PodGroup]
    /// Whether pods that are being deleted count as gone.
    package let skipsTerminating: Bool

    package init(_ groups: [PodGroup], skipsTerminating: Bool = false) {
        self.groups = groups
        self.skipsTerminating = skipsTerminating
    }

    /// Whether a pod counts.
    package func counts(_ pod: PodInfo, namespaceLabels: LabelSet?) -> Bool {
        if self.skipsTerminating, pod.isTerminating { return false }
        for group in self.groups where !group.contains(pod, namespaceLabels: namespaceLabels) {
            return false
        }
        return true
    }

    /// Whether the count depends on the labels of namespaces.
    var dependsOnNamespaces: Bool {
        self.groups.contains { $0.namespaceSelector != nil }
    }
}

/// The number of pods of a kind on each node, kept up with every pod that comes and goes.
///
/// The counters of a cluster are made when a pod with a spread constraint or an affinity term is
/// first scheduled, and serve all pods with the same term from then on.
package final class PodCounter {
    package let count: PodCount
    /// The number of pods, by row.
    package fileprivate(set) var counts: [Int32]
    /// When the counter was last asked for, in scheduling cycles.
    var lastUse: UInt64 = 0

    init(_ count: PodCount, rows: Int) {
        self.count = count
        self.counts = [Int32](repeating: 0, count: rows)
    }

    func addRow() {
        self.counts.append(0)
    }

    func change(_ row: Int, by amount: Int32) {
        self.counts[row] += amount
    }
}
