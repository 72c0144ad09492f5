// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
import Protobuf
import Scalars

/// What becomes of a claim for a volume on a node's disk.
package enum LocalVolumePlan: Sendable, Equatable {
    case nothing
    /// It cannot be met; why.
    case refuse(String)
    /// The node that was selected is gone: the scheduler is to choose again.
    case selectAnew
    case create(CoreV1.PersistentVolume)

    package static let provisioner = "apus.dev/local"
    /// The parameter of a class that says where volumes lie on a node.
    package static let pathParameter = "path"
    package static let defaultPath = "/var/lib/apus/volumes"
    package static let selectedNode = "volume.kubernetes.io/selected-node"
    package static let hostname = "kubernetes.io/hostname"
    private static let provisionedBy = "pv.kubernetes.io/provisioned-by"
    private static let storageProvisioner = "volume.kubernetes.io/storage-provisioner"
    /// How a node lists a volume that it has data of, before its name.
    private static let inUsePrefix = "apus.dev/local/"

    /// Whether a claim was handed to this provisioner.
    package static func isOurs(_ claim: CoreV1.PersistentVolumeClaim) -> Bool {
        claim.metadata.annotations[Self.storageProvisioner] == Self.provisioner
    }

    /// Whether a volume was made by this provisioner.
    package static func isOurs(_ volume: CoreV1.PersistentVolume) -> Bool {
        volume.metadata.annotations[Self.provisionedBy] == Self.provisioner
    }

    /// The name of the volume of a claim.
    package static func name(of claim: CoreV1.PersistentVolumeClaim) -> String {
        "pvc-\(claim.metadata.uid)"
    }

    package init(
        for claim: CoreV1.PersistentVolumeClaim,
        of storageClass: StorageV1.StorageClass,
        nodes: [CoreV1.Node],
        volumes: [CoreV1.PersistentVolume]
    ) {
        self = .nothing
        guard claim.metadata.deletionTimestamp == nil, claim.spec.volumeName.isEmpty,
            storageClass.provisioner == Self.provisioner
        else { return }
        if let problem = Self.problem(claim, storageClass) {
            self = .refuse(problem)
            return
        }
        let node: CoreV1.Node?
        if let name = claim.metadata.annotations[Self.selectedNode] {
            node = nodes.first { $0.metadata.name == name }
            if node == nil {
                self = .selectAnew
                return
            }
        } else if storageClass.volumeBindingMode == "WaitForFirstConsumer" {
            return
        } else {
            node = Self.choose(nodes, volumes)
            if node == nil {
                self = .refuse("no node is ready")
                return
            }
        }
        guard let node else { return }
        self = .create(Self.volume(claim, storageClass, Self.hostname(of: node)))
    }

    /// What cannot be had on a node's disk; nil when all can.
    private static func problem(
        _ claim: CoreV1.PersistentVolumeClaim,
        _ storageClass: StorageV1.StorageClass
    ) -> String? {
        if claim.spec.volumeMode == "Block" { return "block volumes are not supported" }
        if claim.spec.selector != nil { return "claim.Spec.Selector is not supported" }
        if claim.spec.dataSource != nil || claim.spec.dataSourceRef != nil {
            return "data sources are not supported"
        }
        let modes: Set = ["ReadWriteOnce", "ReadWriteOncePod"]
        if let mode = claim.spec.accessModes.first(where: { !modes.contains($0) }) {
            return "volumes on a node's disk are not \(mode)"
        }
        let path = storageClass.parameters[Self.pathParameter] ?? Self.defaultPath
        if !path.hasPrefix("/") || path.split(separator: "/").contains("..") {
            return "the class' parameter path is no absolute path: \(path)"
        }
        return nil
    }

    /// The ready node with the fewest volumes.
    private static func choose(
        _ nodes: [CoreV1.Node],
        _ volumes: [CoreV1.PersistentVolume]
    ) -> CoreV1.Node? {
        var counts: [String: Int] = [:]
        for volume in volumes where Self.isOurs(volume) {
            counts[Self.hostname(of: volume) ?? "", default: 0] += 1
        }
        return nodes.filter(Self.takesVolumes).min {
            let (left, right) = (Self.hostname(of: $0), Self.hostname(of: $1))
            return (counts[left] ?? 0, left) < (counts[right] ?? 0, right)
        }
    }

    /// Whether volumes for claims that wait for no pod are made on a node.
    package static func takesVolumes(_ node: CoreV1.Node) -> Bool {
        !node.spec.unschedulable
            && node.status.conditions.contains { $0.type == "Ready" && $0.status == "True" }
    }

    private static func hostname(of node: CoreV1.Node) -> String {
        node.metadata.labels[Self.hostname] ?? node.metadata.name
    }

    /// The node that a volume lies on, by its label.
    package static func hostname(of volume: CoreV1.PersistentVolume) -> String? {
        for term in volume.spec.nodeAffinity?.required?.nodeSelectorTerms ?? [] {
            for expression in term.matchExpressions where expression.key == Self.hostname {
                return expression.values.first
            }
        }
        return nil
    }

    private static func volume(
        _ claim: CoreV1.PersistentVolumeClaim,
        _ storageClass: StorageV1.StorageClass,
        _ hostname: String
    ) -> CoreV1.PersistentVolume {
        let name = Self.name(of: claim)
        return CoreV1.PersistentVolume.with {
            $0.metadata.name = name
            $0.metadata.annotations[Self.provisionedBy] = Self.provisioner
            $0.spec.capacity["storage"] =
                claim.spec.resources.requests["storage"] ?? Resource.Quantity(.zero)
            $0.spec.accessModes = claim.spec.accessModes
            $0.spec.persistentVolumeReclaimPolicy = storageClass.reclaimPolicy ?? "Delete"
            $0.spec.storageClassName = storageClass.metadata.name
            $0.spec.volumeMode = "Filesystem"
            $0.spec.claimRef = CoreV1.ObjectReference.with {
                $0.apiVersion = "v1"
                $0.kind = "PersistentVolumeClaim"
                $0.namespace = claim.metadata.namespace
                $0.name = claim.metadata.name
                $0.uid = claim.metadata.uid
                $0.resourceVersion = claim.metadata.resourceVersion
            }
            let path = storageClass.parameters[Self.pathParameter] ?? Self.defaultPath
            $0.spec.persistentVolumeSource.local = .with { $0.path = "\(path)/\(name)" }
            $0.spec.nodeAffinity = .with {
                $0.required = .with {
                    $0.nodeSelectorTerms = [
                        .with {
                            $0.matchExpressions = [
                                .with {
                                    $0.key = Self.hostname
                                    $0.operator = "In"
                                    $0.values = [hostname]
                                }
                            ]
                        }
                    ]
                }
            }
        }
    }

    /// Whether nobody needs a volume any more and no node has data of it.
    package static func mayGo(_ volume: CoreV1.PersistentVolume, nodes: [CoreV1.Node]) -> Bool {
        guard volume.status.phase == "Released", volume.metadata.deletionTimestamp == nil,
            volume.spec.persistentVolumeReclaimPolicy == "Delete"
        else { return false }
        let hostname = Self.hostname(of: volume)
        guard let node = nodes.first(where: { Self.hostname(of: $0) == hostname }) else {
            return true
        }
        return !node.status.volumesInUse.contains(Self.inUsePrefix + volume.metadata.name)
    }
}
