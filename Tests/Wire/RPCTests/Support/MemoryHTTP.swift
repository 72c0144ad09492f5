// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import NIOCore
import NIOPosix
import RPCInterface
import Synchronization

@testable import RPC

/// HTTP without a socket: a client's streams are handed to a server's handler on one event loop.
/// Windows, resets and refusals are as on a connection, and tests can cause them.
final class MemoryTransport: ClientTransport {
    /// Bytes that one side may send before the other has consumed them.
    static let windowBytes = 64 << 10

    private let connection: HTTPConnection
    private let handler: any HTTPConnectionHandler
    private let faults: Faults
    private let lost: @Sendable (any ClientTransport) -> Void
    private(set) var isAcceptingRequests = true
    private let number: Int
    var isOutdated: Bool { self.number < self.faults.value.outdatedBefore }
    fileprivate var streams: [ObjectIdentifier: MemoryExchange] = [:]
    private var nextID = 1

    /// What goes wrong, and what was seen.
    final class Faults: Sendable {
        struct State {
            /// The next requests that get `notProcessed`.
            var refusals = 0
            /// Attempts to connect that fail.
            var connectFailures = 0
            /// Connections made before so many others have old certificates.
            var outdatedBefore = 0
            /// Attempts to connect.
            var connects = 0
            /// Requests that reached a connection.
            var requests = 0
            /// Streams that are open.
            var openStreams = 0
            /// The heads of requests.
            var heads: [HTTPRequestHead] = []
        }
        let state = Mutex(State())
        var value: State { self.state.withLock { $0 } }
    }

    init(
        loop: any EventLoop,
        handler: any HTTPServerHandler,
        faults: Faults,
        lost: @escaping @Sendable (any ClientTransport) -> Void
    ) {
        self.faults = faults
        self.number = faults.value.connects
        self.lost = lost
        self.connection = HTTPConnection(
            eventLoop: loop,
            peer: HTTPPeer(version: .http2),
            close: { _ in }
        )
        self.handler = handler.handler(for: self.connection)
    }

    func startRequest(
        _ head: HTTPRequestHead,
        endStream: Bool,
        receiver: any HTTPStreamReceiver
    ) -> HTTPStream {
        let exchange = MemoryExchange(connection: self.connection, id: self.nextID)
        self.nextID += 2
        exchange.client.receiver = receiver
        let isRefused = self.faults.state.withLock { state in
            state.requests += 1
            state.heads.append(head)
            guard state.refusals > 0 else { return false }
            state.refusals -= 1
            return true
        }
        if isRefused {
            exchange.client.deliver { $0.finish(.notProcessed) }
            return exchange.client
        }
        self.streams[ObjectIdentifier(exchange)] = exchange
        self.faults.state.withLock { $0.openStreams += 1 }
        exchange.onClosed = { [weak self] exchange in
            self?.streams[ObjectIdentifier(exchange)] = nil
            self?.faults.state.withLock { $0.openStreams -= 1 }
        }
        let handler = self.handler
        exchange.server.deliver { stream in
            stream.receiver = handler.startStream(stream, head: head)
        }
        if endStream { exchange.client.end() }
        return exchange.client
    }

    func close(gracefully: Bool) {
        self.isAcceptingRequests = false
        if !gracefully { self.lose() }
    }

    /// The connection breaks.
    func lose() {
        self.isAcceptingRequests = false
        for exchange in self.streams.values {
            exchange.client.finish(.connectionLost(.closed("test")))
            exchange.server.finish(.connectionLost(.closed("test")))
        }
        self.lost(self)
    }
}

/// Makes ``MemoryTransport``s.
struct MemoryConnector: ClientConnector {
    let handler: any HTTPServerHandler
    let faults: MemoryTransport.Faults
    /// The transports that were made; for the loop they are on.
    let made = Made()

    final class Made: @unchecked Sendable {
        // SAFETY: `last` is used on the connection's loop; `loop` is behind its lock.
        var last: MemoryTransport?
        let loop = Mutex<(any EventLoop)?>(nil)

        /// The newest connection breaks.
        func loseLast() {
            self.loop.withLock { $0 }?.execute { self.last?.lose() }
        }
    }

    var scheme: String { "http" }
    var authority: String { "memory" }

    func connect(
        on loop: any EventLoop,
        lost: @escaping @Sendable (any ClientTransport) -> Void
    ) -> EventLoopFuture<any ClientTransport> {
        let fails = self.faults.state.withLock { state in
            state.connects += 1
            guard state.connectFailures > 0 else { return false }
            state.connectFailures -= 1
            return true
        }
        guard !fails else {
            return loop.makeFailedFuture(HTTPConnectionError.connectFailed("test"))
        }
        let transport = MemoryTransport(
            loop: loop,
            handler: self.handler,
            faults: self.faults,
            lost: lost
        )
        self.made.last = transport
        self.made.loop.withLock { $0 = loop }
        return loop.makeSucceededFuture(NIOLoopBound(transport, eventLoop: loop)).assumeIsolated()
            .map { $0.value as any ClientTransport }.nonisolated()
    }
}

