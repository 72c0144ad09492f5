// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import ApusAPI
package import HTTP
package import ObjectModel
import RPCInterface
import SPDY

/// A request for exec, attach or port-forward: what the API server and the kubelet do alike once
/// they know who asks for what. The streams themselves are a call of `apus.node.v1.Node`.
///
/// Source: WIRE facts "Streams"; upstream `k8s.io/kubelet/pkg/cri/streaming`.
package struct StreamExchange: Sendable {
    /// The versions of exec and attach over SPDY, best first.
    private static let versions = [
        "v5.channel.k8s.io", "v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io",
        "channel.k8s.io",
    ]
    private static let versionField = HeaderName("x-stream-protocol-version")
    /// The bytes of a message of a WebSocket that carries a SPDY connection.
    private static let tunnelMessageBytes = 4 << 20

    private let request: HTTPRequest
    private let response: HTTPResponseWriter

    package init(_ request: HTTPRequest, _ response: HTTPResponseWriter) {
        self.request = request
        self.response = response
    }

    /// Whether the client asks for another protocol at all.
    package var asksForUpgrade: Bool { self.request.head.fields.contains(.upgrade) }

    private var asksForWebSocket: Bool {
        self.request.head.fields.list(.upgrade, has: "websocket")
    }

    // MARK: - Commands

    /// Runs a command and carries its streams, over a WebSocket or SPDY as the client asks.
    ///
    /// - Throws: what is to be answered; nothing was sent then.
    package func exec(
        _ client: ApusNode.NodeClient,
        _ target: ApusNode.ContainerTarget,
        _ options: StreamOptions
    ) async throws(StatusError) {
        try await self.carry(options) { () async throws(RPCError) -> ContainerStreams in
            try await ContainerStreams.exec(client, target, options)
        }
    }

    /// The same with the container's own process.
    package func attach(
        _ client: ApusNode.NodeClient,
        _ target: ApusNode.ContainerTarget,
        _ options: StreamOptions
    ) async throws(StatusError) {
        try await self.carry(options) { () async throws(RPCError) -> ContainerStreams in
            try await ContainerStreams.attach(client, target, options)
        }
    }

    /// - Parameter open: makes the call when the client is ready for it.
    private func carry(
        _ options: StreamOptions,
        _ open: @Sendable () async throws(RPCError) -> ContainerStreams
    ) async throws(StatusError) {
        guard self.asksForUpgrade else { throw .badRequest("Upgrade request required") }
        if self.asksForWebSocket {
            try await self.carryOverWebSocket(options, open)
        } else {
            try await self.carryOverSPDY(options, open)
        }
    }

    private func carryOverWebSocket(
        _ options: StreamOptions,
        _ open: @Sendable () async throws(RPCError) -> ContainerStreams
    ) async throws(StatusError) {
        guard let socket = try await self.acceptWebSocket(WebSocketPeer.subprotocols) else {
            return
        }
        let peer = WebSocketPeer(socket)
        do throws(RPCError) {
            let streams = try await open()
            try? await peer.begin(options)
            await streams.bridge(to: peer)
        } catch {
            try? await peer.send(status: StatusError(node: error).status)
            await peer.close()
        }
    }

    private func carryOverSPDY(
        _ options: StreamOptions,
        _ open: @Sendable () async throws(RPCError) -> ContainerStreams
    ) async throws(StatusError) {
        guard let version = try await self.upgradeToSPDY(Self.versions) else {
            throw .badRequest("unable to upgrade: SPDY/3.1 is required")
        }
        let session = SPDYConnection(UpgradedTransport(self.request, self.response))
        let peer = SPDYPeer(options, version: version)
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                try? await session.run { peer.add($0) }
                peer.end()
            }
            if await peer.waitForStreams() {
                do throws(RPCError) {
                    let streams = try await open()
                    tasks.addTask { await peer.readSizes(streams.send) }
                    await streams.bridge(to: peer)
                } catch {
                    try? await peer.send(status: StatusError(node: error).status)
                    await peer.close()
                }
            }
            try? await self.response.finish()
            tasks.cancelAll()
        }
    }

    // MARK: - Ports

    /// Carries connections to ports of a pod: a SPDY connection, bare or in a WebSocket, or a
    /// WebSocket with two channels for each of `ports`.
    ///
    /// - Parameter ports: those that the query names; only the WebSocket's channels need them.
    /// - Throws: what is to be answered; nothing was sent then.
    package func forwardPorts(
        _ client: ApusNode.NodeClient,
        _ pod: ApusNode.PodTarget,
        ports: [UInt32]
    ) async throws(StatusError) {
        guard self.asksForWebSocket else {
            guard try await self.upgradeToSPDY([PortForward.version]) != nil else {
                throw .badRequest("Upgrade request required")
            }
            let transport = UpgradedTransport(self.request, self.response)
            if let forward = try? await PortForward(client, pod) {
                await forward.run(SPDYConnection(transport))
            }
            try? await self.response.finish()
            return
        }
        let known =
            [PortForward.tunnelSubprotocol] + (ports.isEmpty ? [] : PortChannels.subprotocols)
        let socket = try await self.acceptWebSocket(
            known,
            Self.tunnelMessageBytes,
            refusal: ports.isEmpty ? "query parameter \"port\" is required" : Self.refusal
        )
        guard let socket else { return }
        if let forward = try? await PortForward(client, pod) {
            if socket.subprotocol == PortForward.tunnelSubprotocol {
                await forward.run(SPDYConnection(UpgradedTransport(socket)))
            } else {
                await forward.run(PortChannels(socket, ports: ports))
            }
        }
        socket.close()
    }

    // MARK: - Upgrades

    private static let refusal = "no subprotocol of the WebSocket is known"

    /// Accepts a WebSocket; nil when the client went away meanwhile.
    private func acceptWebSocket(
        _ subprotocols: [String],
        _ maximumMessageBytes: Int = 1 << 20,
        refusal: String = Self.refusal
    ) async throws(StatusError) -> WebSocket? {
        let accepted: WebSocket?
        do {
            accepted = try await self.response.acceptWebSocket(
                self.request,
                subprotocols: subprotocols,
                maximumMessageBytes: maximumMessageBytes
            )
        } catch {
            return nil
        }
        guard let accepted else { throw .badRequest(refusal) }
        return accepted
    }

    /// Answers an upgrade to SPDY with a version that both sides know; nil when there is none.
    private func upgradeToSPDY(_ versions: [String]) async throws(StatusError) -> String? {
        guard self.request.head.fields.list(.upgrade, has: "spdy/3.1"),
            let name = Self.versionField
        else { return nil }
        let offered = self.request.head.fields.values(of: name)
            .flatMap { $0.split(separator: ",") }
            .map { String($0.filter { $0 != " " }) }
        guard let version = versions.first(where: offered.contains) else {
            throw StatusError(
                .forbidden,
                code: 403,
                "unable to upgrade: unable to negotiate protocol: client supports \(offered), "
                    + "server accepts \(versions)"
            )
        }
        do {
            let isDone = try await self.response.upgrade(to: "SPDY/3.1", fields: [name: version])
            return isDone ? version : nil
        } catch {
            return nil
        }
    }
}
