// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Synchronization

/// How often observed numbers fell into each of some ranges: latencies, sizes.
public final class Histogram: Metric {
    /// Counts, not yet summed up over the smaller buckets, the last one for what is above all
    /// bounds.
    private struct State {
        var counts: [UInt64]
        var sum = 0.0
    }

    private let bounds: [Double]
    private let state: Mutex<State>

    /// A histogram without observations.
    ///
    /// - Parameter bounds: The upper ends of the buckets, each inclusive, ascending, without
    ///   infinity.
    public init(bounds: [Double]) {
        precondition(
            zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 },
            "the bounds of a histogram have to ascend: \(bounds)"
        )
        self.bounds = bounds
        self.state = Mutex(State(counts: Array(repeating: 0, count: bounds.count + 1)))
    }

    /// Counts a number.
    public func observe(_ value: Double) {
        let bucket = self.bucket(of: value)
        self.state.withLock { state in
            state.counts[bucket] += 1
            state.sum += value
        }
    }

    /// Counts a duration in seconds.
    public func observe(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self.observe(Double(seconds) + Double(attoseconds) * 1e-18)
    }

    /// How many numbers were counted.
    public var count: UInt64 { self.state.withLock { $0.counts.reduce(0, +) } }

    /// Their sum.
    public var sum: Double { self.state.withLock { $0.sum } }

    /// The first bucket whose bound is not below `value`.
    private func bucket(of value: Double) -> Int {
        var low = 0
        var high = self.bounds.count
        while low < high {
            let middle = (low + high) / 2
            if self.bounds[middle] < value { low = middle + 1 } else { high = middle }
        }
        return low
    }

    public func write(to text: inout Exposition, name: String, labels: String) {
        let (counts, sum) = self.state.withLock { ($0.counts, $0.sum) }
        var total: UInt64 = 0
        for (bound, count) in zip(self.bounds + [.infinity], counts) {
            total += count
            let limit = "le=\"\(Exposition.number(bound))\""
            text.sample(
                name + "_bucket",
                labels: labels.isEmpty ? limit : "\(labels),\(limit)",
                Double(total)
            )
        }
        text.sample(name + "_sum", labels: labels, sum)
        text.sample(name + "_count", labels: labels, Double(total))
    }
}

extension [Double] {
    /// The bounds of Prometheus' clients, 5 ms to 10 s, for latencies of a network service.
    ///
    /// Source: prometheus/client_golang `prometheus/histogram.go`, `DefBuckets`.
    public static let defaultLatencyBounds: [Double] = [
        0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    ]

    /// `count` bounds from `start`, each `factor` times the one before.
    public static func exponential(start: Double, factor: Double, count: Int) -> [Double] {
        var bounds: [Double] = []
        var bound = start
        for _ in 0..<count {
            bounds.append(bound)
            bound *= factor
        }
        return bounds
    }

    /// `count` bounds from `start`, each `width` more than the one before.
    public static func linear(start: Double, width: Double, count: Int) -> [Double] {
        (0..<count).map { start + Double($0) * width }
    }
}
