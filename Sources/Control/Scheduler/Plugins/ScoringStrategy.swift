// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// How nodes are scored by how full they would be.
package enum ScoringStrategy: Sendable, Hashable {
    /// A resource and how much it counts.
    package struct Weighted: Sendable, Hashable {
        package let name: String
        package let weight: Int64

        package init(_ name: String, _ weight: Int64 = 1) {
            self.name = name
            self.weight = weight
        }
    }

    /// A point of the function from utilization, 0 to 100, to a score, 0 to 10.
    package struct Point: Sendable, Hashable {
        package let utilization: Int64
        package let score: Int64

        package init(utilization: Int64, score: Int64) {
            self.utilization = utilization
            self.score = score
        }
    }

    case leastAllocated([Weighted])
    case mostAllocated([Weighted])
    case requestedToCapacityRatio([Weighted], shape: [Point])

    /// What is scored unless the configuration says otherwise.
    package static let defaultResources = [
        Weighted(ResourceName.cpu), Weighted(ResourceName.memory),
    ]

    /// The resources that are scored.
    package var resources: [Weighted] {
        switch self {
        case .leastAllocated(let resources), .mostAllocated(let resources),
            .requestedToCapacityRatio(let resources, _):
            resources
        }
    }

    /// The score of one resource.
    ///
    /// Source: upstream `plugins/noderesources/{least,most}_allocated.go`,
    /// `requested_to_capacity_ratio.go`.
    func score(requested: Int64, capacity: Int64) -> Int64 {
        switch self {
        case .leastAllocated:
            if capacity == 0 || requested > capacity { return 0 }
            return (capacity - requested) * Score.maximum / capacity
        case .mostAllocated:
            if capacity == 0 { return 0 }
            return min(requested, capacity) * Score.maximum / capacity
        case .requestedToCapacityRatio(_, let shape):
            let isFull = capacity == 0 || requested > capacity
            return Self.interpolate(shape, isFull ? 100 : requested * 100 / capacity)
        }
    }

    /// The value of a broken line, with scores of 0 to 10 stretched to 0 to 100.
    private static func interpolate(_ shape: [Point], _ utilization: Int64) -> Int64 {
        let factor = Score.maximum / 10
        for (index, point) in shape.enumerated() where utilization <= point.utilization {
            if index == 0 { return point.score * factor }
            let before = shape[index - 1]
            let rise = (point.score - before.score) * factor
            return before.score * factor + rise * (utilization - before.utilization)
                / (point.utilization - before.utilization)
        }
        return (shape.last?.score ?? 0) * factor
    }
}
