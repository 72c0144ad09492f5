// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
import ControllerKit
package import KubernetesAPI
import Protobuf
package import Scalars

/// What a StatefulSet does next: pods to create and delete in the order that it promises. Pure.
///
/// Source: upstream `pkg/controller/statefulset/stateful_set_control.go`.
package struct StatefulSetPlan {
    /// A pod to make.
    package struct Creation: Equatable {
        package var ordinal: Int
        /// Of the update revision, else of the current one.
        package var isUpdated: Bool

        package init(ordinal: Int, isUpdated: Bool) {
            self.ordinal = ordinal
            self.isUpdated = isUpdated
        }
    }

    package var creations: [Creation] = []
    package var deletions: [CoreV1.Pod] = []
    /// Ordinals of pods that wait, perhaps for a claim that somebody has deleted.
    package var missingClaims: [Int] = []
    package var status: AppsV1.StatefulSetStatus
    package var nextCheck: Duration?

    private let set: AppsV1.StatefulSet
    private let current: String
    private let update: String
    private let now: Timestamp
    private let start: Int
    private let replicas: Int
    private var slots: [Int: CoreV1.Pod] = [:]

    private var isParallel: Bool { self.set.spec.podManagementPolicy == "Parallel" }
    private var end: Int { self.start + self.replicas }

    /// - Parameters:
    ///   - current, update: names of the revisions that pods had and get.
    package init(
        _ set: AppsV1.StatefulSet,
        pods: [CoreV1.Pod],
        current: String,
        update: String,
        now: Timestamp
    ) {
        self.set = set
        self.current = current
        self.update = update
        self.now = now
        self.start = Int(set.spec.ordinals?.start ?? 0)
        self.replicas = Int(set.spec.replicas ?? 1)
        self.status = set.status
        for pod in pods {
            if let ordinal = StatefulPod.ordinal(pod, of: set) { self.slots[ordinal] = pod }
        }
        self.count(pods)
        guard set.metadata.deletionTimestamp == nil else { return }
        guard self.scale() else { return }
        self.roll()
    }

    private func revision(_ pod: CoreV1.Pod) -> String {
        pod.metadata.labels[StatefulPod.revisionLabel] ?? ""
    }

    /// The pod runs, is ready, has been so for long enough, and is not going.
    private func isHealthy(_ pod: CoreV1.Pod) -> Bool {
        pod.metadata.deletionTimestamp == nil
            && pod.isAvailable(minReadySeconds: self.set.spec.minReadySeconds, now: self.now)
    }

    private func createsUpdated(_ ordinal: Int) -> Bool {
        let partition = Int(self.set.spec.updateStrategy.rollingUpdate?.partition ?? 0)
        // Below the partition pods stay as they were. With OnDelete, what is made anew is new.
        guard self.set.spec.updateStrategy.type != "OnDelete" else { return true }
        return ordinal >= self.start + partition || self.current == self.update
    }

    // MARK: Scaling

    /// Makes what is missing and deletes what is too much.
    ///
    /// - Returns: whether an update may go on.
    private mutating func scale() -> Bool {
        for ordinal in self.start..<self.end {
            guard let pod = self.slots[ordinal] else {
                self.creations.append(
                    Creation(ordinal: ordinal, isUpdated: self.createsUpdated(ordinal))
                )
                if self.isParallel { continue }
                return false
            }
            if pod.isTerminal {
                // The name is free only when the old pod is gone.
                if pod.metadata.deletionTimestamp == nil { self.deletions.append(pod) }
                if self.isParallel { continue }
                return false
            }
            if pod.status.phase == "Pending", pod.metadata.deletionTimestamp == nil {
                self.missingClaims.append(ordinal)
            }
            if !self.isParallel, !self.isHealthy(pod) { return false }
        }
        let excess = self.slots.keys.filter { $0 < self.start || $0 >= self.end }.sorted(by: >)
        for ordinal in excess {
            guard let pod = self.slots[ordinal] else { continue }
            if self.isParallel {
                if pod.metadata.deletionTimestamp == nil { self.deletions.append(pod) }
                continue
            }
            // The last goes first, and the next only when it is gone.
            if pod.metadata.deletionTimestamp == nil { self.deletions.append(pod) }
            return false
        }
        return self.creations.isEmpty || self.isParallel
    }

    // MARK: Update

    private mutating func roll() {
        guard self.set.spec.updateStrategy.type != "OnDelete", self.current != self.update else {
            return
        }
        let rolling = self.set.spec.updateStrategy.rollingUpdate
        let first = self.start + Int(rolling?.partition ?? 0)
        guard first < self.end else { return }
        let limit = StatefulSetMetrics.maximumUnavailable(self.set)
        let pods = (self.start..<self.end).compactMap { self.slots[$0] }
        var unavailable = self.replicas - pods.filter(self.isHealthy).count
        for ordinal in (first..<self.end).reversed() {
            guard let pod = self.slots[ordinal] else { continue }
            if self.revision(pod) != self.update, pod.metadata.deletionTimestamp == nil {
                // A pod that is broken anyway makes nothing worse.
                let costs = self.isHealthy(pod)
                guard !costs || unavailable < limit else { return }
                self.deletions.append(pod)
                if costs { unavailable += 1 }
                if unavailable >= limit { return }
                continue
            }
            // In order: the next waits until this one is well.
            if !self.isHealthy(pod), unavailable >= limit { return }
        }
    }

    // MARK: Status

    private mutating func count(_ pods: [CoreV1.Pod]) {
        var status = AppsV1.StatefulSetStatus.with {
            $0.observedGeneration = self.set.metadata.generation
            $0.currentRevision = self.current
            $0.updateRevision = self.update
            $0.collisionCount = self.set.status.collisionCount ?? 0
            $0.conditions = self.set.status.conditions
        }
        for pod in pods where StatefulPod.ordinal(pod, of: self.set) != nil {
            status.replicas += 1
            if pod.status.phase == "Running", pod.isReady {
                status.readyReplicas += 1
                if pod.isAvailable(minReadySeconds: self.set.spec.minReadySeconds, now: self.now) {
                    status.availableReplicas += 1
                } else if let wait = pod.timeUntilAvailable(
                    minReadySeconds: self.set.spec.minReadySeconds,
                    now: self.now
                ) {
                    self.nextCheck = min(self.nextCheck ?? wait, wait)
                }
            }
            guard pod.metadata.deletionTimestamp == nil else { continue }
            if self.revision(pod) == self.current { status.currentReplicas += 1 }
            if self.revision(pod) == self.update { status.updatedReplicas += 1 }
        }
        // The update is complete: what was new is current.
        if self.set.spec.updateStrategy.type != "OnDelete",
            Int(status.updatedReplicas) == self.replicas, Int(status.replicas) == self.replicas,
            Int(status.readyReplicas) == self.replicas
        {
            status.currentRevision = self.update
            status.currentReplicas = status.updatedReplicas
        }
        self.status = status
    }
}
