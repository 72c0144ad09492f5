// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// A number that goes up and down: connections open, bytes in use, the time of the last success.
public final class Gauge: Metric {
    private let number = AtomicDouble()

    /// A gauge at 0.
    public init() {}

    /// Replaces the number.
    public func set(_ value: Double) {
        self.number.set(value)
    }

    /// Adds to the number; an amount below 0 takes away.
    public func add(_ amount: Double) {
        self.number.add(amount)
    }

    /// Adds one.
    public func increment() {
        self.number.add(1)
    }

    /// Takes one away.
    public func decrement() {
        self.number.add(-1)
    }

    /// The number now.
    public var value: Double { self.number.value }

    public func write(to text: inout Exposition, name: String, labels: String) {
        text.sample(name, labels: labels, self.value)
    }
}
