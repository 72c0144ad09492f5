// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import Clocks
import ClusterControllers
import ComponentServer
import ControllerKit
package import HTTP2Transport
import Informers
import JSON
package import Kubeconfig
import KubernetesAPI
package import LeaderElection
package import Metrics
package import NIOCore
import ObjectModel
import RPC
import RPCInterface
import ResourceClient
import ServiceControllers
package import TLS
import WorkloadControllers

/// kube-controller-manager: runs the controllers, in one of its replicas at a time.
package struct ControllerManager: Sendable {
    package struct Configuration: Sendable {
        package var connection: ClusterConnection
        /// `--controllers`: `*`, names, and names with `-` before them.
        package var controllers: [String] = ["*"]
        package var leaderElects = true
        package var leaderElection: LeaderElectionConfiguration
        /// Each controller has a ServiceAccount of its own, so that what it may do is its own, too.
        package var usesServiceAccounts = false
        /// Where health and metrics are served; nil for nowhere.
        package var endpoint: HTTPEndpoint?
        package var tls: TLSContextSource?
        /// The API server's CA in PEM; nil publishes none.
        package var rootCA: String?
        package var settings = ControllerSettings()
        package var log: @Sendable (String) -> Void = { _ in }
        package var metrics = MetricRegistry()

        package init(connection: ClusterConnection, identity: String) {
            self.connection = connection
            self.leaderElection = LeaderElectionConfiguration(
                name: "kube-controller-manager",
                identity: identity
            )
        }
    }

    private let configuration: Configuration
    private let clock: any ComponentClock

    package init(_ configuration: Configuration, clock: any ComponentClock = SystemClock()) {
        self.configuration = configuration
        self.clock = clock
    }

    /// Why the manager ended by itself.
    package struct LostLease: Error, CustomStringConvertible {
        package var description: String { "leaderelection lost" }
    }

    /// Runs until the task is cancelled.
    ///
    /// - Throws: when the address cannot be bound, the configuration cannot be used, or leadership
    ///   was lost.
    package func run(group: any EventLoopGroup) async throws {
        let agent = "kube-controller-manager/v1.36"
        let connection = self.configuration.connection
        // Watches have a connection of their own, so that writes never wait behind them.
        let watching = try connection.makeClient(group: group, userAgent: agent)
        let writing = try connection.makeClient(group: group, userAgent: agent)
        let bare = try connection.makeClient(group: group, userAgent: agent, token: "")
        defer { for client in [watching, writing, bare] { client.close(gracefully: false) } }
        let metrics = ManagerMetrics(self.configuration.metrics)
        let elector = LeaderElector(
            self.configuration.leaderElection,
            channel: writing,
            clock: self.clock
        )
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            if let endpoint = self.configuration.endpoint {
                let server = self.server(endpoint, writing, elector, group)
                tasks.addTask { try await server.run() }
            }
            tasks.addTask {
                let set = ControllerSet(
                    self.configuration,
                    clock: self.clock,
                    metrics: metrics,
                    watching: watching,
                    writing: writing,
                    bare: bare
                )
                guard self.configuration.leaderElects else { return await set.run() }
                let lease = metrics.isLeader.with(self.configuration.leaderElection.name)
                lease.set(0)
                let isLost = try await elector.run {
                    lease.set(1)
                    await set.run()
                    lease.set(0)
                }
                if isLost { throw LostLease() }
            }
            // The first to end ends the others: a failure, or the end of the leader's work.
            defer { tasks.cancelAll() }
            _ = try await tasks.next()
        }
    }

    private func server(
        _ endpoint: HTTPEndpoint,
        _ channel: any RPCChannel,
        _ elector: LeaderElector,
        _ group: any EventLoopGroup
    ) -> ComponentServer {
        var server = ComponentServer.Configuration(endpoint: endpoint, tls: self.configuration.tls)
        server.access = DelegatedAccess(channel, clock: self.clock)
        if self.configuration.leaderElects {
            server.healthChecks.append(ComponentServer.Check("leaderElection") { elector.check() })
        }
        let configuration = self.configuration
        server.pages["/configz"] = ComponentServer.Page(contentType: "application/json") {
            configuration.document.json()
        }
        let metrics = self.configuration.metrics
        server.pages["/metrics"] = ComponentServer.Page(
            contentType: "text/plain; version=0.0.4; charset=utf-8"
        ) {
            Array(metrics.text().utf8)
        }
        return ComponentServer(server, group: group)
    }
}
