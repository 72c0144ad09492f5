// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf

/// Refuses nodes without room for what the pod asks, and prefers nodes by how full they are.
///
/// Source: upstream `plugins/noderesources/fit.go`.
package struct NodeResourcesFitPlugin: FilterPlugin, ScorePlugin {
    package let name = PluginName.nodeResourcesFit
    package let interest: ChangeKinds = [
        .node, .placedPodRemoved, .placedPodUpdated, .podUpdated,
    ]

    /// Resources that are not looked at.
    let ignoredResources: Set<String>
    /// Domains whose resources are not looked at.
    let ignoredGroups: Set<String>
    let strategy: ScoringStrategy

    package init(
        ignoredResources: Set<String> = [],
        ignoredGroups: Set<String> = [],
        strategy: ScoringStrategy = .leastAllocated(ScoringStrategy.defaultResources)
    ) {
        self.ignoredResources = ignoredResources
        self.ignoredGroups = ignoredGroups
        self.strategy = strategy
    }

    private func isIgnored(_ name: String) -> Bool {
        guard ResourceName.isExtended(name) else { return false }
        if self.ignoredResources.contains(name) { return true }
        let group = name.prefix { $0 != "/" }
        return self.ignoredGroups.contains(String(group))
    }

    package func prepareFilter(_ pod: PodInfo, _ cluster: Cluster) -> FilterPreparation {
        let amounts = pod.requests.amounts
        return .check(
            FitCheck(
                milliCPU: amounts.milliCPU,
                memory: amounts.memory,
                ephemeralStorage: amounts.ephemeralStorage,
                scalars: amounts.scalars.filter { $0.amount > 0 && !self.isIgnored($0.name) }
            )
        )
    }

    package func mayHelp(_ change: ClusterChange, _ pod: PodInfo, _ cluster: Cluster) -> Bool {
        switch change {
        case .nodeAdded(let node):
            return self.couldFit(pod, ResourceAmounts(node.status.allocatable))
        case .nodeUpdated(let old, let new, let parts):
            guard parts.contains(.allocatable) else { return false }
            let after = ResourceAmounts(new.status.allocatable)
            let before = ResourceAmounts(old.status.allocatable)
            return self.couldFit(pod, after) && self.hasMore(after, before, of: pod)
        case .placedPodRemoved:
            // Every pod takes up one of the node's places for pods.
            return true
        case .placedPodUpdated(let old, let new):
            return self.hasMore(old.requests.amounts, new.requests.amounts, of: pod)
        case .podUpdated(let old, let new):
            return old.requests.amounts != new.requests.amounts
        case .nodeRemoved, .podPlaced, .namespaceChanged, .volumeObject:
            return false
        }
    }

    /// Whether the pod would fit into an empty node.
    private func couldFit(_ pod: PodInfo, _ allocatable: ResourceAmounts) -> Bool {
        let amounts = pod.requests.amounts
        return allocatable.pods >= 1 && allocatable.milliCPU >= amounts.milliCPU
            && allocatable.memory >= amounts.memory
            && allocatable.ephemeralStorage >= amounts.ephemeralStorage
            && amounts.scalars.allSatisfy {
                self.isIgnored($0.name) || allocatable[$0.name] >= $0.amount
            }
    }

    /// Whether there is more in the one than in the other of anything that the pod asks for.
    private func hasMore(
        _ left: ResourceAmounts,
        _ right: ResourceAmounts,
        of pod: PodInfo
    ) -> Bool {
        let amounts = pod.requests.amounts
        return left.pods > right.pods
            || amounts.milliCPU > 0 && left.milliCPU > right.milliCPU
            || amounts.memory > 0 && left.memory > right.memory
            || amounts.ephemeralStorage > 0 && left.ephemeralStorage > right.ephemeralStorage
            || amounts.scalars.contains { left[$0.name] > right[$0.name] }
    }

    package func prepareScore(
        _ pod: PodInfo,
        _ rows: [Int],
        _ cluster: Cluster
    ) -> (any NodeScorer)? {
        AllocationScorer(pod, self.strategy)
    }
}

/// Compares what is asked with what is left.
private final class FitCheck: NodeCheck {
    private let milliCPU: Int64
    private let memory: Int64
    private let ephemeralStorage: Int64
    private let scalars: [ResourceAmounts.Scalar]
    private let asksForNothing: Bool

    static let insufficientCPU = Rejection.resolvable("Insufficient cpu")
    static let insufficientMemory = Rejection.resolvable("Insufficient memory")

    init(
        milliCPU: Int64,
        memory: Int64,
        ephemeralStorage: Int64,
        scalars: [ResourceAmounts.Scalar]
    ) {
        self.milliCPU = milliCPU
        self.memory = memory
        self.ephemeralStorage = ephemeralStorage
        self.scalars = scalars
        self.asksForNothing =
            milliCPU == 0 && memory == 0 && ephemeralStorage == 0 && scalars.isEmpty
    }

    func refusal(_ row: Int, _ cluster: Cluster) -> Rejection? {
        let hasPlace = Int64(cluster.pods[row].count) < cluster.allocatablePods[row]
        if self.asksForNothing { return hasPlace ? nil : self.explain(row, cluster) }
        if hasPlace,
            self.milliCPU <= 0
                || self.milliCPU <= cluster.allocatableCPU[row] - cluster.requestedCPU[row],
            self.memory <= 0
                || self.memory <= cluster.allocatableMemory[row] - cluster.requestedMemory[row],
            self.ephemeralStorage <= 0
                || self.ephemeralStorage
                    <= cluster.allocatableStorage[row] - cluster.requestedStorage[row],
            self.scalars.isEmpty || self.fitsScalars(row, cluster)
        {
            return nil
        }
        return self.explain(row, cluster)
    }

    private func fitsScalars(_ row: Int, _ cluster: Cluster) -> Bool {
        self.scalars.allSatisfy { scalar in
            guard let column = cluster.scalars[scalar.name] else { return false }
            return scalar.amount <= column.allocatable[row] - column.requested[row]
        }
    }

    /// All that is lacking. What exceeds the whole node, no preemption makes room for.
    private func explain(_ row: Int, _ cluster: Cluster) -> Rejection {
        var reasons: [String] = []
        var isResolvable = true
        func check(_ name: String, _ asked: Int64, _ capacity: Int64, _ used: Int64) {
            guard asked > 0, asked > capacity - used else { return }
            reasons.append("Insufficient \(name)")
            if asked > capacity { isResolvable = false }
        }
        if Int64(cluster.pods[row].count) >= cluster.allocatablePods[row] {
            reasons.append("Too many pods")
        }
        check(
            ResourceName.cpu,
            self.milliCPU,
            cluster.allocatableCPU[row],
            cluster.requestedCPU[row]
        )
        check(
            ResourceName.memory,
            self.memory,
            cluster.allocatableMemory[row],
            cluster.requestedMemory[row]
        )
        check(
            ResourceName.ephemeralStorage,
            self.ephemeralStorage,
            cluster.allocatableStorage[row],
            cluster.requestedStorage[row]
        )
        for scalar in self.scalars {
            let column = cluster.scalars[scalar.name]
            check(
                scalar.name,
                scalar.amount,
                column?.allocatable[row] ?? 0,
                column?.requested[row] ?? 0
            )
        }
        if isResolvable, reasons.count == 1 {
            // By far the most common outcomes share one object.
            if reasons == Self.insufficientCPU.reasons { return Self.insufficientCPU }
            if reasons == Self.insufficientMemory.reasons { return Self.insufficientMemory }
        }
        return Rejection(isResolvable: isResolvable, reasons: reasons)
    }
}
