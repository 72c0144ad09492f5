// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
import Protobuf

/// The volumes of a pod that limit which nodes it can run on.
package struct PodVolumes: Sendable, Hashable {
    /// A claim that the pod uses.
    package struct Claim: Sendable, Hashable {
        package let name: String
        /// Whether the claim is made for the pod, from a template in its volumes.
        package let isEphemeral: Bool
    }

    /// A volume that must not be used by two pods of a node at once.
    package struct ExclusiveDisk: Sendable, Hashable {
        package let kind: String
        package let identity: String
        /// Whether several may use it as long as nobody writes.
        package let isReadOnly: Bool

        /// Whether two pods with the disks cannot share a node.
        package func conflicts(with other: ExclusiveDisk) -> Bool {
            self.kind == other.kind && self.identity == other.identity
                && !(self.isReadOnly && other.isReadOnly)
        }
    }

    package let claims: [Claim]
    package let disks: [ExclusiveDisk]
    /// The names of drivers of inline CSI volumes.
    package let inlineDrivers: [String]

    /// Whether no plugin cares.
    package var isEmpty: Bool {
        self.claims.isEmpty && self.disks.isEmpty && self.inlineDrivers.isEmpty
    }

    package init(_ pod: CoreV1.Pod) {
        var claims: [Claim] = []
        var disks: [ExclusiveDisk] = []
        var drivers: [String] = []
        for volume in pod.spec.volumes {
            let source = volume.volumeSource
            if let claim = source.persistentVolumeClaim {
                claims.append(Claim(name: claim.claimName, isEphemeral: false))
            } else if source.ephemeral != nil {
                claims.append(
                    Claim(name: "\(pod.metadata.name)-\(volume.name)", isEphemeral: true)
                )
            } else if let disk = source.gcePersistentDisk {
                disks.append(
                    ExclusiveDisk(
                        kind: "gce",
                        identity: disk.pdName,
                        isReadOnly: disk.readOnly
                    )
                )
            } else if let disk = source.awsElasticBlockStore {
                disks.append(
                    ExclusiveDisk(kind: "aws", identity: disk.volumeID, isReadOnly: false)
                )
            } else if let disk = source.iscsi {
                disks.append(
                    ExclusiveDisk(kind: "iscsi", identity: disk.iqn, isReadOnly: disk.readOnly)
                )
            } else if let csi = source.csi {
                drivers.append(csi.driver)
            }
        }
        self.claims = claims
        self.disks = disks
        self.inlineDrivers = drivers
    }
}
