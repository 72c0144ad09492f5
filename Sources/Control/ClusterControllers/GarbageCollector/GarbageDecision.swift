// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import ApusAPI
import KubernetesAPI
import Protobuf

/// What becomes of an object, given what its owners are. Pure.
///
/// Source: upstream `pkg/controller/garbagecollector/garbagecollector.go`, attemptToDeleteItem.
package enum GarbageDecision: Equatable {
    /// It has an owner that stays, or none at all.
    case keep
    /// Some owners are gone or wait for their dependents: only the others remain.
    case dropOwners([String])
    /// All owners are gone.
    case delete(ApusResource.Propagation)

    package enum OwnerState: Hashable, Sendable {
        case present
        /// In foreground deletion: it waits for this object.
        case waiting
        case gone
    }

    package static func decide(
        _ node: OwnerGraph.Node,
        owners: [String: OwnerState],
        hasDependents: Bool
    ) -> GarbageDecision {
        guard !node.owners.isEmpty else { return .keep }
        let states = node.owners.map { ($0.uid, owners[$0.uid] ?? .present) }
        let lost = states.filter { $0.1 != .present }.map(\.0)
        if lost.count < states.count { return lost.isEmpty ? .keep : .dropOwners(lost) }
        // An owner that waits wants the object's own dependents gone first, too.
        if states.contains(where: { $0.1 == .waiting }), hasDependents {
            return .delete(.foreground)
        }
        if node.finalizers.contains(OwnerGraph.orphan) { return .delete(.orphan) }
        if node.finalizers.contains(OwnerGraph.foreground) { return .delete(.foreground) }
        return .delete(.background)
    }
}
