// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
import Protobuf

// What happens to volumes and what belongs to them.

extension SchedulerCore {
    /// An object that volume plugins look at.
    package enum VolumeObject: Sendable {
        case claim(CoreV1.PersistentVolumeClaim)
        case volume(CoreV1.PersistentVolume)
        case storageClass(StorageV1.StorageClass)
        case csiNode(StorageV1.CSINode)
        case csiDriver(StorageV1.CSIDriver)
        case capacity(StorageV1.CSIStorageCapacity)
        case attachment(StorageV1.VolumeAttachment)
    }

    /// An object that is new, has changed, or is gone.
    package func setVolumeObject(_ object: VolumeObject, isGone: Bool = false, now: Duration) {
        let change = self.takeIn(object, isGone: isGone)
        // Only an attachment that goes makes room.
        if case .attachment = object {
            if isGone { self.react(to: .volumeObject(change), now: now) }
        } else if !isGone {
            self.react(to: .volumeObject(change), now: now)
        }
    }

    private func takeIn(
        _ object: VolumeObject,
        isGone: Bool
    ) -> ClusterChange.VolumeObject {
        switch object {
        case .claim(let claim):
            self.cluster.volumes.setClaim(claim.catalogKey, isGone ? nil : claim)
            return .claim(namespace: claim.metadata.namespace, name: claim.metadata.name)
        case .volume(let volume):
            self.cluster.volumes.setVolume(volume.metadata.name, isGone ? nil : volume)
            return .volume
        case .storageClass(let storage):
            self.cluster.volumes.classes[storage.metadata.name] = isGone ? nil : storage
            return .storageClass
        case .csiNode(let node):
            self.cluster.volumes.nodes[node.metadata.name] = isGone ? nil : node
            return .csiNode(node.metadata.name)
        case .csiDriver(let driver):
            self.cluster.volumes.drivers[driver.metadata.name] = isGone ? nil : driver
            return .csiDriver
        case .capacity(let capacity):
            let metadata = capacity.metadata
            self.cluster.volumes.capacities["\(metadata.namespace)/\(metadata.name)"] =
                isGone ? nil : capacity
            return .capacity
        case .attachment(let attachment):
            self.cluster.volumes.setAttachment(
                attachment.metadata.name,
                isGone ? nil : attachment
            )
            return .attachment
        }
    }
}
