// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The pods that wait for nodes.
///
/// Active pods are tried in the order of their priorities. A pod that found no node waits among the
/// unschedulable until something changes that may help it; then, unless it was tried too recently,
/// it is active again. Without changes it is tried again after five minutes. A pod that failed for
/// other reasons is tried again after a back-off of 1 to 10 seconds.
///
/// Knows no clock: every call says what time it is, and ``nextDeadline`` says when the next one is
/// due at the latest. Source: upstream `pkg/scheduler/backend/queue`.
package final class PodQueue {
    /// An entry of a heap.
    struct Entry {
        let pod: QueuedPod
        let generation: UInt64
        let priority: Int32
        let key: Duration
        let number: UInt64

        /// Whether the pod is still where the entry says.
        var isCurrent: Bool { self.pod.generation == self.generation }
    }

    /// A way into a part of the queue.
    package struct Incoming: Hashable {
        package let place: QueuedPod.Place
        package let event: QueueEvent
    }

    /// How long a pod is left alone at most when nothing changes.
    package static let maximumStay: Duration = .seconds(300)
    /// Back-offs end in steps of this length, so that pods become ready together and in the order of
    /// their priorities.
    static let backoffStep: Duration = .seconds(1)

    let initialBackoff: Duration
    let maximumBackoff: Duration

    package internal(set) var pods: [String: QueuedPod] = [:]
    var active: Heap<Entry>
    var backoff: Heap<Entry>
    var errorBackoff: Heap<Entry>
    /// Unschedulable pods in the order in which their stay ends.
    var stays: Heap<Entry>
    /// How many unschedulable pods each plugin has refused.
    var refusedCount = PodQueue.noRefusals
    /// The same by the name of the profile.
    package private(set) var refusedOfProfile: [String: [Int]] = [:]
    private static let noRefusals = [Int](repeating: 0, count: PluginName.allCases.count)
    /// How many pods have come to which part of the queue, and why.
    package private(set) var incoming: [Incoming: UInt64] = [:]
    var number: UInt64 = 0
    var counts: [QueuedPod.Place: Int] = [:]

    package init(
        initialBackoff: Duration = .seconds(1),
        maximumBackoff: Duration = .seconds(10)
    ) {
        self.initialBackoff = initialBackoff
        self.maximumBackoff = maximumBackoff
        self.active = Heap { left, right in
            if left.priority != right.priority { return left.priority > right.priority }
            return (left.key, left.number) < (right.key, right.number)
        }
        let byTime = { (left: Entry, right: Entry) in
            if left.key != right.key { return left.key < right.key }
            if left.priority != right.priority { return left.priority > right.priority }
            return left.number < right.number
        }
        self.backoff = Heap(by: byTime)
        self.errorBackoff = Heap(by: byTime)
        self.stays = Heap(by: byTime)
    }

    /// The number of pods in a part of the queue.
    package func count(_ place: QueuedPod.Place) -> Int {
        self.counts[place] ?? 0
    }

    /// The waiting pod of a uid.
    package func pod(_ uid: String) -> QueuedPod? {
        self.pods[uid]
    }
}

// MARK: - Moving

extension PodQueue {
    /// Adds a pod that is new, or gone and back.
    package func add(_ info: PodInfo, isGated: Bool, now: Duration) {
        if let old = self.pods[info.uid] { self.leave(old) }
        let pod = QueuedPod(info, now: now)
        self.pods[info.uid] = pod
        self.enter(pod, isGated ? .gated : .active, .podAdd)
    }

    /// Forgets a pod.
    package func remove(_ uid: String) {
        guard let pod = self.pods.removeValue(forKey: uid) else { return }
        self.leave(pod)
    }

    /// Takes the pod to be tried next; nil when there is none yet.
    ///
    /// When none is active, one whose back-off has not ended is better than nothing, unless it
    /// backs off from an error.
    package func pop(now: Duration) -> QueuedPod? {
        self.wakeDue(now: now)
        while let entry = self.active.pop() {
            if entry.isCurrent { return self.take(entry.pod, now) }
        }
        while let entry = self.backoff.pop() {
            guard entry.isCurrent else { continue }
            self.countIncoming(.active, .popFromBackoff)
            return self.take(entry.pod, now)
        }
        return nil
    }

    private func take(_ pod: QueuedPod, _ now: Duration) -> QueuedPod {
        self.move(pod, to: .inFlight, .attempt)
        if pod.attempts == 0 { pod.firstAttempt = now }
        pod.attempts += 1
        return pod
    }

