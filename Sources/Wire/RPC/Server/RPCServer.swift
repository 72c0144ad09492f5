// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import HTTP
public import HTTP2Transport
public import NIOCore
public import RPCInterface
public import TLS

/// A server of RPC services on a socket of its own.
///
/// A component that serves other HTTP requests on the same port gives an ``RPCHTTPHandler`` to its
/// `HTTPServer` instead.
///
/// ```swift
/// let server = try await RPCServer.start(
///     on: .unix(path: "/run/apus/echo.sock"),
///     services: [MyEcho()],
///     group: group
/// )
/// ...
/// await server.shutdown()
/// ```
public final class RPCServer: Sendable {
    private let server: HTTPServer

    private init(_ server: HTTPServer) { self.server = server }

    /// The address that is listened on; `nil` for a unix socket.
    public var localAddress: SocketAddress? { self.server.localAddress }

    /// The number of connections that are open.
    public var connectionCount: Int { self.server.connectionCount }

    /// Starts to serve.
    ///
    /// - Parameters:
    ///   - tls: `nil` for cleartext, which belongs on loopback and unix sockets.
    ///   - httpLimits: streams per connection, keepalive, connection age and the like.
    /// - Throws: when the address cannot be bound.
    public static func start(
        on endpoint: HTTPEndpoint,
        services: [any RPCService],
        options: RPCServerOptions = RPCServerOptions(),
        tls: TLSContextSource? = nil,
        httpLimits: HTTPLimits = HTTPLimits(),
        group: any EventLoopGroup
    ) async throws -> RPCServer {
        RPCServer(
            try await HTTPServer.start(
                on: endpoint,
                tls: tls,
                handler: RPCHTTPHandler(services: services, options: options),
                limits: httpLimits,
                group: group
            )
        )
    }

    /// Stops to listen, lets running calls finish within `drain`, then cancels what is left.
    ///
    /// - Parameter drain: `nil` for `HTTPLimits.drainTimeout`.
    public func shutdown(drain: Duration? = nil) async {
        await self.server.shutdown(drain: drain)
    }
}
