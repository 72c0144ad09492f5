// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf

/// Refuses nodes outside the zone or region of a volume that the pod uses.
///
/// Source: upstream `plugins/volumezone`.
package struct VolumeZonePlugin: FilterPlugin {
    package let name = PluginName.volumeZone
    package let interest: ChangeKinds = [.node, .volumeObject]

    static let refusal = Rejection.unresolvable("node(s) had no available volume zone")
    /// Labels of volumes that say where they are, and what nodes call the same.
    static let keys = [
        "topology.kubernetes.io/zone": "topology.kubernetes.io/zone",
        "topology.kubernetes.io/region": "topology.kubernetes.io/region",
        "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
        "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
    ]

    package init() {}

    package func prepareFilter(_ pod: PodInfo, _ cluster: Cluster) -> FilterPreparation {
        var places: [Place] = []
        for item in pod.volumes.claims {
            guard let claim = cluster.volumes.claim(item.name, of: pod),
                !claim.spec.volumeName.isEmpty
            else { continue }
            guard let volume = cluster.volumes.volumes[claim.spec.volumeName] else {
                return .refuse(
                    .unresolvable("persistentvolume \"\(claim.spec.volumeName)\" not found")
                )
            }
            for (key, value) in volume.metadata.labels {
                guard let nodeKey = Self.keys[key] else { continue }
                let values = value.split(separator: "__").map(String.init)
                places.append(
                    Place(
                        column: cluster.labelColumn(key),
                        newColumn: cluster.labelColumn(nodeKey),
                        values: Set(values)
                    )
                )
            }
        }
        if places.isEmpty { return .skip }
        let known = Self.keys.keys.map(cluster.labelColumn)
        return .check(Check(places: places, known: known))
    }

    package func mayHelp(_ change: ClusterChange, _ pod: PodInfo, _ cluster: Cluster) -> Bool {
        switch change {
        case .nodeAdded, .volumeObject: true
        case .nodeUpdated(_, _, let parts): parts.contains(.labels)
        case .nodeRemoved, .podPlaced, .placedPodUpdated, .placedPodRemoved, .podUpdated,
            .namespaceChanged:
            false
        }
    }

    /// Where a volume can be used.
    private struct Place {
        let column: LabelColumn
        /// What nodes call the same today.
        let newColumn: LabelColumn
        let values: Set<String>
    }

    private final class Check: NodeCheck {
        let places: [Place]
        /// All labels that say where a node is.
        let known: [LabelColumn]

        init(places: [Place], known: [LabelColumn]) {
            self.places = places
            self.known = known
        }

        func refusal(_ row: Int, _ cluster: Cluster) -> Rejection? {
            // A node that says nothing of its place is not held to it.
            if self.known.allSatisfy({ $0.numbers[row] == 0 }) { return nil }
            for place in self.places {
                guard let value = place.column.value(row) ?? place.newColumn.value(row),
                    place.values.contains(value)
                else { return VolumeZonePlugin.refusal }
            }
            return nil
        }
    }
}
