// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
public import HTTP
public import NIOCore
import NIOPosix
import NIOSSL
import Synchronization
public import TLS

/// A listener that speaks HTTP/2 and HTTP/1.1 on one port: by ALPN with TLS, by the first bytes
/// without.
public final class HTTPServer: Sendable {
    /// The address that is listened on; nil for a unix socket.
    public var localAddress: SocketAddress? { self.channel.localAddress }

    /// Completes when the listener is closed.
    public var closed: EventLoopFuture<Void> { self.channel.closeFuture }

    private let channel: any Channel
    private let connections: ServerConnections
    private let limits: HTTPLimits

    private init(channel: any Channel, connections: ServerConnections, limits: HTTPLimits) {
        self.channel = channel
        self.connections = connections
        self.limits = limits
    }

    /// The number of connections that are open.
    public var connectionCount: Int { self.connections.count }

    /// Starts to listen.
    ///
    /// A unix socket's file is made with mode 0600 and removed by ``shutdown(drain:)``; a socket
    /// file that nobody listens on any more is replaced.
    ///
    /// - Parameters:
    ///   - tls: nil for cleartext, which belongs on loopback and unix sockets.
    ///   - handler: serves the requests.
    ///   - group: the event loops that connections are spread over.
    /// - Throws: when the address cannot be bound.
    public static func start(
        on endpoint: HTTPEndpoint,
        tls: TLSContextSource? = nil,
        handler: any HTTPServerHandler,
        limits: HTTPLimits = HTTPLimits(),
        group: any EventLoopGroup,
    ) async throws -> HTTPServer {
        let connections = ServerConnections(limit: limits.connections)
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(
                .writeBufferWaterMark,
                value: ChannelOptions.Types.WriteBufferWaterMark(
                    low: max(limits.connectionSendBufferBytes / 4, 1),
                    high: max(limits.connectionSendBufferBytes, 2),
                ),
            )
            .childChannelInitializer { channel in
                ServerPipeline(
                    tls: tls,
                    handler: handler,
                    limits: limits,
                    connections: connections,
                    isTCP: { if case .tcp = endpoint { true } else { false } }(),
                ).install(on: channel)
            }
        let channel: any Channel
        switch endpoint {
        case .tcp(let host, let port):
            channel = try await bootstrap.bind(host: host, port: port).get()
        case .unix(let path):
            let previous = umask(0o177)
            defer { umask(previous) }
            channel = try await bootstrap.bind(
                unixDomainSocketPath: path,
                cleanupExistingSocketFile: true,
            ).get()
        }
        return HTTPServer(channel: channel, connections: connections, limits: limits)
    }

    /// Stops to listen, lets running requests finish within `drain`, then closes what is left.
    ///
    /// - Parameter drain: nil for ``HTTPLimits/drainTimeout``.
    public func shutdown(drain: Duration? = nil) async {
        let address = self.channel.localAddress
        try? await self.channel.close().get()
        if case .unixDomainSocket = address, let path = address?.pathname { unlink(path) }
        let deadline = ContinuousClock.now + (drain ?? self.limits.drainTimeout)
        self.connections.beginShutdown()
        await self.connections.waitUntilEmpty(deadline: deadline)
        await self.connections.closeAll()
    }
}

/// The channels of a listener's connections.
final class ServerConnections: Sendable {
    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var isShuttingDown = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int) {
        self.limit = limit
    }

    var count: Int { self.state.withLock { $0.channels.count } }

    /// Counts a connection in; false when there are too many or the listener is going away.
    func add(_ channel: any Channel) -> Bool {
        self.state.withLock { state in
            guard !state.isShuttingDown, state.channels.count < self.limit else { return false }
            state.channels[ObjectIdentifier(channel)] = channel
            return true
        }
    }

    func remove(_ channel: any Channel) {
        let waiter = self.state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.channels[ObjectIdentifier(channel)] = nil
            guard state.channels.isEmpty else { return nil }
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Asks every connection to drain.
    func beginShutdown() {
        let channels = self.state.withLock { state in
            state.isShuttingDown = true
            return Array(state.channels.values)
        }
        for channel in channels {
            channel.pipeline.fireUserInboundEventTriggered(ConnectionEvent.shutdownGracefully)
        }
    }

    func waitUntilEmpty(deadline: ContinuousClock.Instant) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await withCheckedContinuation { continuation in
                    let isEmpty = self.state.withLock { state in
                        if state.channels.isEmpty { return true }
                        state.waiter = continuation
                        return false
                    }
                    if isEmpty { continuation.resume() }
                }
            }
            group.addTask {
                try? await Task.sleep(until: deadline, clock: .continuous)
                self.state.withLock { state in
                    defer { state.waiter = nil }
                    return state.waiter
                }?.resume()
            }
            await group.next()
            group.cancelAll()
        }
    }

    func closeAll() async {
        let channels = self.state.withLock { Array($0.channels.values) }
        for channel in channels { try? await channel.close().get() }
    }
}
