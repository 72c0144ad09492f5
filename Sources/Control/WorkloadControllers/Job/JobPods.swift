// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
import ControllerKit
import KubernetesAPI
import Protobuf
import Scalars

/// The pods of a Job, sorted by what they mean for it. Pure.
struct JobPods {
    static let finalizer = "batch.kubernetes.io/job-tracking"
    static let indexKey = "batch.kubernetes.io/job-completion-index"
    static let indexFailuresKey = "batch.kubernetes.io/job-index-failure-count"

    var active: [CoreV1.Pod] = []
    var terminating: [CoreV1.Pod] = []
    /// Ended, not counted yet.
    var newSucceeded: [CoreV1.Pod] = []
    var newFailed: [CoreV1.Pod] = []
    /// Of the failed ones, those that are not counted before they are replaced.
    var keptFailed = 0
    let all: [CoreV1.Pod]

    init(_ job: BatchV1.Job, _ pods: [CoreV1.Pod]) {
        self.all = pods
        let uncounted = job.status.uncountedTerminatedPods
        let counted = Set(Array(uncounted?.succeeded ?? []) + Array(uncounted?.failed ?? []))
        for pod in pods {
            if pod.isActive { self.active.append(pod) }
            if pod.metadata.deletionTimestamp != nil, !pod.isTerminal {
                self.terminating.append(pod)
            }
            guard pod.metadata.finalizers.contains(Self.finalizer),
                !counted.contains(pod.metadata.uid)
            else { continue }
            if pod.status.phase == "Succeeded" {
                self.newSucceeded.append(pod)
            } else if job.countsAsFailed(pod) {
                self.newFailed.append(pod)
            }
        }
    }
}

extension BatchV1.Job {
    var isIndexed: Bool { self.spec.completionMode == "Indexed" }
    var completions: Int? { self.spec.completions.map(Int.init) }
    var parallelism: Int { Int(self.spec.parallelism ?? 1) }
    var isSuspended: Bool { self.spec.suspend == true }
    /// Pods are replaced when they have failed, not when they begin to end.
    var replacesOnlyFailed: Bool { self.spec.podReplacementPolicy == "Failed" }

    func hasCondition(_ type: String) -> Bool {
        self.status.conditions.contains { $0.type == type && $0.status == "True" }
    }

    var isFinished: Bool { self.hasCondition("Complete") || self.hasCondition("Failed") }

    /// A pod that is deleted may never get to say that it failed.
    func countsAsFailed(_ pod: CoreV1.Pod) -> Bool {
        if pod.status.phase == "Failed" { return true }
        if self.replacesOnlyFailed || pod.status.phase == "Succeeded" { return false }
        return pod.metadata.deletionTimestamp != nil
    }
}

extension CoreV1.Pod {
    var completionIndex: Int? {
        self.metadata.annotations[JobPods.indexKey].flatMap { Int($0) }
    }

    /// When the pod ended, as well as can be told.
    func endTime(now: Timestamp) -> Timestamp {
        let ends = self.status.containerStatuses.compactMap {
            $0.state.terminated?.finishedAt.timestamp
        }
        if let last = ends.max() { return last }
        return self.condition("Ready")?.lastTransitionTime.timestamp
            ?? self.metadata.deletionTimestamp?.timestamp ?? now
    }
}
