// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import RPCInterface

/// A place where one task of a call waits until something changes.
///
/// A change that comes first is not lost: the task looks at the call's state again under the call's
/// lock before it waits.
struct CallWaiter {
    private var continuation: UnsafeContinuation<Void, Never>?

    /// Whether a task waits here.
    var isWaiting: Bool { self.continuation != nil }

    /// Leaves the task here. When another one is here already, which is a caller's mistake, that
    /// one is returned and must be resumed to look again.
    mutating func wait(
        _ continuation: UnsafeContinuation<Void, Never>
    ) -> UnsafeContinuation<Void, Never>? {
        let previous = self.continuation
        self.continuation = continuation
        return previous
    }

    /// The waiting task, to be resumed after the lock is released.
    mutating func wake() -> UnsafeContinuation<Void, Never>? {
        defer { self.continuation = nil }
        return self.continuation
    }
}
