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
