// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
import ControllerKit
import KubernetesAPI
import Protobuf
import Scalars

extension JobPlan {
    /// Counts the pods whose finalizer is gone, or that are.
    mutating func flush(_ pods: [CoreV1.Pod]) {
        let held = Set(
            pods.filter { $0.metadata.finalizers.contains(JobPods.finalizer) }.map(\.metadata.uid)
        )
        var uncounted = self.uncounted
        let succeeded = uncounted.succeeded.filter { !held.contains($0) }.count
        let failed = uncounted.failed.filter { !held.contains($0) }.count
        // Written but not let go: the last try did not come to its end.
        let written = Set(Array(uncounted.succeeded) + Array(uncounted.failed))
        self.released += pods.filter {
            written.contains($0.metadata.uid) && held.contains($0.metadata.uid)
        }
        guard succeeded + failed > 0 else { return }
        uncounted.succeeded = RepeatedField(uncounted.succeeded.filter { held.contains($0) })
        uncounted.failed = RepeatedField(uncounted.failed.filter { held.contains($0) })
        self.uncounted = uncounted
        if !self.job.isIndexed { self.status.succeeded += Int32(succeeded) }
        self.status.failed += Int32(failed)
    }

    /// Takes the pods that ended since into the status.
    ///
    /// - Returns: why the Job is over, if a pod's failure says so.
    mutating func count(_ pods: inout JobPods) -> String? {
        var ending: String?
        var uncounted = self.uncounted
        var newIndexes: Set<Int> = []
        for pod in pods.newSucceeded {
            if self.job.isIndexed {
                if let index = pod.completionIndex, index < self.job.completions ?? 0 {
                    newIndexes.insert(index)
                }
            } else {
                uncounted.succeeded.append(pod.metadata.uid)
            }
            self.released.append(pod)
        }
        if let limit = self.job.spec.backoffLimitPerIndex { self.failIndexes(pods, Int(limit)) }
        let kept = self.keptFailures(pods, succeeded: newIndexes)
        pods.keptFailed = kept.count
        for pod in pods.newFailed where !kept.contains(pod.metadata.uid) {
            if let action = FailureVerdict.action(for: pod, self.job) {
                self.policyActions.append(action)
            }
            switch FailureVerdict.of(pod, self.job) {
            case .ignore: break
            case .failJob(let reason):
                ending = ending ?? reason
                uncounted.failed.append(pod.metadata.uid)
            case .failIndex:
                if let index = pod.completionIndex {
                    self.failedIndexes = self.failedIndexes.inserting([index])
                }
                uncounted.failed.append(pod.metadata.uid)
            case .count: uncounted.failed.append(pod.metadata.uid)
            }
            self.released.append(pod)
        }
        self.completed = self.completed.inserting(newIndexes)
        self.uncounted = uncounted
        if uncounted.succeeded.isEmpty, uncounted.failed.isEmpty,
            self.job.status.uncountedTerminatedPods == nil
        {
            self.status.uncountedTerminatedPods = nil
        }
        if self.job.isIndexed {
            self.status.completedIndexes = self.completed.text
            self.status.succeeded = Int32(self.completed.count)
            if self.job.spec.backoffLimitPerIndex != nil {
                self.status.failedIndexes = self.failedIndexes.text
            }
        }
        return ending
    }

    /// Indexes that failed more often than is allowed. Each new pod of an index carries how often it
    /// has failed before.
    private mutating func failIndexes(_ pods: JobPods, _ limit: Int) {
        for pod in pods.newFailed where FailureVerdict.of(pod, self.job) == .count {
            guard let index = pod.completionIndex else { continue }
            if pod.failuresOfIndex >= limit {
                self.failedIndexes = self.failedIndexes.inserting([index])
            }
        }
    }

    /// The last failure of each index that is to be tried again. The pod that follows it takes over
    /// how often the index has failed; until that pod is there, the failed one must not go.
    private func keptFailures(_ pods: JobPods, succeeded: Set<Int>) -> Set<String> {
        guard self.job.spec.backoffLimitPerIndex != nil,
            self.condition("FailureTarget") == nil, self.condition("SuccessCriteriaMet") == nil
        else { return [] }
        let running = Set(pods.active.compactMap(\.completionIndex))
        var last: [Int: CoreV1.Pod] = [:]
        for pod in pods.newFailed {
            guard let index = pod.completionIndex, index < self.job.completions ?? 0,
                !running.contains(index), !succeeded.contains(index),
                !self.completed.contains(index), !self.failedIndexes.contains(index)
            else { continue }
            switch FailureVerdict.of(pod, self.job) {
            case .failJob, .failIndex: continue
            case .count, .ignore: break
            }
            if let other = last[index], other.failuresOfIndex > pod.failuresOfIndex { continue }
            last[index] = pod
        }
        return Set(last.values.map(\.metadata.uid))
    }

    /// How often an index has failed, as its pods have it.
    func failures(of index: Int, _ pods: [CoreV1.Pod]) -> Int {
        pods.filter { $0.completionIndex == index && self.job.countsAsFailed($0) }
            .map { pod in
                pod.failuresOfIndex + (FailureVerdict.of(pod, self.job) == .ignore ? 0 : 1)
            }.max() ?? 0
    }

    // MARK: Judgement

