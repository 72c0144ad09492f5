// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import HTTP
import SPDY
import Synchronization

/// Ports of a pod on a WebSocket: for the port at each index the channels 2 * index for data and
/// 2 * index + 1 for errors. Each channel begins with its port, as two bytes, the low one first.
///
/// Source: upstream `k8s.io/kubelet/pkg/cri/streaming/portforward/websocket.go`.
struct PortChannels: Sendable {
    static let subprotocols = ["v4.channel.k8s.io", "v4.base64.channel.k8s.io"]
    /// What the numbers of channels have room for.
    static let limit = 127

    private let channels: WebSocketChannels
    private let ports: [UInt32]
    private let inputs: [BytePipe]

    init(_ socket: WebSocket, ports: [UInt32]) {
        self.channels = WebSocketChannels(socket)
        self.ports = Array(ports.prefix(Self.limit))
        self.inputs = self.ports.map { _ in BytePipe() }
    }

    /// Opens all connections and reads until the client is gone.
    func run(_ open: @Sendable (UInt32?, any PortForward.Connection) -> Void) async {
        let count = OpenChannels(self.ports.count)
        for (index, port) in self.ports.enumerated() {
            let channel = UInt8(2 * index)
            let bytes = [UInt8(truncatingIfNeeded: port), UInt8(truncatingIfNeeded: port >> 8)]
            for number in [channel, channel + 1] {
                try? await self.channels.send(number, Bytes(bytes))
            }
            open(
                port,
                Channel(
                    channels: self.channels,
                    input: self.inputs[index],
                    number: channel,
                    open: count
                )
            )
        }
        while let (number, payload) = try? await self.channels.receive() {
            let index = Int(number) / 2
            guard number % 2 == 0, index < self.inputs.count else { continue }
            await self.inputs[index].write([UInt8](payload))
        }
        for input in self.inputs { input.close() }
    }

    private struct Channel: PortForward.Connection {
        let channels: WebSocketChannels
        let input: BytePipe
        let number: UInt8
        let open: OpenChannels

        func read() async -> [UInt8]? { await self.input.read() }

        func write(_ bytes: [UInt8]) async throws {
            try await self.channels.send(self.number, Bytes(bytes))
        }

        func end(_ error: String) async {
            self.input.close()
            if !error.isEmpty {
                try? await self.channels.send(self.number + 1, Bytes(utf8: error))
            }
            // A channel has no end of its own: when all are over the socket is.
            if self.open.closeOne() { self.channels.close() }
        }
    }

    /// How many channels are open.
    private final class OpenChannels: Sendable {
        private let count: Mutex<Int>

        init(_ count: Int) {
            self.count = Mutex(count)
        }

        /// Whether the one that was closed was the last.
        func closeOne() -> Bool {
            self.count.withLock { count in
                count -= 1
                return count == 0
            }
        }
    }
}

extension PortForward {
    /// Carries the ports of a WebSocket's channels.
    func run(_ channels: PortChannels) async {
        await self.run { open in await channels.run(open) }
    }
}
