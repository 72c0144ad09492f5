// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import MediaTypes
import NIOCore
import RequestInfo

/// Where the events of a watch go.
///
/// Source: upstream k8s.io/apiserver `pkg/endpoints/handlers/watch.go`.
enum WatchOutput: Sendable {
    /// The body of an answer, one event after the other.
    case body(HTTPResponseWriter)
    /// A WebSocket: a message for each event, text for JSON.
    case socket(WebSocket, isText: Bool)

    /// Begins the answer.
    ///
    /// - Returns: nil when the client has asked for a WebSocket in a way that is none.
    static func begin(
        _ exchange: RESTExchange,
        _ representation: Representation
    ) async throws -> WatchOutput? {
        guard exchange.request.head.fields.list(.upgrade, has: "websocket") else {
            try await exchange.response.send(
                exchange.head(.ok, contentType: representation.mediaType.streamContentType)
            )
            return .body(exchange.response)
        }
        guard let socket = try await exchange.response.acceptWebSocket(exchange.request) else {
            return nil
        }
        exchange.sentCode.set(HTTPStatus.switchingProtocols.rawValue)
        return .socket(socket, isText: representation.mediaType == .json)
    }

    /// Sends events.
    func send(_ frames: [ByteBuffer]) async throws {
        switch self {
        case .body(let response):
            // What all watches share is copied by none.
            if frames.count == 1 { return try await response.write(frames[0]) }
            var buffer = ByteBuffer()
            for frame in frames {
                buffer.writeImmutableBuffer(frame)
                if buffer.readableBytes > Self.chunkBytes {
                    try await response.write(buffer)
                    buffer.clear()
                }
            }
            if buffer.readableBytes > 0 { try await response.write(buffer) }
        case .socket(let socket, let isText):
            for frame in frames {
                try await socket.send(isText ? .text(String(buffer: frame)) : .binary(frame))
            }
        }
    }

    /// How much is put together before it is sent.
    private static let chunkBytes = 256 << 10

    /// Runs what sends the events; cancels it when the client of a WebSocket goes. What such a
    /// client sends is read and means nothing.
    func run(_ body: @escaping @Sendable () async -> Void) async {
        guard case .socket(let socket, _) = self else { return await body() }
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                while (try? await socket.receive()) != nil {}
            }
            tasks.addTask { await body() }
            await tasks.next()
            tasks.cancelAll()
        }
        socket.close()
    }

    /// Ends the answer.
    func finish() async {
        guard case .body(let response) = self else { return }
        try? await response.finish()
    }
}
