// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import HTTP
public import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS
public import TLS

/// A client connection: HTTP/2, or HTTP/1.1 with a server that speaks nothing else.
///
/// Bound to its event loop; every member but ``connect(to:tls:version:limits:on:)`` and
/// ``eventLoop`` is used there only.
///
// SAFETY: `@unchecked Sendable` because whatever is not immutable is reached only on the event
// loop, which the entry points assert.
public final class HTTPClientConnection: @unchecked Sendable {
    public let eventLoop: any EventLoop
    public let connection: HTTPConnection
    private let requester: any ClientRequester

    /// Completes when the connection is over.
    public let closed: EventLoopFuture<Void>

    init(
        connection: HTTPConnection,
        requester: any ClientRequester,
        closed: EventLoopFuture<Void>,
    ) {
        self.eventLoop = connection.eventLoop
        self.connection = connection
        self.requester = requester
        self.closed = closed
    }

    /// Which version is spoken.
    public var version: HTTPVersion { self.connection.peer.version }

    /// Whether requests can be started: false from the moment the server sent GOAWAY, or the
    /// connection failed or is being closed.
    public var isAcceptingRequests: Bool { self.requester.isAcceptingRequests }

    /// The requests that run or wait for a stream.
    public var requestCount: Int { self.requester.requestCount }

    /// Called once, on the event loop, when ``isAcceptingRequests`` becomes false.
    public var onDraining: () -> Void {
        get { self.requester.onDraining }
        set { self.requester.onDraining = newValue }
    }

    /// Starts a request. More than the server's limit of concurrent streams wait in a queue; when
    /// that is full, or the connection takes none, `closed(.notProcessed)` follows soon.
    ///
    /// - Parameter endStream: whether there is no body.
    public func startRequest(
        _ head: HTTPRequestHead,
        endStream: Bool = false,
        receiver: any HTTPStreamReceiver,
    ) -> HTTPStream {
        self.eventLoop.assertInEventLoop()
        return self.requester.startRequest(head, endStream: endStream, receiver: receiver)
    }

    /// Lets running requests finish, then closes.
    public func shutdownGracefully() { self.connection.shutdownGracefully() }

    /// Closes at once.
    public func close() { self.connection.close() }

    /// How the version is chosen.
    public enum VersionChoice: Sendable {
        /// ALPN with TLS, HTTP/2 with prior knowledge without.
        case automatic
        case http2
        case http1
    }

    /// Connects.
    ///
    /// - Parameters:
    ///   - tls: nil for cleartext.
    ///   - serverName: what to verify and to name in SNI; nil for the endpoint's host.
    ///   - limits: ``HTTPLimits/handshakeTimeout`` bounds connecting and handshake together.
    /// - Returns: fails with `HTTPConnectionError`.
    public static func connect(
        to endpoint: HTTPEndpoint,
        tls: TLSContextSource? = nil,
        serverName: String? = nil,
        version: VersionChoice = .automatic,
        limits: HTTPLimits = HTTPLimits(),
        on eventLoop: any EventLoop,
    ) -> EventLoopFuture<HTTPClientConnection> {
        let promise = eventLoop.makePromise(of: HTTPClientConnection.self)
        let timeout = limits.handshakeTimeout.nanoseconds
        let setup = ClientSetup(
            tls: tls,
            serverName: serverName ?? endpoint.tlsName,
            version: version,
            limits: limits,
            promise: promise,
        )
        var bootstrap = ClientBootstrap(group: eventLoop)
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(
                .writeBufferWaterMark,
                value: ChannelOptions.Types.WriteBufferWaterMark(
                    low: max(limits.connectionSendBufferBytes / 4, 1),
                    high: max(limits.connectionSendBufferBytes, 2),
                ),
            )
            .channelInitializer { channel in setup.install(on: channel) }
        if timeout > 0 { bootstrap = bootstrap.connectTimeout(.nanoseconds(timeout)) }
        let connecting: EventLoopFuture<any Channel>
        switch endpoint {
        case .tcp(let host, let port):
            connecting =
                bootstrap
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .connect(host: host, port: port)
        case .unix(let path):
            connecting = bootstrap.connect(unixDomainSocketPath: path)
        }
        connecting.whenFailure { error in
            promise.fail(HTTPConnectionError.connectFailed(String(describing: error)))
        }
        return promise.futureResult
    }
}

extension HTTPEndpoint {
    /// The name that a certificate has to have.
    var tlsName: String? {
        switch self {
        case .tcp(let host, _): host
        case .unix: nil
        }
    }
}

/// What carries a client's requests in one version.
protocol ClientRequester: AnyObject {
    var isAcceptingRequests: Bool { get }
    var requestCount: Int { get }
    var onDraining: () -> Void { get set }
    func startRequest(
        _ head: HTTPRequestHead,
        endStream: Bool,
        receiver: any HTTPStreamReceiver,
    ) -> HTTPStream
}

extension HTTP2Session: ClientRequester {
    var isAcceptingRequests: Bool { self.phase == .open }
    var requestCount: Int { self.streamCount + self.waitingCount }

    func startRequest(
        _ head: HTTPRequestHead,
        endStream: Bool,
        receiver: any HTTPStreamReceiver,
    ) -> HTTPStream {
        let stream: HTTP2Stream = self.startRequest(head, endStream: endStream, receiver: receiver)
        return stream
    }
}
