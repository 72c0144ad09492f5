// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import Metrics
import ProcessMetrics
import Scheduler

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
    let sliSeconds: MetricFamily<Histogram>
    let incoming: MetricFamily<Counter>
    let goroutines: MetricFamily<Gauge>
    let unschedulable: MetricFamily<Gauge>
    let isLeader: MetricFamily<Gauge>
    private let pointSeconds: MetricFamily<Histogram>
    private let pluginSeconds: MetricFamily<Histogram>

    package init(_ registry: MetricRegistry = MetricRegistry()) {
        self.registry = registry
        ProcessMetrics.register(in: registry)
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
        self.sliSeconds = registry.histogram(
            "scheduler_pod_scheduling_sli_duration_seconds",
            help: "E2e latency for a pod being scheduled, from the time the pod enters the "
                + "scheduling queue and might involve multiple scheduling attempts.",
            labels: ["attempts"],
            bounds: .exponential(start: 0.01, factor: 2, count: 20)
        )
        self.incoming = registry.counter(
            "scheduler_queue_incoming_pods_total",
            help: "Number of pods added to scheduling queues by event and queue type.",
            labels: ["queue", "event"]
        )
        self.goroutines = registry.gauge(
            "scheduler_goroutines",
            help: "Number of running goroutines split by the work they do such as binding.",
            labels: ["operation"]
        )
        self.unschedulable = registry.gauge(
            "scheduler_unschedulable_pods",
            help: "The number of unschedulable pods broken down by plugin name. A pod will "
                + "increment the gauge for all plugins that caused it to not schedule and so this "
                + "metric only have meaning when broken down by plugin.",
            labels: ["plugin", "profile"]
        )
        self.pointSeconds = registry.histogram(
            "scheduler_framework_extension_point_duration_seconds",
            help: "Latency for running all plugins of a specific extension point.",
            labels: ["extension_point", "status", "profile"],
            bounds: .exponential(start: 0.0001, factor: 2, count: 12)
        )
        self.pluginSeconds = registry.histogram(
            "scheduler_plugin_execution_duration_seconds",
            help: "Duration for running a plugin at a specific extension point.",
            labels: ["plugin", "extension_point", "status"],
            bounds: .exponential(start: 0.00001, factor: 1.5, count: 20)
        )
        self.isLeader = registry.gauge(
            "leader_election_master_status",
            help: "Gauge of if the reporting system is master of the relevant lease, 0 indicates "
                + "backup, 1 indicates master. 'name' is the string used to identify the lease. "
                + "Please make sure to group by name.",
            labels: ["name"]
        )
    }

    /// Takes note of the parts of an attempt.
    func count(_ parts: [CycleWatch.Part], profile: String) {
        for part in parts {
            let status = part.isSuccess ? "Success" : "Unschedulable"
            if let plugin = part.plugin {
                self.pluginSeconds.with(plugin.rawValue, part.point.rawValue, status)
                    .observe(part.length)
            } else {
                self.pointSeconds.with(part.point.rawValue, status, profile).observe(part.length)
            }
        }
    }

    /// Takes note of how long all plugins of a point took.
    func count(_ point: String, profile: String, isSuccess: Bool, _ length: Duration) {
        let status = isSuccess ? "Success" : "Error"
        self.pointSeconds.with(point, status, profile).observe(length)
    }

    /// Takes note of how an attempt ended that began so long ago.
    func count(_ result: String, _ profile: String, _ length: Duration) {
        self.attempts.with(result, profile).increment()
        self.attemptSeconds.with(result, profile).observe(length)
    }
}