    /// Puts back a pod that found no node.
    ///
    /// - Parameter plugins: those that refused it; none after an error, which makes it back off.
    package func putBack(_ pod: QueuedPod, refusedBy plugins: PluginNames, now: Duration) {
        guard self.pods[pod.info.uid] === pod else { return }
        pod.timestamp = now
        pod.refusedBy = plugins
        if plugins.isEmpty {
            pod.errors += 1
            pod.refusals = 0
            pod.backoffUntil = self.backoffEnd(pod.errors, now)
            self.move(pod, to: .errorBackoff, .attemptFailure)
        } else {
            pod.refusals += 1
            pod.errors = 0
            pod.backoffUntil = self.backoffEnd(pod.refusals, now)
            self.move(pod, to: .unschedulable, .attemptFailure)
        }
    }

    /// Lets a pod that waits be tried again, after its back-off if that lasts.
    package func wake(_ pod: QueuedPod, because event: QueueEvent, now: Duration) {
        if pod.isPreempting {
            pod.wasWoken = true
        } else if pod.backoffUntil > now {
            self.move(pod, to: .backoff, event)
        } else {
            pod.timestamp = now
            self.move(pod, to: .active, event)
        }
    }

    /// Lets a pod be tried at once, whatever its back-off.
    package func activate(
        _ uid: String,
        because event: QueueEvent = .forceActivate,
        now: Duration
    ) {
        guard let pod = self.pods[uid], pod.place != .inFlight, pod.place != .gated else { return }
        pod.timestamp = now
        self.move(pod, to: .active, event)
    }

    /// Keeps a pod from being tried while the pods it preempts are being told; false ends that.
    package func setPreempting(_ uid: String, _ isPreempting: Bool, now: Duration) {
        guard let pod = self.pods[uid] else { return }
        pod.isPreempting = isPreempting
        if !isPreempting, pod.wasWoken {
            pod.wasWoken = false
            if pod.place == .unschedulable {
                self.wake(pod, because: .forceActivate, now: now)
            }
        }
    }

    /// Lets a gated pod through, or keeps back one whose gates have come back.
    package func setGated(_ pod: QueuedPod, _ isGated: Bool, now: Duration) {
        switch (pod.place, isGated) {
        case (.gated, false):
            pod.timestamp = now
            self.move(pod, to: .active, .gatesRemoved)
        case (.active, true), (.backoff, true), (.errorBackoff, true), (.unschedulable, true):
            self.move(pod, to: .gated, .gatesAdded)
        case (.gated, true), (.inFlight, _), (.active, false), (.backoff, false),
            (.errorBackoff, false), (.unschedulable, false):
            break
        }
    }

    private func backoffEnd(_ count: Int, _ now: Duration) -> Duration {
        let doublings = min(count - 1, 30)
        let length = min(self.initialBackoff * (1 << doublings), self.maximumBackoff)
        let end = now + length
        // Down to a whole step, as upstream aligns it.
        let step = Self.backoffStep.components.seconds
        let whole = Duration.seconds(end.components.seconds / step * step)
        return max(whole, now)
    }

    private func move(
        _ pod: QueuedPod,
        to place: QueuedPod.Place,
        _ event: QueueEvent
    ) {
        self.leave(pod)
        self.enter(pod, place, event)
    }

    private func leave(_ pod: QueuedPod) {
        pod.generation += 1
        self.counts[pod.place, default: 0] -= 1
        if pod.place == .unschedulable { self.countRefusals(pod, -1) }
    }

    private func enter(
        _ pod: QueuedPod,
        _ place: QueuedPod.Place,
        _ event: QueueEvent
    ) {
        pod.place = place
        self.countIncoming(place, event)
        self.counts[place, default: 0] += 1
        switch place {
        case .active:
            self.active.push(self.entry(pod, pod.timestamp))
        case .backoff:
            self.backoff.push(self.entry(pod, pod.backoffUntil))
        case .errorBackoff:
            self.errorBackoff.push(self.entry(pod, pod.backoffUntil))
        case .unschedulable:
            self.stays.push(self.entry(pod, pod.timestamp + Self.maximumStay))
            self.countRefusals(pod, 1)
        case .gated, .inFlight:
            break
        }
    }

    private func entry(_ pod: QueuedPod, _ key: Duration) -> Entry {
        self.number += 1
        return Entry(
            pod: pod,
            generation: pod.generation,
            priority: pod.info.priority,
            key: key,
            number: self.number
        )
    }

    private func countIncoming(_ place: QueuedPod.Place, _ event: QueueEvent) {
        self.incoming[Incoming(place: place, event: event), default: 0] += 1
    }

    private func countRefusals(_ pod: QueuedPod, _ sign: Int) {
        let profile = pod.info.schedulerName
        for index in self.refusedCount.indices
        where pod.refusedBy.contains(PluginNames(rawValue: 1 << UInt32(index))) {
            self.refusedCount[index] += sign
            self.refusedOfProfile[profile, default: Self.noRefusals][index] += sign
        }
    }
}
