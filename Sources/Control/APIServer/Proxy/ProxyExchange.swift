// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import HTTP2Transport
import NIOCore

/// A request to a backend whose body is sent as it comes, no faster than the backend takes it.
///
// SAFETY: `@unchecked Sendable` because what changes is touched on the connection's event loop only.
final class ProxyExchange: HTTPStreamReceiver, @unchecked Sendable {
    private let eventLoop: any EventLoop
    private let exchange: HTTPClientExchange
    private var stream: HTTPStream?
    private var writer: CheckedContinuation<Void, Never>?

    init(_ connection: HTTPClientConnection) {
        self.eventLoop = connection.eventLoop
        self.exchange = HTTPClientExchange(eventLoop: connection.eventLoop)
    }

    /// Sends a request, its head with the first bytes of its body: then it is known whether there
    /// are any.
    func send(
        _ head: HTTPRequestHead,
        _ body: HTTPBody,
        on connection: HTTPClientConnection
    ) async throws {
        var iterator = body.makeAsyncIterator()
        var chunk = try await iterator.next()
        let isEmpty = chunk == nil
        self.eventLoop.execute {
            let stream = connection.startRequest(head, endStream: isEmpty, receiver: self)
            self.stream = stream
            self.exchange.attach(stream)
        }
        while let bytes = chunk {
            await self.write(bytes)
            chunk = try await iterator.next()
        }
        if !isEmpty { self.eventLoop.execute { self.stream?.end() } }
    }

    private func write(_ bytes: ByteBuffer) async {
        await withCheckedContinuation { continuation in
            self.eventLoop.execute {
                guard let stream = self.stream else { return continuation.resume() }
                stream.send(bytes)
                if stream.isWritable { return continuation.resume() }
                self.writer = continuation
            }
        }
    }

    /// The request could not be sent: there will be no answer.
    func fail() {
        self.eventLoop.execute {
            if let stream = self.stream { return stream.reset(.cancel) }
            self.exchange.receiver.closed(.resetLocally(.cancel))
        }
    }

    func responseHead() async throws -> HTTPResponseHead {
        try await self.exchange.responseHead()
    }

    var body: HTTPBody { self.exchange.body() }

    // MARK: - HTTPStreamReceiver

    func received(head: HTTPResponseHead) { self.exchange.receiver.received(head: head) }
    func received(data: ByteBuffer) { self.exchange.receiver.received(data: data) }
    func received(trailers: HeaderFields) { self.exchange.receiver.received(trailers: trailers) }
    func receivedEnd() { self.exchange.receiver.receivedEnd() }

    func writabilityChanged(_ isWritable: Bool) {
        self.exchange.receiver.writabilityChanged(isWritable)
        if isWritable { self.resumeWriter() }
    }

    func closed(_ reason: HTTPStreamClosure) {
        self.stream = nil
        self.exchange.receiver.closed(reason)
        self.resumeWriter()
    }

    private func resumeWriter() {
        self.writer?.resume()
        self.writer = nil
    }
}
