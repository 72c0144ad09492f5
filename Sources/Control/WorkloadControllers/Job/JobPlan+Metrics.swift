// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ControllerKit
import Informers
import KubernetesAPI
import Metrics
import Protobuf

extension JobPlan {
    /// How metrics tell looks at a Job apart: its mode, the result, and what was done.
    func labels(of job: BatchV1.Job, result: String) -> [String] {
        let action =
            if !self.deletions.isEmpty {
                "pods_deleted"
            } else if self.creations > 0 {
                "pods_created"
            } else {
                self.released.isEmpty ? "reconciling" : "tracking"
            }
        return [Self.mode(of: job), result, action]
    }

    private static func mode(of job: BatchV1.Job) -> String {
        job.isIndexed ? "Indexed" : "NonIndexed"
    }

    /// Why pods are made.
    func creationReason(of job: BatchV1.Job) -> String {
        guard self.failed > 0 || Int(self.status.terminating ?? 0) > 0 else { return "new" }
        return job.spec.podReplacementPolicy == "Failed"
            ? "recreate_failed" : "recreate_terminating_or_failed"
    }

    /// Counts what the status has that the Job did not have before.
    func count(since job: BatchV1.Job, _ metrics: JobMetrics) {
        let (old, mode) = (job.status, Self.mode(of: job))
        let succeeded = Int(self.status.succeeded) - Int(old.succeeded)
        let failed = Int(self.status.failed) - Int(old.failed)
        if succeeded > 0 {
            metrics.podsFinished.with(mode, "succeeded").increment(by: UInt64(succeeded))
        }
        if failed > 0 { metrics.podsFinished.with(mode, "failed").increment(by: UInt64(failed)) }
        for action in self.policyActions { metrics.policyFailures.with(action).increment() }
        if job.isIndexed { self.countIndexes(succeeded, old, job, metrics) }
        for type in ["Complete", "Failed"] {
            guard let condition = self.condition(type),
                !old.conditions.contains(where: { $0.type == type && $0.status == "True" })
            else { continue }
            let result = type == "Complete" ? "succeeded" : "failed"
            metrics.finished.with(mode, result, condition.reason).increment()
        }
    }

    private func countIndexes(
        _ succeeded: Int,
        _ old: BatchV1.JobStatus,
        _ job: BatchV1.Job,
        _ metrics: JobMetrics
    ) {
        let limit = job.spec.backoffLimitPerIndex == nil ? "global" : "perIndex"
        if succeeded > 0 {
            metrics.finishedIndexes.with("succeeded", limit).increment(by: UInt64(succeeded))
        }
        let before = IndexSet(parsing: old.failedIndexes ?? "", below: job.completions ?? 0)
        let failed = self.failedIndexes.count - before.count
        if failed > 0 {
            metrics.finishedIndexes.with("failed", limit).increment(by: UInt64(failed))
        }
    }
}

extension JobPods {
    /// Counts pods that ended and have the finalizer, as they come to be so and cease to be.
    static func noteTracked(_ event: InformerEvent<CoreV1.Pod>, _ metrics: JobMetrics) {
        let (was, isNow) =
            switch event {
            case .added(let pod): (false, self.isTracked(pod))
            case .updated(let old, let new): (self.isTracked(old), self.isTracked(new))
            case .deleted(let pod, _): (self.isTracked(pod), false)
            }
        if was != isNow { metrics.trackedPods.with(isNow ? "add" : "delete").increment() }
    }

    private static func isTracked(_ pod: CoreV1.Pod) -> Bool {
        pod.isTerminal && pod.metadata.finalizers.contains(self.finalizer)
    }
}
