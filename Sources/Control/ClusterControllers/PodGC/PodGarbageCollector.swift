// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
package import ControllerKit
import EventRecording
import Informers
import KubernetesAPI
import Metrics
import ObjectModel
import Protobuf
import ResourceClient
import Scalars
import Synchronization
import WorkQueues

/// Removes pods that nobody else will: of nodes that are gone, never scheduled and unwanted, and ended
/// ones beyond a number.
///
/// Watches: nodes, pods. Writes: pods (phase, DisruptionTarget condition, delete). Promises: a pod of
/// a node goes only when the server says that the node is gone.
package final class PodGarbageCollector: Controller {
    package static let name = "pod-garbage-collector-controller"
    /// How long a node must be gone; it may come back.
    private static let quarantine: Duration = .seconds(40)
    private static let outOfService = "node.kubernetes.io/out-of-service"

    private let context: ControllerContext
    private let loop: ReconcileLoop<ObjectKey>
    private let nodes: Informer<CoreV1.Node>
    private let pods: Informer<CoreV1.Pod>
    private let client: Client<CoreV1.Pod>
    private let nodeClient: Client<CoreV1.Node>
    private let threshold: Int
    /// Ended pods by when they were made.
    private let ended = Mutex<[ObjectKey: Timestamp]>([:])
    private let missingSince = Mutex<[String: Duration]>([:])

    package convenience init(_ context: ControllerContext) {
        self.init(context, threshold: 12500)
    }

    /// - Parameter threshold: ended pods that are kept; 0 keeps all.
    package init(_ context: ControllerContext, threshold: Int) {
        self.context = context
        self.loop = ReconcileLoop(Self.name, context)
        self.nodes = context.informer(of: CoreV1.Node.self)
        self.pods = context.informer(of: CoreV1.Pod.self)
        self.pods.addIndex("node") { $0.spec.nodeName.isEmpty ? [] : [$0.spec.nodeName] }
        self.client = context.client()
        self.nodeClient = context.client()
        self.threshold = threshold
        let queue = self.loop.queue
        let (nodes, pods) = (self.nodes, self.pods)
        pods.addHandler { [weak self] event in
            let pod = event.object
            let key = pod.objectKey
            self?.count(event, key)
            if case .deleted = event { return }
            let isUnscheduled = pod.spec.nodeName.isEmpty
            let isGoing = pod.metadata.deletionTimestamp != nil
            if isUnscheduled ? isGoing : nodes.get(pod.spec.nodeName) == nil || isGoing {
                queue.add(key)
            }
        }
        nodes.addHandler { [weak self] event in
            let node = event.object
            if case .deleted = event {
            } else {
                self?.missingSince.withLock { $0[node.metadata.name] = nil }
                guard node.spec.taints.contains(where: { $0.key == Self.outOfService }) else {
                    return
                }
            }
            for pod in pods.list(index: "node", node.metadata.name) { queue.add(pod.objectKey) }
        }
    }

    package var isQuiet: Bool { self.loop.isQuiet }

    package func run() async {
        await self.loop.run(workers: 4) {
            await self.nodes.waitForSync()
            await self.pods.waitForSync()
        } _: { key in
            try await self.reconcile(key)
        }
    }

    /// Counts ended pods, and picks the oldest when there are too many.
    private func count(_ event: InformerEvent<CoreV1.Pod>, _ key: ObjectKey) {
        guard self.threshold > 0 else { return }
        let pod = event.object
        let excess = self.ended.withLock { ended -> [ObjectKey] in
            if case .deleted = event {
                ended[key] = nil
                return []
            }
            guard pod.isTerminal else { return [] }
            ended[key] = pod.metadata.creationTimestamp.timestamp ?? .zero
            guard ended.count > self.threshold else { return [] }
            return ended.sorted { $0.value < $1.value }
                .prefix(ended.count - self.threshold).map(\.key)
        }
        for key in excess { self.loop.queue.add(key) }
    }

    private func reconcile(_ key: ObjectKey) async throws(StatusError) {
        guard let pod = self.pods.get(key) else { return }
        let now = self.context.clock.now
        if pod.isTerminal, self.isExcess(key) {
            return try await self.counting("terminated", pod) { () throws(StatusError) in
                try await self.remove(pod)
            }
        }
        guard !pod.spec.nodeName.isEmpty else {
            guard pod.metadata.deletionTimestamp != nil else { return }
            return try await self.counting("unscheduled", pod) { () throws(StatusError) in
                try await self.remove(pod)
            }
        }
        if let node = self.nodes.get(pod.spec.nodeName) {
            // Somebody has said that the node is down for good: nobody will end the pod.
            guard pod.metadata.deletionTimestamp != nil, node.readyStatus != "True",
                node.spec.taints.contains(where: { $0.key == Self.outOfService })
            else { return }
            return try await self.evict(pod, "out-of-service", "PodGC: node out-of-service", now)
        }
        guard try await self.isGone(pod.spec.nodeName, key) else { return }
        try await self.evict(pod, "orphaned", "PodGC: node no longer exists", now)
    }

    private func evict(
        _ pod: CoreV1.Pod,
        _ reason: String,
        _ message: String,
        _ now: Timestamp
    ) async throws(StatusError) {
        try await self.counting(reason, pod) { () throws(StatusError) in
            try await self.client.evict(
                pod,
                reason: "DeletionByPodGC",
                message: message,
                now: now,
                fails: true,
                isForced: true
            )
        }
    }

    /// Counts a deletion or its failure.
    private func counting(
        _ reason: String,
        _ pod: CoreV1.Pod,
        _ delete: () async throws(StatusError) -> Void
    ) async throws(StatusError) {
        let counts = self.context.counts?.podGarbage
        do throws(StatusError) {
            try await delete()
            counts?.deletions.with(pod.metadata.namespace, reason).increment()
        } catch {
            counts?.failures.with(pod.metadata.namespace, reason).increment()
            throw error
        }
    }

    private func isExcess(_ key: ObjectKey) -> Bool {
        self.ended.withLock { ended in
            guard self.threshold > 0, ended.count > self.threshold, let own = ended[key] else {
                return false
            }
            return ended.lazy.filter { $0.value < own }.count < ended.count - self.threshold
        }
    }

    /// Whether a node has been gone for long enough, and the server says so, too.
    private func isGone(_ name: String, _ key: ObjectKey) async throws(StatusError) -> Bool {
        let uptime = self.context.clock.uptime
        let since = self.missingSince.withLock { missing in
            if let since = missing[name] { return since }
            missing[name] = uptime
            return uptime
        }
        let left = since + Self.quarantine - uptime
        if left > .zero {
            self.loop.queue.add(key, after: left)
            return false
        }
        do throws(StatusError) {
            _ = try await self.nodeClient.get(name)
            return false
        } catch {
            if error.isNotFound { return true }
            throw error
        }
    }

    private func remove(_ pod: CoreV1.Pod) async throws(StatusError) {
        do throws(StatusError) {
            try await self.client.delete(
                pod.metadata.name,
                in: pod.metadata.namespace,
                DeleteOptions(gracePeriodSeconds: 0, uid: pod.metadata.uid)
            )
        } catch {
            if !error.isNotFound { throw error }
        }
    }
}
