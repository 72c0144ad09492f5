// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import Clocks
package import ControllerKit
import EventRecording
import Informers
import JSON
import KubernetesAPI
import Metrics
import ObjectModel
import Protobuf
import ResourceClient
import Scalars
import WorkQueues

/// Deletes pods from nodes whose `NoExecute` taints they do not tolerate, or not for so long.
///
/// Watches: nodes, pods. Writes: pods (their DisruptionTarget condition, delete). Promises: a pod
/// leaves when its toleration ends, and stays when the taint is taken away before.
package final class TaintEvictionController: Controller {
    package static let name = "taint-eviction-controller"

    private let context: ControllerContext
    private let loop: ReconcileLoop<ObjectKey>
    private let nodes: Informer<CoreV1.Node>
    private let pods: Informer<CoreV1.Pod>
    private let client: Client<CoreV1.Pod>

    package init(_ context: ControllerContext) {
        self.context = context
        self.loop = ReconcileLoop(Self.name, context)
        self.nodes = context.informer(of: CoreV1.Node.self)
        self.pods = context.informer(of: CoreV1.Pod.self)
        self.pods.addIndex("node") { $0.spec.nodeName.isEmpty ? [] : [$0.spec.nodeName] }
        self.client = context.client()
        let queue = self.loop.queue
        let (nodes, pods) = (self.nodes, self.pods)
        nodes.addHandler { event in
            if case .deleted = event { return }
            if case .updated(let old, let new) = event, old.spec.taints == new.spec.taints {
                return
            }
            if case .added(let node) = event, node.spec.taints.isEmpty { return }
            for pod in pods.list(index: "node", event.object.metadata.name) {
                queue.add(pod.objectKey)
            }
        }
        pods.addHandler { event in
            switch event {
            case .deleted: return
            case .updated(let old, let new):
                guard
                    old.spec.nodeName != new.spec.nodeName
                        || old.spec.tolerations != new.spec.tolerations
                else { return }
            case .added: break
            }
            let name = event.object.spec.nodeName
            guard !name.isEmpty, nodes.get(name)?.spec.taints.isEmpty == false else { return }
            queue.add(event.object.objectKey)
        }
    }

    package var isQuiet: Bool { self.loop.isQuiet }

    package func run() async {
        await self.loop.run(workers: 8) {
            await self.nodes.waitForSync()
            await self.pods.waitForSync()
        } _: { key in
            try await self.reconcile(key)
        }
    }

    private func reconcile(_ key: ObjectKey) async throws(StatusError) {
        guard let pod = self.pods.get(key), pod.metadata.deletionTimestamp == nil,
            let node = self.nodes.get(pod.spec.nodeName)
        else { return }
        let now = self.context.clock.now
        let due: Timestamp
        switch EvictionTime.of(pod, taints: Array(node.spec.taints), now: now) {
        case .never: return
        case .at(let time):
            let left = time.since(now)
            if left > .zero { return self.loop.queue.add(key, after: left) }
            due = time
        }
        self.context.recorder.record(
            .normal,
            "TaintManagerEviction",
            "Marking for deletion Pod \(key)",
            about: pod
        )
        try await self.client.evict(
            pod,
            reason: "DeletionByTaintManager",
            message: "Taint manager: deleting due to NoExecute taint",
            now: now
        )
        let counts = self.context.counts?.taintEviction
        counts?.deletions.increment()
        counts?.latency.observe(self.context.clock.now.since(due))
    }
}

extension Client<CoreV1.Pod> {
    /// Says why a pod goes, then deletes it.
    ///
    /// - Parameters:
    ///   - fails: the pod ends as failed, as nobody else is there to say so.
    ///   - isForced: without waiting for its end.
    func evict(
        _ pod: CoreV1.Pod,
        reason: String,
        message: String,
        now: Timestamp,
        fails: Bool = false,
        isForced: Bool = false
    ) async throws(StatusError) {
        do throws(StatusError) {
            if pod.condition("DisruptionTarget")?.reason != reason {
                try await self.markDisrupted(pod, reason, message, now, fails: fails)
            }
            try await self.delete(
                pod.metadata.name,
                in: pod.metadata.namespace,
                DeleteOptions(gracePeriodSeconds: isForced ? 0 : nil, uid: pod.metadata.uid)
            )
        } catch {
            if error.isNotFound { return }
            throw error
        }
    }

    /// A patch, as that is what pod garbage collection may do.
    private func markDisrupted(
        _ pod: CoreV1.Pod,
        _ reason: String,
        _ message: String,
        _ now: Timestamp,
        fails: Bool
    ) async throws(StatusError) {
        var status = pod.status
        status.conditions.removeAll { $0.type == "DisruptionTarget" }
        status.conditions.append(
            CoreV1.PodCondition.with {
                $0.type = "DisruptionTarget"
                $0.status = "True"
                $0.reason = reason
                $0.message = message
                $0.lastTransitionTime = MetaV1.Time(now)
                $0.observedGeneration = pod.metadata.generation
            }
        )
        let tree: DynamicValue
        do throws(JSONEncodingError) {
            tree = try DynamicValue(status)
        } catch {
            throw .internalError("a pod's status cannot be encoded: \(error)")
        }
        var change: DynamicValue = ["conditions": tree["conditions"] ?? .emptyList]
        if fails, !pod.isTerminal { change["phase"] = "Failed" }
        _ = try await self.patch(
            pod.metadata.name,
            in: pod.metadata.namespace,
            .merge,
            [
                "metadata": [
                    "uid": DynamicValue(pod.metadata.uid),
                    "resourceVersion": DynamicValue(pod.metadata.resourceVersion),
                ],
                "status": change,
            ],
            subresource: "status"
        )
    }
}
