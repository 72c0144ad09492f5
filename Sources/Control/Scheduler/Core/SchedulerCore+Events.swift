// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
import Protobuf

// What happens in the cluster.

extension SchedulerCore {
    // MARK: Nodes

    /// A node that is new or has changed.
    package func setNode(_ node: CoreV1.Node, now: Duration) {
        let name = node.metadata.name
        guard let row = self.cluster.row(name) else {
            self.cluster.setNode(node)
            self.react(to: .nodeAdded(node), now: now)
            return
        }
        let old = self.cluster.nodes[row]
        let parts = NodeParts(from: old, to: node)
        // A heartbeat: nothing that scheduling depends on.
        if parts.isEmpty { return }
        self.cluster.setNode(node)
        self.react(to: .nodeUpdated(old: old, new: node, parts: parts), now: now)
    }

    /// A node that is gone.
    package func removeNode(_ name: String, now: Duration) {
        guard let row = self.cluster.row(name) else { return }
        let node = self.cluster.nodes[row]
        self.cluster.removeNode(name)
        self.react(to: .nodeRemoved(node), now: now)
    }

    // MARK: Pods

    /// A pod that is new or has changed.
    package func setPod(_ pod: CoreV1.Pod, now: Duration) {
        let uid = pod.metadata.uid
        let nodeName = pod.spec.nodeName
        let phase = pod.status.phase
        if phase == "Succeeded" || phase == "Failed" {
            // It has ended and takes up nothing any more.
            self.removePod(uid: uid, now: now)
        } else if nodeName.isEmpty {
            self.setWaiting(PodInfo(pod), now: now)
        } else {
            self.setPlaced(pod, now: now)
        }
    }

    /// A pod that is gone.
    package func removePod(uid: String, now: Duration) {
        self.assumed.remove(uid)
        if let plan = self.plans.removeValue(forKey: uid) {
            self.cluster.volumes.release(plan)
        }
        self.queue.remove(uid)
        let wasNominated = self.cluster.nomination(of: uid) != nil
        self.cluster.withdrawNomination(uid)
        if let pod = self.cluster.removePod(uid: uid) {
            self.react(to: .placedPodRemoved(pod), now: now)
        } else if wasNominated {
            self.wakeAfterNomination(now: now)
        }
    }

    private func setPlaced(_ pod: CoreV1.Pod, now: Duration) {
        let uid = pod.metadata.uid
        if let (old, row) = self.cluster.placed[uid],
            self.cluster.names[row] == pod.spec.nodeName
        {
            let wasAssumed = self.assumed.remove(uid) != nil
            if wasAssumed {
                self.queue.remove(uid)
                self.plans[uid] = nil
            }
            let isSame = Self.isSameForOthers(old, pod)
            // When it started matters to preemption alone.
            if isSame, !wasAssumed, old.pod.status.startTime == pod.status.startTime { return }
            let new = PodInfo(pod)
            if isSame {
                self.cluster.replacePod(new)
                return
            }
            self.cluster.setPod(new, on: new.nodeName)
            self.react(to: .placedPodUpdated(old: old, new: new), now: now)
            return
        }
        self.assumed.remove(uid)
        self.queue.remove(uid)
        self.cluster.withdrawNomination(uid)
        let new = PodInfo(pod)
        self.cluster.setPod(new, on: new.nodeName)
        self.react(to: .podPlaced(new), now: now)
    }

    /// Whether other pods see no difference between two states of a pod.
    private static func isSameForOthers(_ old: PodInfo, _ new: CoreV1.Pod) -> Bool {
        old.pod.metadata.labels == new.metadata.labels
            && old.isTerminating == (new.metadata.deletionTimestamp != nil)
            && old.requests == PodRequests(new)
    }

    private func setWaiting(_ pod: PodInfo, now: Duration) {
        // Its binding is under way: what it says about itself is old news.
        if self.assumed.contains(pod.uid) { return }
        guard let profile = self.profile(of: pod), !pod.isTerminating else {
            self.queue.remove(pod.uid)
            self.cluster.withdrawNomination(pod.uid)
            return
        }
        let isGated = profile.preEnqueue.contains { $0.refusal(of: pod) != nil }
        guard let queued = self.queue.pod(pod.uid) else {
            self.queue.add(pod, isGated: isGated, now: now)
            if !pod.nominatedNodeName.isEmpty {
                self.cluster.nominate(pod, pod.nominatedNodeName)
            }
            return
        }
        let old = queued.info
        queued.info = pod
        self.queue.setGated(queued, isGated, now: now)
        self.updateNomination(old, pod)
        guard queued.place == .unschedulable,
            old.pod.spec != pod.pod.spec || old.labels != pod.labels
        else { return }
        let change = ClusterChange.podUpdated(old: old, new: pod)
        if self.helps(change, queued) { self.queue.wake(queued, because: .podUpdate, now: now) }
    }

    private func helps(_ change: ClusterChange, _ queued: QueuedPod) -> Bool {
        guard let profile = self.profile(of: queued.info) else { return false }
        return profile.plugins.contains { plugin in
            queued.refusedBy.contains(PluginNames(plugin.name))
                && plugin.interest.contains(change.kind)
                && plugin.mayHelp(change, queued.info, self.cluster)
        }
    }

    private func updateNomination(_ old: PodInfo, _ new: PodInfo) {
        let node = new.nominatedNodeName
        if !node.isEmpty {
            self.cluster.nominate(new, node)
        } else if !old.nominatedNodeName.isEmpty {
            self.cluster.withdrawNomination(new.uid)
        } else if let node = self.cluster.nomination(of: new.uid) {
            // Not yet seen in the status.
            self.cluster.nominate(new, node)
        }
    }

    /// A pod that waited for room is gone: others may have it.
    private func wakeAfterNomination(now: Duration) {
        for pod in Array(self.queue.pods.values) where pod.place == .unschedulable {
            self.queue.wake(pod, because: .assignedPodDelete, now: now)
        }
    }

    // MARK: The rest

    /// The labels of a namespace; nil when it is gone.
    package func setNamespace(_ name: String, _ labels: LabelSet?, now: Duration) {
        guard self.cluster.namespaceLabels[name] != labels else { return }
        self.cluster.setNamespace(name, labels)
        self.react(to: .namespaceChanged(name), now: now)
    }
}
