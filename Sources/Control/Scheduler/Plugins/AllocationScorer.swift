// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Scores nodes by how full they would be with the pod.
struct AllocationScorer: NodeScorer {
    private let strategy: ScoringStrategy
    private let resources: [ScoredResource]

    init(_ pod: PodInfo, _ strategy: ScoringStrategy) {
        self.strategy = strategy
        self.resources = strategy.resources.map {
            ScoredResource($0, of: pod, countsDefaults: true)
        }
    }

    func scores(_ rows: [Int], _ cluster: Cluster) -> [Int64] {
        let columns = self.resources.map { cluster.scalars[$0.name] }
        return rows.map { row in
            var sum: Int64 = 0
            var weights: Int64 = 0
            for (index, resource) in self.resources.enumerated() {
                let (requested, capacity) = resource.usage(row, columns[index], cluster)
                guard capacity != 0 else { continue }
                let score = self.strategy.score(requested: requested, capacity: capacity)
                if case .requestedToCapacityRatio = self.strategy, score <= 0 { continue }
                sum += score * resource.weight
                weights += resource.weight
            }
            if weights == 0 { return 0 }
            if case .requestedToCapacityRatio = self.strategy {
                return Int64((Double(sum) / Double(weights)).rounded())
            }
            return sum / weights
        }
    }
}

/// A resource that is scored, and what the pod adds to it.
struct ScoredResource {
    enum Kind {
        case cpu
        case memory
        case ephemeralStorage
        case scalar
    }

    let name: String
    let weight: Int64
    let kind: Kind
    /// What the pod asks for.
    let added: Int64
    /// Whether containers that ask for nothing count as if they did.
    let countsDefaults: Bool

    init(_ resource: ScoringStrategy.Weighted, of pod: PodInfo, countsDefaults: Bool) {
        self.name = resource.name
        self.weight = resource.weight
        self.countsDefaults = countsDefaults
        let requests = pod.requests
        switch resource.name {
        case ResourceName.cpu:
            self.kind = .cpu
            self.added = countsDefaults ? requests.scoredMilliCPU : requests.amounts.milliCPU
        case ResourceName.memory:
            self.kind = .memory
            self.added = countsDefaults ? requests.scoredMemory : requests.amounts.memory
        case ResourceName.ephemeralStorage:
            self.kind = .ephemeralStorage
            self.added = requests.amounts.ephemeralStorage
        default:
            self.kind = .scalar
            self.added = requests.amounts[resource.name]
        }
    }

    /// How much would be asked of a node with the pod, and how much it has; nothing of both when
    /// the resource is a scalar that the pod does not ask for.
    func usage(
        _ row: Int,
        _ column: ScalarColumn?,
        _ cluster: Cluster
    ) -> (requested: Int64, capacity: Int64) {
        switch self.kind {
        case .cpu:
            let used = self.countsDefaults ? cluster.scoredCPU[row] : cluster.requestedCPU[row]
            return (used + self.added, cluster.allocatableCPU[row])
        case .memory:
            let used =
                self.countsDefaults ? cluster.scoredMemory[row] : cluster.requestedMemory[row]
            return (used + self.added, cluster.allocatableMemory[row])
        case .ephemeralStorage:
            return (cluster.requestedStorage[row] + self.added, cluster.allocatableStorage[row])
        case .scalar:
            guard self.added != 0, let column else { return (0, 0) }
            return (column.requested[row] + self.added, column.allocatable[row])
        }
    }
}
