// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import ControllerKit
import EventRecording
import Informers
import KubernetesAPI
import ObjectModel
import Protobuf
import ResourceClient
import Selectors
import WorkQueues

/// Makes volumes on the nodes' own disks for claims of classes of the provisioner `apus.dev/local`,
/// and takes them away again.
///
/// Watches: claims, volumes, StorageClasses, nodes. Writes: volumes (create, delete), the claim's
/// selected node when that is gone. Promises: a volume is named for its claim's UID, so that there
/// is never a second one; it is deleted only when the node that the server has no longer lists it in
/// use, so that data never outlives what tells of it.
package final class LocalVolumeProvisioner: Controller {
    package static let name = "local-volume-provisioner-controller"

    private let context: ControllerContext
    private let loop: ReconcileLoop<ObjectKey>
    private let claims: Informer<CoreV1.PersistentVolumeClaim>
    private let volumes: Informer<CoreV1.PersistentVolume>
    private let classes: Informer<StorageV1.StorageClass>
    private let nodes: Informer<CoreV1.Node>
    private let claimClient: Client<CoreV1.PersistentVolumeClaim>
    private let volumeClient: Client<CoreV1.PersistentVolume>
    private let nodeClient: Client<CoreV1.Node>

    package init(_ context: ControllerContext) {
        self.context = context
        self.loop = ReconcileLoop(Self.name, context)
        self.claims = context.informer(of: CoreV1.PersistentVolumeClaim.self)
        self.volumes = context.informer(of: CoreV1.PersistentVolume.self)
        self.classes = context.informer(of: StorageV1.StorageClass.self)
        self.nodes = context.informer(of: CoreV1.Node.self)
        self.claimClient = context.client()
        self.volumeClient = context.client()
        self.nodeClient = context.client()
        let queue = self.loop.queue
        self.claims.addHandler { event in
            if LocalVolumePlan.isOurs(event.object) { queue.add(event.object.objectKey) }
        }
        // Keys without a namespace are volumes.
        self.volumes.addHandler { event in
            if LocalVolumePlan.isOurs(event.object) { queue.add(event.object.objectKey) }
        }
        let (claims, volumes) = (self.claims, self.volumes)
        let addClaims: @Sendable () -> Void = {
            for claim in claims.list()
            where LocalVolumePlan.isOurs(claim) && claim.spec.volumeName.isEmpty {
                queue.add(claim.objectKey)
            }
        }
        self.classes.addHandler { event in
            if case .deleted = event { return }
            addClaims()
        }
        self.nodes.addHandler { event in
            // A node may have let go of volumes; one that is new or gets ready is room for claims.
            for volume in volumes.list()
            where LocalVolumePlan.isOurs(volume) && volume.status.phase == "Released" {
                queue.add(volume.objectKey)
            }
            switch event {
            case .updated(let old, let new)
            where LocalVolumePlan.takesVolumes(old)
                || !LocalVolumePlan.takesVolumes(new):
                return
            default: addClaims()
            }
        }
    }

    package var isQuiet: Bool { self.loop.isQuiet }

    package func run() async {
        await self.loop.run(workers: 1) {
            await self.claims.waitForSync()
            await self.volumes.waitForSync()
            await self.classes.waitForSync()
            await self.nodes.waitForSync()
        } _: { key in
            if key.namespace.isEmpty {
                try await self.reconcileVolume(key.name)
            } else {
                try await self.reconcileClaim(key)
            }
        }
    }

    private func reconcileClaim(_ key: ObjectKey) async throws(StatusError) {
        guard let claim = self.claims.get(key), LocalVolumePlan.isOurs(claim),
            let storageClass = self.classes.get(claim.spec.storageClassName ?? ""),
            self.volumes.get(LocalVolumePlan.name(of: claim)) == nil
        else { return }
        let plan = LocalVolumePlan(
            for: claim,
            of: storageClass,
            nodes: self.nodes.list(),
            volumes: self.volumes.list()
        )
        switch plan {
        case .nothing: return
        case .refuse(let problem):
            self.context.recorder.record(
                .warning,
                "ProvisioningFailed",
                "failed to provision volume with StorageClass \"\(storageClass.metadata.name)\": "
                    + problem,
                about: claim
            )
        case .selectAnew:
            var claim = claim
            claim.metadata.annotations[LocalVolumePlan.selectedNode] = nil
            _ = try await self.claimClient.update(claim)
        case .create(let volume):
            do throws(StatusError) {
                _ = try await self.volumeClient.create(volume)
            } catch {
                if error.isAlreadyExists { return }
                throw error
            }
            self.context.recorder.record(
                .normal,
                "ProvisioningSucceeded",
                "Successfully provisioned volume \(volume.metadata.name)",
                about: claim
            )
        }
    }

    private func reconcileVolume(_ name: String) async throws(StatusError) {
        guard let volume = self.volumes.get(name), LocalVolumePlan.isOurs(volume),
            LocalVolumePlan.mayGo(volume, nodes: self.nodes.list()),
            // What the cache does not know yet, the server does.
            LocalVolumePlan.mayGo(volume, nodes: try await self.currentNodes(of: volume))
        else { return }
        do throws(StatusError) {
            _ = try await self.volumeClient.delete(
                name,
                DeleteOptions(
                    uid: volume.metadata.uid,
                    resourceVersion: volume.metadata.resourceVersion
                )
            )
        } catch {
            if !error.isNotFound { throw error }
        }
    }

    /// The node that a volume lies on, as the server has it; none when it is gone.
    private func currentNodes(
        of volume: CoreV1.PersistentVolume
    ) async throws(StatusError) -> [CoreV1.Node] {
        guard let hostname = LocalVolumePlan.hostname(of: volume) else { return [] }
        let labelled = try await self.nodeClient.list(
            labels: LabelSelector(equalTo: [(LocalVolumePlan.hostname, hostname)])
        )
        if !labelled.items.isEmpty { return labelled.items }
        // As a list, which is all that the controller's account may do.
        return try await self.nodeClient.list(fields: .name(hostname)).items
    }
}
