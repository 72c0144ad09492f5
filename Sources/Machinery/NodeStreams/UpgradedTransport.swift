// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import NIOCore
import SPDY

/// A connection after its upgrade, or a WebSocket, as SPDY reads and writes it.
struct UpgradedTransport: SPDYTransport {
    private let reader: @Sendable () async throws -> [UInt8]?
    private let writer: @Sendable ([UInt8]) async throws -> Void

    /// A connection that has been upgraded.
    init(_ request: HTTPRequest, _ response: HTTPResponseWriter) {
        let body = request.body
        self.reader = {
            var iterator = body.makeAsyncIterator()
            return try await iterator.next().map { Array($0.readableBytesView) }
        }
        self.writer = { try await response.write(ByteBuffer(bytes: $0)) }
    }

    /// A WebSocket whose messages are pieces of the connection.
    init(_ socket: WebSocket) {
        self.reader = {
            while let message = try await socket.receive() {
                if case .binary(let buffer) = message { return Array(buffer.readableBytesView) }
            }
            return nil
        }
        self.writer = { try await socket.send(.binary(ByteBuffer(bytes: $0))) }
    }

    func read() async throws -> [UInt8]? { try await self.reader() }
    func write(_ bytes: [UInt8]) async throws { try await self.writer(bytes) }
}
