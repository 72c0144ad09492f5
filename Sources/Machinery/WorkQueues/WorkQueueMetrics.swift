// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Metrics
import Synchronization

/// The metrics of a process' work queues, by upstream's names.
///
/// Source: upstream component-base `metrics/prometheus/workqueue/metrics.go`.
public final class WorkQueueMetrics: Sendable {
    /// What a queue is like now.
    struct Reading: Sendable {
        var depth = 0
        var unfinished: Duration = .zero
        var longest: Duration = .zero
    }

    private typealias Reader = @Sendable () -> Reading

    private let adds: MetricFamily<Counter>
    private let retries: MetricFamily<Counter>
    private let waits: MetricFamily<Histogram>
    private let works: MetricFamily<Histogram>
    private let readers = Mutex<[(name: String, read: Reader)]>([])

    public init(_ registry: MetricRegistry) {
        let bounds = [Double].exponential(start: 10e-9, factor: 10, count: 12)
        let labels = ["name"]
        self.adds = registry.counter(
            "workqueue_adds_total",
            help: "Total number of adds handled by workqueue",
            labels: labels
        )
        self.retries = registry.counter(
            "workqueue_retries_total",
            help: "Total number of retries handled by workqueue",
            labels: labels
        )
        self.waits = registry.histogram(
            "workqueue_queue_duration_seconds",
            help: "How long in seconds an item stays in workqueue before being requested.",
            labels: labels,
            bounds: bounds
        )
        self.works = registry.histogram(
            "workqueue_work_duration_seconds",
            help: "How long in seconds processing an item from workqueue takes.",
            labels: labels,
            bounds: bounds
        )
        self.register(registry, "workqueue_depth", "Current depth of workqueue") {
            Double($0.depth)
        }
        self.register(
            registry,
            "workqueue_unfinished_work_seconds",
            "How many seconds of work has done that is in progress and hasn't been observed by"
                + " work_duration. Large values indicate stuck threads. One can deduce the number of"
                + " stuck threads by observing the rate at which this increases."
        ) {
            $0.unfinished / .seconds(1)
        }
        self.register(
            registry,
            "workqueue_longest_running_processor_seconds",
            "How many seconds has the longest running processor for workqueue been running."
        ) {
            $0.longest / .seconds(1)
        }
    }

    /// Queues of one name are counted together.
    private func register(
        _ registry: MetricRegistry,
        _ name: String,
        _ help: String,
        _ value: @escaping @Sendable (Reading) -> Double
    ) {
        registry.callback(name, help: help, labels: ["name"]) { [weak self] in
            var sums: [String: Double] = [:]
            for reader in self?.readers.withLock({ $0 }) ?? [] {
                sums[reader.name, default: 0] += value(reader.read())
            }
            return sums.sorted { $0.key < $1.key }.map { Sample(labels: [$0.key], $0.value) }
        }
    }

    /// The metrics of one queue.
    func queue(_ name: String, _ read: @escaping @Sendable () -> Reading) -> QueueMetrics {
        self.readers.withLock { $0.append((name, read)) }
        return QueueMetrics(
            adds: self.adds.with(name),
            retries: self.retries.with(name),
            waits: self.waits.with(name),
            works: self.works.with(name)
        )
    }
}

/// The metrics of one queue, at hand.
struct QueueMetrics: Sendable {
    let adds: Counter
    let retries: Counter
    let waits: Histogram
    let works: Histogram
}
