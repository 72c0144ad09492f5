// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf
import Selectors

/// Where the class of a claim can make a volume for it.
///
/// Source: upstream `pkg/scheduler/framework/plugins/volumebinding/binder.go`,
/// checkVolumeProvisions.
struct VolumeProvisioning {
    /// What says that volumes of a class are made by hand.
    private static let byHand = "kubernetes.io/no-provisioner"

    private let storage: StorageV1.StorageClass
    private let bytes: Int64
    /// What the driver says of its space; nil when it says nothing and has it everywhere.
    private let capacities: [StorageV1.CSIStorageCapacity]?

    /// Nil when the class makes no volumes.
    init?(_ claim: CoreV1.PersistentVolumeClaim, _ catalog: VolumeCatalog) {
        guard let name = claim.storageClass, let storage = catalog.classes[name],
            !storage.provisioner.isEmpty, storage.provisioner != Self.byHand
        else { return nil }
        self.storage = storage
        self.bytes = claim.requestedBytes
        let isTracked = catalog.drivers[storage.provisioner]?.spec.storageCapacity == true
        self.capacities =
            isTracked ? catalog.capacities.values.filter { $0.storageClassName == name } : nil
    }

    /// Whether volumes of the class can be used on the node in a row.
    func reaches(_ row: Int, _ cluster: Cluster) -> Bool {
        if self.storage.allowedTopologies.isEmpty { return true }
        let labels = cluster.nodes[row].metadata.labels
        return self.storage.allowedTopologies.contains { term in
            term.matchLabelExpressions.allSatisfy { expression in
                labels[expression.key].map(expression.values.contains) ?? false
            }
        }
    }

    /// Whether the driver has as much space where the node in a row can use it.
    func hasSpace(_ row: Int, _ cluster: Cluster) -> Bool {
        guard let capacities else { return true }
        let labels = LabelSet(cluster.nodes[row].metadata.labels)
        return capacities.contains { capacity in
            guard let limit = capacity.maximumVolumeSize ?? capacity.capacity,
                ResourceAmounts.amount(of: limit, "storage") >= self.bytes,
                let topology = capacity.nodeTopology
            else { return false }
            return (try? LabelSelector(topology).matches(labels)) ?? false
        }
    }
}
