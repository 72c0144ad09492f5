// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Synchronization

/// A value behind a lock, for values that hold memory of their own.
///
/// It differs from `Mutex` in that the body may use the value together with others that are not
/// sent along, as the writer does with its evaluator. Nothing of the value may be kept beyond the
/// body but what is `Sendable`.
struct Guarded<Value: ~Copyable>: ~Copyable, @unchecked Sendable {
    // SAFETY: `storage` is touched only while `mutex` is held.

    private let mutex = Mutex<Void>(())
    private let storage: UnsafeMutablePointer<Value>

    init(_ value: consuming Value) {
        self.storage = .allocate(capacity: 1)
        self.storage.initialize(to: value)
    }

    deinit {
        self.storage.deinitialize(count: 1)
        self.storage.deallocate()
    }

    /// Runs `body` with the value while no other thread has it.
    @inline(__always)
    borrowing func withLock<Result, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        var result: Result?
        try self.mutex.withLock { _ throws(Failure) in
            result = try body(&self.storage.pointee)
        }
        guard let result else { preconditionFailure("the body has returned without a result") }
        return result
    }
}
