// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Logging
import NodeHost
import PodLifecycle
import Protobuf

/// All pods of the node: starts a worker for each, passes changes on, and ends what nobody wants.
///
/// Source: upstream `pkg/kubelet/pod_workers.go`, `pkg/kubelet/kubelet_pods.go`
/// (`HandlePodCleanups`).
actor PodFleet {
    private struct Member {
        var worker: PodWorker
        var task: Task<Void, Never>
        var pod: CoreV1.Pod
    }

    private let services: PodServices
    private var members: [String: Member] = [:]
    /// Pods that wait until another of the same name is gone: static pods after a change.
    private var waiting: [String: CoreV1.Pod] = [:]
    private let admit: @Sendable (CoreV1.Pod, [CoreV1.Pod]) -> PodStatusBuilder.Ending?

    /// - Parameter admit: why the node does not take a pod beside those it has; nil when it does.
    init(
        services: PodServices,
        admit: @escaping @Sendable (CoreV1.Pod, [CoreV1.Pod]) -> PodStatusBuilder.Ending?
    ) {
        self.services = services
        self.admit = admit
    }

    /// The pods that have a worker.
    var pods: [CoreV1.Pod] { self.members.values.map(\.pod) }

    func pod(_ uid: String) -> CoreV1.Pod? { self.members[uid]?.pod }

    func pod(namespace: String, name: String) -> CoreV1.Pod? {
        self.members.values.first {
            $0.pod.metadata.namespace == namespace && $0.pod.metadata.name == name
        }?.pod
    }

    /// The pods that hold resources of the node.
    var activePods: [CoreV1.Pod] {
        get async {
            var active: [CoreV1.Pod] = []
            for member in self.members.values where await !member.worker.isFinished {
                active.append(member.pod)
            }
            return active
        }
    }

    /// Whether a pod's resources are free again.
    func isFinished(_ uid: String) async -> Bool {
        await self.members[uid]?.worker.isFinished ?? true
    }

    /// Something about a pod may have changed.
    func wake(_ uid: String) {
        self.members[uid]?.worker.wake()
    }

    /// What volumes of a pod are made from has changed.
    func refreshVolumes(_ uid: String) async {
        await self.members[uid]?.worker.refreshVolumes()
    }

    /// A pod is to run, or has changed.
    func apply(_ pod: CoreV1.Pod) async {
        let uid = pod.metadata.uid
        guard PodPaths.isSafe(pod) else {
            self.services.logger.warning(
                "names of a pod lead out of its folders",
                metadata: ["pod": "\(pod.key)"]
            )
            return
        }
        if let member = self.members[uid] {
            self.members[uid]?.pod = pod
            await member.worker.update(pod)
            return
        }
        let namesake = self.members.values.contains { $0.pod.key == pod.key }
        if namesake {
            self.waiting[uid] = pod
            return
        }
        await self.start(pod)
    }

    private func start(_ pod: CoreV1.Pod) async {
        let uid = pod.metadata.uid
        let worker = PodWorker(pod: pod, services: self.services)
        let isKnown = !self.services.observer.known(uid).sandboxes.isEmpty
        if pod.isTerminal {
            await worker.end(PodWorker.Ending())
        } else if pod.isDeleted {
            await worker.end(PodWorker.Ending())
        } else if !isKnown {
            if let refusal = self.admit(pod, await self.activePods) {
                self.services.events.warning(pod, "", refusal.reason, refusal.message)
                await worker.end(PodWorker.Ending(reason: refusal))
            }
        }
        let task = Task {
            await worker.run()
            await self.finished(uid)
        }
        self.members[uid] = Member(worker: worker, task: task, pod: pod)
        await self.updateClasses()
    }

    /// A pod is gone from where it came from.
    func remove(_ uid: String) async {
        self.waiting[uid] = nil
        await self.members[uid]?.worker.forget()
    }

    /// Ends a pod that the node has no room for any more.
    func evict(_ uid: String, grace: Int64, _ reason: PodStatusBuilder.Ending) async {
        await self.members[uid]?.worker.end(PodWorker.Ending(grace: grace, reason: reason))
    }

    private func finished(_ uid: String) async {
        guard let member = self.members.removeValue(forKey: uid) else { return }
        await self.updateClasses()
        let next = self.waiting.first { $0.value.key == member.pod.key }
        guard let next, !Task.isCancelled else { return }
        self.waiting[next.key] = nil
        await self.start(next.value)
    }

    private func updateClasses() async {
        guard let cgroups = self.services.cgroups else { return }
        let pods = self.pods
        await HostThreads.run { try? cgroups.updateBurstable(pods) }
    }

    /// Ends pods that the runtime has and nobody wants.
    ///
    /// - Parameter wanted: UIDs of every pod of every source; sources must have been read.
    func removeOrphans(wanted: Set<String>) async {
        for (uid, runtime) in self.services.observer.pods
        where self.members[uid] == nil && !wanted.contains(uid) {
            guard let identity = self.services.observer.identity(uid) else { continue }
            var pod = CoreV1.Pod()
            pod.metadata.name = identity.name
            pod.metadata.namespace = identity.namespace
            pod.metadata.uid = uid
            pod.metadata.deletionGracePeriodSeconds = 1
            pod.metadata.deletionTimestamp = MetaV1.Time(WallClock.timestamp)
            let names = Set(runtime.containers.map(\.name))
            pod.spec.containers = RepeatedField(
                names.sorted().map { name in CoreV1.Container.with { $0.name = name } }
            )
            self.services.logger.info("ending a pod that nobody wants", metadata: ["uid": "\(uid)"])
            await self.start(pod)
            await self.remove(uid)
        }
    }

    /// Removes folders, logs and cgroups of pods that are gone.
    func removeRemains(wanted: Set<String>) async {
        let remains = self.services.remains
        let cgroups = self.services.cgroups
        // First what is there, then what is known: a pod has a worker before it has anything else.
        let (recorded, groups) = await HostThreads.run {
            (remains.recorded, cgroups?.existing() ?? [:])
        }
        let known = wanted.union(self.members.keys).union(self.waiting.keys)
            .union(self.services.observer.pods.keys)
        await HostThreads.run {
            for uid in recorded where !known.contains(uid) { try? remains.remove(uid) }
            for (uid, name) in groups where !known.contains(uid) {
                cgroups?.cgroups.remove(name)
            }
        }
    }

    /// Ends the workers; containers go on.
    func stop() {
        for member in self.members.values { member.task.cancel() }
    }
}
