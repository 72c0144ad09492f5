// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
import Protobuf
package import ResourceClient

/// Who owns whom in the whole cluster, by UID. A value without I/O.
///
/// An owner that is only known from a reference has no node: whether it exists is for the server to
/// say.
///
/// Source: upstream `pkg/controller/garbagecollector/graph_builder.go`.
package struct OwnerGraph {
    /// An object as far as owning is concerned.
    package struct Node: Hashable, Sendable {
        package var resource: ResourceName
        package var key: ObjectKey
        package var uid: String
        package var owners: [MetaV1.OwnerReference]
        package var isDeleting: Bool
        package var finalizers: [String]

        package init(_ resource: ResourceName, _ metadata: MetaV1.ObjectMeta) {
            self.resource = resource
            self.key = ObjectKey(metadata)
            self.uid = metadata.uid
            self.owners = Array(metadata.ownerReferences)
            self.isDeleting = metadata.deletionTimestamp != nil
            self.finalizers = Array(metadata.finalizers)
        }

        /// The object waits until its dependents are gone.
        package var isDeletingDependents: Bool {
            self.isDeleting && self.finalizers.contains(OwnerGraph.foreground)
        }

        /// The object waits until its dependents are on their own.
        package var isOrphaning: Bool {
            self.isDeleting && self.finalizers.contains(OwnerGraph.orphan)
        }
    }

    package static let foreground = "foregroundDeletion"
    package static let orphan = "orphan"

    private var nodes: [String: Node] = [:]
    /// UIDs of those that refer to the key as their owner.
    private var dependents: [String: Set<String>] = [:]

    package init() {}

    package subscript(uid: String) -> Node? { self.nodes[uid] }
    package var count: Int { self.nodes.count }

    package func dependents(of uid: String) -> [Node] {
        self.dependents[uid]?.compactMap { self.nodes[$0] } ?? []
    }

    /// Those that an owner in foreground deletion waits for.
    package func blockers(of uid: String) -> [Node] {
        self.dependents(of: uid).filter { node in
            node.owners.contains { $0.uid == uid && $0.blockOwnerDeletion == true }
        }
    }

    /// What an object's change asks for: UIDs to look at.
    package mutating func put(_ node: Node) -> [String] {
        let old = self.nodes.updateValue(node, forKey: node.uid)
        // Most changes are to what owning has nothing to do with.
        if old == node { return [] }
        let before = Set(old?.owners.map(\.uid) ?? [])
        let owners = Set(node.owners.map(\.uid))
        for owner in owners.subtracting(before) {
            self.dependents[owner, default: []].insert(node.uid)
        }
        for owner in before.subtracting(owners) { self.unlink(node.uid, owner) }
        var affected: [String] = []
        // An owner that waits for this one may go on, if this one no longer holds it up.
        let isReleased =
            old.map {
                $0.owners != node.owners || (!$0.isDeletingDependents && node.isDeletingDependents)
            }
            ?? false
        if isReleased {
            affected += before.union(owners).filter { self.nodes[$0]?.isDeletingDependents == true }
        }
        if node.isOrphaning || node.isDeletingDependents || !node.owners.isEmpty {
            affected.append(node.uid)
        }
        return affected
    }

    /// What an object's end asks for: UIDs to look at.
    package mutating func remove(_ uid: String) -> [String] {
        guard let node = self.nodes.removeValue(forKey: uid) else { return [] }
        for owner in Set(node.owners.map(\.uid)) { self.unlink(uid, owner) }
        return Array(self.dependents[uid] ?? [])
            + node.owners.map(\.uid).filter { self.nodes[$0]?.isDeletingDependents == true }
    }

    private mutating func unlink(_ uid: String, _ owner: String) {
        self.dependents[owner]?.remove(uid)
        if self.dependents[owner]?.isEmpty == true { self.dependents[owner] = nil }
    }
}
