// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
package import ControllerKit
import Informers
package import KubernetesAPI
import Metrics
import ObjectModel
import Protobuf
import ResourceClient
import Selectors
import Synchronization
import Tasks
import WorkQueues

package typealias ReplicaSetController = ReplicaController<AppsV1.ReplicaSet>
package typealias ReplicationControllerController = ReplicaController<CoreV1.ReplicationController>

/// Keeps the number of pods that each owner wants.
///
/// Watches: the owners, pods. Writes: pods (create, delete, adopt, release), the owners' status.
/// Promises: never more than the wanted number of active pods by its own doing.
package final class ReplicaController<Owner: ReplicaOwner>: Controller {
    package static var name: String { Owner.controllerName }

    /// How often a status is tried to be written in one go; upstream's number.
    private static var statusTries: Int { 2 }

    private let context: ControllerContext
    private let loop: ReconcileLoop<ObjectKey>
    private let owners: Informer<Owner>
    private let pods: OwnedObjects<CoreV1.Pod>
    /// The owners of an owner: the ReplicaSets of one Deployment.
    private let siblings: OwnedObjects<Owner>
    private let client: Client<Owner>
    private let podControl: PodControl
    private let ownership: Ownership<Owner, CoreV1.Pod>
    private let barrier = WriteBarrier<ObjectKey>()
    /// Keys whose last write may or may not have been done: the cache is not enough to go on.
    private let doubtful = Mutex<Set<ObjectKey>>([])

    package init(_ context: ControllerContext) {
        self.context = context
        self.loop = ReconcileLoop(Self.name, context)
        self.owners = context.informer(of: Owner.self)
        self.pods = OwnedObjects(context.informer(of: CoreV1.Pod.self))
        self.siblings = OwnedObjects(self.owners)
        self.client = context.client()
        self.podControl = PodControl(context)
        self.ownership = Ownership(owners: self.client, objects: self.podControl.client)
        let queue = self.loop.queue
        self.owners.addHandler { event in queue.add(event.object.objectKey) }
        let owners = self.owners
        self.pods.informer.addHandler { event in
            switch event {
            case .updated(let old, let new):
                Self.enqueue(old, owners, queue, isOrphanToo: false)
                Self.enqueue(new, owners, queue, isOrphanToo: Self.mayBeAdopted(old, new))
            case .added(let pod): Self.enqueue(pod, owners, queue, isOrphanToo: true)
            case .deleted(let pod, _): Self.enqueue(pod, owners, queue, isOrphanToo: false)
            }
        }
    }

    package var isQuiet: Bool { self.loop.isQuiet }

    package func run() async {
        await self.loop.run(workers: 5) {
            await self.owners.waitForSync()
            await self.pods.informer.waitForSync()
        } _: { key in
            try await self.reconcile(key)
        }
    }

    // MARK: Events

    private static func mayBeAdopted(_ old: CoreV1.Pod, _ new: CoreV1.Pod) -> Bool {
        old.metadata.labels != new.metadata.labels
            || old.metadata.ownerReferences != new.metadata.ownerReferences
    }

    private static func enqueue(
        _ pod: CoreV1.Pod,
        _ owners: Informer<Owner>,
        _ queue: WorkQueue<ObjectKey>,
        isOrphanToo: Bool
    ) {
        let metadata = pod.metadata
        if let controller = metadata.controller {
            let kind = ResourceName(of: Owner.self)
            guard controller.kind == kind.kind, controller.group == kind.group else { return }
            queue.add(ObjectKey(namespace: metadata.namespace, name: controller.name))
            return
        }
        guard isOrphanToo, metadata.deletionTimestamp == nil else { return }
        for owner in owners.list(in: metadata.namespace) where owner.podSelector.matches(metadata) {
            queue.add(owner.objectKey)
        }
    }

    // MARK: Work

    private func reconcile(_ key: ObjectKey) async throws(StatusError) {
        guard let owner = self.owners.get(key) else {
            self.barrier.forget(key)
            self.doubtful.withLock { _ = $0.remove(key) }
            return
        }
        let queue = self.loop.queue
        guard self.barrier.isReached(key, by: self.pods.informer, { queue.add(key) }) else {
            return
        }
        let pods = try await self.claim(owner, key)
        let now = self.context.clock.now
        let plan = ReplicaPlan(owner, pods: pods, related: self.related(owner, pods), now: now)
        var failure: (error: StatusError, isCreation: Bool)?
        if plan.creations > 0 {
            failure = await self.create(plan.creations, owner, key).map { ($0, true) }
        } else if !plan.deletions.isEmpty {
            if let counts = self.context.counts, Owner.self == AppsV1.ReplicaSet.self {
                for ratio in plan.deletionAgeRatios { counts.deletionAgeRatio.observe(ratio) }
            }
            failure = await self.delete(plan.deletions, owner, key).map { ($0, false) }
        }
        var status = plan.status
        status.setFailure(failure.map { ($0.error.message, $0.isCreation) }, now: now)
        try await self.write(status, owner)
        if let next = plan.nextCheck { queue.add(key, after: next) }
        if let failure, !failure.error.isNamespaceTerminating { throw failure.error }
    }

    /// The pods of an owner, from the cache or, when a write is in doubt, from the server.
    private func claim(_ owner: Owner, _ key: ObjectKey) async throws(StatusError) -> [CoreV1.Pod] {
        var owned = self.pods.owned(by: owner.metadata.uid)
        var orphans = self.pods.orphans(in: key.namespace)
        if self.doubtful.withLock({ $0.contains(key) }) {
            let live = try await self.podControl.client.list(in: key.namespace).items
            owned = live.filter { $0.metadata.isControlled(by: owner.metadata.uid) }
            orphans = live.filter { $0.metadata.controller == nil }
            for pod in owned { self.barrier.wrote(key, pod.metadata.resourceVersion) }
            self.doubtful.withLock { _ = $0.remove(key) }
        }
        return try await self.ownership.claim(
            owner,
            owner.podSelector,
            owned: owned,
            orphans: orphans,
            canAdopt: { !$0.isTerminal }
        )
    }

    /// Pods of the application that the owner is a part of.
    private func related(_ owner: Owner, _ pods: [CoreV1.Pod]) -> [CoreV1.Pod] {
        guard let above = owner.metadata.controller else { return pods }
        return self.siblings.owned(by: above.uid).flatMap { sibling in
            sibling.metadata.uid == owner.metadata.uid
                ? pods : self.pods.owned(by: sibling.metadata.uid)
        }
    }

    private func create(_ count: Int, _ owner: Owner, _ key: ObjectKey) async -> StatusError? {
        let pod = PodControl.pod(owner.podTemplate, of: owner)
        let (control, barrier) = (self.podControl, self.barrier)
        let result = await SlowStart.run(count) { _ throws(StatusError) in
            let created = try await control.create(pod, of: owner)
            barrier.wrote(key, created.metadata.resourceVersion)
        }
        if let failure = result.failure, failure.isDoubtful {
            self.doubtful.withLock { _ = $0.insert(key) }
        }
        return result.failure
    }

    private func delete(
        _ pods: [CoreV1.Pod],
        _ owner: Owner,
        _ key: ObjectKey
    ) async -> StatusError? {
        let (control, barrier) = (self.podControl, self.barrier)
        let failures = await pods.failuresOfEach { pod throws(StatusError) in
            barrier.wrote(key, try await control.delete(pod, of: owner))
        }
        if failures.contains(where: \.isDoubtful) { self.doubtful.withLock { _ = $0.insert(key) } }
        return failures.first
    }

    private func write(_ status: ReplicaStatus, _ owner: Owner) async throws(StatusError) {
        var owner = owner
        for attempt in 1...Self.statusTries {
            guard owner.replicaStatus != status else { return }
            owner.replicaStatus = status
            do throws(StatusError) {
                _ = try await self.client.updateStatus(owner)
                return
            } catch {
                if error.isNotFound { return }
                guard error.isConflict, attempt < Self.statusTries else { throw error }
                owner = try await self.client.get(owner.metadata.name, in: owner.metadata.namespace)
            }
        }
    }
}
