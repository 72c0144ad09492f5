// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import Clocks
import EventRecording
import JSON
import KubernetesAPI
import Logging
import ObjectModel
import Protobuf
import RPCInterface
import ResourceClient
import Scheduler

/// Carries out decisions: bindings, conditions, evictions and events.
///
/// Writes go over one pipelined stream: a thousand bindings may be under way without waiting for
/// each other.
struct SchedulerWriter: Sendable {
    let writer: PipelinedWriter
    let pods: Client<CoreV1.Pod>
    let volumes: VolumeWriter
    /// By the name of the profile.
    let recorders: [String: EventRecorder]
    /// How long claims may take to be bound, by the name of the profile.
    let bindTimeouts: [String: Duration]
    let clock: any ComponentClock
    let inbox: SchedulerInbox
    let logger: Logger

    init(
        channel: any RPCChannel,
        profiles: [Profile],
        clock: any ComponentClock,
        inbox: SchedulerInbox,
        logger: Logger
    ) {
        self.writer = PipelinedWriter(channel)
        self.pods = Client(channel, fieldManager: "kube-scheduler")
        self.volumes = VolumeWriter(channel, clock)
        self.recorders = Dictionary(
            profiles.map { profile in
                let recorder = EventRecorder(
                    component: profile.name,
                    channel: channel,
                    clock: clock
                )
                return (profile.name, recorder)
            },
            uniquingKeysWith: { first, _ in first }
        )
        self.bindTimeouts = Dictionary(
            profiles.map { ($0.name, $0.bindTimeout) },
            uniquingKeysWith: { first, _ in first }
        )
        self.clock = clock
        self.inbox = inbox
        self.logger = logger
    }

