// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import NIOCore

/// Joins a stream's callbacks to the task that serves it.
///
// SAFETY: `@unchecked Sendable` because all state is touched on the stream's event loop only: the
// receiver's methods are called there, and the async ones check and hop.
final class HTTPExchange: HTTPStreamReceiver, @unchecked Sendable {
    private var attached: HTTPStream?
    private let eventLoop: any EventLoop

    // Reading.
    private var chunks = CircularBuffer<ByteBuffer>(initialCapacity: 1)
    private var trailers: HeaderFields?
    private var inputEnded = false
    private var reader: CheckedContinuation<ByteBuffer?, any Error>?
    private var owesContinue: Bool

    // Writing.
    private var headSent = false
    private var outputEnded = false
    private var writer: CheckedContinuation<Void, any Error>?

    /// Who is told of the end of a response that goes on without its handler.
    private var onClose: (@Sendable () -> Void)?

    private var closure: HTTPStreamClosure?
    private var task: Task<Void, Never>?
    private var isDone = false

    // Client.
    private var responseHead: HTTPResponseHead?
    private var headReader: CheckedContinuation<HTTPResponseHead, any Error>?

    init(stream: HTTPStream, head: HTTPRequestHead) {
        self.attached = stream
        self.eventLoop = stream.eventLoop
        self.owesContinue = head.fields.list(.expect, has: "100-continue")
    }

    /// The client's side; the stream is attached when it has been started.
    init(eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
        self.owesContinue = false
    }

    func attach(_ stream: HTTPStream) {
        if self.closure == nil { self.attached = stream }
    }

    private var stream: HTTPStream {
        guard let stream = self.attached else { preconditionFailure("no stream is attached") }
        return stream
    }

    var requestsUpgrade: Bool { self.stream.requestsUpgrade }

    // MARK: - The task

    func start(
        _ handler: any HTTPRequestHandler,
        _ head: HTTPRequestHead,
        on executor: EventLoopTaskExecutor,
    ) {
        let request = HTTPRequest(
            head: head,
            exchange: self,
            peer: self.stream.connection.peer,
        )
        let response = HTTPResponseWriter(exchange: self)
        // Owned by the exchange, which cancels it when the stream ends.
        self.task = Task(executorPreference: executor) {
            do {
                try await handler.handle(request, response)
                await self.handlerEnded(nil)
            } catch {
                await self.handlerEnded(error)
            }
        }
    }

    private func handlerEnded(_ error: (any Error)?) async {
        try? await self.perform { exchange in
            exchange.end(error)
        }
    }

    private func end(_ error: (any Error)?) {
        self.isDone = true
        self.task = nil
        if error == nil, self.onClose != nil { return }
        guard self.closure == nil, !self.outputEnded else { return }
        self.outputEnded = true
        if !self.headSent {
            self.stream.send(HTTPResponseHead(status: .internalServerError), endStream: true)
        } else if let error {
            self.stream.reset(error is CancellationError ? .cancel : .internalError)
        } else {
            self.stream.end()
        }
    }

    func perform<Result: Sendable>(
        _ body: @escaping @Sendable (HTTPExchange) throws -> Result
    ) async throws -> Result {
        if self.eventLoop.inEventLoop { return try body(self) }
        return try await self.eventLoop.submit { try body(self) }.get()
    }

    /// Runs `body` on the event loop: at once when that is where the caller is.
    func execute(_ body: @escaping @Sendable (HTTPExchange) -> Void) {
        if self.eventLoop.inEventLoop { return body(self) }
        self.eventLoop.execute { body(self) }
    }

    // MARK: - Reading