    /// Whether the Job is to end, and how.
    mutating func judge(_ pods: JobPods, _ ending: String?) {
        guard self.condition("FailureTarget") == nil,
            self.condition("SuccessCriteriaMet") == nil
        else { return }
        if let ending {
            self.set("FailureTarget", "True", "PodFailurePolicy", ending)
        } else if self.isPastLimit(pods) {
            self.set(
                "FailureTarget",
                "True",
                "BackoffLimitExceeded",
                "Job has reached the specified backoff limit"
            )
        } else if self.isPastDeadline() {
            self.set(
                "FailureTarget",
                "True",
                "DeadlineExceeded",
                "Job was active longer than specified deadline"
            )
        } else if let most = self.job.spec.maxFailedIndexes, self.failedIndexes.count > Int(most) {
            self.set(
                "FailureTarget",
                "True",
                "MaxFailedIndexesExceeded",
                "Job has exceeded the specified maximal number of failed indexes"
            )
        } else if let rule = self.matchedSuccessRule() {
            self.set(
                "SuccessCriteriaMet",
                "True",
                "SuccessPolicy",
                "Matched rules at index \(rule)"
            )
        } else if self.hasCompleted(pods) {
            if self.failedIndexes.count > 0 {
                self.set("FailureTarget", "True", "FailedIndexes", "Job has failed indexes")
            } else {
                self.set(
                    "SuccessCriteriaMet",
                    "True",
                    "CompletionsReached",
                    "Reached expected number of succeeded pods"
                )
            }
        }
    }

    private func isPastLimit(_ pods: JobPods) -> Bool {
        let limit = Int(self.job.spec.backoffLimit ?? 6)
        if self.failed + pods.keptFailed > limit { return true }
        guard self.job.spec.template.spec.restartPolicy == "OnFailure" else { return false }
        // Containers that are restarted in place never fail their pod.
        let restarts = pods.active.reduce(0) { total, pod in
            let statuses =
                Array(pod.status.initContainerStatuses) + Array(pod.status.containerStatuses)
            return total + statuses.reduce(0) { $0 + Int($1.restartCount) }
        }
        return limit == 0 ? restarts > 0 : restarts >= limit
    }

    private mutating func isPastDeadline() -> Bool {
        guard let seconds = self.job.spec.activeDeadlineSeconds, !self.job.isSuspended,
            let start = self.status.startTime?.timestamp
        else { return false }
        let left = Duration.seconds(seconds) - self.now.since(start)
        if left > .zero { self.check(after: left) }
        return left <= .zero
    }

    mutating func check(after wait: Duration) {
        self.nextCheck = min(self.nextCheck ?? wait, wait)
    }

    private func matchedSuccessRule() -> Int? {
        guard let policy = self.job.spec.successPolicy, self.job.isIndexed else { return nil }
        for (index, rule) in policy.rules.enumerated() {
            let wanted = rule.succeededIndexes.map {
                IndexSet(parsing: $0, below: self.job.completions ?? 0)
            }
            let done =
                wanted.map { $0.all.filter(self.completed.contains).count }
                ?? self.completed.count
            let needed = rule.succeededCount.map(Int.init) ?? wanted?.count ?? 0
            if needed > 0, done >= needed { return index }
        }
        return nil
    }

    private func hasCompleted(_ pods: JobPods) -> Bool {
        guard let completions = self.job.completions else {
            // Of a queue's workers, one that succeeds says that the queue is empty.
            return self.succeeded > 0 && pods.active.isEmpty
        }
        return self.succeeded + self.failedIndexes.count >= completions
    }

    // MARK: End

    mutating func noteSuspension() {
        let current = self.status.conditions.first { $0.type == "Suspended" }
        if self.job.isSuspended, current?.status != "True" {
            self.set("Suspended", "True", "JobSuspended", "Job suspended")
            self.status.startTime = nil
            self.tell("Suspended", "Job suspended")
        } else if !self.job.isSuspended, current?.status == "True" {
            self.set("Suspended", "False", "JobResumed", "Job resumed")
            self.status.startTime = MetaV1.Time(self.now)
            self.tell("Resumed", "Job resumed")
        }
    }

    /// Says that the Job is over, once nothing of it runs and everything is counted.
    mutating func finish(_ pods: JobPods) {
        let failure = self.condition("FailureTarget")
        let success = self.condition("SuccessCriteriaMet")
        guard failure != nil || success != nil, pods.active.isEmpty, pods.terminating.isEmpty,
            self.uncounted.succeeded.isEmpty, self.uncounted.failed.isEmpty,
            pods.newSucceeded.isEmpty, pods.newFailed.isEmpty
        else { return }
        if let failure {
            self.set("Failed", "True", failure.reason, failure.message)
            self.tell(failure.reason, failure.message, isWarning: true)
        } else if let success {
            self.set("Complete", "True", success.reason, success.message)
            self.status.completionTime = MetaV1.Time(self.now)
            self.tell("Completed", "Job completed")
        }
        self.status.active = 0
        self.status.ready = 0
        self.status.terminating = 0
    }
}

extension CoreV1.Pod {
    /// How often the index of the pod had failed before it was made.
    var failuresOfIndex: Int {
        self.metadata.annotations[JobPods.indexFailuresKey].flatMap { Int($0) } ?? 0
    }
}
