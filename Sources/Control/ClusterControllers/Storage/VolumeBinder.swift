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
import Selectors
import WorkQueues

/// Binds claims to volumes, and says what becomes of a volume whose claim is gone.
///
/// Watches: claims, volumes, StorageClasses. Writes: claims' and volumes' binding and phase; deletes
/// no storage: a volume to be deleted is its provisioner's. Promises: a volume is bound to one claim
/// by UID; the volume is written first, so that a crash between leaves it reserved.
package final class VolumeBinder: Controller {
    package static let name = "persistentvolume-binder-controller"
    private static let boundByController = "pv.kubernetes.io/bound-by-controller"
    private static let bindCompleted = "pv.kubernetes.io/bind-completed"
    private static let selectedNode = "volume.kubernetes.io/selected-node"
    private static let provisioner = "volume.kubernetes.io/storage-provisioner"

    private let context: ControllerContext
    private let loop: ReconcileLoop<ObjectKey>
    private let claims: Informer<CoreV1.PersistentVolumeClaim>
    private let volumes: Informer<CoreV1.PersistentVolume>
    private let classes: Informer<StorageV1.StorageClass>
    private let claimClient: Client<CoreV1.PersistentVolumeClaim>
    private let volumeClient: Client<CoreV1.PersistentVolume>

    package init(_ context: ControllerContext) {
        self.context = context
        self.loop = ReconcileLoop(Self.name, context)
        self.claims = context.informer(of: CoreV1.PersistentVolumeClaim.self)
        self.volumes = context.informer(of: CoreV1.PersistentVolume.self)
        self.classes = context.informer(of: StorageV1.StorageClass.self)
        self.claimClient = context.client()
        self.volumeClient = context.client()
        let queue = self.loop.queue
        let claims = self.claims
        claims.addHandler { event in
            queue.add(event.object.objectKey)
            if case .deleted(let claim, _) = event, !claim.spec.volumeName.isEmpty {
                queue.add(ObjectKey(name: claim.spec.volumeName))
            }
        }
        self.volumes.addHandler { event in
            let volume = event.object
            // Keys without a namespace are volumes.
            queue.add(volume.objectKey)
            if let reference = volume.spec.claimRef {
                queue.add(ObjectKey(namespace: reference.namespace, name: reference.name))
            } else {
                for claim in claims.list() where claim.spec.volumeName.isEmpty {
                    queue.add(claim.objectKey)
                }
            }
        }
    }

    package var isQuiet: Bool { self.loop.isQuiet }

    package func run() async {
        // One at a time: two claims must not take one volume.
        await self.loop.run(workers: 1) {
            await self.claims.waitForSync()
            await self.volumes.waitForSync()
            await self.classes.waitForSync()
        } _: { key in
            if key.namespace.isEmpty {
                try await self.reconcileVolume(key.name)
            } else {
                try await self.reconcileClaim(key)
            }
        }
    }

    // MARK: Claims

    private func reconcileClaim(_ key: ObjectKey) async throws(StatusError) {
        guard let claim = self.claims.get(key), claim.metadata.deletionTimestamp == nil else {
            return
        }
        if claim.metadata.annotations[Self.bindCompleted] != nil {
            return try await self.checkBound(claim)
        }
        if !claim.spec.volumeName.isEmpty {
            guard let volume = self.volumes.get(claim.spec.volumeName) else {
                return try await self.set(claim, phase: "Pending")
            }
            if let reference = volume.spec.claimRef,
                !VolumeMatch.isReserved(volume, for: claim)
            {
                throw .internalError(
                    "volume \(volume.metadata.name) is bound to \(reference.namespace)/\(reference.name)"
                )
            }
            return try await self.bind(claim, volume)
        }
        let name = claim.spec.storageClassName ?? ""
        let storageClass = self.classes.get(name)
        if storageClass?.volumeBindingMode == "WaitForFirstConsumer",
            claim.metadata.annotations[Self.selectedNode] == nil,
            !self.volumes.list().contains(where: { VolumeMatch.isReserved($0, for: claim) })
        {
            self.tell(
                claim,
                "WaitForFirstConsumer",
                "waiting for first consumer to be created before binding"
            )
            return try await self.set(claim, phase: "Pending")
        }
        if let volume = VolumeMatch.best(for: claim, among: self.volumes.list()) {
            return try await self.bind(claim, volume)
        }
        try await self.askProvisioner(claim, storageClass)
    }

    private func askProvisioner(
        _ claim: CoreV1.PersistentVolumeClaim,
        _ storageClass: StorageV1.StorageClass?
    ) async throws(StatusError) {
        guard let storageClass, storageClass.provisioner != "kubernetes.io/no-provisioner" else {
            self.tell(
                claim,
                "FailedBinding",
                "no persistent volumes available for this claim and no storage class is set"
            )
            return try await self.set(claim, phase: "Pending")
        }
        var claim = claim
        if claim.metadata.annotations[Self.provisioner] != storageClass.provisioner {
            claim.metadata.annotations[Self.provisioner] = storageClass.provisioner
            claim = try await self.claimClient.update(claim)
        }
        self.tell(
            claim,
            "ExternalProvisioning",
            "Waiting for a volume to be created either by the external provisioner"
                + " '\(storageClass.provisioner)' or manually by the system administrator. If volume"
                + " creation is delayed, please verify that the provisioner is running and correctly"
                + " registered."
        )
        try await self.set(claim, phase: "Pending")
    }

    private func tell(_ claim: CoreV1.PersistentVolumeClaim, _ reason: String, _ message: String) {
        self.context.recorder.record(.normal, reason, message, about: claim)
    }

    private func set(
        _ claim: CoreV1.PersistentVolumeClaim,
        phase: String
    ) async throws(StatusError) {
        guard claim.status.phase != phase else { return }
        var claim = claim
        claim.status.phase = phase
        _ = try await self.claimClient.updateStatus(claim)
    }

    private func bind(
        _ claim: CoreV1.PersistentVolumeClaim,
        _ volume: CoreV1.PersistentVolume
    ) async throws(StatusError) {
        var volume = volume
        if volume.spec.claimRef?.uid != claim.metadata.uid {
            if volume.spec.claimRef == nil {
                volume.metadata.annotations[Self.boundByController] = "yes"
            }
            volume.spec.claimRef = CoreV1.ObjectReference.with {
                $0.apiVersion = "v1"
                $0.kind = "PersistentVolumeClaim"
                $0.namespace = claim.metadata.namespace
                $0.name = claim.metadata.name
                $0.uid = claim.metadata.uid
                $0.resourceVersion = claim.metadata.resourceVersion
            }
            volume = try await self.volumeClient.update(volume)
        }
        volume = try await self.set(volume, phase: "Bound")
        var claim = claim
        if claim.spec.volumeName.isEmpty {
            claim.metadata.annotations[Self.boundByController] = "yes"
        }
        claim.spec.volumeName = volume.metadata.name
        claim.metadata.annotations[Self.bindCompleted] = "yes"
        claim = try await self.claimClient.update(claim)
        claim.status.phase = "Bound"
        claim.status.accessModes = volume.spec.accessModes
        claim.status.capacity = volume.spec.capacity
        _ = try await self.claimClient.updateStatus(claim)
    }

    private func checkBound(_ claim: CoreV1.PersistentVolumeClaim) async throws(StatusError) {
        guard let volume = self.volumes.get(claim.spec.volumeName),
            VolumeMatch.isReserved(volume, for: claim)
        else {
            if claim.status.phase != "Lost" {
                self.context.recorder.record(
                    .warning,
                    "ClaimLost",
                    "Bound claim has lost its PersistentVolume. Data on the volume is lost!",
                    about: claim
                )
            }
            return try await self.set(claim, phase: "Lost")
        }
        // A run that stopped half way is brought to its end.
        if claim.status.phase != "Bound" || volume.status.phase != "Bound" {
            try await self.bind(claim, volume)
        }
    }

    // MARK: Volumes

    private func set(
        _ volume: CoreV1.PersistentVolume,
        phase: String
    ) async throws(StatusError) -> CoreV1.PersistentVolume {
        guard volume.status.phase != phase else { return volume }
        var volume = volume
        volume.status.phase = phase
        volume.status.message = ""
        volume.status.lastPhaseTransitionTime = MetaV1.Time(self.context.clock.now)
        return try await self.volumeClient.updateStatus(volume)
    }

    private func reconcileVolume(_ name: String) async throws(StatusError) {
        guard let volume = self.volumes.get(name) else { return }
        guard let reference = volume.spec.claimRef else {
            _ = try await self.set(volume, phase: "Available")
            return
        }
        // Reserved, but for nobody in particular yet.
        if reference.uid.isEmpty {
            _ = try await self.set(volume, phase: "Available")
            return
        }
        let claim = self.claims.get(reference.name, in: reference.namespace)
        if let claim, claim.metadata.uid == reference.uid { return }
        do throws(StatusError) {
            let live = try await self.claimClient.get(reference.name, in: reference.namespace)
            if live.metadata.uid == reference.uid { return }
        } catch {
            guard error.isNotFound else { throw error }
        }
        _ = try await self.set(volume, phase: "Released")
    }
}
