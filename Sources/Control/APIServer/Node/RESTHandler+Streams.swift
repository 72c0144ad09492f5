// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Access
import ApusAPI
import Bytes
import HTTP
import KubernetesAPI
import NIOCore
import ObjectModel
import Protobuf
import RPCInterface
import Registry
import RequestInfo
import ResourceTable
import SPDY
import Scalars

extension RESTHandler {
    /// The versions of exec and attach over SPDY, best first.
    private static let streamVersions = [
        "v5.channel.k8s.io", "v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io",
        "channel.k8s.io",
    ]
    static let streamVersionField = HeaderName("x-stream-protocol-version")

    /// Runs a command in a container, or joins its process.
    func stream(_ exchange: RESTExchange, _ call: ResourceCall) async throws(StatusError) {
        let pod = try await self.pod(call)
        let options = try StreamOptions(exchange.target.query)
        let target = try PodTarget(pod, container: options.container)
        if call.subresource == "exec", options.command.isEmpty {
            throw .badRequest("you must specify at least one command for the container")
        }
        try await self.checkConnect(exchange, call)
        let client = try self.core.nodes.client(node: target.node)
        guard exchange.request.head.fields.contains(.upgrade) else {
            throw .badRequest("Upgrade request required")
        }
        if exchange.request.head.fields.list(.upgrade, has: "websocket") {
            try await self.streamOverWebSocket(exchange, call, client, target, options)
        } else {
            try await self.streamOverSPDY(exchange, call, client, target, options)
        }
    }

    /// What is asked before a connection to a node is made: a right to create, whatever the method,
    /// and admission.
    func checkConnect(
        _ exchange: RESTExchange,
        _ call: ResourceCall
    ) async throws(StatusError) {
        if call.verb != "create" {
            var attributes = AuthorizationAttributes(user: call.user, exchange.info)
            attributes.verb = "create"
            try await self.core.access.authorize(attributes)
        }
        try await self.admitConnect(call, kind: "Pod")
    }

    /// Asks admission about a connection.
    func admitConnect(_ call: ResourceCall, kind: String) async throws(StatusError) {
        var attributes = AdmissionAttributes(
            .connect,
            call.resource.groupResource,
            subresource: call.subresource,
            kind: GroupVersionKind(group: "", version: "v1", kind: kind),
            namespace: call.namespace,
            name: call.name,
            user: call.user,
            now: .current()
        )
        try await self.core.access.parts.admission.admit(&attributes)
        try await self.core.access.parts.admission.validate(&attributes)
    }

    private func open(
        _ call: ResourceCall,
        _ client: ApusNode.NodeClient,
        _ target: PodTarget,
        _ options: StreamOptions
    ) async throws(StatusError) -> ContainerStreams {
        do throws(RPCError) {
            return call.subresource == "exec"
                ? try await ContainerStreams.exec(client, target, options)
                : try await ContainerStreams.attach(client, target, options)
        } catch {
            throw StatusError(node: error)
        }
    }

    private func streamOverWebSocket(
        _ exchange: RESTExchange,
        _ call: ResourceCall,
        _ client: ApusNode.NodeClient,
        _ target: PodTarget,
        _ options: StreamOptions
    ) async throws(StatusError) {
        let accepted: WebSocket?
        do {
            accepted = try await exchange.response.acceptWebSocket(
                exchange.request,
                subprotocols: WebSocketPeer.subprotocols
            )
        } catch {
            return
        }
        guard let socket = accepted else {
            throw .badRequest("no subprotocol of the WebSocket is known")
        }
        let peer = WebSocketPeer(socket)
        do throws(StatusError) {
            let streams = try await self.open(call, client, target, options)
            try? await peer.begin(options)
            await streams.bridge(to: peer)
        } catch {
            try? await peer.send(status: error.status)
            await peer.close()
        }
    }

    /// Answers an upgrade to SPDY with a version that both sides know; nil when there is none.
    func upgradeToSPDY(
        _ exchange: RESTExchange,
        _ versions: [String]
    ) async throws(StatusError) -> String? {
        guard exchange.request.head.fields.list(.upgrade, has: "spdy/3.1"),
            let name = Self.streamVersionField
        else { return nil }
        let offered = exchange.request.head.fields.values(of: name)
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
            let isDone = try await exchange.response.upgrade(
                to: "SPDY/3.1",
                fields: [name: version]
            )
            return isDone ? version : nil
        } catch {
            return nil
        }
    }

    private func streamOverSPDY(
        _ exchange: RESTExchange,
        _ call: ResourceCall,
        _ client: ApusNode.NodeClient,
        _ target: PodTarget,
        _ options: StreamOptions
    ) async throws(StatusError) {
        guard let version = try await self.upgradeToSPDY(exchange, Self.streamVersions) else {
            throw .badRequest("unable to upgrade: SPDY/3.1 is required")
        }
        let session = SPDYConnection(UpgradedTransport(exchange.request, exchange.response))
        let peer = SPDYPeer(options, version: version)
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                try? await session.run { peer.add($0) }
                peer.end()
            }
            if await peer.waitForStreams() {
                do throws(StatusError) {
                    let streams = try await self.open(call, client, target, options)
                    tasks.addTask { await peer.readSizes(streams.send) }
                    await streams.bridge(to: peer)
                } catch {
                    try? await peer.send(status: error.status)
                    await peer.close()
                }
            }
            try? await exchange.response.finish()
            tasks.cancelAll()
        }
    }
}
