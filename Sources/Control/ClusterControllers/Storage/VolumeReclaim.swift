// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
import Protobuf

/// What cannot be done with a volume whose claim is gone. Pure.
///
/// Volumes are deleted by the provisioners that made them; nobody deletes or cleans those that people
/// made. Source: upstream `pkg/controller/volume/persistentvolume/pv_controller.go`
/// (`findDeletablePlugin`, `recycleVolumeOperation`).
package enum VolumeReclaim {
    private static let provisionedBy = "pv.kubernetes.io/provisioned-by"

    /// Why a volume cannot be reclaimed as it says; nil when it can, or is to be kept.
    package static func failure(
        of volume: CoreV1.PersistentVolume
    ) -> (reason: String, message: String)? {
        switch volume.spec.persistentVolumeReclaimPolicy {
        case "Delete":
            let provisioner = volume.metadata.annotations[Self.provisionedBy] ?? ""
            if !provisioner.isEmpty, !provisioner.hasPrefix("kubernetes.io/") { return nil }
            if let path = volume.spec.persistentVolumeSource.hostPath?.path {
                // Upstream deletes folders below /tmp on its own machine, for tests; we leave them.
                guard !path.hasPrefix("/tmp/") else { return nil }
                return (
                    "VolumeFailedDelete",
                    "host_path deleter only supports /tmp/.+ but received provided \(path)"
                )
            }
            return (
                "VolumeFailedDelete",
                "error getting deleter volume plugin for volume \"\(volume.metadata.name)\":"
                    + " no deletable volume plugin matched"
            )
        case "Recycle":
            return ("VolumeFailedRecycle", "No recycler plugin found for the volume!")
        default: return nil
        }
    }
}
