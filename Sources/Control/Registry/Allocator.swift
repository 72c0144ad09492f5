// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import ObjectModel

/// Gives new objects what there is only so much of, such as addresses.
package protocol Allocator: Sendable {
    /// Fills in what an object is to have.
    ///
    /// - Parameter old: the object that it replaces; nil for a new one.
    /// - Returns: what to do when the write is over.
    func allocate(
        _ object: inout APIObject,
        old: APIObject?,
        isDryRun: Bool
    ) async throws(StatusError) -> Allocation

    /// Takes back what a deleted object had.
    func release(_ object: APIObject) async
}

/// What was taken for one write.
package struct Allocation: Sendable {
    /// After the write: what is no longer needed is given back.
    package var commit: @Sendable () async -> Void = {}
    /// When the write has failed: everything is given back.
    package var revert: @Sendable () async -> Void = {}

    package init() {}
}
