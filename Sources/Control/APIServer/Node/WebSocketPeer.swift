// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import Bytes
import HTTP
import JSON
import KubernetesAPI
import NIOCore
import ObjectModel
import Protobuf

/// A command's streams on a WebSocket: each message begins with the number of its channel.
///
/// Source: WIRE facts "Streams"; upstream apimachinery `pkg/util/remotecommand/constants.go`.
struct WebSocketPeer: StreamPeer {
    /// What is spoken, best first. The closing of a channel came with version 5.
    static let subprotocols = [
        "v5.channel.k8s.io", "v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io",
        "channel.k8s.io", "v4.base64.channel.k8s.io", "base64.channel.k8s.io",
    ]

    private enum ChannelNumber {
        static let stdin: UInt8 = 0
        static let stdout: UInt8 = 1
        static let stderr: UInt8 = 2
        static let error: UInt8 = 3
        static let resize: UInt8 = 4
        static let close: UInt8 = 255
    }

    private let socket: WebSocket
    private let isBase64: Bool
    /// Whether the end is told as a Status; before version 4 it is text.
    private let hasStatus: Bool

    init(_ socket: WebSocket) {
        self.socket = socket
        let name = socket.subprotocol ?? ""
        self.isBase64 = name.contains("base64")
        self.hasStatus = name.hasPrefix("v4.") || name.hasPrefix("v5.")
    }

    /// Tells the client that the streams are there: an empty message on the first of them.
    func begin(_ options: StreamOptions) async throws {
        let channel =
            options.stdout
            ? ChannelNumber.stdout : options.stderr ? ChannelNumber.stderr : ChannelNumber.error
        try await self.send(channel, Bytes())
    }

    func receive() async throws -> ApusNode.StreamInput? {
        while let message = try await self.socket.receive() {
            let (channel, payload) = self.split(message)
            switch channel {
            case ChannelNumber.stdin:
                if payload.isEmpty { continue }
                return ApusNode.StreamInput.with { $0.input = .stdin(payload) }
            case ChannelNumber.resize:
                guard let size = TerminalSize.parse(payload) else { continue }
                return ApusNode.StreamInput.with { $0.input = .resize(size) }
            case ChannelNumber.close where payload.first == ChannelNumber.stdin:
                return ApusNode.StreamInput.with { $0.input = .stdinClosed(true) }
            default: continue
            }
        }
        return nil
    }

    private func split(_ message: WebSocket.Message) -> (channel: UInt8?, payload: Bytes) {
        switch message {
        case .binary(let buffer):
            let bytes = buffer.withUnsafeReadableBytes { Bytes(copying: $0) }
            guard let channel = bytes.first else { return (nil, Bytes()) }
            return (channel, bytes.slice(1..<bytes.count))
        case .text(let text):
            let bytes = Array(text.utf8)
            guard self.isBase64, let digit = bytes.first, digit >= 0x30, digit <= 0x39,
                let payload = try? bytes.dropFirst().withUnsafeBytes({ try Base64.decode($0) })
            else { return (nil, Bytes()) }
            return (digit - 0x30, Bytes(payload))
        }
    }

    private func send(_ channel: UInt8, _ bytes: Bytes) async throws {
        if self.isBase64 {
            return try await self.socket.send(.text("\(channel)" + Base64.encode(bytes)))
        }
        var buffer = ByteBuffer()
        buffer.reserveCapacity(bytes.count + 1)
        buffer.writeInteger(channel)
        bytes.withUnsafeBytes { _ = buffer.writeBytes($0) }
        try await self.socket.send(.binary(buffer))
    }

    func send(stdout bytes: Bytes) async throws {
        try await self.send(ChannelNumber.stdout, bytes)
    }

    func send(stderr bytes: Bytes) async throws {
        try await self.send(ChannelNumber.stderr, bytes)
    }

    func send(status: MetaV1.Status) async throws {
        if self.hasStatus {
            let json = (try? status.json()) ?? []
            try await self.send(ChannelNumber.error, Bytes(json))
        } else if status.status != "Success" {
            try await self.send(ChannelNumber.error, Bytes(utf8: status.message))
        }
    }

    func close() async {
        self.socket.close()
    }
}

/// The size of a terminal, as clients tell it: `{"Width":80,"Height":24}`.
enum TerminalSize {
    static func parse(_ json: Bytes) -> ApusNode.TerminalSize? {
        guard let tree = try? DynamicValue(json: [UInt8](json)),
            let width = tree["Width"]?.integer, let height = tree["Height"]?.integer,
            (0...65_535).contains(width), (0...65_535).contains(height)
        else { return nil }
        return ApusNode.TerminalSize.with {
            $0.width = UInt32(width)
            $0.height = UInt32(height)
        }
    }
}
