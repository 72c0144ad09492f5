// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import NIOCore

/// What serves requests with async functions.
///
/// `handle` runs in a task of its own on the connection's event loop; it must not block. The task is
/// cancelled when the stream is reset or the connection ends. When it returns the response is
/// ended; when it throws before a head was sent the answer is 500, later the stream is reset.
public protocol HTTPRequestHandler: Sendable {
    func handle(_ request: HTTPRequest, _ response: HTTPResponseWriter) async throws
}

/// A request with its body.
public struct HTTPRequest: Sendable {
    public let head: HTTPRequestHead
    public let body: HTTPBody
    /// Who asks.
    public let peer: HTTPPeer

    init(head: HTTPRequestHead, exchange: HTTPExchange, peer: HTTPPeer) {
        self.head = head
        self.body = HTTPBody(exchange: exchange)
        self.peer = peer
    }
}

/// The bytes of a message as they come. What is not read is not buffered beyond the stream's
/// window. To be iterated once, by one task.
public struct HTTPBody: AsyncSequence, Sendable {
    public typealias Element = ByteBuffer

    private let exchange: HTTPExchange
    /// Gives a client's request up when nobody can read its body any more.
    private let keeper: (any AnyObject & Sendable)?

    init(exchange: HTTPExchange, keeper: (any AnyObject & Sendable)? = nil) {
        self.exchange = exchange
        self.keeper = keeper
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        let exchange: HTTPExchange
        let keeper: (any AnyObject & Sendable)?

        public mutating func next() async throws -> ByteBuffer? {
            try await self.exchange.nextChunk()
        }
    }

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(exchange: self.exchange, keeper: self.keeper)
    }

    /// The whole rest of the body.
    ///
    /// - Throws: ``HTTPBodyTooLarge`` when it has more than `limit` bytes.
    public func collect(upTo limit: Int) async throws -> ByteBuffer {
        var all = ByteBuffer()
        var iterator = self.makeAsyncIterator()
        while let chunk = try await iterator.next() {
            guard chunk.readableBytes <= limit - all.readableBytes else {
                throw HTTPBodyTooLarge(limit: limit)
            }
            if all.readableBytes == 0 { all = chunk } else { all.writeImmutableBuffer(chunk) }
        }
        return all
    }

    /// The trailers, once the body has ended.
    public var trailers: HeaderFields? {
        get async { await self.exchange.receivedTrailers() }
    }
}

/// A body was larger than its reader takes.
public struct HTTPBodyTooLarge: Error, Sendable, Equatable {
    public let limit: Int

    public init(limit: Int) {
        self.limit = limit
    }
}

/// A stream ended while a handler was reading or writing.
public struct HTTPStreamClosed: Error, Sendable, Equatable {
    public let reason: HTTPStreamClosure
}

/// Answers a request. Used by the request's task; from other executors it works too, by a hop.
public struct HTTPResponseWriter: Sendable {
    private let exchange: HTTPExchange

    init(exchange: HTTPExchange) {
        self.exchange = exchange
    }

    /// Sends a head; interim ones (1xx) may come before it.
    public func send(_ head: HTTPResponseHead) async throws {
        try await self.exchange.perform { try $0.send(head) }
    }

    /// Sends a whole response.
    public func send(_ head: HTTPResponseHead, body: ByteBuffer) async throws {
        try await self.exchange.perform { try $0.send(head, body: body) }
    }

    /// Sends body bytes; returns when the peer has room for more.
    public func write(_ bytes: ByteBuffer) async throws {
        try await self.exchange.write(bytes)
    }

    /// Ends the response. Without this it ends when the handler returns.
    public func finish(trailers: HeaderFields = HeaderFields()) async throws {
        try await self.exchange.perform { try $0.finish(trailers) }
    }

    /// Keeps the response open when the handler returns: whoever has this writer goes on with it, and
    /// ends it with ``finish(trailers:)``. A response that waits for something to send keeps no
    /// task, and nothing of what its handler knew.
    ///
    /// - Parameter onClose: called once, on the event loop, when the stream is over, whoever has
    ///   ended it.
    public func detach(onClose: @escaping @Sendable () -> Void) async throws {
        try await self.exchange.perform { try $0.detach(onClose) }
    }

    /// Turns the stream into a raw channel: the request's body yields the peer's bytes and
    /// ``write(_:)`` sends. See ``HTTPStream/upgrade(to:fields:)``.
    ///
    /// - Returns: false when the client did not ask for an upgrade.
    public func upgrade(
        to protocolName: String,
        fields: HeaderFields = HeaderFields(),
    ) async throws -> Bool {
        try await self.exchange.perform { try $0.upgrade(protocolName, fields) }
    }

    /// Hands the channel over. See ``HTTPStream/takeOver(protocolName:fields:handOver:)``.
    public func takeOver(
        protocolName: String,
        fields: HeaderFields,
        handOver: @escaping @Sendable (any Channel) -> Void,
    ) async throws -> Bool {
        try await self.exchange.perform {
            try $0.takeOver(protocolName, fields, handOver)
        }
    }

    /// The same from a place that cannot wait; `done` is called on the event loop.
    func takeOver(
        protocolName: String,
        fields: HeaderFields,
        handOver: @escaping @Sendable (any Channel) -> Void,
        done: @escaping @Sendable (Result<Bool, any Error>) -> Void,
    ) {
        self.exchange.execute { exchange in
            done(Result { try exchange.takeOver(protocolName, fields, handOver) })
        }
    }

    /// Whether the client asked for an upgrade.
    public var requestsUpgrade: Bool {
        get async { (try? await self.exchange.perform { $0.requestsUpgrade }) ?? false }
    }
}

/// Serves a listener with an ``HTTPRequestHandler``.
public struct AsyncHTTPServerHandler: HTTPServerHandler {
    private let handler: any HTTPRequestHandler

    public init(_ handler: any HTTPRequestHandler) {
        self.handler = handler
    }

    public func handler(for connection: HTTPConnection) -> any HTTPConnectionHandler {
        AsyncConnectionHandler(self.handler, executor: .of(connection.eventLoop))
    }
}

/// Starts a task for each request of a connection.
public final class AsyncConnectionHandler: HTTPConnectionHandler {
    private let handler: any HTTPRequestHandler
    private let executor: EventLoopTaskExecutor

    public init(_ handler: any HTTPRequestHandler, executor: EventLoopTaskExecutor) {
        self.handler = handler
        self.executor = executor
    }

    public func startStream(
        _ stream: HTTPStream,
        head: HTTPRequestHead,
    ) -> any HTTPStreamReceiver {
        let exchange = HTTPExchange(stream: stream, head: head)
        exchange.start(self.handler, head, on: self.executor)
        return exchange
    }
}
