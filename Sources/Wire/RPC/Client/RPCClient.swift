// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import HTTP
public import HTTP2Transport
public import NIOCore
public import RPCInterface
import Synchronization
public import TLS

/// A client of one server: its calls share a few connections, which are made when they are needed
/// and again when they are lost.
///
/// Any number of tasks may use a client. A call ends with `UNAVAILABLE` when the server cannot be
/// reached, unless it waits for ready. Calls that the server says it did not process are sent again.
public final class RPCClient: RPCChannel {
    private let core: ClientCore
    private let connections: [ClientConnection]
    /// Which connection is next. Relaxed: it only spreads calls.
    private let turn = Atomic<Int>(0)

    /// A client of the server at `endpoint`. Nothing is connected before the first call.
    ///
    /// ```swift
    /// let client = RPCClient(to: .unix(path: "/run/containerd/containerd.sock"), group: group)
    /// let version = try await CRI.RuntimeClient(channel: client).version(CRI.VersionRequest())
    /// ```
    ///
    /// - Parameters:
    ///   - tls: `nil` for cleartext, which belongs on loopback and unix sockets.
    ///   - serverName: the name to verify; `nil`: the endpoint's host.
    ///   - httpLimits: keepalive, time-outs and the like.
    public convenience init(
        to endpoint: HTTPEndpoint,
        options: RPCClientOptions = RPCClientOptions(),
        tls: TLSContextSource? = nil,
        serverName: String? = nil,
        httpLimits: HTTPLimits = RPCClient.defaultLimits,
        group: any EventLoopGroup
    ) {
        self.init(
            connector: NetworkConnector(
                endpoint: endpoint,
                tls: tls,
                serverName: serverName,
                limits: httpLimits
            ),
            options: options,
            group: group
        )
    }

    /// HTTP's limits for a client: gRPC's servers measure a busy connection with a PING each round
    /// trip (grpc-go `internal/transport/bdp_estimator.go`), which is no flood.
    public static var defaultLimits: HTTPLimits {
        var limits = HTTPLimits()
        limits.pingsPerSecond = 10_000
        return limits
    }

    init(connector: any ClientConnector, options: RPCClientOptions, group: any EventLoopGroup) {
        let core = ClientCore(options: options, connector: connector)
        var generator = SystemRandomNumberGenerator()
        let seed = options.seed ?? generator.next()
        self.core = core
        self.connections = (0..<max(options.connections, 1)).map { index in
            ClientConnection(loop: group.next(), core: core, seed: seed &+ UInt64(index))
        }
    }

    public func start(
        _ method: RPCMethod,
        options: CallOptions
    ) async throws(RPCError) -> any RPCClientCall {
        guard !self.core.options.interceptors.isEmpty else {
            return try self.makeCall(method, options)
        }
        var options = options
        for interceptor in self.core.options.interceptors {
            try await interceptor.willStart(method, &options)
        }
        return try self.makeCall(method, options)
    }

    /// Closes the client: no new calls; those that run may finish when it is graceful.
    public func close(gracefully: Bool = true) {
        for connection in self.connections {
            connection.loop.execute { connection.close(gracefully: gracefully) }
        }
    }

    private func makeCall(
        _ method: RPCMethod,
        _ options: CallOptions
    ) throws(RPCError) -> ClientCall {
        if !options.metadata.isEmpty { try MetadataCoding.check(options.metadata) }
        if Task.isCancelled {
            throw RPCError(code: .cancelled, message: "the task was cancelled")
        }
        var limits = self.core.options.limits
        if let bytes = options.maxRequestMessageBytes { limits.maxOutboundMessageBytes = bytes }
        if let bytes = options.maxResponseMessageBytes { limits.maxInboundMessageBytes = bytes }
        return ClientCall(
            method: method,
            options: options,
            deadline: CallDeadline.of(options, default: self.core.options.timeout),
            limits: limits,
            connection: self.pick()
        )
    }

    /// The connection of this event loop when there is one, else the next in turn.
    private func pick() -> ClientConnection {
        guard self.connections.count > 1 else { return self.connections[0] }
        if let own = self.connections.first(where: { $0.loop.inEventLoop }) { return own }
        let turn = self.turn.wrappingAdd(1, ordering: .relaxed).newValue
        return self.connections[Int(UInt(bitPattern: turn) % UInt(self.connections.count))]
    }
}