/// One request and its response between two ends.
final class MemoryExchange {
    let client: MemoryStream
    let server: MemoryStream
    var onClosed: ((MemoryExchange) -> Void)?

    init(connection: HTTPConnection, id: Int) {
        self.client = MemoryStream(connection: connection, id: id)
        self.server = MemoryStream(connection: connection, id: id)
        self.client.exchange = self
        self.server.exchange = self
        self.client.peer = self.server
        self.server.peer = self.client
    }

    func endedBothWays() {
        guard self.client.hasEnded, self.server.hasEnded else { return }
        self.client.deliver { $0.finish(.finished) }
        self.server.deliver { $0.finish(.finished) }
    }

    func closed() {
        guard self.client.isClosed, self.server.isClosed else { return }
        self.onClosed?(self)
        self.onClosed = nil
    }
}

/// One end of an exchange.
final class MemoryStream: HTTPStream {
    fileprivate weak var peer: MemoryStream?
    /// Keeps the exchange until both ends are closed.
    fileprivate var exchange: MemoryExchange?
    private let number: Int
    private var queue: [ByteBuffer] = []
    private var unconsumedByPeer = 0
    private var endsAfterQueue: (() -> Void)?
    fileprivate private(set) var hasEnded = false
    fileprivate private(set) var isClosed = false
    private var wasWritable = true

    init(connection: HTTPConnection, id: Int) {
        self.number = id
        super.init(connection: connection)
    }

    override var id: Int { self.number }

    /// Does something to this end later, in order.
    fileprivate func deliver(_ event: @escaping (MemoryStream) -> Void) {
        let box = NIOLoopBound((self, event), eventLoop: self.eventLoop)
        self.eventLoop.execute {
            let (stream, event) = box.value
            event(stream)
        }
    }

    override func send(_ head: HTTPResponseHead, endStream: Bool = false) {
        guard !self.isClosed, !self.hasEnded else { return }
        self.peer?.deliver { peer in
            guard !peer.isClosed else { return }
            peer.receiver?.received(head: head)
        }
        if endStream { self.end() }
    }

    override func send(_ data: ByteBuffer, endStream: Bool = false) {
        guard !self.isClosed, !self.hasEnded else { return }
        if data.readableBytes > 0 { self.queue.append(data) }
        self.pump()
        if endStream { self.end() }
    }

    override func send(trailers: HeaderFields) {
        self.finishSending { stream in
            stream.peer?.deliver { peer in
                guard !peer.isClosed else { return }
                peer.receiver?.received(trailers: trailers)
                peer.receiver?.receivedEnd()
            }
        }
    }

    override func end() {
        self.finishSending { stream in
            stream.peer?.deliver { peer in
                guard !peer.isClosed else { return }
                peer.receiver?.receivedEnd()
            }
        }
    }

    private func finishSending(_ last: @escaping (MemoryStream) -> Void) {
        guard !self.isClosed, self.endsAfterQueue == nil, !self.hasEnded else { return }
        self.endsAfterQueue = { [unowned self] in last(self) }
        self.pump()
    }

    private func pump() {
        while let data = self.queue.first, self.unconsumedByPeer < MemoryTransport.windowBytes {
            self.queue.removeFirst()
            self.unconsumedByPeer += data.readableBytes
            self.peer?.deliver { peer in
                guard !peer.isClosed else { return }
                peer.receiver?.received(data: data)
            }
        }
        if self.queue.isEmpty, let last = self.endsAfterQueue {
            self.endsAfterQueue = nil
            self.hasEnded = true
            last()
            self.exchange?.endedBothWays()
        }
        let isWritable = self.isWritable
        if isWritable != self.wasWritable {
            self.wasWritable = isWritable
            self.deliver { stream in
                guard !stream.isClosed else { return }
                stream.receiver?.writabilityChanged(stream.isWritable)
            }
        }
    }

    override func consume(_ byteCount: Int) {
        guard byteCount > 0 else { return }
        self.peer?.deliver { peer in
            guard !peer.isClosed else { return }
            peer.unconsumedByPeer -= byteCount
            precondition(peer.unconsumedByPeer >= 0, "more was consumed than was received")
            peer.pump()
        }
    }

    override func reset(_ code: HTTP2ErrorCode) {
        guard !self.isClosed else { return }
        self.deliver { $0.finish(.resetLocally(code)) }
        self.peer?.deliver { $0.finish(.resetByPeer(code)) }
    }

    override var isWritable: Bool { self.queuedByteCount < MemoryTransport.windowBytes }
    override var queuedByteCount: Int { self.queue.reduce(0) { $0 + $1.readableBytes } }

    fileprivate func finish(_ reason: HTTPStreamClosure) {
        guard !self.isClosed else { return }
        self.isClosed = true
        self.queue = []
        self.endsAfterQueue = nil
        let receiver = self.receiver
        self.receiver = nil
        receiver?.closed(reason)
        let exchange = self.exchange
        self.exchange = nil
        exchange?.closed()
    }
}
