// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import RPCInterface

/// A call that can be answered without a task, by whoever has the answer, on any thread.
///
/// It saves a handler that waits for one thing only a task with its suspension and resumption, and
/// answers that are given close together share one way to their event loop. A call that is idle for
/// long, such as a watch, saves the task's memory: `append` sends its messages, on any thread.
/// Calls on a network are such calls; calls inside a process are not.
public protocol RPCDeferredCall: RPCServerCall {
    /// Begins the call without a task. Comes at most once, on the thread that starts the call, and
    /// instead of `run`.
    ///
    /// - Returns: whether `answer` or `refuse` must follow, once. Otherwise an interceptor needs a
    ///   task to run in, and the handler has to `run`.
    func beginDeferred() -> Bool

    /// Begins the call like `beginDeferred()`, and hears of it when nobody waits for the call any
    /// more: the client has cancelled, its connection is lost or the deadline has passed.
    ///
    /// - Parameter whenAbandoned: called at most once, on the call's event loop, and not after
    ///   `answer` or `refuse`, which must still follow.
    func beginDeferred(whenAbandoned: @escaping @Sendable () -> Void) -> Bool

    /// Ends the call with one message, or with the error that `encode` throws.
    func answer(_ encode: @escaping @Sendable (inout RPCByteSink) throws -> Void)

    /// Ends the call with an error.
    func refuse(_ error: RPCError)
}
