// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import ObjectModel
package import Scalars

/// What looks at a write before it is stored: admission, bound to one request.
package protocol WriteHooks: Sendable {
    /// Changes the object that is to be created, or that is to replace another one.
    func mutate(_ object: inout APIObject, old: APIObject?) async throws(StatusError)
    /// Refuses a write: `object` is nil for a deletion, `old` for a creation.
    func validate(_ object: APIObject?, old: APIObject?) async throws(StatusError)
}

/// Lets everything pass: what the server itself writes.
package struct NoHooks: WriteHooks {
    package init() {}
    package func mutate(_ object: inout APIObject, old: APIObject?) async throws(StatusError) {}
    package func validate(_ object: APIObject?, old: APIObject?) async throws(StatusError) {}
}

/// What a write needs to know beside its object.
package struct WriteContext: Sendable {
    /// All is done but the storing.
    package var isDryRun: Bool
    /// The time that the write happens at.
    package var now: Timestamp
    package var hooks: any WriteHooks

    /// Whether a client wrote, and not the server itself.
    var isOfClient: Bool { !(self.hooks is NoHooks) }

    package init(
        isDryRun: Bool = false,
        now: Timestamp = .current(),
        hooks: any WriteHooks = NoHooks()
    ) {
        self.isDryRun = isDryRun
        self.now = now
        self.hooks = hooks
    }
}
