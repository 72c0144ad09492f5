// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
import ControllerKit
package import KubernetesAPI
import Protobuf
package import Scalars

/// What a Job needs now: pods to create and delete, what its status says, and which pods may be let
/// go because they are counted. Pure.
///
/// A pod that ended is counted in three steps, so that a crash between any two counts it once: its
/// UID is written into the status, its finalizer is taken away, the number goes up and the UID
/// leaves.
///
/// Source: upstream `pkg/controller/job/job_controller.go`, KEP-2307.
package struct JobPlan {
    package static let initialBackoff: Duration = .seconds(10)
    package static let maximumBackoff: Duration = .seconds(600)
    /// Pods created or deleted at most in one go.
    package static let burst = 500

    /// How many pods to create; with indexes, of which.
    package var creations = 0
    package var indexes: [Int] = []
    /// With a limit for each index: how often those of ``indexes`` have failed.
    package var indexFailures: [Int] = []
    package var deletions: [CoreV1.Pod] = []
    /// Pods whose finalizer goes once the status is written.
    package var released: [CoreV1.Pod] = []
    /// Actions of the failure policy that new failures called for.
    package var policyActions: [String] = []
    package var status: BatchV1.JobStatus
    package var events: [Event] = []
    package var nextCheck: Duration?

    package struct Event: Equatable {
        package var isWarning: Bool
        package var reason: String
        package var message: String
    }

    let job: BatchV1.Job
    let now: Timestamp
    var completed: IndexSet
    var failedIndexes: IndexSet

    package init(_ job: BatchV1.Job, pods: [CoreV1.Pod], now: Timestamp) {
        self.job = job
        self.now = now
        self.status = job.status
        let limit = job.completions ?? 0
        self.completed = IndexSet(parsing: job.status.completedIndexes, below: limit)
        self.failedIndexes = IndexSet(parsing: job.status.failedIndexes ?? "", below: limit)
        guard !job.isFinished else {
            self.released = pods.filter { $0.metadata.finalizers.contains(JobPods.finalizer) }
            return
        }
        var sorted = JobPods(job, pods)
        self.noteSuspension()
        if self.status.startTime == nil, !job.isSuspended {
            self.status.startTime = MetaV1.Time(now)
        }
        self.flush(pods)
        let ending = self.count(&sorted)
        self.judge(sorted, ending)
        self.size(&sorted)
        self.status.active = Int32(sorted.active.count - self.deletions.count)
        self.status.ready = Int32(sorted.active.filter(\.isReady).count)
        self.status.terminating = Int32(sorted.terminating.count + self.deletions.count)
        self.finish(sorted)
    }

    var uncounted: BatchV1.UncountedTerminatedPods {
        get { self.status.uncountedTerminatedPods ?? BatchV1.UncountedTerminatedPods() }
        set { self.status.uncountedTerminatedPods = newValue }
    }

    package var succeeded: Int {
        self.job.isIndexed
            ? self.completed.count
            : Int(self.status.succeeded) + self.uncounted.succeeded.count
    }

    package var failed: Int { Int(self.status.failed) + self.uncounted.failed.count }

    mutating func tell(_ reason: String, _ message: String, isWarning: Bool = false) {
        self.events.append(Event(isWarning: isWarning, reason: reason, message: message))
    }

    mutating func set(_ type: String, _ status: String, _ reason: String, _ message: String) {
        self.status.conditions.removeAll { $0.type == type }
        self.status.conditions.append(
            BatchV1.JobCondition.with {
                $0.type = type
                $0.status = status
                $0.reason = reason
                $0.message = message
                $0.lastProbeTime = MetaV1.Time(self.now)
                $0.lastTransitionTime = MetaV1.Time(self.now)
            }
        )
    }

    func condition(_ type: String) -> BatchV1.JobCondition? {
        self.status.conditions.first { $0.type == type && $0.status == "True" }
    }
}
