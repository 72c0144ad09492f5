// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import HTTP
public import NIOCore

/// A response whose body comes as it is read.
public struct HTTPClientResponse: Sendable {
    public let head: HTTPResponseHead
    public let body: HTTPBody
}

extension HTTPClientConnection {
    /// Sends a request with a whole body and returns when the response's head has come.
    ///
    /// Works from any executor. Cancelling the task gives the request up; a body that is not read to
    /// its end and dropped gives it up too.
    ///
    /// - Throws: `HTTPStreamClosed`, with `.notProcessed` when the request may be sent again.
    public nonisolated func send(
        _ head: HTTPRequestHead,
        body: ByteBuffer? = nil,
    ) async throws -> HTTPClientResponse {
        let exchange = HTTPClientExchange(eventLoop: self.eventLoop)
        let start: @Sendable () -> Void = {
            let stream = self.startRequest(
                head,
                endStream: body == nil,
                receiver: exchange.receiver
            )
            exchange.attach(stream)
            if let body { stream.send(body, endStream: true) }
        }
        if self.eventLoop.inEventLoop { start() } else { self.eventLoop.execute(start) }
        let answer = try await exchange.responseHead()
        return HTTPClientResponse(head: answer, body: exchange.body())
    }
}
