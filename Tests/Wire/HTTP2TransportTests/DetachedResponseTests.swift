// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import HTTP2Transport
import NIOCore
import NIOPosix
import Testing

/// Returns at once; `/later` is answered by somebody else, everything else by nobody.
private struct Detaching: HTTPRequestHandler {
    let ends: AsyncStream<String>.Continuation

    func handle(_ request: HTTPRequest, _ response: HTTPResponseWriter) async throws {
        let path = String(request.head.path)
        let ends = self.ends
        try await response.send(HTTPResponseHead(status: .ok))
        try await response.detach { ends.yield(path) }
        guard path == "/later" else { return }
        Task.detached {
            try await response.write(ByteBuffer(string: "later\n"))
            try await response.finish(trailers: [.grpcStatus: "0"])
        }
    }
}

/// Gives a request up as soon as its answer has begun.
private final class Quitter: HTTPStreamReceiver, @unchecked Sendable {
    // SAFETY: touched on the stream's event loop only.
    var stream: HTTPStream?
    let end: EventLoopPromise<Void>

    init(_ loop: any EventLoop) {
        self.end = loop.makePromise()
    }

    func received(head: HTTPResponseHead) { self.stream?.reset(.cancel) }
    func received(data: ByteBuffer) {}
    func received(trailers: HeaderFields) {}
    func receivedEnd() {}

    func closed(_ reason: HTTPStreamClosure) {
        self.stream = nil
        self.end.succeed()
    }
}

@Suite("Responses without a handler")
struct DetachedResponseTests {
    static let versions: [HTTPClientConnection.VersionChoice] = [.http1, .http2]

    private func withClient(
        _ version: HTTPClientConnection.VersionChoice,
        _ body: (HTTPClientConnection, AsyncStream<String>) async throws -> Void
    ) async throws {
        let (ends, continuation) = AsyncStream.makeStream(of: String.self)
        let handler = AsyncHTTPServerHandler(Detaching(ends: continuation))
        try await withServer(handler) { server in
            let client = try await HTTPClientConnection.connect(
                to: .tcp(host: "127.0.0.1", port: server.port),
                version: version,
                on: server.group.next()
            ).get()
            do {
                try await body(client, ends)
            } catch {
                client.eventLoop.execute { client.close() }
                throw error
            }
            client.eventLoop.execute { client.close() }
            try await client.closed.get()
        }
    }

    @Test("go on, and end when somebody ends them", arguments: versions)
    func later(_ version: HTTPClientConnection.VersionChoice) async throws {
        try await self.withClient(version) { client, ends in
            var ends = ends.makeAsyncIterator()
            for _ in 0..<3 {
                let response = try await client.exchange(.get, "/later")
                #expect(response.text == "later\n")
                #expect(response.closure == .finished)
                let end = await ends.next()
                #expect(end == "/later")
            }
        }
    }

    @Test("tell when the client gives them up", arguments: versions)
    func givenUp(_ version: HTTPClientConnection.VersionChoice) async throws {
        try await self.withClient(version) { client, ends in
            try await client.eventLoop.flatSubmit {
                let quitter = Quitter(client.eventLoop)
                quitter.stream = client.startRequest(
                    HTTPRequestHead(
                        method: .get,
                        scheme: "http",
                        authority: "test",
                        path: "/never"
                    ),
                    endStream: true,
                    receiver: quitter
                )
                return quitter.end.futureResult
            }.get()
            var ends = ends.makeAsyncIterator()
            let end = await ends.next()
            #expect(end == "/never")
        }
    }
}
