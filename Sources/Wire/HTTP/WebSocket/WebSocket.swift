// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import NIOCore
import NIOWebSocket

/// A WebSocket connection (RFC 6455), server side. Works from any executor.
///
/// Pings are answered here, fragments are put together, and reading stops while a megabyte of
/// messages waits for its reader.
public final class WebSocket: Sendable {
    public enum Message: Sendable, Equatable {
        case text(String)
        case binary(ByteBuffer)
    }

    /// The subprotocol that was agreed on.
    public let subprotocol: String?
    private let handler: NIOLoopBound<WebSocketHandler>
    private let channel: any Channel

    init(channel: any Channel, handler: WebSocketHandler, subprotocol: String?) {
        self.channel = channel
        self.handler = NIOLoopBound(handler, eventLoop: channel.eventLoop)
        self.subprotocol = subprotocol
    }

    /// The next message; nil when the peer has closed. One reader at a time.
    public func receive() async throws -> Message? {
        let promise = self.channel.eventLoop.makePromise(of: Message?.self)
        return try await withTaskCancellationHandler {
            self.channel.eventLoop.execute { self.handler.value.receive(promise) }
            return try await promise.futureResult.get()
        } onCancel: {
            self.channel.close(promise: nil)
        }
    }

    /// Sends a message; returns when the peer has room for more.
    public func send(_ message: Message) async throws {
        let promise = self.channel.eventLoop.makePromise(of: Void.self)
        try await withTaskCancellationHandler {
            self.channel.eventLoop.execute { self.handler.value.send(message, promise) }
            try await promise.futureResult.get()
        } onCancel: {
            self.channel.close(promise: nil)
        }
    }

    /// Says goodbye and closes.
    ///
    /// - Parameter code: RFC 6455 section 7.4; 1000 is the normal end.
    public func close(code: UInt16 = 1000) {
        self.channel.eventLoop.execute { self.handler.value.close(code: code) }
    }
}

extension HTTPResponseWriter {
    /// Answers a WebSocket handshake.
    ///
    /// - Parameters:
    ///   - subprotocols: what is spoken, best first; one that the client offers too is chosen. Empty
    ///     takes a client that asks for none.
    ///   - maximumMessageBytes: a larger message ends the connection with 1009.
    /// - Returns: nil when the request is no handshake, or no subprotocol fits; nothing was sent then.
    public func acceptWebSocket(
        _ request: HTTPRequest,
        subprotocols: [String] = [],
        maximumMessageBytes: Int = 1 << 20,
    ) async throws -> WebSocket? {
        let offered = WebSocketHandshake.offeredProtocols(request.head)
        let chosen = subprotocols.first { offered.contains($0) }
        guard chosen != nil || subprotocols.isEmpty,
            let fields = WebSocketHandshake.answer(to: request.head, protocolName: chosen)
        else { return nil }
        return try await withCheckedThrowingContinuation { continuation in
            let handOver: @Sendable (any Channel) -> Void = { channel in
                let handler = WebSocketHandler(maximumMessageBytes: maximumMessageBytes)
                do {
                    try channel.pipeline.syncOperations.addHandlers([
                        ByteToMessageHandler(
                            WebSocketFrameDecoder(maxFrameSize: maximumMessageBytes)
                        ),
                        WebSocketFrameEncoder(),
                        handler,
                    ])
                    continuation.resume(
                        returning: WebSocket(
                            channel: channel,
                            handler: handler,
                            subprotocol: chosen,
                        )
                    )
                } catch {
                    channel.close(promise: nil)
                    continuation.resume(throwing: error)
                }
            }
            self.takeOver(protocolName: "websocket", fields: fields, handOver: handOver) { result in
                switch result {
                case .success(true): break
                case .success(false): continuation.resume(returning: nil)
                case .failure(let error): continuation.resume(throwing: error)
                }
            }
        }
    }
}
