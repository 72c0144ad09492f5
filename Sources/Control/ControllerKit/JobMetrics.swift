// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import Metrics

/// Of the job controller.
///
/// Source: upstream `pkg/controller/job/metrics/metrics.go`.
package struct JobMetrics: Sendable {
    private let syncs: MetricFamily<Counter>
    private let syncSeconds: MetricFamily<Histogram>
    /// By completion mode, result and reason.
    package let finished: MetricFamily<Counter>
    /// By completion mode and result.
    package let podsFinished: MetricFamily<Counter>
    /// By reason and status.
    package let podCreations: MetricFamily<Counter>
    /// By status and the kind of limit.
    package let finishedIndexes: MetricFamily<Counter>

    init(_ registry: MetricRegistry) {
        let sync = ["completion_mode", "result", "action"]
        self.syncs = registry.counter(
            "job_controller_job_syncs_total",
            help: "The number of job syncs",
            labels: sync
        )
        self.syncSeconds = registry.histogram(
            "job_controller_job_sync_duration_seconds",
            help: "The time it took to sync a job",
            labels: sync,
            bounds: .exponential(start: 0.004, factor: 2, count: 15)
        )
        self.finished = registry.counter(
            "job_controller_jobs_finished_total",
            help: "The number of finished jobs",
            labels: ["completion_mode", "result", "reason"]
        )
        self.podsFinished = registry.counter(
            "job_controller_job_pods_finished_total",
            help: "The number of finished Pods that are fully tracked",
            labels: ["completion_mode", "result"]
        )
        self.podCreations = registry.counter(
            "job_controller_job_pods_creation_total",
            help: "The number of Pods created by the Job controller labelled with a reason for the"
                + " Pod creation. This metric also distinguishes between Pods created using"
                + " different PodReplacementPolicy settings.",
            labels: ["reason", "status"]
        )
        self.finishedIndexes = registry.counter(
            "job_controller_job_finished_indexes_total",
            help: "The number of finished indexes. Possible values for the status label are:"
                + " \"succeeded\", \"failed\". Possible values for the backoffLimit label are:"
                + " \"perIndex\" and \"global\"",
            labels: ["status", "backoffLimit"]
        )
    }

    /// Counts one look at a Job.
    package func noteSync(_ labels: [String], _ length: Duration) {
        self.syncs.with(labels).increment()
        self.syncSeconds.with(labels).observe(length)
    }
}
