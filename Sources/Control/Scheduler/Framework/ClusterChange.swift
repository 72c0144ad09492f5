// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI

/// Something that happened in the cluster and may make waiting pods schedulable.
package enum ClusterChange {
    case nodeAdded(CoreV1.Node)
    case nodeUpdated(old: CoreV1.Node, new: CoreV1.Node, parts: NodeParts)
    case nodeRemoved(CoreV1.Node)
    case podPlaced(PodInfo)
    case placedPodUpdated(old: PodInfo, new: PodInfo)
    case placedPodRemoved(PodInfo)
    /// The waiting pod itself.
    case podUpdated(old: PodInfo, new: PodInfo)
    case namespaceChanged(String)
    /// A claim, a volume, a storage class, or what is known of drivers, their space and nodes.
    case volumeObject(VolumeObject)

    /// Objects that volume plugins look at.
    package enum VolumeObject: Sendable {
        case claim(namespace: String, name: String)
        case volume
        case storageClass
        case csiNode(String)
        case csiDriver
        case capacity
        case attachment
    }

    /// The kind of the change, for sorting out plugins that do not care.
    package var kind: ChangeKinds {
        switch self {
        case .nodeAdded: .nodeAdded
        case .nodeUpdated: .nodeUpdated
        case .nodeRemoved: .nodeRemoved
        case .podPlaced: .podPlaced
        case .placedPodUpdated: .placedPodUpdated
        case .placedPodRemoved: .placedPodRemoved
        case .podUpdated: .podUpdated
        case .namespaceChanged: .namespaceChanged
        case .volumeObject: .volumeObject
        }
    }
}

/// Kinds of changes.
package struct ChangeKinds: OptionSet, Sendable, Hashable {
    package let rawValue: UInt16

    package init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    package static let nodeAdded = ChangeKinds(rawValue: 1)
    package static let nodeUpdated = ChangeKinds(rawValue: 2)
    package static let podPlaced = ChangeKinds(rawValue: 4)
    package static let placedPodUpdated = ChangeKinds(rawValue: 8)
    package static let placedPodRemoved = ChangeKinds(rawValue: 16)
    package static let podUpdated = ChangeKinds(rawValue: 32)
    package static let namespaceChanged = ChangeKinds(rawValue: 64)
    package static let volumeObject = ChangeKinds(rawValue: 128)
    package static let nodeRemoved = ChangeKinds(rawValue: 256)

    /// A node that comes or changes.
    package static let node: ChangeKinds = [.nodeAdded, .nodeUpdated]
}

/// The parts of a node that scheduling depends on.
package struct NodeParts: OptionSet, Sendable, Hashable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    package static let allocatable = NodeParts(rawValue: 1)
    package static let labels = NodeParts(rawValue: 2)
    package static let taints = NodeParts(rawValue: 4)
    package static let conditions = NodeParts(rawValue: 8)
    package static let images = NodeParts(rawValue: 16)

    /// The parts that differ between two states of a node. Heartbeats change none.
    package init(from old: CoreV1.Node, to new: CoreV1.Node) {
        var parts: NodeParts = []
        if old.status.allocatable != new.status.allocatable { parts.insert(.allocatable) }
        if old.metadata.labels != new.metadata.labels { parts.insert(.labels) }
        if old.spec.taints != new.spec.taints || old.spec.unschedulable != new.spec.unschedulable {
            parts.insert(.taints)
        }
        let before = old.status.conditions
        let after = new.status.conditions
        if before.count != after.count
            || zip(before, after).contains(where: { $0.type != $1.type || $0.status != $1.status })
        {
            parts.insert(.conditions)
        }
        if old.status.images != new.status.images { parts.insert(.images) }
        self = parts
    }
}
