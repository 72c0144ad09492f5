// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
import Protobuf

/// What the scheduler knows of the cluster: nodes in rows, their properties in columns.
///
/// A row is a small number that a node keeps while it is there. What plugins compare lies in arrays
/// by row, so that checking a node reads a few numbers and no objects. Everything is kept up with
/// each event: there is no copy to be taken before a pod is scheduled.
///
/// Not thread-safe: one scheduler owns it. Preemption tries things out by changing it and changing
/// it back.
package final class Cluster {
    // MARK: Rows

    /// The name of the node in a row; empty in a row that is not in use.
    package internal(set) var names: [String] = []
    package internal(set) var nodes: [CoreV1.Node] = []
    /// Whether there is a node; a row without one holds pods of a node not yet or no longer known.
    package internal(set) var isLive: [Bool] = []
    var rowOfName: [String: Int] = [:]
    var freeRows: [Int] = []

    // MARK: Columns

    package internal(set) var isUnschedulable: [Bool] = []
    package internal(set) var allocatableCPU: [Int64] = []
    package internal(set) var allocatableMemory: [Int64] = []
    package internal(set) var allocatableStorage: [Int64] = []
    package internal(set) var allocatablePods: [Int64] = []
    package internal(set) var requestedCPU: [Int64] = []
    package internal(set) var requestedMemory: [Int64] = []
    package internal(set) var requestedStorage: [Int64] = []
    /// Sums with the defaults for containers that ask for nothing; what scores are made of.
    package internal(set) var scoredCPU: [Int64] = []
    package internal(set) var scoredMemory: [Int64] = []
    /// Columns of other resources, by name.
    package internal(set) var scalars: [String: ScalarColumn] = [:]
    /// Which of `taintSets` a node has.
    package internal(set) var taintSetOfRow: [Int] = []
    package internal(set) var taintSets: [[Taint]] = [[]]
    var numberOfTaintSet: [[Taint]: Int] = [[]: 0]
    /// The pods on each node.
    package internal(set) var pods: [[PodInfo]] = []
    /// Ports taken on nodes where any is.
    package internal(set) var hostPorts: [Int: [HostPort]] = [:]
    /// Images of nodes: name to bytes.
    package internal(set) var images: [[String: Int64]] = []
    /// On how many nodes an image is.
    package internal(set) var imageNodes: [String: Int] = [:]
    var labelColumns: [String: LabelColumn] = [:]

    // MARK: Across nodes

    /// Live rows in the order in which they are tried: a node of each zone in turn.
    package var order: [Int] {
        if let order = self.cachedOrder { return order }
        let order = self.zoneOrder()
        self.cachedOrder = order
        return order
    }
    var cachedOrder: [Int]?

    /// The pods that have a node, by uid, and their rows.
    package internal(set) var placed: [String: (pod: PodInfo, row: Int)] = [:]
    var counters: [PodCount: PodCounter] = [:]
    var cycle: UInt64 = 0

    /// Required anti-affinity of the pods that run.
    package internal(set) var antiAffinity = TermTable<AffinityTerm>()
    /// Required affinity of the pods that run, by number of pods.
    package internal(set) var requiredAffinity = TermTable<AffinityTerm>()
    /// Wishes of the pods that run, anti-affinity with negative weight.
    package internal(set) var preferences = TermTable<AffinityTerm>()

    package internal(set) var namespaceLabels: [String: LabelSet] = [:]
    /// Pods that wait for a node where they preempted others: by row and by uid.
    package internal(set) var nominated: [Int: [PodInfo]] = [:]
    var nominations: [String: (pod: PodInfo, node: String)] = [:]
    /// Services and controllers, whose selectors are the default for spreading.
    package var workloads = Workloads()
    /// Budgets that preemption respects, by namespace and name.
    package var budgets: [String: DisruptionBudget] = [:]
    /// Claims, volumes, classes and what nodes can attach.
    package var volumes = VolumeCatalog()

    package init() {}

    /// The number of nodes.
    package var nodeCount: Int { self.rowOfLiveNode.count }
    var rowOfLiveNode: Set<Int> = []

    /// The row of a node; nil when there is no such node.
    package func row(_ name: String) -> Int? {
        guard let row = self.rowOfName[name], self.isLive[row] else { return nil }
        return row
    }
}

/// A resource of all nodes: what they have and what is asked of them.
package struct ScalarColumn {
    package var allocatable: [Int64]
    package var requested: [Int64]

    init(rows: Int) {
        self.allocatable = [Int64](repeating: 0, count: rows)
        self.requested = [Int64](repeating: 0, count: rows)
    }
}
