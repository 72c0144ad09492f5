// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import Bytes
import HTTP
import KubernetesAPI
import NIOCore
import ObjectModel
import Protobuf
import RPCInterface
import Registry
import SPDY
import Synchronization

extension RESTHandler {
    private static let portForwardVersion = "portforward.k8s.io"
    /// The WebSocket that carries a whole SPDY connection.
    private static let tunnelSubprotocol = "SPDY/3.1+portforward.k8s.io"

    /// Carries connections to ports of a pod.
    func portForward(_ exchange: RESTExchange, _ call: ResourceCall) async throws(StatusError) {
        let pod = try await self.pod(call)
        guard !pod.spec.nodeName.isEmpty else {
            throw .badRequest("pod \(call.name) does not have a host assigned")
        }
        try await self.checkConnect(exchange, call)
        let client = try self.core.nodes.client(node: pod.spec.nodeName)
        let transport: UpgradedTransport
        var socket: WebSocket?
        if exchange.request.head.fields.list(.upgrade, has: "websocket") {
            socket = try? await exchange.response.acceptWebSocket(
                exchange.request,
                subprotocols: [Self.tunnelSubprotocol],
                maximumMessageBytes: 4 << 20
            )
            guard let socket else {
                throw .badRequest("no subprotocol of the WebSocket is known")
            }
            transport = UpgradedTransport(socket)
        } else {
            guard
                try await self.upgradeToSPDY(exchange, [Self.portForwardVersion]) != nil
            else { throw .badRequest("Upgrade request required") }
            transport = UpgradedTransport(exchange.request, exchange.response)
        }
        let session = SPDYConnection(transport)
        let forward: PortForward
        do throws(RPCError) {
            forward = try await PortForward(client, PodTarget.message(pod))
        } catch {
            socket?.close()
            return
        }
        await forward.run(session)
        if let socket { socket.close() } else { try? await exchange.response.finish() }
    }
}

/// The connections of one port-forward: pairs of streams of the client, by their request, and
/// connections of the kubelet.
final class PortForward: Sendable {
    private let call:
        RPCBidirectionalCall<
            ApusNode.PortForwardRequest, ApusNode.PortForwardResponse
        >
    private let sender: RequestSender
    private let state = Mutex(State())

    private struct State {
        var nextID: UInt32 = 1
        /// Streams whose pair has not come yet, by request.
        var errors: [String: SPDYStream] = [:]
        var data: [String: SPDYStream] = [:]
        var connections: [UInt32: Connection] = [:]
    }

    private struct Connection {
        var data: SPDYStream
        var error: SPDYStream
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
    func run(_ session: SPDYConnection) async {
        await withTaskGroup(of: Void.self) { tasks in
            let (opened, continuation) = AsyncStream.makeStream(of: (UInt32, SPDYStream).self)
            tasks.addTask {
                try? await session.run { stream in
                    if let connection = self.add(stream) { continuation.yield(connection) }
                }
                continuation.finish()
            }
            tasks.addTask { await self.readResponses() }
            tasks.addTask {
                await withTaskGroup(of: Void.self) { connections in
                    for await (id, stream) in opened {
                        connections.addTask { await self.carry(id, stream) }
                    }
                }
            }
            // The first to end ends all.
            await tasks.next()
            self.call.cancel()
            tasks.cancelAll()
        }
    }

    /// Takes a stream of the client; when its pair is there, the connection that both make.
    private func add(_ stream: SPDYStream) -> (UInt32, SPDYStream)? {
        let request = stream.header("requestID") ?? ""
        return self.state.withLock { state in
            switch stream.header("streamType") {
            case "error": state.errors[request] = stream
            case "data": state.data[request] = stream
            default: return nil
            }
            guard let error = state.errors[request], let data = state.data[request] else {
                return nil
            }
            state.errors[request] = nil
            state.data[request] = nil
            let id = state.nextID
            state.nextID += 1
            state.connections[id] = Connection(data: data, error: error)
            return (id, data)
        }
    }

    /// Opens a connection and sends what the client sends.
    private func carry(_ id: UInt32, _ stream: SPDYStream) async {
        guard let port = UInt32(stream.header("port") ?? ""), (1...65_535).contains(port) else {
            return await self.close(id, error: "the port is missing")
        }
        do {
            try await self.sender.send(
                .open(
                    ApusNode.PortForwardOpen.with {
                        $0.connection = id
                        $0.port = port
                    }
                )
            )
            while let bytes = await stream.read() {
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
                    let stream = self.state.withLock { $0.connections[data.connection]?.data }
                    try await stream?.write([UInt8](data.data))
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
        guard let connection else { return }
        if !error.isEmpty { try? await connection.error.write(Array(error.utf8)) }
        try? await connection.error.finish()
        try? await connection.data.finish()
        if !error.isEmpty { try? await connection.data.reset() }
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
