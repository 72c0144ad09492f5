// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf

/// Refuses nodes where a disk is in use that cannot be shared, and all while another pod uses a
/// claim that is for one pod only.
///
/// Source: upstream `plugins/volumerestrictions`.
package struct VolumeRestrictionsPlugin: FilterPlugin {
    package let name = PluginName.volumeRestrictions
    package let interest: ChangeKinds = [.nodeAdded, .placedPodRemoved, .volumeObject]

    static let diskConflict = Rejection.resolvable("node(s) had no available disk")
    static let claimConflict = Rejection.resolvable(
        "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod "
            + "access mode"
    )

    package init() {}

    package func prepareFilter(_ pod: PodInfo, _ cluster: Cluster) -> FilterPreparation {
        if pod.volumes.isEmpty { return .skip }
        var exclusive: Set<String> = []
        for item in pod.volumes.claims where !item.isEphemeral {
            guard let claim = cluster.volumes.claim(item.name, of: pod) else {
                return .refuse(.unresolvable("persistentvolumeclaim \"\(item.name)\" not found"))
            }
            if claim.spec.accessModes.contains("ReadWriteOncePod") {
                exclusive.insert(VolumeCatalog.key(item.name, of: pod))
            }
        }
        if exclusive.isEmpty, pod.volumes.disks.isEmpty { return .skip }
        return .check(Check(disks: pod.volumes.disks, exclusive: exclusive, cluster))
    }

    package func mayHelp(_ change: ClusterChange, _ pod: PodInfo, _ cluster: Cluster) -> Bool {
        switch change {
        case .nodeAdded: true
        case .placedPodRemoved(let removed):
            !removed.volumes.isEmpty
        case .volumeObject(.claim(let namespace, let name)):
            namespace == pod.namespace && pod.volumes.claims.contains { $0.name == name }
        case .volumeObject, .nodeUpdated, .nodeRemoved, .podPlaced, .placedPodUpdated, .podUpdated,
            .namespaceChanged:
            false
        }
    }

    private final class Check: NodeCheck {
        let disks: [PodVolumes.ExclusiveDisk]
        let exclusive: Set<String>
        var users: Int

        init(
            disks: [PodVolumes.ExclusiveDisk],
            exclusive: Set<String>,
            _ cluster: Cluster
        ) {
            self.disks = disks
            self.exclusive = exclusive
            self.users = exclusive.reduce(0) { $0 + (cluster.volumes.users[$1] ?? 0) }
        }

        func refusal(_ row: Int, _ cluster: Cluster) -> Rejection? {
            if !self.disks.isEmpty {
                for pod in cluster.pods[row] where !pod.volumes.disks.isEmpty {
                    for disk in self.disks
                    where pod.volumes.disks.contains(where: { $0.conflicts(with: disk) }) {
                        return VolumeRestrictionsPlugin.diskConflict
                    }
                }
            }
            return self.users > 0 ? VolumeRestrictionsPlugin.claimConflict : nil
        }

        func change(_ pod: PodInfo, _ row: Int, added: Bool, _ cluster: Cluster) {
            for claim in pod.volumes.claims
            where self.exclusive.contains(VolumeCatalog.key(claim.name, of: pod)) {
                self.users += added ? 1 : -1
            }
        }
    }
}
