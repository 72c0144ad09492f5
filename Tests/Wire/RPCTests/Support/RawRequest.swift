// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import HTTP2Transport
import NIOCore
import NIOPosix
import Synchronization

/// A request with any bytes, made on an HTTP/2 connection of its own, and what came back.
final class RawRequest: HTTPStreamReceiver, @unchecked Sendable {
    // SAFETY: used on the connection's loop until `promise` is fulfilled, read after that.

    /// What came back.
    struct Answer: Sendable {
        var status: Int?
        var fields = HeaderFields()
        var trailers = HeaderFields()
        var body: [UInt8] = []
        var closure: HTTPStreamClosure?

        /// `grpc-status`, wherever it was.
        var code: Int? {
            (self.trailers[.grpcStatus] ?? self.fields[.grpcStatus]).flatMap { Int($0) }
        }
    }

    private var answer = Answer()
    private let promise: EventLoopPromise<Answer>
    private var stream: HTTPStream?

    private init(_ promise: EventLoopPromise<Answer>) { self.promise = promise }

    static func head(
        path: String = "/test.v1.Echo/Unary",
        method: HTTPMethod = .post,
        _ fields: HeaderFields = [:]
    ) -> HTTPRequestHead {
        var all: HeaderFields = [.te: "trailers"]
        if !fields.contains(.contentType) { all.append(.contentType, "application/grpc") }
        all.append(contentsOf: fields)
        return HTTPRequestHead(
            method: method,
            scheme: "http",
            authority: "localhost",
            path: path,
            fields: all
        )
    }

    /// Connects, sends a head and chunks of a body, and waits until the stream is over.
    static func send(
        _ head: HTTPRequestHead,
        body: [[UInt8]],
        ends: Bool = true,
        to port: Int
    ) async throws -> Answer {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let promise = loop.makePromise(of: Answer.self)
        HTTPClientConnection.connect(to: .tcp(host: "127.0.0.1", port: port), on: loop)
            .withConnection(loop, promise) { connection in
                let request = RawRequest(promise)
                let stream = connection.startRequest(head, receiver: request)
                request.stream = stream
                for chunk in body { stream.send(ByteBuffer(bytes: chunk)) }
                if ends { stream.end() }
                promise.futureResult.assumeIsolated().whenComplete { _ in connection.close() }
            }
        return try await promise.futureResult.get()
    }

    func received(head: HTTPResponseHead) {
        self.answer.status = head.status.rawValue
        self.answer.fields = head.fields
    }

    func received(data: ByteBuffer) {
        self.answer.body += Array(data.readableBytesView)
        self.stream?.consume(data.readableBytes)
    }

    func received(trailers: HeaderFields) { self.answer.trailers = trailers }

    func receivedEnd() {
        // The server has said all; a request that is still open is ended, too.
        self.stream?.end()
    }

    func closed(_ reason: HTTPStreamClosure) {
        self.answer.closure = reason
        self.stream = nil
        self.promise.succeed(self.answer)
    }
}

extension EventLoopFuture where Value == HTTPClientConnection {
    /// Runs `body` with the connection on its loop; an error goes to `promise`.
    fileprivate func withConnection<Other>(
        _ loop: any EventLoop,
        _ promise: EventLoopPromise<Other>,
        _ body: @escaping @Sendable (HTTPClientConnection) -> Void
    ) {
        self.whenComplete { result in
            switch result {
            case .success(let connection): body(connection)
            case .failure(let error): promise.fail(error)
            }
        }
    }
}
