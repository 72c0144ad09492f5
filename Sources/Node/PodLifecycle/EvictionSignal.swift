// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import Scalars

/// Something of the node that may run short.
///
/// Source: upstream `pkg/kubelet/eviction/api/types.go`.
package enum EvictionSignal: String, CaseIterable, Sendable, Comparable {
    // In the order in which shortages are seen to.
    case memory = "memory.available"
    case allocatableMemory = "allocatableMemory.available"
    case nodeFiles = "nodefs.available"
    case nodeInodes = "nodefs.inodesFree"
    case imageFiles = "imagefs.available"
    case imageInodes = "imagefs.inodesFree"
    case containerFiles = "containerfs.available"
    case containerInodes = "containerfs.inodesFree"
    case processes = "pid.available"

    /// The condition of the node that tells of it.
    package var condition: String {
        switch self {
        case .memory, .allocatableMemory: "MemoryPressure"
        case .processes: "PIDPressure"
        default: "DiskPressure"
        }
    }

    /// The resource that runs short, as messages name it.
    package var resource: String {
        switch self {
        case .memory, .allocatableMemory: "memory"
        case .nodeFiles, .imageFiles, .containerFiles: "ephemeral-storage"
        case .nodeInodes, .imageInodes, .containerInodes: "inodes"
        case .processes: "pids"
        }
    }

    /// Whether removing dead containers and images may help.
    package var isDisk: Bool { self.condition == "DiskPressure" }

    package static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }

    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// How much of something there is and was seen.
package struct EvictionObservation: Sendable, Equatable {
    package var available: Int64
    package var capacity: Int64

    package init(available: Int64, capacity: Int64) {
        self.available = available
        self.capacity = capacity
    }
}

/// Below which pods are ended.
package struct EvictionThreshold: Sendable, Equatable {
    /// An amount, or a share of the whole.
    package enum Value: Sendable, Equatable {
        case amount(Scalars.Quantity)
        /// From 0 to 1.
        case share(Double)

        /// The value that a text says; nil when it says none.
        ///
        /// Percentages are above 0 and at most 100; amounts are not below 0.
        package init?(_ text: String) {
            if text.hasSuffix("%") {
                guard let number = Double(text.dropLast()), number >= 0, number <= 100 else {
                    return nil
                }
                self = .share(number / 100)
                return
            }
            guard let amount = try? Scalars.Quantity(parsing: text), amount.sign >= 0 else {
                return nil
            }
            self = .amount(amount)
        }

        package func quantity(of capacity: Int64) -> Scalars.Quantity {
            switch self {
            case .amount(let amount): amount
            case .share(let share):
                Scalars.Quantity(Int64(Double(capacity) * share), format: .binarySI)
            }
        }
    }

    package var signal: EvictionSignal
    package var value: Value
    /// How long it must hold before pods are ended; nil for no time at all.
    package var grace: Duration?
    /// How much more than the threshold there must be for it to be over.
    package var reclaim: Value?

    package init(
        _ signal: EvictionSignal,
        _ value: Value,
        grace: Duration? = nil,
        reclaim: Value? = nil
    ) {
        self.signal = signal
        self.value = value
        self.grace = grace
        self.reclaim = reclaim
    }

    /// Whether there is less than the threshold.
    ///
    /// - Parameter withReclaim: whether as much more counts as is to be won back.
    package func isMet(_ seen: EvictionObservation, withReclaim: Bool = false) -> Bool {
        var limit = self.value.quantity(of: seen.capacity)
        if withReclaim, let reclaim = self.reclaim {
            limit.add(reclaim.quantity(of: seen.capacity))
        }
        return limit.compare(to: seen.available) > 0
    }
}
