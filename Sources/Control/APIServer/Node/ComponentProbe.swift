// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import HTTP2Transport
import KubernetesAPI
import NIOCore
import ObjectModel
import Protobuf
import Registry
import TLS
import WatchCache

/// Asks the control plane's components on this machine whether they are well.
///
/// Source: upstream `pkg/registry/core/componentstatus`.
struct ComponentProbe: Sendable {
    let core: ServerCore

    private static let components = [("scheduler", 10_259), ("controller-manager", 10_257)]
    private static let timeout: Duration = .seconds(5)
    private static let maximumAnswerBytes = 4096

    /// The states of all components.
    func statuses() async -> [CoreV1.ComponentStatus] {
        var found: [CoreV1.ComponentStatus] = []
        for (name, port) in Self.components {
            let (isHealthy, message) = await self.ask(port)
            found.append(Self.status(name, isHealthy: isHealthy, message))
        }
        let failure = self.core.registry.shared.failure
        found.append(Self.status("etcd-0", isHealthy: failure == nil, failure ?? "ok"))
        return found
    }

    private static func status(
        _ name: String,
        isHealthy: Bool,
        _ message: String
    ) -> CoreV1.ComponentStatus {
        CoreV1.ComponentStatus.with {
            $0.metadata.name = name
            $0.conditions.append(
                CoreV1.ComponentCondition.with {
                    $0.type = "Healthy"
                    $0.status = isHealthy ? "True" : "False"
                    $0.message = message
                }
            )
        }
    }

    private func ask(_ port: Int) async -> (isHealthy: Bool, message: String) {
        let url = "https://127.0.0.1:\(port)/healthz"
        guard let group = self.core.nodes.group else {
            return (false, "Get \"\(url)\": connections are not configured")
        }
        // Its certificate is its own; nothing secret is sent and nothing that it says is believed
        // but that it is well.
        var configuration = TLSClientConfiguration()
        configuration.verifiesServer = false
        configuration.applicationProtocols = ["http/1.1"]
        var limits = HTTPLimits()
        limits.handshakeTimeout = Self.timeout
        do {
            let connection = try await HTTPClientConnection.connect(
                to: .tcp(host: "127.0.0.1", port: port),
                tls: TLSContextSource(client: configuration),
                version: .http1,
                limits: limits,
                on: group.next()
            ).get()
            defer { connection.eventLoop.execute { connection.close() } }
            let response = try await connection.send(
                HTTPRequestHead(method: .get, authority: "127.0.0.1:\(port)", path: "/healthz")
            )
            let body = try await response.body.collect(upTo: Self.maximumAnswerBytes)
            return (response.head.status == .ok, String(buffer: body))
        } catch {
            return (
                false,
                "Get \"\(url)\": dial tcp 127.0.0.1:\(port): connect: connection refused"
            )
        }
    }
}
