// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import Bytes
import HTTP
import JSON
import KubernetesAPI
import Protobuf

/// A command's streams on a WebSocket, each a channel of it.
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

    private let channels: WebSocketChannels
    /// Whether the end is told as a Status; before version 4 it is text.
    private let hasStatus: Bool

    init(_ socket: WebSocket) {
        self.channels = WebSocketChannels(socket)
        let name = socket.subprotocol ?? ""
        self.hasStatus = name.hasPrefix("v4.") || name.hasPrefix("v5.")
    }

    /// Tells the client that the streams are there: an empty message on the first of them.
    func begin(_ options: StreamOptions) async throws {
        let channel =
            options.stdout
            ? ChannelNumber.stdout : options.stderr ? ChannelNumber.stderr : ChannelNumber.error
        try await self.channels.send(channel, Bytes())
    }

    func receive() async throws -> ApusNode.StreamInput? {
        while let (channel, payload) = try await self.channels.receive() {
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

    func send(stdout bytes: Bytes) async throws {
        try await self.channels.send(ChannelNumber.stdout, bytes)
    }

    func send(stderr bytes: Bytes) async throws {
        try await self.channels.send(ChannelNumber.stderr, bytes)
    }

    func send(status: MetaV1.Status) async throws {
        if self.hasStatus {
            let json = (try? status.json()) ?? []
            try await self.channels.send(ChannelNumber.error, Bytes(json))
        } else if status.status != "Success" {
            try await self.channels.send(ChannelNumber.error, Bytes(utf8: status.message))
        }
    }

    func close() async {
        self.channels.close()
    }
}
