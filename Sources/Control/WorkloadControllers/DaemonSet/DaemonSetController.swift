// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
package import ControllerKit
import EventRecording
import Informers
import KubernetesAPI
import ObjectModel
import Protobuf
import ResourceClient
import Scalars
import Selectors
import Synchronization
import Tasks
import WorkQueues

/// Keeps one pod on every node that fits.
///
/// Watches: DaemonSets, nodes, pods, ControllerRevisions. Writes: pods, ControllerRevisions,
/// DaemonSets' status. Promises: during an update never more nodes without an available pod than
/// maxUnavailable, nor more with two than maxSurge, by its own doing.
package final class DaemonSetController: Controller {
    package static let name = "daemonset-controller"

    private let context: ControllerContext
    private let loop: ReconcileLoop<ObjectKey>
    private let sets: Informer<AppsV1.DaemonSet>
    private let nodes: Informer<CoreV1.Node>
    private let pods: OwnedObjects<CoreV1.Pod>
    private let revisions: OwnedObjects<AppsV1.ControllerRevision>
    private let client: Client<AppsV1.DaemonSet>
    private let podControl: PodControl
    private let history: RevisionHistory
    private let ownership: Ownership<AppsV1.DaemonSet, CoreV1.Pod>
    private let barrier = WriteBarrier<ObjectKey>()
    private let doubtful = Mutex<Set<ObjectKey>>([])
    /// Failures of daemon pods by node, so that what cannot run is not tried for ever at full speed.
    private let failures = Mutex<[ObjectKey: [String: (count: Int, until: Duration)]]>([:])

    package init(_ context: ControllerContext) {
        self.context = context
        self.loop = ReconcileLoop(Self.name, context)
        self.sets = context.informer(of: AppsV1.DaemonSet.self)
        self.nodes = context.informer(of: CoreV1.Node.self)
        self.pods = OwnedObjects(context.informer(of: CoreV1.Pod.self))
        self.revisions = OwnedObjects(context.informer(of: AppsV1.ControllerRevision.self))
        self.client = context.client()
        self.podControl = PodControl(context)
        self.history = RevisionHistory(context)
        self.ownership = Ownership(owners: self.client, objects: self.podControl.client)
        let queue = self.loop.queue
        let sets = self.sets
        sets.addHandler { queue.add($0.object.objectKey) }
        self.nodes.addHandler { event in
            if case .updated(let old, let new) = event, !Self.matters(old, new) { return }
            for set in sets.list() { queue.add(set.objectKey) }
        }
        self.pods.informer.addHandler { event in
            let metadata = event.object.metadata
            if let owner = metadata.controller {
                guard owner.kind == "DaemonSet" else { return }
                queue.add(ObjectKey(namespace: metadata.namespace, name: owner.name))
            } else {
                for set in sets.list(in: metadata.namespace)
                where LabelSelector(set.spec.selector).matches(metadata) {
                    queue.add(set.objectKey)
                }
            }
        }
        self.revisions.informer.addHandler { event in
            let metadata = event.object.metadata
            guard let owner = metadata.controller, owner.kind == "DaemonSet" else { return }
            queue.add(ObjectKey(namespace: metadata.namespace, name: owner.name))
        }
    }

    package var isQuiet: Bool { self.loop.isQuiet }

    package func run() async {
        await self.loop.run(workers: 2) {
            await self.sets.waitForSync()
            await self.nodes.waitForSync()
            await self.pods.informer.waitForSync()
            await self.revisions.informer.waitForSync()
        } _: { key in
            try await self.reconcile(key)
        }
    }

    /// Whether a node's change can change where pods belong: most are heartbeats.
    private static func matters(_ old: CoreV1.Node, _ new: CoreV1.Node) -> Bool {
        old.metadata.labels != new.metadata.labels || old.spec.taints != new.spec.taints
            || old.spec.unschedulable != new.spec.unschedulable
    }

    // MARK: Work

    private func reconcile(_ key: ObjectKey) async throws(StatusError) {
        guard let set = self.sets.get(key) else {
            self.barrier.forget(key)
            self.doubtful.withLock { _ = $0.remove(key) }
            self.failures.withLock { $0[key] = nil }
            return
        }
        let queue = self.loop.queue
        guard self.barrier.isReached(key, by: self.pods.informer, { queue.add(key) }) else {
            return
        }
        let selector = LabelSelector(set.spec.selector)
        if selector.isEmpty {
            self.context.recorder.record(
                .warning,
                "SelectingAll",
                "This daemon set is selecting all pods. A non-empty selector is required.",
                about: set
            )
            return
        }
        if set.metadata.deletionTimestamp != nil { return }
        let revisions = self.revisions.owned(by: set.metadata.uid)
        guard let current = try await self.currentRevision(set, revisions) else { return }
        let hash = current.metadata.labels[DaemonPod.hashLabel] ?? ""
        let pods = try await self.claim(set, selector, key)
        let plan = DaemonSetPlan(
            set,
            pods: pods,
            nodes: self.nodes.list(),
            hash: hash,
            now: self.context.clock.now
        )
        try await self.carryOut(plan, set, hash, key)
        let used = Set(pods.compactMap { $0.metadata.labels[DaemonPod.hashLabel] })
        let inUse = revisions.filter {
            used.contains($0.metadata.labels[DaemonPod.hashLabel] ?? "")
        }
        try await self.history.truncate(
            revisions,
            inUse: Set(inUse.map(\.metadata.name)).union([current.metadata.name]),
            limit: Int(set.spec.revisionHistoryLimit ?? 10)
        )
    }

    private func currentRevision(
        _ set: AppsV1.DaemonSet,
        _ revisions: [AppsV1.ControllerRevision]
    ) async throws(StatusError) -> AppsV1.ControllerRevision? {
        let wanted = try RevisionHistory.make(
            set,
            set.spec.template,
            hashLabel: DaemonPod.hashLabel,
            collisions: set.status.collisionCount
        )
        if let current = try await self.history.current(wanted, among: revisions) { return current }
        var set = set
        set.status.collisionCount = (set.status.collisionCount ?? 0) + 1
        _ = try await self.client.updateStatus(set)
        return nil
    }

    private func claim(
        _ set: AppsV1.DaemonSet,
        _ selector: LabelSelector,
        _ key: ObjectKey
    ) async throws(StatusError) -> [CoreV1.Pod] {
        var owned = self.pods.owned(by: set.metadata.uid)
        var orphans = self.pods.orphans(in: key.namespace)
        if self.doubtful.withLock({ $0.contains(key) }) {
            let live = try await self.podControl.client.list(in: key.namespace).items
            owned = live.filter { $0.metadata.isControlled(by: set.metadata.uid) }
            orphans = live.filter { $0.metadata.controller == nil }
            for pod in owned { self.barrier.wrote(key, pod.metadata.resourceVersion) }
            self.doubtful.withLock { _ = $0.remove(key) }
        }
        return try await self.ownership.claim(set, selector, owned: owned, orphans: orphans)
    }

    private func carryOut(
        _ plan: DaemonSetPlan,
        _ set: AppsV1.DaemonSet,
        _ hash: String,
        _ key: ObjectKey
    ) async throws(StatusError) {
        let (control, barrier) = (self.podControl, self.barrier)
        let deletions = self.deletable(plan, set, key)
        let deleting = await deletions.failuresOfEach { pod throws(StatusError) in
            barrier.wrote(key, try await control.delete(pod, of: set))
        }
        let creations = plan.creations
        let creating = await SlowStart.run(creations.count) { index throws(StatusError) in
            let pod = DaemonPod.pod(set, node: creations[index], hash: hash)
            let created = try await control.create(pod, of: set)
            barrier.wrote(key, created.metadata.resourceVersion)
        }
        if creating.failure?.isDoubtful == true || deleting.contains(where: \.isDoubtful) {
            self.doubtful.withLock { _ = $0.insert(key) }
        }
        if plan.status != set.status {
            var set = set
            set.status = plan.status
            _ = try await self.client.updateStatus(set)
        }
        if let next = plan.nextCheck { self.loop.queue.add(key, after: next) }
        if let failure = creating.failure ?? deleting.first, !failure.isNamespaceTerminating {
            throw failure
        }
    }

    /// Pods to delete now: ended ones wait longer each time that their node's pod ends.
    private func deletable(
        _ plan: DaemonSetPlan,
        _ set: AppsV1.DaemonSet,
        _ key: ObjectKey
    ) -> [CoreV1.Pod] {
        let uptime = self.context.clock.uptime
        var waiting: Set<String> = []
        for pod in plan.ended {
            let node = DaemonPod.node(of: pod)
            let place = "\(set.metadata.uid)/\(node)"
            let wait = self.failures.withLock { failures -> Duration in
                var record = failures[key]?[place] ?? (0, .zero)
                if uptime < record.until { return record.until - uptime }
                let pause = min(Duration.seconds(1 << min(record.count, 10)), .seconds(900))
                record = (record.count + 1, uptime + pause)
                failures[key, default: [:]][place] = record
                return .zero
            }
            if wait > .zero {
                waiting.insert(pod.metadata.uid)
                self.loop.queue.add(key, after: wait)
                continue
            }
            let isFailed = pod.status.phase == "Failed"
            let name = "\(pod.metadata.namespace)/\(pod.metadata.name)"
            self.context.recorder.record(
                isFailed ? .warning : .normal,
                isFailed ? "FailedDaemonPod" : "SucceededDaemonPod",
                "Found \(isFailed ? "failed" : "succeeded") daemon pod \(name) on node \(node),"
                    + " will try to \(isFailed ? "kill" : "delete") it",
                about: set
            )
        }
        return plan.deletions.filter { !waiting.contains($0.metadata.uid) }
    }
}
