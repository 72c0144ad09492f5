// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import AllocationCounter
import Glibc

/// What one operation costs.
struct Cost {
    /// Processor time of the process, nanoseconds.
    var nanoseconds: Double

    /// Times that memory was asked for; nil when nothing counts it.
    var allocations: Double?
}

/// An operation to measure. It returns a number that depends on its work, so that the work cannot
/// be optimized away.
typealias Operation = () throws -> Int

/// Measures operations side by side.
struct Measurement {
    /// Each operation is measured so often; the best round counts, which leaves out what other
    /// processes do to the caches.
    let rounds: Int

    /// How long one operation runs in one round, nanoseconds of processor time.
    static let roundNanoseconds: Double = 40_000_000

    /// Where the results of operations go.
    nonisolated(unsafe) static var sink = 0

    /// Measures operations in turn, round by round, so that a change of the machine's speed meets all
    /// of them.
    func compare(_ operations: [Operation]) throws -> [Cost] {
        var costs: [Cost] = []
        var repetitions: [Int] = []
        for operation in operations {
            // Warm: first use builds tables and fills caches.
            let once = try Self.time(operation, repetitions: 3)
            repetitions.append(Swift.max(3, Int(Self.roundNanoseconds / Swift.max(once, 1))))
            let before = apus_allocation_count()
            Self.sink &+= try operation()
            let allocations = apus_allocation_count() - before
            costs.append(Cost(nanoseconds: .infinity, allocations: Double(allocations)))
        }
        for _ in 0..<self.rounds {
            for (index, operation) in operations.enumerated() {
                let time = try Self.time(operation, repetitions: repetitions[index])
                costs[index].nanoseconds = Swift.min(costs[index].nanoseconds, time)
            }
        }
        return costs
    }

    /// The nanoseconds that one call takes on average.
    private static func time(_ operation: Operation, repetitions: Int) throws -> Double {
        let start = Self.processorNanoseconds()
        for _ in 0..<repetitions { Self.sink &+= try operation() }
        return Double(Self.processorNanoseconds() - start) / Double(repetitions)
    }

    private static func processorNanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
