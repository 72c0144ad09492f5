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
    /// The binding was ours, not the user's.
    static let boundByController = "pv.kubernetes.io/bound-by-controller"
    private static let bindCompleted = "pv.kubernetes.io/bind-completed"
    private static let selectedNode = "volume.kubernetes.io/selected-node"
    private static let provisioner = "volume.kubernetes.io/storage-provisioner"
    /// Names who made the volume for its claim.
    static let provisionedBy = "pv.kubernetes.io/provisioned-by"
    private static let noProvisioner = "kubernetes.io/no-provisioner"
    /// Volumes by the claim that they are reserved for.
    private static let index = "claim"

    let context: ControllerContext
    private let loop: ReconcileLoop<ObjectKey>
    let claims: Informer<CoreV1.PersistentVolumeClaim>
    let volumes: Informer<CoreV1.PersistentVolume>
    let classes: Informer<StorageV1.StorageClass>
    let claimClient: Client<CoreV1.PersistentVolumeClaim>
    let volumeClient: Client<CoreV1.PersistentVolume>

    package init(_ context: ControllerContext) {
        self.context = context
        self.loop = ReconcileLoop(Self.name, context)
        self.claims = context.informer(of: CoreV1.PersistentVolumeClaim.self)
        self.volumes = context.informer(of: CoreV1.PersistentVolume.self)
        self.classes = context.informer(of: StorageV1.StorageClass.self)
        self.claimClient = context.client()
        self.volumeClient = context.client()
        self.volumes.addIndex(Self.index) { volume in
            volume.spec.claimRef.map { ["\($0.namespace)/\($0.name)"] } ?? []
        }
        let queue = self.loop.queue
        let (claims, volumes) = (self.claims, self.volumes)
        context.counts?.volumes.read {
            VolumeMetrics.Reading(volumes: volumes.list(), claims: claims.list())
        }
        // Keys without a namespace are volumes.
        claims.addHandler { event in
            let key = event.object.objectKey
            queue.add(key)
            // A claim may go, or take another volume, before it ever named the one reserved for it.
            for volume in volumes.list(index: Self.index, "\(key.namespace)/\(key.name)") {
                queue.add(volume.objectKey)
            }
        }
        volumes.addHandler { event in
            let volume = event.object
            queue.add(volume.objectKey)
            if let reference = volume.spec.claimRef {
                queue.add(ObjectKey(namespace: reference.namespace, name: reference.name))
                return
            }
            for claim in claims.list()
            where claim.spec.volumeName.isEmpty || claim.spec.volumeName == volume.metadata.name {
                queue.add(claim.objectKey)
            }
        }
        // A claim may be older than its class, or than the one that is the default.
        self.classes.addHandler { event in
            if case .deleted = event { return }
            let name = event.object.metadata.name
            let isDefault = DefaultClass.isDefault(event.object)
            for claim in claims.list() where claim.spec.volumeName.isEmpty {
                guard let wanted = DefaultClass.name(of: claim) else {
                    if isDefault { queue.add(claim.objectKey) }
                    continue
                }
                if wanted == name { queue.add(claim.objectKey) }
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
        if !claim.spec.volumeName.isEmpty { return try await self.bindToNamed(claim) }
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
        // The claim's new version comes back as an event.
        if try await self.setDefaultClass(claim) { return }
        try await self.askProvisioner(claim, storageClass)
    }

    /// Binds a claim that names its volume itself.
    private func bindToNamed(_ claim: CoreV1.PersistentVolumeClaim) async throws(StatusError) {
        guard let volume = self.volumes.get(claim.spec.volumeName) else {
            return try await self.set(claim, phase: "Pending")
        }
        if volume.spec.claimRef == nil {
            if let problem = VolumeMatch.mismatch(volume, for: claim) {
                self.warn(
                    claim,
                    "VolumeMismatch",
                    "Cannot bind to requested volume \"\(volume.metadata.name)\": \(problem)"
                )
                return try await self.set(claim, phase: "Pending")
            }
        } else if !VolumeMatch.isReserved(volume, for: claim) {
            self.warn(
                claim,
                "FailedBinding",
                "volume \"\(volume.metadata.name)\" already bound to a different claim."
            )
            return try await self.set(claim, phase: "Pending")
        }
        try await self.bind(claim, volume)
    }

    private func askProvisioner(
        _ claim: CoreV1.PersistentVolumeClaim,
        _ storageClass: StorageV1.StorageClass?
    ) async throws(StatusError) {
        guard let storageClass, storageClass.provisioner != Self.noProvisioner else {
            if let storageClass {
                self.warn(
                    claim,
                    "ProvisioningFailed",
                    "no volume plugin matched name: \(storageClass.provisioner)"
                )
            } else if let name = claim.spec.storageClassName, !name.isEmpty {
                self.warn(
                    claim,
                    "ProvisioningFailed",
                    "storageclass.storage.k8s.io \"\(name)\" not found"
                )
            } else {
                self.tell(
                    claim,
                    "FailedBinding",
                    "no persistent volumes available for this claim and no storage class is set"
                )
            }
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

    private func warn(_ claim: CoreV1.PersistentVolumeClaim, _ reason: String, _ message: String) {
        self.context.recorder.record(.warning, reason, message, about: claim)
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
        let name = claim.spec.volumeName
        guard !name.isEmpty else {
            return try await self.lose(
                claim,
                "ClaimLost",
                "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!"
            )
        }
        guard let volume = try await self.volume(name) else {
            return try await self.lose(
                claim,
                "ClaimLost",
                "Bound claim has lost its PersistentVolume. Data on the volume is lost!"
            )
        }
        guard volume.spec.claimRef == nil || VolumeMatch.isReserved(volume, for: claim) else {
            return try await self.lose(
                claim,
                "ClaimMisbound",
                "Two claims are bound to the same volume, this one is bound incorrectly"
            )
        }
        // A run that stopped half way is brought to its end.
        if claim.status.phase != "Bound" || volume.status.phase != "Bound"
            || volume.spec.claimRef?.uid != claim.metadata.uid
        {
            try await self.bind(claim, volume)
        }
    }

    /// The volume as the cache has it; what the cache does not know, the server may.
    private func volume(_ name: String) async throws(StatusError) -> CoreV1.PersistentVolume? {
        if let known = self.volumes.get(name) { return known }
        do throws(StatusError) {
            return try await self.volumeClient.get(name)
        } catch {
            guard error.isNotFound else { throw error }
            return nil
        }
    }

    private func lose(
        _ claim: CoreV1.PersistentVolumeClaim,
        _ reason: String,
        _ message: String
    ) async throws(StatusError) {
        if claim.status.phase != "Lost" { self.warn(claim, reason, message) }
        try await self.set(claim, phase: "Lost")
    }
}
