// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ObjectModel
import ResourceTable
import Scalars

/// Where a resource differs from the others in how its objects are written.
///
/// The generic rules are in ``ResourceStore``: they take everything from the resource's row, and
/// from here only what a row cannot say.
struct Strategy: Sendable {
    /// When the objects of a resource count their specifications.
    enum Generation: Sendable {
        case none
        /// Counts changes of `spec`.
        case spec
        /// Counts changes of `spec` and of annotations.
        case specAndAnnotations
        /// Counts changes of anything but metadata and status.
        case content
    }

    /// What happens to the objects that a deleted one owns, when nobody says.
    enum Dependents: Sendable {
        case background
        case orphan
    }

    var generation = Generation.none
    /// Whether the objects decide about requests: a client that has been answered finds this server
    /// going by what it has written.
    var isDecisive = false
    /// Whether a client may set the status when it creates the object.
    var keepsStatusAtCreation = false
    var dependents = Dependents.background
    /// How long an object stays in the store, in seconds; nil for ever.
    var lifetimeSeconds: Int64?
    /// Fills in what only the server knows.
    var prepareForCreate: (@Sendable (inout APIObject, Timestamp) -> Void)?
    /// Keeps what a write of the object must not change.
    var prepareForUpdate: (@Sendable (inout APIObject, APIObject, Timestamp) -> Void)?
    /// Keeps what a write of the status must not change.
    var prepareForStatusUpdate: (@Sendable (inout APIObject, APIObject, Timestamp) -> Void)?
    /// What a write of a subresource makes of the object: from the one that was sent and the one
    /// that is there. A subresource that is not named here has been merged by whoever wrote it.
    var subresources: [String: @Sendable (inout APIObject, APIObject, Timestamp) -> Void] = [:]
    /// The grace period of a deletion; nil for kinds that have none.
    var gracePeriod: (@Sendable (APIObject, Int64?) -> Int64)?
    /// Whether a deleted object has to stay for a reason beside its finalizers.
    var mustStay: (@Sendable (APIObject) -> Bool)?
    /// What a deletion changes in an object that stays.
    var markDeleted: (@Sendable (inout APIObject) -> Void)?
}
