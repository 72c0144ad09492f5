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
        /// Where the cluster of a disk is found; two disks are one only if they share such a place.
        package var monitors: [String] = []
        /// Whether several may use it as long as nobody writes.
        package let isReadOnly: Bool

        /// Whether two pods with the disks cannot share a node.
        package func conflicts(with other: ExclusiveDisk) -> Bool {
            self.kind == other.kind && self.identity == other.identity
                && (self.monitors.isEmpty || self.monitors.contains(where: other.monitors.contains))
                && !(self.isReadOnly && other.isReadOnly)
        }
    }

    package let claims: [Claim]
    package let disks: [ExclusiveDisk]

    /// Whether no plugin cares.
    package var isEmpty: Bool { self.claims.isEmpty && self.disks.isEmpty }

    package init(_ pod: CoreV1.Pod) {
        var claims: [Claim] = []
        var disks: [ExclusiveDisk] = []
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
            } else if let disk = source.rbd {
                disks.append(
                    ExclusiveDisk(
                        kind: "rbd",
                        identity: "\(disk.pool)/\(disk.image)",
                        monitors: Array(disk.monitors),
                        isReadOnly: disk.readOnly
                    )
                )
            }
        }
        self.claims = claims
        self.disks = disks
    }
}
