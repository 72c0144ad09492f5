// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import Clocks
package import ControllerKit
import EventRecording
import Informers
import JSON
import KubernetesAPI
import ObjectModel
import Protobuf
import ResourceClient
import Scalars
import Selectors
import WorkQueues

/// Keeps pods with names and storage of their own.
///
/// Watches: StatefulSets, pods, claims, ControllerRevisions. Writes: pods, claims,
/// ControllerRevisions, StatefulSets' status. Promises: one pod for each ordinal, as their names are
/// given; with OrderedReady none before the one below it is available.
package final class StatefulSetController: Controller {
    package static let name = "statefulset-controller"
    private static let hashLabel = "controller.kubernetes.io/hash"

    private let context: ControllerContext
    private let loop: ReconcileLoop<ObjectKey>
    private let sets: Informer<AppsV1.StatefulSet>
    private let pods: OwnedObjects<CoreV1.Pod>
    private let claims: Informer<CoreV1.PersistentVolumeClaim>
    private let revisions: OwnedObjects<AppsV1.ControllerRevision>
    private let client: Client<AppsV1.StatefulSet>
    private let claimClient: Client<CoreV1.PersistentVolumeClaim>
    private let podControl: PodControl
    private let history: RevisionHistory
    private let ownership: Ownership<AppsV1.StatefulSet, CoreV1.Pod>
    private let barrier = WriteBarrier<ObjectKey>()
    private let setBarrier = WriteBarrier<ObjectKey>()
    private let revisionBarrier = WriteBarrier<ObjectKey>()

    package init(_ context: ControllerContext) {
        self.context = context
        self.loop = ReconcileLoop(Self.name, context)
        self.sets = context.informer(of: AppsV1.StatefulSet.self)
        self.pods = OwnedObjects(context.informer(of: CoreV1.Pod.self))
        self.claims = context.informer(of: CoreV1.PersistentVolumeClaim.self)
        self.revisions = OwnedObjects(context.informer(of: AppsV1.ControllerRevision.self))
        self.client = context.client()
        self.claimClient = context.client()
        self.podControl = PodControl(context)
        self.history = RevisionHistory(context)
        self.ownership = Ownership(owners: self.client, objects: self.podControl.client)
        let queue = self.loop.queue
        let sets = self.sets
        context.counts?.statefulSets.read { sets.list() }
        sets.addHandler { queue.add($0.object.objectKey) }
        self.pods.informer.addHandler { event in
            let metadata = event.object.metadata
            if let owner = metadata.controller {
                guard owner.kind == "StatefulSet" else { return }
                queue.add(ObjectKey(namespace: metadata.namespace, name: owner.name))
            } else {
                for set in sets.list(in: metadata.namespace)
                where LabelSelector(set.spec.selector).matches(metadata) {
                    queue.add(set.objectKey)
                }
            }
        }
    }

    package var isQuiet: Bool { self.loop.isQuiet }

    package func run() async {
        await self.loop.run(workers: 5) {
            await self.sets.waitForSync()
            await self.pods.informer.waitForSync()
            await self.claims.waitForSync()
            await self.revisions.informer.waitForSync()
        } _: { key in
            try await self.reconcile(key)
        }
    }

    // MARK: Work

    private func reconcile(_ key: ObjectKey) async throws(StatusError) {
        guard let set = self.sets.get(key) else {
            self.barrier.forget(key)
            self.setBarrier.forget(key)
            self.revisionBarrier.forget(key)
            return
        }
        let queue = self.loop.queue
        let again: @Sendable () -> Void = { queue.add(key) }
        guard self.barrier.isReached(key, by: self.pods.informer, again),
            self.setBarrier.isReached(key, by: self.sets, again),
            self.revisionBarrier.isReached(key, by: self.revisions.informer, again)
        else { return }
        let selector = LabelSelector(set.spec.selector)
        if selector.isEmpty { return }
        let pods = try await self.ownership.claim(
            set,
            selector,
            owned: self.pods.owned(by: set.metadata.uid),
            orphans: self.pods.orphans(in: key.namespace),
            canAdopt: { StatefulPod.ordinal($0, of: set) != nil }
        )
        let revisions = self.revisions.owned(by: set.metadata.uid)
        guard let update = try await self.updateRevision(set, revisions) else { return }
        let current =
            revisions.first { $0.metadata.name == set.status.currentRevision } ?? update
        let plan = StatefulSetPlan(
            set,
            pods: pods,
            current: current.metadata.name,
            update: update.metadata.name,
            now: self.context.clock.now
        )
        if let next = plan.nextCheck { queue.add(key, after: next) }
        try await self.carryOut(plan, set, current, update, key)
        try await self.retainClaims(set, key)
        let used = Set(pods.compactMap { $0.metadata.labels[StatefulPod.revisionLabel] })
        try await self.history.truncate(
            revisions,
            inUse: used.union([current.metadata.name, update.metadata.name]),
            limit: Int(set.spec.revisionHistoryLimit ?? 10)
        )
    }

    private func updateRevision(
        _ set: AppsV1.StatefulSet,
        _ revisions: [AppsV1.ControllerRevision]
    ) async throws(StatusError) -> AppsV1.ControllerRevision? {
        let wanted = try RevisionHistory.make(
            set,
            set.spec.template,
            hashLabel: Self.hashLabel,
            collisions: set.status.collisionCount
        )
        if let found = try await self.history.current(wanted, among: revisions) {
            if !revisions.contains(found) {
                self.revisionBarrier.wrote(set.objectKey, found.metadata.resourceVersion)
            }
            return found
        }
        var set = set
        set.status.collisionCount = (set.status.collisionCount ?? 0) + 1
        try await self.write(set)
        return nil
    }

    private func write(_ set: AppsV1.StatefulSet) async throws(StatusError) {
        let stored = try await self.client.updateStatus(set)
        self.setBarrier.wrote(stored.objectKey, stored.metadata.resourceVersion)
    }

    private func carryOut(
        _ plan: StatefulSetPlan,
        _ set: AppsV1.StatefulSet,
        _ current: AppsV1.ControllerRevision,
        _ update: AppsV1.ControllerRevision,
        _ key: ObjectKey
    ) async throws(StatusError) {
        for pod in plan.deletions {
            if pod.isTerminal { self.tellEnded(pod, set) }
            try await self.delete(pod, of: set)
        }
        for ordinal in plan.missingClaims { try await self.makeClaims(set, ordinal) }
        for creation in plan.creations {
            let revision = creation.isUpdated ? update : current
            let template =
                creation.isUpdated
                ? set.spec.template : RevisionHistory.template(of: current) ?? set.spec.template
            try await self.makeClaims(set, creation.ordinal)
            let pod = StatefulPod.pod(
                set,
                template,
                ordinal: creation.ordinal,
                revision: revision.metadata.name
            )
            try await self.create(pod, of: set, key)
        }
        if plan.status != set.status {
            var set = set
            set.status = plan.status
            try await self.write(set)
        }
    }

    private func create(
        _ pod: CoreV1.Pod,
        of set: AppsV1.StatefulSet,
        _ key: ObjectKey
    ) async throws(StatusError) {
        let name = pod.metadata.name
        do throws(StatusError) {
            let created = try await self.podControl.client.create(pod)
            self.barrier.wrote(key, created.metadata.resourceVersion)
            self.tell(
                set,
                .normal,
                "SuccessfulCreate",
                "create Pod \(name) in StatefulSet"
                    + " \(set.metadata.name) successful"
            )
        } catch {
            // The cache is behind; the pod's event will come.
            if error.isAlreadyExists || error.isNamespaceTerminating { return }
            self.tell(
                set,
                .warning,
                "FailedCreate",
                "create Pod \(name) in StatefulSet"
                    + " \(set.metadata.name) failed error: \(error.message)"
            )
            throw error
        }
    }

    private func delete(_ pod: CoreV1.Pod, of set: AppsV1.StatefulSet) async throws(StatusError) {
        let name = pod.metadata.name
        do throws(StatusError) {
            try await self.podControl.client.delete(
                name,
                in: pod.metadata.namespace,
                DeleteOptions(uid: pod.metadata.uid)
            )
            self.tell(
                set,
                .normal,
                "SuccessfulDelete",
                "delete Pod \(name) in StatefulSet"
                    + " \(set.metadata.name) successful"
            )
        } catch {
            if error.isNotFound || error.isConflict { return }
            self.tell(
                set,
                .warning,
                "FailedDelete",
                "delete Pod \(name) in StatefulSet"
                    + " \(set.metadata.name) failed error: \(error.message)"
            )
            throw error
        }
    }

    private func tellEnded(_ pod: CoreV1.Pod, _ set: AppsV1.StatefulSet) {
        let isFailed = pod.status.phase == "Failed"
        self.tell(
            set,
            isFailed ? .warning : .normal,
            isFailed ? "RecreatingFailedPod" : "RecreatingTerminatedPod",
            "StatefulSet \(set.objectKey) is recreating"
                + " \(isFailed ? "failed" : "terminated") Pod \(pod.metadata.name)"
        )
    }

    private func tell(
        _ set: AppsV1.StatefulSet,
        _ type: EventRecorder.EventType,
        _ reason: String,
        _ message: String
    ) {
        self.context.recorder.record(type, reason, message, about: set)
    }

    // MARK: Claims

    private func makeClaims(_ set: AppsV1.StatefulSet, _ ordinal: Int) async throws(StatusError) {
        for claim in StatefulPod.claims(set, ordinal: ordinal) {
            guard self.claims.get(claim.objectKey) == nil else { continue }
            let name = claim.metadata.name
            do throws(StatusError) {
                _ = try await self.claimClient.create(claim)
                self.tell(
                    set,
                    .normal,
                    "SuccessfulCreate",
                    "create Claim \(name) Pod"
                        + " \(StatefulPod.name(set, ordinal)) in StatefulSet \(set.metadata.name) success"
                )
            } catch {
                if error.isAlreadyExists { continue }
                self.tell(
                    set,
                    .warning,
                    "FailedCreate",
                    "create Claim \(name) for Pod"
                        + " \(StatefulPod.name(set, ordinal)) in StatefulSet \(set.metadata.name)"
                        + " failed error: \(error.message)"
                )
                throw error
            }
        }
    }

    /// Makes claims go with the set, or with the pod that is scaled away, where that is wanted.
    private func retainClaims(
        _ set: AppsV1.StatefulSet,
        _ key: ObjectKey
    ) async throws(StatusError) {
        guard let policy = set.spec.persistentVolumeClaimRetentionPolicy,
            !set.spec.volumeClaimTemplates.isEmpty
        else { return }
        let start = Int(set.spec.ordinals?.start ?? 0)
        let end = start + Int(set.spec.replicas ?? 1)
        for pod in self.pods.owned(by: set.metadata.uid) {
            guard let ordinal = StatefulPod.ordinal(pod, of: set) else { continue }
            let isExcess = ordinal < start || ordinal >= end
            var wanted: MetaV1.OwnerReference?
            if isExcess, policy.whenScaled == "Delete" {
                wanted = .controller(pod)
            } else if policy.whenDeleted == "Delete" {
                wanted = .controller(set)
            }
            wanted?.controller = nil
            wanted?.blockOwnerDeletion = nil
            for template in set.spec.volumeClaimTemplates {
                let name = StatefulPod.claimName(set, template.metadata.name, ordinal)
                guard let claim = self.claims.get(name, in: key.namespace) else { continue }
                try await self.setOwner(claim, wanted, set)
            }
        }
    }

    private func setOwner(
        _ claim: CoreV1.PersistentVolumeClaim,
        _ wanted: MetaV1.OwnerReference?,
        _ set: AppsV1.StatefulSet
    ) async throws(StatusError) {
        var references = Array(claim.metadata.ownerReferences).filter { reference in
            !(reference.kind == "StatefulSet" && reference.name == set.metadata.name)
                && !(reference.kind == "Pod" && reference.name.hasPrefix("\(set.metadata.name)-"))
        }
        if let wanted { references.append(wanted) }
        guard references != Array(claim.metadata.ownerReferences) else { return }
        var claim = claim
        claim.metadata.ownerReferences = RepeatedField(references)
        _ = try await self.claimClient.update(claim)
    }
}
