// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import NIOCore

/// One request and its response, seen from either side: an HTTP/2 stream, or one exchange on an
/// HTTP/1.1 connection.
///
/// This is the performance path: no task, no promise, no allocation per call. Everything here, and
/// every call of the stream's ``HTTPStreamReceiver``, happens on ``eventLoop``; each method traps
/// when called from elsewhere in a debug build.
///
/// **Sending.** A server sends one final head (interim 1xx heads may come before it), then data,
/// then trailers or an end. What is sent during a callback goes out in one write when the read
/// cycle ends; what is sent at another time goes out at the end of the event loop's tick. There
/// is no flush. Sending after the stream has ended on this side, or after ``HTTPStreamReceiver/
/// closed(_:)``, does nothing.
///
/// **Receiving.** Data is flow-controlled: the peer may send as much as the stream's window, and
/// more only after ``consume(_:)`` says how many bytes the application is done with.
open class HTTPStream {
    /// The loop on which everything about this stream happens.
    public final let eventLoop: any EventLoop

    /// The connection that carries the stream.
    public final let connection: HTTPConnection

    /// Who hears of the stream. Set by the transport from what the handler returns; a protocol
    /// layer may replace it during any callback.
    public final var receiver: (any HTTPStreamReceiver)?

    public init(connection: HTTPConnection) {
        self.eventLoop = connection.eventLoop
        self.connection = connection
        self.receiver = nil
    }

    /// The HTTP/2 stream identifier; on HTTP/1.1 the number of the exchange, from 1.
    open var id: Int { 0 }

    /// Server: sends a head; an interim one (1xx) any number of times, then a final one.
    open func send(_ head: HTTPResponseHead, endStream: Bool = false) {
        preconditionFailure("the transport implements this")
    }

    /// Sends body bytes. They are queued in full: look at ``isWritable`` between calls, and wait
    /// for ``HTTPStreamReceiver/writabilityChanged(_:)`` when it is false.
    open func send(_ data: ByteBuffer, endStream: Bool = false) {
        preconditionFailure("the transport implements this")
    }

    /// Sends trailers and ends the stream on this side. HTTP/1.1 sends them when the body is
    /// chunked.
    open func send(trailers: HeaderFields) {
        preconditionFailure("the transport implements this")
    }

    /// Ends the stream on this side.
    open func end() {
        preconditionFailure("the transport implements this")
    }

    /// Gives the stream up: RST_STREAM, or closing the connection on HTTP/1.1 when a message is
    /// incomplete. ``HTTPStreamReceiver/closed(_:)`` follows, not during this call.
    open func reset(_ code: HTTP2ErrorCode) {
        preconditionFailure("the transport implements this")
    }

    /// Says that the application is done with this many received bytes, so the peer may send as
    /// many more. More than was received is ignored.
    open func consume(_ byteCount: Int) {
        preconditionFailure("the transport implements this")
    }

    /// Whether the peer takes what is sent: false while more than the stream's send limit
    /// (``HTTPLimits/streamSendBufferBytes``) waits to leave.
    open var isWritable: Bool { true }

    /// The body bytes that were sent here and have not left yet.
    open var queuedByteCount: Int { 0 }

    /// Whether the request asks for an HTTP/1.1 upgrade, or is an HTTP/2 extended CONNECT.
    open var requestsUpgrade: Bool { false }

    /// Server: answers an `Upgrade` with 101 and these fields (`upgrade` and `connection` among
    /// them are set here), or an extended CONNECT with 200. From then on the stream is a raw
    /// bidirectional byte channel: received bytes come as data, sent data goes out as it is, and
    /// `end()` closes the sending half.
    ///
    /// - Parameter protocolName: the token for `Upgrade`.
    /// - Returns: false when the stream cannot be upgraded; nothing was sent then.
    open func upgrade(to protocolName: String, fields: HeaderFields = HeaderFields()) -> Bool {
        false
    }

    /// Server, HTTP/1.1: answers an `Upgrade` with 101 and hands the channel itself over, for
    /// protocols that come as channel handlers (WebSocket). The HTTP handlers are gone when
    /// `handOver` runs; TLS stays. Bytes that the peer sent early are read again through the new
    /// handlers.
    ///
    /// - Returns: false when there is no such channel (HTTP/2) or no upgrade was asked for.
    open func takeOver(
        protocolName: String,
        fields: HeaderFields,
        handOver: @escaping (any Channel) -> Void,
    ) -> Bool {
        false
    }
}

/// What a stream tells its owner. All calls come on the stream's event loop, never from inside a
/// call into the stream, and in this order:
///
/// ```
/// received(head:)*  received(data:)*  received(trailers:)?  receivedEnd()   closed(_:)
/// ```
///
/// `closed` is the last call and comes exactly once, whatever happened before.
public protocol HTTPStreamReceiver: AnyObject {
    /// Client: a response head; interim ones (1xx) come before the final one.
    func received(head: HTTPResponseHead)

    /// Body bytes, never empty. The buffer is a view of the connection's read buffer: parse it at
    /// once, or copy what is kept for long, because a kept slice keeps the whole read buffer.
    /// Each byte has to be given back by ``HTTPStream/consume(_:)`` some time.
    func received(data: ByteBuffer)

    /// Trailers; ``receivedEnd()`` follows.
    func received(trailers: HeaderFields)

    /// The peer has ended its side.
    func receivedEnd()

    /// ``HTTPStream/isWritable`` is now this.
    func writabilityChanged(_ isWritable: Bool)

    /// Server: whether the receiver sends `100 Continue` itself when it starts to read a body that
    /// was announced by `Expect: 100-continue`. False lets the transport send it at once.
    var answersExpectations: Bool { get }

    /// The stream is over and the object must not be used any more.
    func closed(_ reason: HTTPStreamClosure)
}

extension HTTPStreamReceiver {
    public func received(head: HTTPResponseHead) {}
    public func writabilityChanged(_ isWritable: Bool) {}
    public var answersExpectations: Bool { false }
}

/// Why a stream is over.
public enum HTTPStreamClosure: Sendable, Equatable {
    /// Both sides have ended.
    case finished
    /// The peer reset it.
    case resetByPeer(HTTP2ErrorCode)
    /// We reset it: the application asked, or the peer broke a rule of the stream.
    case resetLocally(HTTP2ErrorCode)
    /// Client: the server has not processed it (REFUSED_STREAM, or beyond the last stream of its
    /// GOAWAY, or never sent). Trying again elsewhere is safe whatever the method.
    case notProcessed
    /// The connection ended under it.
    case connectionLost(HTTPConnectionError)
}
