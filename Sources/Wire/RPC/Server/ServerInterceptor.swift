// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import RPCInterface

/// Runs around the handlers of a server: authentication, metrics, logging, quotas.
public protocol ServerInterceptor: Sendable {
    /// Runs around one call. `next` runs the following interceptors and the handler; it returns when
    /// the handler has, before the status is sent, so trailers can still be added.
    ///
    /// - Throws: what the call ends with; an interceptor that does not call `next` refuses the call
    ///   by throwing.
    func intercept(
        _ context: ServerContext,
        next: () async throws -> Void
    ) async throws
}

/// An interceptor that only looks on, so that calls can be answered without a task around them.
public protocol ServerObserver: ServerInterceptor {
    /// A call is about to reach its handler.
    func callBegan(_ method: RPCMethod)

    /// A handler has ended.
    ///
    /// - Parameter failure: what the call ends with; `nil` for `OK`.
    func callEnded(_ method: RPCMethod, _ failure: RPCError?)
}

extension ServerObserver {
    /// Observes a call whose handler runs in a task.
    public func intercept(
        _ context: ServerContext,
        next: () async throws -> Void
    ) async throws {
        self.callBegan(context.method)
        do {
            try await next()
        } catch {
            self.callEnded(context.method, RPCError(wrapping: error))
            throw error
        }
        self.callEnded(context.method, nil)
    }
}

/// Interceptors in order, as one function.
enum InterceptorChain {
    static func run(
        _ interceptors: [any ServerInterceptor],
        from index: Int = 0,
        _ context: ServerContext,
        _ handler: @Sendable () async throws -> Void
    ) async throws {
        guard index < interceptors.count else {
            try await handler()
            return
        }
        try await interceptors[index].intercept(context) {
            try await Self.run(interceptors, from: index + 1, context, handler)
        }
    }
}
