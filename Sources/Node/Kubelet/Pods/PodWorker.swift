// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import NodeAPI
import NodeHost
import PodLifecycle
import Protobuf
import RPCInterface
import Scalars

/// Takes one pod through its life: runs it, ends it, cleans up after it.
///
/// A worker does one thing at a time and is woken by whatever may change what is to be done: the
/// pod's spec, the runtime, a probe, a pause that is over. It never polls.
///
/// Source: upstream `pkg/kubelet/pod_workers.go`.
actor PodWorker {
    enum Phase: Sendable {
        /// The pod is to run.
        case syncing
        /// Its containers are being ended.
        case terminating
        /// Nothing of it runs any more; its record is kept until it is forgotten.
        case terminated
    }

    /// How a pod is ended.
    struct Ending: Sendable {
        /// Seconds; nil for the pod's own.
        var grace: Int64?
        /// Why the kubelet ended it; nil when the API server did, or it ended itself.
        var reason: PodStatusBuilder.Ending?
    }

    let services: PodServices
    let uid: String
    var pod: CoreV1.Pod
    private(set) var phase = Phase.syncing
    private var ending: Ending?
    /// Whether nobody wants the pod any more.
    private var isForgotten = false
    private var isCleaned = false
    private let wakeup = Wakeup()
    private var step: Task<Duration?, Never>?
    /// By container: why the last attempt to start it failed.
    var failures: [String: PodStatusBuilder.StartFailure] = [:]
    /// Nil before the first step.
    var lastSync: ContinuousClock.Instant?
    /// Whether an event told that the pod waits for its network.
    var toldNetworkNotReady = false
    /// How up to date the volumes are whose content the kubelet writes.
    var refresh = VolumeRefresh()

    init(pod: CoreV1.Pod, services: PodServices) {
        self.pod = pod
        self.uid = pod.metadata.uid
        self.services = services
    }

    nonisolated func wake() { self.wakeup.wake() }

    /// Takes a newer form of the pod.
    func update(_ pod: CoreV1.Pod) {
        let hadGrace = self.pod.metadata.deletionGracePeriodSeconds
        if pod.metadata.labels != self.pod.metadata.labels
            || pod.metadata.annotations != self.pod.metadata.annotations
        {
            self.refresh.isStale = true
        }
        self.pod = pod
        if pod.isDeleted, self.phase == .syncing {
            self.end(Ending())
        } else if pod.isDeleted, let grace = pod.metadata.deletionGracePeriodSeconds,
            let hadGrace, grace < hadGrace, self.phase == .terminating
        {
            // Less time than it was given first.
            self.step?.cancel()
        }
        self.wake()
    }

    /// What a volume is made from has changed.
    func refreshVolumes() {
        self.refresh.isStale = true
        self.wake()
    }

    /// Ends the pod.
    func end(_ ending: Ending) {
        guard self.phase == .syncing else { return }
        self.ending = ending
        self.phase = .terminating
        self.step?.cancel()
        self.wake()
    }

    /// Ends the pod, and its worker once nothing is left of it.
    func forget() {
        self.isForgotten = true
        self.end(Ending())
        self.wake()
    }

    /// Whether the pod's resources on the node are free again.
    var isFinished: Bool { self.phase == .terminated }

    /// Runs until the pod is forgotten and nothing is left of it, or the task is cancelled; then
    /// its containers stay as they are.
    func run() async {
        while !Task.isCancelled {
            let pause = await self.runStep()
            if self.phase == .terminated, self.isForgotten, self.isCleaned { return }
            await self.wakeup.wait(for: pause)
        }
        self.step?.cancel()
    }

    private func runStep() async -> Duration? {
        let task = Task { () -> Duration? in
            switch self.phase {
            case .syncing: return await self.sync()
            case .terminating: return await self.terminate()
            case .terminated: return await self.clean()
            }
        }
        self.step = task
        return await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
    }

    // MARK: - Ending

    /// Ends every container; afterwards the phase is `terminated`, or the step is to be repeated.
    private func terminate() async -> Duration? {
        let services = self.services
        self.report(services.observer.known(self.uid), isTerminal: false)
        guard let runtime = try? await services.observer.refresh(self.uid) else {
            return .seconds(1)
        }
        services.probes.stop(uid: self.uid, containers: [])
        await self.kill(runtime, grace: self.grace)
        guard let left = try? await services.observer.refresh(self.uid), left.isStopped else {
            return .seconds(1)
        }
        self.report(left, isTerminal: true)
        self.phase = .terminated
        return .zero
    }

    /// Seconds that containers have, from the kubelet's reason, the deletion, or the spec.
    private var grace: Int64 {
        if let grace = self.ending?.grace { return max(grace, 1) }
        if let grace = self.pod.metadata.deletionGracePeriodSeconds { return max(grace, 1) }
        return max(self.pod.spec.terminationGracePeriodSeconds ?? 30, 1)
    }

    /// Frees what the pod holds; when it is forgotten, also what tells of it.
    private func clean() async -> Duration? {
        let services = self.services
        let runtime = services.observer.known(self.uid)
        if !self.isCleaned {
            let uid = self.uid
            do throws(HostError) {
                try await HostThreads.run { () throws(HostError) in
                    try services.remains.removeFiles(uid)
                }
            } catch {
                services.events.warning(
                    self.pod,
                    "",
                    "FailedKillPod",
                    "error cleaning up the pod's volumes: \(error)"
                )
                return .seconds(2)
            }
            if let cgroups = services.cgroups {
                let pod = self.pod
                let isGone = await HostThreads.run { cgroups.remove(pod) }
                if !isGone { return .milliseconds(200) }
            }
            services.volumes.tokens?.forget(uid: self.uid)
            services.volumes.references?.forget(uid: self.uid)
            self.isCleaned = true
            self.report(runtime, isTerminal: true, isFinished: true)
        }
        guard self.isForgotten else { return nil }
        guard await self.removeRecords() else { return .seconds(1) }
        return .zero
    }

    /// Removes dead containers, logs, sandboxes, and last of all the record that there was a pod.
    private func removeRecords() async -> Bool {
        let services = self.services
        guard let runtime = try? await services.observer.refresh(self.uid) else { return false }
        for container in runtime.containers {
            try? await services.client.removeContainer(container.id)
        }
        let logs = PodPaths(self.pod, services.settings).logs
        let links = services.settings.containerLogsDirectory
        let uid = self.uid
        let areLogsGone = await HostThreads.run {
            defer { ContainerLogLinks.removeOrphans(in: links) }
            return (try? HostFiles.removeTree(logs)) != nil
        }
        for sandbox in runtime.sandboxes {
            do throws(RPCError) {
                try await services.client.stopSandbox(sandbox.id)
                try await services.client.removeSandbox(sandbox.id)
            } catch {
                guard error.isNotFound else { return false }
            }
        }
        _ = try? await services.observer.refresh(self.uid)
        // What cannot be removed now is tried again with all else that is left of pods.
        if areLogsGone { await HostThreads.run { try? services.remains.forget(uid) } }
        services.probes.stop(uid: self.uid, containers: runtime.containers.map(\.id))
        services.crashes.forget(uid: self.uid)
        services.statuses.remove(self.uid)
        return true
    }

    // MARK: - Status

    /// Makes the pod's status and puts it on the board.
    @discardableResult
    func report(
        _ runtime: PodRuntimeState,
        isTerminal: Bool,
        isFinished: Bool = false
    ) -> CoreV1.PodStatus {
        let services = self.services
        var builder = PodStatusBuilder(
            pod: self.pod,
            runtime: runtime,
            previous: services.statuses.entry(self.uid)?.status ?? self.pod.status,
            now: WallClock.timestamp
        )
        builder.probes = services.probes.results
        builder.failures = self.failures
        builder.hostAddresses = services.host.addresses
        builder.ending = self.ending?.reason
        builder.isTerminal = isTerminal
        let status = builder.status()
        services.statuses.set(self.pod, status, isFinished: isFinished)
        return status
    }
}
