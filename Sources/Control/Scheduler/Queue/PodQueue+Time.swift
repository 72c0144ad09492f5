// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

// What time alone brings about, and what changes do.

extension PodQueue {
    /// When something happens without a change: a back-off or the longest stay ends. Nil when
    /// nothing does.
    package var nextDeadline: Duration? {
        self.dropStale()
        return [self.backoff.first, self.errorBackoff.first, self.stays.first]
            .compactMap { $0?.key }.min()
    }

    /// Moves pods whose time has come.
    func wakeDue(now: Duration) {
        self.dropStale()
        while let entry = self.backoff.first, entry.key <= now {
            _ = self.backoff.pop()
            if entry.isCurrent {
                self.activate(entry.pod.info.uid, because: .backoffComplete, now: now)
            }
        }
        while let entry = self.errorBackoff.first, entry.key <= now {
            _ = self.errorBackoff.pop()
            if entry.isCurrent {
                self.activate(entry.pod.info.uid, because: .backoffComplete, now: now)
            }
        }
        while let entry = self.stays.first, entry.key <= now {
            _ = self.stays.pop()
            if entry.isCurrent {
                self.wake(entry.pod, because: .unschedulableTimeout, now: now)
            }
        }
    }

    /// Drops what has been left from the heads of the heaps, and all of it when most is.
    private func dropStale() {
        Self.dropStale(&self.backoff, self.count(.backoff))
        Self.dropStale(&self.errorBackoff, self.count(.errorBackoff))
        Self.dropStale(&self.stays, self.count(.unschedulable))
        Self.dropStale(&self.active, self.count(.active))
    }

    private static func dropStale(_ heap: inout Heap<Entry>, _ current: Int) {
        if heap.count > 2 * current + 64 { heap.filter(\.isCurrent) }
        while let entry = heap.first, !entry.isCurrent { _ = heap.pop() }
    }

    /// Wakes the unschedulable pods that a change may help.
    ///
    /// - Parameter helps: whether it may help a pod that a plugin refused.
    package func wake(
        interested: PluginNames,
        because event: QueueEvent,
        now: Duration,
        where helps: (PluginName, QueuedPod) -> Bool
    ) {
        let names = interested.names.filter { self.hasRefusals($0) }
        guard !names.isEmpty else { return }
        for pod in self.pods.values where pod.place == .unschedulable {
            let isHelped = names.contains { name in
                pod.refusedBy.contains(PluginNames(name)) && helps(name, pod)
            }
            if isHelped { self.wake(pod, because: event, now: now) }
        }
    }

    private func hasRefusals(_ name: PluginName) -> Bool {
        self.refusedCount[Int(name.number)] > 0
    }
}