    /// Sends writes and events until the task is cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.writer.run() }
            for recorder in self.recorders.values { group.addTask { await recorder.run() } }
        }
    }

    /// Binds a pod to a node and says so; before, its claims get their volumes.
    ///
    /// - Returns: whether the pod has the node.
    func bind(_ pod: CoreV1.Pod, _ node: String, _ plan: VolumePlan?) async -> Bool {
        let metadata = pod.metadata
        if let plan {
            do throws(StatusError) {
                try await self.volumes.carryOut(plan, node, timeout: self.timeout(pod))
            } catch {
                let message = "running PreBind plugin \"VolumeBinding\": \(error.message)"
                await self.bindingFailed(pod, BindingFailure(message: message, isGone: false))
                return false
            }
        }
        do throws(StatusError) {
            _ = try await self.writer.write(.create(self.binding(of: pod, node)))
        } catch {
            let isBound = Self.leavesDoubt(error) ? await self.isBound(pod, node) : false
            guard isBound else {
                let message = "running Bind plugin \"DefaultBinder\": \(error.message)"
                await self.bindingFailed(
                    pod,
                    BindingFailure(message: message, isGone: error.isNotFound)
                )
                return false
            }
        }
        self.inbox.put(.bound(uid: metadata.uid, failure: nil))
        self.record(
            .normal,
            "Scheduled",
            "Successfully assigned \(metadata.namespace)/\(metadata.name) to \(node)",
            pod
        )
        return true
    }

    private func binding(of pod: CoreV1.Pod, _ node: String) -> ApusResource.CreateRequest {
        let metadata = pod.metadata
        let binding = CoreV1.Binding.with {
            $0.metadata.namespace = metadata.namespace
            $0.metadata.name = metadata.name
            $0.metadata.uid = metadata.uid
            $0.target.kind = "Node"
            $0.target.name = node
        }
        return self.pods.createRequest(
            "binding",
            of: metadata.name,
            in: metadata.namespace,
            binding
        )
    }

    /// How long to wait before the server is asked again.
    private static let doubtInterval: Duration = .milliseconds(500)

    /// Whether a write that failed so may have been done all the same.
    private static func leavesDoubt(_ error: StatusError) -> Bool {
        switch error.reason {
        case .timeout, .serverTimeout, .serviceUnavailable, .internalError: true
        default: false
        }
    }

    /// Whether a pod has the node, after an answer that leaves it open. Asks until it is known:
    /// until then the room on the node must be given to nobody else.
    private func isBound(_ pod: CoreV1.Pod, _ node: String) async -> Bool {
        while !Task.isCancelled {
            do throws(StatusError) {
                let now = try await self.pods.get(
                    pod.metadata.name,
                    in: pod.metadata.namespace
                )
                return now.metadata.uid == pod.metadata.uid && now.spec.nodeName == node
            } catch {
                guard Self.leavesDoubt(error) else { return false }
                await self.clock.sleep(for: Self.doubtInterval)
            }
        }
        return false
    }

    private func timeout(_ pod: CoreV1.Pod) -> Duration {
        self.bindTimeouts[pod.spec.schedulerName] ?? .seconds(600)
    }

    private func bindingFailed(_ pod: CoreV1.Pod, _ failure: BindingFailure) async {
        self.inbox.put(.bound(uid: pod.metadata.uid, failure: failure))
        if Task.isCancelled || failure.isGone { return }
        self.logger.error(
            "Failed to bind pod",
            metadata: ["pod": "\(pod.objectKey)", "err": "\(failure.message)"]
        )
        self.record(.warning, "FailedScheduling", failure.message, pod)
        await self.patch(
            pod,
            .init(
                type: "PodScheduled",
                status: "False",
                reason: "SchedulerError",
                message: failure.message
            ),
            nominatedNode: nil
        )
    }

    /// Says that there is no node for a pod, and makes room if that was decided.
    func refuse(_ refused: SchedulerCore.Refused) async {
        let pod = refused.pod.pod
        self.record(.warning, "FailedScheduling", refused.message, pod)
        await self.patch(
            pod,
            .init(
                type: "PodScheduled",
                status: "False",
                reason: "Unschedulable",
                message: refused.message
            ),
            nominatedNode: refused.nominatedNode
        )
        for displaced in refused.displaced {
            await self.patch(displaced.pod, nil, nominatedNode: "")
        }
        guard !refused.victims.isEmpty, let node = refused.nominatedNode else { return }
        await self.preempt(refused.victims.map(\.pod), for: pod, node)
    }

    private func preempt(_ victims: [CoreV1.Pod], for pod: CoreV1.Pod, _ node: String) async {
        let succeeded = await withTaskGroup(of: Bool.self) { group in
            for victim in victims {
                group.addTask { await self.evict(victim, for: pod, node) }
            }
            return await group.allSatisfy { $0 }
        }
        self.inbox.put(.preempted(uid: pod.metadata.uid, succeeded: succeeded))
    }

    /// Deletes a pod that is preempted.
    private func evict(_ victim: CoreV1.Pod, for pod: CoreV1.Pod, _ node: String) async -> Bool {
        await self.patch(
            victim,
            .init(
                type: "DisruptionTarget",
                status: "True",
                reason: "PreemptionByScheduler",
                message: "\(pod.spec.schedulerName): preempting to accommodate a higher priority "
                    + "pod"
            ),
            nominatedNode: nil
        )
        let request = self.pods.deleteRequest(
            victim.metadata.name,
            in: victim.metadata.namespace,
            DeleteOptions(uid: victim.metadata.uid)
        )
        do throws(StatusError) {
            _ = try await self.writer.write(.delete(request))
        } catch {
            // Gone already, or another pod by now: there is room.
            if error.isNotFound || error.isConflict { return true }
            self.logger.error(
                "Failed to preempt pod",
                metadata: ["pod": "\(victim.objectKey)", "err": "\(error.message)"]
            )
            return false
        }
        self.record(
            .normal,
            "Preempted",
            "Preempted by pod \(pod.metadata.uid) on node \(node)",
            victim,
            by: pod
        )
        return true
    }

    private func patch(
        _ pod: CoreV1.Pod,
        _ condition: PodStatusPatch.Condition?,
        nominatedNode: String?
    ) async {
        let patch = PodStatusPatch.patch(
            pod,
            condition,
            nominatedNode: nominatedNode,
            now: self.clock.now
        )
        guard let patch else { return }
        let request = self.pods.patchRequest(
            pod.metadata.name,
            in: pod.metadata.namespace,
            .strategic,
            patch,
            subresource: "status"
        )
        do throws(StatusError) {
            _ = try await self.writer.write(.patch(request))
        } catch {
            // A pod that is gone needs no status any more.
            if error.isNotFound || Task.isCancelled { return }
            self.logger.error(
                "Error updating pod",
                metadata: ["pod": "\(pod.objectKey)", "err": "\(error.message)"]
            )
        }
    }

    private func record(
        _ type: EventRecorder.EventType,
        _ reason: String,
        _ message: String,
        _ pod: CoreV1.Pod,
        by preemptor: CoreV1.Pod? = nil
    ) {
        let profile = (preemptor ?? pod).spec.schedulerName
        self.recorders[profile]?.record(type, reason, message, about: pod)
    }
}
