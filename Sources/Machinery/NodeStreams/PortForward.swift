// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import Bytes
import Protobuf
import RPCInterface
import SPDY
import Synchronization

/// The connections of one port-forward: what a client opens, and connections of the kubelet.
final class PortForward: Sendable {
    /// The version over SPDY.
    static let version = "portforward.k8s.io"
    /// The WebSocket that carries a whole SPDY connection.
    static let tunnelSubprotocol = "SPDY/3.1+portforward.k8s.io"

    /// A connection, as the client has it.
    protocol Connection: Sendable {
        /// The next bytes of the client; nil when it sends no more.
        func read() async -> [UInt8]?
        func write(_ bytes: [UInt8]) async throws
        /// The pod's side has ended, with an error unless it is empty.
        func end(_ error: String) async
    }

    private let call:
        RPCBidirectionalCall<
            ApusNode.PortForwardRequest, ApusNode.PortForwardResponse
        >
    private let sender: RequestSender
    private let state = Mutex(State())

    private struct State {
        var nextID: UInt32 = 1
        var connections: [UInt32: any Connection] = [:]
    }

    init(
        _ client: ApusNode.NodeClient,
        _ pod: ApusNode.PodTarget
    ) async throws(RPCError) {
        let call = try await client.portForward()
        self.call = call
        self.sender = RequestSender(call)
        try await call.write(ApusNode.PortForwardRequest.with { $0.request = .start(pod) })
    }

    /// Carries bytes until the client or the kubelet ends.
    ///
    /// - Parameter accept: reads from the client until it is gone; tells of each connection and the
    ///   port that it is for.
    func run(
        _ accept:
            @escaping @Sendable (
                _ open: @escaping @Sendable (UInt32?, any Connection) -> Void
            ) async -> Void
    ) async {
        await withTaskGroup(of: Void.self) { tasks in
            let (opened, continuation) = AsyncStream.makeStream(
                of: (port: UInt32?, connection: any Connection).self
            )
            tasks.addTask {
                await accept { continuation.yield(($0, $1)) }
                continuation.finish()
            }
            tasks.addTask { await self.readResponses() }
            tasks.addTask {
                await withTaskGroup(of: Void.self) { connections in
                    for await (port, connection) in opened {
                        connections.addTask { await self.carry(connection, to: port) }
                    }
                }
            }
            // The first to end ends all.
            await tasks.next()
            self.call.cancel()
            tasks.cancelAll()
        }
    }

    /// Opens a connection and sends what the client sends.
    private func carry(_ connection: any Connection, to port: UInt32?) async {
        let id = self.state.withLock { state in
            defer { state.nextID += 1 }
            state.connections[state.nextID] = connection
            return state.nextID
        }
        guard let port else { return await self.close(id, error: "the port is missing") }
        do {
            try await self.sender.send(
                .open(
                    ApusNode.PortForwardOpen.with {
                        $0.connection = id
                        $0.port = port
                    }
                )
            )
            while let bytes = await connection.read() {
                try await self.sender.send(
                    .data(
                        ApusNode.PortForwardData.with {
                            $0.connection = id
                            $0.data = Bytes(bytes)
                        }
                    )
                )
            }
            try await self.sender.send(
                .close(ApusNode.PortForwardClose.with { $0.connection = id })
            )
        } catch {
            await self.close(id, error: "\(error)")
        }
    }

    private func readResponses() async {
        do {
            while let response = try await self.call.responses.next() {
                switch response.response {
                case .data(let data):
                    let connection = self.state.withLock { $0.connections[data.connection] }
                    try await connection?.write([UInt8](data.data))
                case .close(let close):
                    await self.close(close.connection, error: close.error)
                case nil: continue
                }
            }
        } catch {
            // The kubelet or the client is gone.
        }
    }

    /// The kubelet's side of a connection has ended.
    private func close(_ id: UInt32, error: String) async {
        let connection = self.state.withLock { $0.connections.removeValue(forKey: id) }
        await connection?.end(error)
    }
}

/// Sends requests of many tasks on one call, one at a time.
private actor RequestSender {
    private let call:
        RPCBidirectionalCall<
            ApusNode.PortForwardRequest, ApusNode.PortForwardResponse
        >
    private var isBusy = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(
        _ call: RPCBidirectionalCall<ApusNode.PortForwardRequest, ApusNode.PortForwardResponse>
    ) {
        self.call = call
    }

    func send(_ request: ApusNode.PortForwardRequest.OneOfRequest) async throws {
        while self.isBusy {
            await withCheckedContinuation { self.waiting.append($0) }
        }
        self.isBusy = true
        defer {
            self.isBusy = false
            if !self.waiting.isEmpty { self.waiting.removeFirst().resume() }
        }
        try await self.call.write(ApusNode.PortForwardRequest.with { $0.request = request })
    }
}
