// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ControllerKit
package import KubernetesAPI
import Protobuf
import Scalars
import Selectors

/// Which volume a claim gets. Pure.
///
/// Source: upstream `pkg/controller/volume/persistentvolume/index.go`.
package enum VolumeMatch {
    /// The smallest available volume that has what the claim asks for; one that is reserved for it
    /// comes first.
    package static func best(
        for claim: CoreV1.PersistentVolumeClaim,
        among volumes: [CoreV1.PersistentVolume]
    ) -> CoreV1.PersistentVolume? {
        let wanted = self.storage(claim.spec.resources.requests)
        let selector = claim.spec.selector.map { LabelSelector($0) }
        var best: (volume: CoreV1.PersistentVolume, size: Quantity)?
        for volume in volumes where self.fits(claim, volume) {
            let size = self.storage(volume.spec.capacity)
            guard size >= wanted else { continue }
            if self.isReserved(volume, for: claim) { return volume }
            guard volume.spec.claimRef == nil, volume.status.phase == "Available",
                volume.metadata.deletionTimestamp == nil,
                selector.map({ $0.matches(volume.metadata) }) ?? true
            else { continue }
            if let known = best,
                known.size < size
                    || (known.size == size && known.volume.metadata.name < volume.metadata.name)
            {
                continue
            }
            best = (volume, size)
        }
        return best?.volume
    }

    /// Whether a volume names the claim as its own.
    package static func isReserved(
        _ volume: CoreV1.PersistentVolume,
        for claim: CoreV1.PersistentVolumeClaim
    ) -> Bool {
        guard let reference = volume.spec.claimRef else { return false }
        return reference.name == claim.metadata.name
            && reference.namespace == claim.metadata.namespace
            && (reference.uid.isEmpty || reference.uid == claim.metadata.uid)
    }

    /// Why a volume is not for a claim that names it; nil when it is.
    ///
    /// Source: upstream `pkg/controller/volume/persistentvolume/pv_controller.go`,
    /// checkVolumeSatisfyClaim.
    package static func mismatch(
        _ volume: CoreV1.PersistentVolume,
        for claim: CoreV1.PersistentVolumeClaim
    ) -> String? {
        if volume.metadata.deletionTimestamp != nil {
            return "the volume is marked for deletion \"\(volume.metadata.name)\""
        }
        if self.storage(volume.spec.capacity) < self.storage(claim.spec.resources.requests) {
            return "requested PV is too small"
        }
        if volume.spec.storageClassName != claim.spec.storageClassName ?? "" {
            return "storageClassName does not match"
        }
        if (volume.spec.volumeMode ?? "Filesystem") != (claim.spec.volumeMode ?? "Filesystem") {
            return "incompatible volumeMode"
        }
        let isAccessible = claim.spec.accessModes.allSatisfy {
            volume.spec.accessModes.contains($0)
        }
        return isAccessible ? nil : "incompatible accessMode"
    }

    private static func fits(
        _ claim: CoreV1.PersistentVolumeClaim,
        _ volume: CoreV1.PersistentVolume
    ) -> Bool {
        volume.spec.storageClassName == claim.spec.storageClassName ?? ""
            && (volume.spec.volumeMode ?? "Filesystem") == (claim.spec.volumeMode ?? "Filesystem")
            && claim.spec.accessModes.allSatisfy { volume.spec.accessModes.contains($0) }
    }

    private static func storage(_ amounts: MapField<String, Resource.Quantity>) -> Quantity {
        (try? amounts["storage"]?.parsed()) ?? .zero
    }
}
