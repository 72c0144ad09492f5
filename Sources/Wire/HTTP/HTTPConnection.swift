// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import NIOCore

/// The version that carries a connection's messages.
public enum HTTPVersion: Sendable, Equatable {
    case http1
    case http2
}

/// What is known of a connection and its peer. It is bound to its event loop; ``peer`` may leave.
public final class HTTPConnection {
    public let eventLoop: any EventLoop

    /// The facts about the peer, fixed when the first stream starts.
    public let peer: HTTPPeer

    /// A place for a protocol layer to keep something per connection.
    public var userData: AnyObject?

    /// Closes the connection after its streams: GOAWAY and drain, or `connection: close`.
    private let onClose: (_ graceful: Bool) -> Void

    public init(
        eventLoop: any EventLoop,
        peer: HTTPPeer,
        close: @escaping (_ graceful: Bool) -> Void,
    ) {
        self.eventLoop = eventLoop
        self.peer = peer
        self.onClose = close
    }

    /// Lets the running streams finish, refuses new ones, then closes. On the event loop.
    public func shutdownGracefully() {
        self.onClose(true)
    }

    /// Closes at once. On the event loop.
    public func close() {
        self.onClose(false)
    }
}

/// The other end of a connection.
public struct HTTPPeer: Sendable {
    public var version: HTTPVersion
    /// The peer's address; nil for an unnamed unix socket.
    public var remoteAddress: SocketAddress?
    public var localAddress: SocketAddress?
    /// Whether the connection is encrypted.
    public var isSecure: Bool
    /// What ALPN agreed on.
    public var applicationProtocol: String?
    /// The peer's verified certificate chain in DER, leaf first; empty without one.
    public var certificates: [[UInt8]]

    public init(
        version: HTTPVersion,
        remoteAddress: SocketAddress? = nil,
        localAddress: SocketAddress? = nil,
        isSecure: Bool = false,
        applicationProtocol: String? = nil,
        certificates: [[UInt8]] = [],
    ) {
        self.version = version
        self.remoteAddress = remoteAddress
        self.localAddress = localAddress
        self.isSecure = isSecure
        self.applicationProtocol = applicationProtocol
        self.certificates = certificates
    }
}

/// Why a connection failed or ended.
public enum HTTPConnectionError: Error, Sendable, Equatable {
    /// The other end closed it, or the network failed; the text is for people.
    case closed(String)
    /// The peer broke the protocol; we said so with this code (HTTP/2), or answered 4xx (HTTP/1.1).
    case protocolViolation(HTTP2ErrorCode, String)
    /// The peer crossed a limit of ``HTTPLimits``.
    case limitExceeded(HTTPLimit)
    /// The peer sent GOAWAY with this code.
    case goAway(HTTP2ErrorCode, debug: String)
    /// Nothing came in time.
    case timedOut(HTTPTimeout)
    /// The TLS handshake failed; the text is for people.
    case tls(String)
    /// Connecting failed; the text is for people.
    case connectFailed(String)
    /// We are shutting down.
    case shuttingDown
}

/// The limits that a peer can cross.
public enum HTTPLimit: String, Sendable {
    case headerList, headerCount, streamResets, locallyResetStreams, continuations
    case settings, pings, priorities, emptyFrames, windowUpdates, outboundQueue, connections
}

/// The clocks that a peer can let run out.
public enum HTTPTimeout: String, Sendable {
    case connect, handshake, header, body, idle, keepalive, settingsAck, write
}