    func nextChunk() async throws -> ByteBuffer? {
        if self.eventLoop.inEventLoop, let ready = try self.poll() {
            return ready.readableBytes == 0 ? nil : ready
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                if self.eventLoop.inEventLoop {
                    self.wait(continuation)
                } else {
                    self.eventLoop.execute { self.wait(continuation) }
                }
            }
        } onCancel: {
            self.eventLoop.execute {
                self.reader?.resume(throwing: CancellationError())
                self.reader = nil
            }
        }
    }

    /// What is there: bytes, an empty buffer for the end, nil for nothing yet.
    private func poll() throws -> ByteBuffer? {
        if let chunk = self.chunks.popFirst() {
            self.attached?.consume(chunk.readableBytes)
            return chunk
        }
        if self.inputEnded { return ByteBuffer() }
        if let closure = self.closure { throw HTTPStreamClosed(reason: closure) }
        if self.owesContinue {
            self.owesContinue = false
            if !self.headSent { self.stream.send(HTTPResponseHead(status: .continue)) }
        }
        return nil
    }

    private func wait(_ continuation: CheckedContinuation<ByteBuffer?, any Error>) {
        do {
            if let ready = try self.poll() {
                return continuation.resume(returning: ready.readableBytes == 0 ? nil : ready)
            }
        } catch {
            return continuation.resume(throwing: error)
        }
        guard self.reader == nil else {
            return continuation.resume(throwing: HTTPBodyHasReader())
        }
        if self.isTaskCancelled { return continuation.resume(throwing: CancellationError()) }
        self.reader = continuation
    }

    private var isTaskCancelled: Bool { self.task?.isCancelled ?? false }

    func receivedTrailers() async -> HeaderFields? {
        (try? await self.perform { $0.trailers }) ?? nil
    }

    // MARK: - Client

    /// Waits for the final head.
    func waitForHead() async throws -> HTTPResponseHead {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                if self.eventLoop.inEventLoop {
                    self.waitForHead(continuation)
                } else {
                    self.eventLoop.execute { self.waitForHead(continuation) }
                }
            }
        } onCancel: {
            self.cancel()
        }
    }

    private func waitForHead(_ continuation: CheckedContinuation<HTTPResponseHead, any Error>) {
        if let head = self.responseHead {
            continuation.resume(returning: head)
        } else if let closure = self.closure {
            continuation.resume(throwing: HTTPStreamClosed(reason: closure))
        } else {
            self.headReader = continuation
        }
    }

    /// Gives the request up unless it is over.
    func cancel() {
        self.eventLoop.execute {
            if self.closure == nil { self.attached?.reset(.cancel) }
        }
    }

    // MARK: - Writing

    func send(_ head: HTTPResponseHead) throws {
        try self.checkWritable()
        if !head.status.isInformational {
            guard !self.headSent else { throw HTTPResponseMisuse.headSentTwice }
            self.headSent = true
        }
        self.stream.send(head)
    }

    func send(_ head: HTTPResponseHead, body: ByteBuffer) throws {
        try self.send(head)
        self.outputEnded = true
        self.stream.send(body, endStream: true)
    }

    func finish(_ trailers: HeaderFields) throws {
        try self.checkWritable()
        guard self.headSent else { throw HTTPResponseMisuse.noHead }
        self.outputEnded = true
        self.stream.send(trailers: trailers)
    }

    func detach(_ onClose: @escaping @Sendable () -> Void) throws {
        if let closure = self.closure { throw HTTPStreamClosed(reason: closure) }
        self.onClose = onClose
    }

    func upgrade(_ protocolName: String, _ fields: HeaderFields) throws -> Bool {
        try self.checkWritable()
        guard self.stream.upgrade(to: protocolName, fields: fields) else { return false }
        self.headSent = true
        // The request has ended; the peer's bytes have not.
        self.inputEnded = false
        return true
    }

    func takeOver(
        _ protocolName: String,
        _ fields: HeaderFields,
        _ handOver: @escaping @Sendable (any Channel) -> Void,
    ) throws -> Bool {
        try self.checkWritable()
        let done = self.stream.takeOver(
            protocolName: protocolName,
            fields: fields,
            handOver: handOver,
        )
        if done {
            self.headSent = true
            self.outputEnded = true
        }
        return done
    }

    private func checkWritable() throws {
        if let closure = self.closure { throw HTTPStreamClosed(reason: closure) }
        if self.outputEnded { throw HTTPResponseMisuse.ended }
    }

    func write(_ bytes: ByteBuffer) async throws {
        if self.eventLoop.inEventLoop {
            try self.checkWritable()
            guard self.headSent else { throw HTTPResponseMisuse.noHead }
            self.stream.send(bytes)
            if self.stream.isWritable { return }
        } else {
            try await self.perform { exchange in
                try exchange.checkWritable()
                guard exchange.headSent else { throw HTTPResponseMisuse.noHead }
                exchange.stream.send(bytes)
            }
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                if self.eventLoop.inEventLoop {
                    self.waitUntilWritable(continuation)
                } else {
                    self.eventLoop.execute { self.waitUntilWritable(continuation) }
                }
            }
        } onCancel: {
            self.eventLoop.execute {
                self.writer?.resume(throwing: CancellationError())
                self.writer = nil
            }
        }
    }

    private func waitUntilWritable(_ continuation: CheckedContinuation<Void, any Error>) {
        if let closure = self.closure {
            continuation.resume(throwing: HTTPStreamClosed(reason: closure))
        } else if self.stream.isWritable {
            continuation.resume()
        } else if self.isTaskCancelled {
            continuation.resume(throwing: CancellationError())
        } else if self.writer != nil {
            continuation.resume(throwing: HTTPResponseMisuse.twoWriters)
        } else {
            self.writer = continuation
        }
    }

    // MARK: - HTTPStreamReceiver

    var answersExpectations: Bool { true }

    /// Chunks below this size are copied together while they wait, so that a slow handler keeps
    /// its own bytes only and not the read buffers they came in.
    private static let gatheredByteCount = 16 << 10

    func received(data: ByteBuffer) {
        if let reader = self.reader {
            self.reader = nil
            self.attached?.consume(data.readableBytes)
            reader.resume(returning: data)
            return
        }
        guard data.readableBytes < Self.gatheredByteCount else { return self.chunks.append(data) }
        if let last = self.chunks.indices.last,
            self.chunks[last].writableBytes >= data.readableBytes,
            self.chunks[last].storageCapacity <= 2 * Self.gatheredByteCount
        {
            self.chunks[last].writeImmutableBuffer(data)
            return
        }
        var copy = ByteBufferAllocator().buffer(
            capacity: self.chunks.isEmpty ? data.readableBytes : Self.gatheredByteCount
        )
        copy.writeImmutableBuffer(data)
        self.chunks.append(copy)
    }

    func received(head: HTTPResponseHead) {
        guard !head.status.isInformational else { return }
        if let reader = self.headReader {
            self.headReader = nil
            reader.resume(returning: head)
        } else {
            self.responseHead = head
        }
    }

    func received(trailers: HeaderFields) { self.trailers = trailers }

    func receivedEnd() {
        self.inputEnded = true
        if let reader = self.reader {
            self.reader = nil
            reader.resume(returning: nil)
        }
    }

    func writabilityChanged(_ isWritable: Bool) {
        guard isWritable, let writer = self.writer else { return }
        self.writer = nil
        writer.resume()
    }

    func closed(_ reason: HTTPStreamClosure) {
        self.closure = reason
        // What came before a proper end may still be read.
        if reason != .finished { self.chunks.removeAll() }
        let error = HTTPStreamClosed(reason: reason)
        self.reader?.resume(throwing: error)
        self.reader = nil
        self.writer?.resume(throwing: error)
        self.writer = nil
        self.headReader?.resume(throwing: error)
        self.headReader = nil
        if !self.isDone, reason != .finished { self.task?.cancel() }
        self.task = nil
        let onClose = self.onClose
        self.onClose = nil
        onClose?()
    }
}

/// Two tasks read one body.
struct HTTPBodyHasReader: Error {}

/// A handler broke the order of head, body and end.
enum HTTPResponseMisuse: Error {
    case headSentTwice
    case noHead
    case ended
    case twoWriters
}
