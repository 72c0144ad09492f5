// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
import ControllerKit
import KubernetesAPI
import Protobuf
import Scalars

extension JobPlan {
    /// Decides how many pods there shall be, and which.
    mutating func size(_ pods: inout JobPods) {
        let isEnding =
            self.condition("FailureTarget") != nil || self.condition("SuccessCriteriaMet") != nil
        if isEnding || self.job.isSuspended {
            self.deletions = pods.active
            return
        }
        if self.job.isIndexed { self.deleteDoubles(pods) }
        let doubled = Set(self.deletions.map(\.metadata.uid))
        let active = pods.active.filter { !doubled.contains($0.metadata.uid) }
        let wanted = self.wantedActive(active.count)
        if active.count > wanted {
            let order = DeletionOrder(related: active, now: self.now)
            let excess = min(active.count - wanted, Self.burst)
            self.deletions += order.first(excess, of: active)
            return
        }
        let terminating = self.job.replacesOnlyFailed ? pods.terminating.count : 0
        let missing = min(wanted - active.count - terminating, Self.burst)
        guard missing > 0 else { return }
        if self.job.isIndexed {
            self.indexes = self.freeIndexes(missing, active, pods)
            self.creations = self.indexes.count
            if self.job.spec.backoffLimitPerIndex != nil {
                self.indexFailures = self.indexes.map { self.failures(of: $0, pods.all) }
            }
            return
        }
        let wait = Self.backoff(pods.all, self.job, now: self.now)
        guard wait <= .zero else { return self.check(after: wait) }
        self.creations = missing
    }

    private func wantedActive(_ active: Int) -> Int {
        guard let completions = self.job.completions else {
            return self.succeeded > 0 ? active : self.job.parallelism
        }
        let left = max(completions - self.succeeded - self.failedIndexes.count, 0)
        return min(left, self.job.parallelism)
    }

    /// One pod for each index: the oldest stays. Pods of indexes that are done go.
    private mutating func deleteDoubles(_ pods: JobPods) {
        var seen: Set<Int> = []
        let sorted = pods.active.sorted {
            let created = (
                $0.metadata.creationTimestamp.seconds ?? 0,
                $1.metadata.creationTimestamp.seconds ?? 0
            )
            return created.0 == created.1
                ? $0.metadata.name < $1.metadata.name : created.0 < created.1
        }
        for pod in sorted {
            guard let index = pod.completionIndex, index < self.job.completions ?? 0,
                !self.completed.contains(index), !self.failedIndexes.contains(index),
                seen.insert(index).inserted
            else {
                self.deletions.append(pod)
                continue
            }
        }
    }

    private mutating func freeIndexes(
        _ count: Int,
        _ active: [CoreV1.Pod],
        _ pods: JobPods
    ) -> [Int] {
        var busy = Set(active.compactMap(\.completionIndex))
        if self.job.replacesOnlyFailed {
            busy.formUnion(pods.terminating.compactMap(\.completionIndex))
        }
        let isPerIndex = self.job.spec.backoffLimitPerIndex != nil
        if !isPerIndex {
            let wait = Self.backoff(pods.all, self.job, now: self.now)
            guard wait <= .zero else {
                self.check(after: wait)
                return []
            }
        }
        var free: [Int] = []
        for index in 0..<(self.job.completions ?? 0) where free.count < count {
            guard !busy.contains(index), !self.completed.contains(index),
                !self.failedIndexes.contains(index)
            else { continue }
            if isPerIndex {
                // Each index waits for its own failures.
                let own = pods.all.filter { $0.completionIndex == index }
                let wait = Self.backoff(own, self.job, now: self.now)
                guard wait <= .zero else {
                    self.check(after: wait)
                    continue
                }
            }
            free.append(index)
        }
        return free
    }

    /// How long to wait before failed pods are replaced: twice as long after each failure since the
    /// last success.
    static func backoff(
        _ pods: [CoreV1.Pod],
        _ job: BatchV1.Job,
        now: Timestamp
    ) -> Duration {
        let lastSuccess = pods.filter { $0.status.phase == "Succeeded" }
            .map { $0.endTime(now: now) }.max()
        let failures = pods.filter {
            $0.status.phase == "Failed" && FailureVerdict.of($0, job) != .ignore
        }
        .map { $0.endTime(now: now) }.filter { time in lastSuccess.map { time > $0 } ?? true }
        guard let last = failures.max() else { return .zero }
        let factor = 1 << min(failures.count - 1, 10)
        let wait = min(Self.initialBackoff * factor, Self.maximumBackoff)
        return wait - now.since(last)
    }
}
