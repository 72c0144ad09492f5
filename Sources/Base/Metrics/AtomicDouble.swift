// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Synchronization

/// A number that many threads change.
struct AtomicDouble: ~Copyable, Sendable {
    private let bits = Atomic<UInt64>(0)

    /// The number now.
    var value: Double { Double(bitPattern: self.bits.load(ordering: .relaxed)) }

    /// Replaces the number.
    borrowing func set(_ value: Double) {
        self.bits.store(value.bitPattern, ordering: .relaxed)
    }

    /// Adds to the number.
    borrowing func add(_ amount: Double) {
        var old = self.bits.load(ordering: .relaxed)
        while true {
            let sum = Double(bitPattern: old) + amount
            let (exchanged, found) = self.bits.weakCompareExchange(
                expected: old,
                desired: sum.bitPattern,
                ordering: .relaxed
            )
            if exchanged { return }
            old = found
        }
    }
}
