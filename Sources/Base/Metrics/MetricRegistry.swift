// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Synchronization

/// The metrics of one component, as Prometheus reads them.
///
/// There is no global one: a component makes its own, hands it to its parts, and serves `text()`
/// under `/metrics`, so that several components in one process do not mix.
public final class MetricRegistry: Sendable {
    private struct Entry: Sendable {
        let type: MetricType
        let help: String
        let write: @Sendable (inout Exposition, String) -> Void
    }

    private let entries = Mutex<[String: Entry]>([:])

    /// A registry without metrics.
    public init() {}

    /// A counter. Prometheus wants its name to end in `_total`.
    public func counter(_ name: String, help: String) -> Counter {
        let counter = Counter()
        self.add(name, .counter, help) { counter.write(to: &$0, name: $1, labels: "") }
        return counter
    }

    /// Counters told apart by labels.
    public func counter(
        _ name: String,
        help: String,
        labels: [String]
    ) -> MetricFamily<Counter> {
        self.family(name, .counter, help, labels) { Counter() }
    }

    /// A gauge.
    public func gauge(_ name: String, help: String) -> Gauge {
        let gauge = Gauge()
        self.add(name, .gauge, help) { gauge.write(to: &$0, name: $1, labels: "") }
        return gauge
    }

    /// Gauges told apart by labels.
    public func gauge(_ name: String, help: String, labels: [String]) -> MetricFamily<Gauge> {
        self.family(name, .gauge, help, labels) { Gauge() }
    }

    /// A histogram.
    public func histogram(
        _ name: String,
        help: String,
        bounds: [Double] = .defaultLatencyBounds
    ) -> Histogram {
        let histogram = Histogram(bounds: bounds)
        self.add(name, .histogram, help) { histogram.write(to: &$0, name: $1, labels: "") }
        return histogram
    }

    /// Histograms told apart by labels.
    public func histogram(
        _ name: String,
        help: String,
        labels: [String],
        bounds: [Double] = .defaultLatencyBounds
    ) -> MetricFamily<Histogram> {
        self.family(name, .histogram, help, labels) { Histogram(bounds: bounds) }
    }

    /// A number that is read whenever the metrics are asked for.
    public func callback(
        _ name: String,
        _ type: MetricType = .gauge,
        help: String,
        _ value: @escaping @Sendable () -> Double
    ) {
        self.callback(name, type, help: help, labels: []) { [Sample(value())] }
    }

    /// Numbers with labels that are read whenever the metrics are asked for.
    public func callback(
        _ name: String,
        _ type: MetricType = .gauge,
        help: String,
        labels: [String],
        _ samples: @escaping @Sendable () -> [Sample]
    ) {
        precondition(type != .histogram, "\(name): a histogram has no single value")
        Self.check(labels, of: name)
        self.add(name, type, help) { text, name in
            for sample in samples() {
                let set = Exposition.labels(labels, sample.labels)
                text.sample(name, labels: set, sample.value)
            }
        }
    }

    /// All metrics, by name, in Prometheus' text format.
    public func text() -> String {
        let entries = self.entries.withLock { Array($0) }
        var text = Exposition()
        for (name, entry) in entries.sorted(by: { $0.key < $1.key }) {
            text.header(name, entry.type, help: entry.help)
            entry.write(&text, name)
        }
        return text.text
    }
}

// MARK: - Registration

extension MetricRegistry {
    private func family<Child: Metric>(
        _ name: String,
        _ type: MetricType,
        _ help: String,
        _ labels: [String],
        _ make: @escaping @Sendable () -> Child
    ) -> MetricFamily<Child> {
        Self.check(labels, of: name)
        let family = MetricFamily(labels: labels, make: make)
        self.add(name, type, help) { family.write(to: &$0, name: $1) }
        return family
    }

    private func add(
        _ name: String,
        _ type: MetricType,
        _ help: String,
        _ write: @escaping @Sendable (inout Exposition, String) -> Void
    ) {
        precondition(Exposition.isName(name, withColons: true), "no name of a metric: \(name)")
        let entry = Entry(type: type, help: help, write: write)
        let old = self.entries.withLock { $0.updateValue(entry, forKey: name) }
        precondition(old == nil, "a second metric \(name)")
    }

    private static func check(_ labels: [String], of name: String) {
        for label in labels {
            precondition(
                Exposition.isName(label, withColons: false) && label != "le",
                "\(name): no name of a label: \(label)"
            )
        }
    }
}
