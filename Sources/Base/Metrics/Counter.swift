// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Synchronization

/// A number that only grows: requests served, bytes written, seconds spent.
///
/// One is added with a single atomic instruction. Fractions are kept apart from whole numbers, so
/// that counting requests does not pay for the loop that adding a fraction takes.
public final class Counter: Metric {
    private let whole = Atomic<UInt64>(0)
    private let fraction = AtomicDouble()

    /// A counter at 0.
    public init() {}

    /// Adds a whole number.
    public func increment(by amount: UInt64 = 1) {
        // Relaxed: nothing else is published through the count.
        self.whole.wrappingAdd(amount, ordering: .relaxed)
    }

    /// Adds any number; one below 0 is a bug of ours.
    public func add(_ amount: Double) {
        precondition(amount >= 0, "a counter cannot go down by \(amount)")
        self.fraction.add(amount)
    }

    /// The sum of all that was added.
    public var value: Double {
        Double(self.whole.load(ordering: .relaxed)) + self.fraction.value
    }

    public func write(to text: inout Exposition, name: String, labels: String) {
        text.sample(name, labels: labels, self.value)
    }
}
