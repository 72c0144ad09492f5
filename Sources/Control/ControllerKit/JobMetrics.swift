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
    /// By the action of the rule.
    package let policyFailures: MetricFamily<Counter>
    /// Jobs that somebody else takes care of, by that controller's name.
    package let external: MetricFamily<Counter>
    /// Ended pods that have the Job's finalizer, by event: add, delete.
    package let trackedPods: MetricFamily<Counter>

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
        self.policyFailures = registry.counter(
            "job_controller_pod_failures_handled_by_failure_policy_total",
            help: "The number of failed Pods handled by failure policy with respect to the failure"
                + " policy action applied based on the matched rule. Possible values of the action"
                + " label correspond to the possible values for the failure policy rule action,"
                + " which are: \"FailJob\", \"Ignore\" and \"Count\".",
            labels: ["action"]
        )
        self.external = registry.counter(
            "job_controller_jobs_by_external_controller_total",
            help: "The number of Jobs managed by an external controller",
            labels: ["controller_name"]
        )
        self.trackedPods = registry.counter(
            "job_controller_terminated_pods_tracking_finalizer_total",
            help: "The number of terminated pods (phase=Failed|Succeeded) that have the finalizer"
                + " batch.kubernetes.io/job-tracking. The event label can be \"add\" or"
                + " \"delete\".",
            labels: ["event"]
        )
    }

    /// Counts one look at a Job.
    package func noteSync(_ labels: [String], _ length: Duration) {
        self.syncs.with(labels).increment()
        self.syncSeconds.with(labels).observe(length)
    }
}
