// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import Metrics

/// The scheduler's metrics, by upstream's names.
///
/// Source: upstream `pkg/scheduler/metrics/metrics.go`.
package final class SchedulerMetrics: Sendable {
    package let registry: MetricRegistry
    let attempts: MetricFamily<Counter>
    let attemptSeconds: MetricFamily<Histogram>
    let algorithmSeconds: Histogram
    let podAttempts: Histogram
    let pending: MetricFamily<Gauge>
    let preemptionAttempts: Counter
    let victims: Histogram
    let cacheSize: MetricFamily<Gauge>

    package init(_ registry: MetricRegistry = MetricRegistry()) {
        self.registry = registry
        let bounds = [Double].exponential(start: 0.001, factor: 2, count: 15)
        self.attempts = registry.counter(
            "scheduler_schedule_attempts_total",
            help: "Number of attempts to schedule pods, by the result. 'unschedulable' means a pod "
                + "could not be scheduled, while 'error' means an internal scheduler problem.",
            labels: ["result", "profile"]
        )
        self.attemptSeconds = registry.histogram(
            "scheduler_scheduling_attempt_duration_seconds",
            help: "Scheduling attempt latency in seconds (scheduling algorithm + binding)",
            labels: ["result", "profile"],
            bounds: bounds
        )
        self.algorithmSeconds = registry.histogram(
            "scheduler_scheduling_algorithm_duration_seconds",
            help: "Scheduling algorithm latency in seconds",
            bounds: bounds
        )
        self.podAttempts = registry.histogram(
            "scheduler_pod_scheduling_attempts",
            help: "Number of attempts to successfully schedule a pod.",
            bounds: [1, 2, 4, 8, 16]
        )
        self.pending = registry.gauge(
            "scheduler_pending_pods",
            help: "Number of pending pods, by the queue type.",
            labels: ["queue"]
        )
        self.preemptionAttempts = registry.counter(
            "scheduler_preemption_attempts_total",
            help: "Total preemption attempts in the cluster till now"
        )
        self.victims = registry.histogram(
            "scheduler_preemption_victims",
            help: "Number of selected preemption victims",
            bounds: [Double].exponential(start: 1, factor: 2, count: 7)
        )
        self.cacheSize = registry.gauge(
            "scheduler_cache_size",
            help: "Number of nodes, pods, and assumed (bound) pods in the scheduler cache.",
            labels: ["type"]
        )
    }
}
