// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import HTTP
package import HTTP2Transport
package import NIOCore

/// Answers requests with small texts: pages whose form other systems prescribe.
package struct SmallPages: HTTPRequestHandler {
    package struct Answer: Sendable {
        package var status: HTTPStatus
        package var body: String
        /// Names and values beside the usual ones.
        package var fields: [(String, String)]

        package init(status: HTTPStatus, body: String, fields: [(String, String)] = []) {
            self.status = status
            self.body = body
            self.fields = fields
        }
    }

    /// By the path, without what follows a question mark.
    private let answer: @Sendable (String) -> Answer?

    package init(_ answer: @escaping @Sendable (String) -> Answer?) {
        self.answer = answer
    }

    package func handle(_ request: HTTPRequest, _ response: HTTPResponseWriter) async throws {
        let path = String(request.head.path.prefix { $0 != "?" })
        let answer = self.answer(path) ?? Answer(status: .notFound, body: "404 page not found\n")
        var fields: HeaderFields = [.contentLength: String(answer.body.utf8.count)]
        let isJSON = answer.body.first == "{"
        fields.append(
            .contentType,
            isJSON ? "application/json" : "text/plain; charset=utf-8"
        )
        for (name, value) in [("x-content-type-options", "nosniff")] + answer.fields {
            if let header = HeaderName(name) { fields.append(header, value) }
        }
        let isHead = request.head.method == .head
        try await response.send(
            HTTPResponseHead(status: answer.status, fields: fields),
            body: ByteBuffer(string: isHead ? "" : answer.body)
        )
    }
}

extension SmallPages {
    /// Serves the pages until the task is cancelled.
    ///
    /// - Throws: when the address cannot be bound.
    package func serve(on endpoint: HTTPEndpoint, group: any EventLoopGroup) async throws {
        let server = try await HTTPServer.start(
            on: endpoint,
            handler: AsyncHTTPServerHandler(self),
            group: group
        )
        let (stream, end) = AsyncStream<Void>.makeStream()
        await withTaskCancellationHandler {
            for await _ in stream {}
        } onCancel: {
            end.finish()
        }
        await server.shutdown(drain: .milliseconds(100))
    }
}
