// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import HTTP
import NIOCore
import Protobuf

/// A WebSocket whose messages begin with the number of a channel: a byte, or a digit before base64.
///
/// Source: WIRE facts "Streams"; upstream apimachinery `pkg/util/httpstream/wsstream`.
struct WebSocketChannels: Sendable {
    private let socket: WebSocket
    private let isBase64: Bool

    init(_ socket: WebSocket) {
        self.socket = socket
        self.isBase64 = socket.subprotocol?.contains("base64") ?? false
    }

    /// The next message of a channel; nil when the client is gone.
    func receive() async throws -> (channel: UInt8, payload: Bytes)? {
        while let message = try await self.socket.receive() {
            if let split = self.split(message) { return split }
        }
        return nil
    }

    private func split(_ message: WebSocket.Message) -> (channel: UInt8, payload: Bytes)? {
        switch message {
        case .binary(let buffer):
            let bytes = buffer.withUnsafeReadableBytes { Bytes(copying: $0) }
            guard let channel = bytes.first else { return nil }
            return (channel, bytes.slice(1..<bytes.count))
        case .text(let text):
            let bytes = Array(text.utf8)
            guard self.isBase64, let digit = bytes.first, digit >= 0x30, digit <= 0x39,
                let payload = try? bytes.dropFirst().withUnsafeBytes({ try Base64.decode($0) })
            else { return nil }
            return (digit - 0x30, Bytes(payload))
        }
    }

    func send(_ channel: UInt8, _ bytes: Bytes) async throws {
        if self.isBase64 {
            return try await self.socket.send(.text("\(channel)" + Base64.encode(bytes)))
        }
        var buffer = ByteBuffer()
        buffer.reserveCapacity(bytes.count + 1)
        buffer.writeInteger(channel)
        bytes.withUnsafeBytes { _ = buffer.writeBytes($0) }
        try await self.socket.send(.binary(buffer))
    }

    func close() { self.socket.close() }
}
