// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ComponentServer
import HTTP
import HTTP2Transport
import Logging
import NIOCore
import NIOPosix
import Synchronization

/// Servers that tell load balancers whether this node has endpoints of a Service: one for each
/// Service whose external traffic policy is `Local`, on its `healthCheckNodePort`.
///
/// Source: upstream `pkg/proxy/healthcheck/service_health.go`.
actor HealthCheckPorts {
    private struct Entry {
        let port: UInt16
        let server: HTTPServer
        let count: Count
    }

    /// How many endpoints a Service has on this node.
    final class Count: Sendable {
        private let number: Atomic<Int>

        init(_ number: Int) {
            self.number = Atomic(number)
        }

        var value: Int { self.number.load(ordering: .relaxed) }
        func set(_ number: Int) { self.number.store(number, ordering: .relaxed) }
    }

    private let logger: Logger
    private let health: ProxyHealth
    private let group: any EventLoopGroup
    private var entries: [String: Entry] = [:]

    init(
        logger: Logger,
        health: ProxyHealth,
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) {
        self.logger = logger
        self.health = health
        self.group = group
    }

    /// Brings the servers of Services up to date.
    ///
    /// - Parameters:
    ///   - names: the Services that were looked at; others stay as they are.
    ///   - wanted: the port and the number of endpoints of those that have one.
    func update(_ names: Set<String>, _ wanted: [String: (port: UInt16, count: Int)]) async {
        // First away: a port may move to another Service.
        for name in names.sorted() {
            guard let entry = self.entries[name], entry.port != wanted[name]?.port else { continue }
            self.entries[name] = nil
            await entry.server.shutdown(drain: .zero)
        }
        for (name, (port, count)) in wanted.sorted(by: { $0.key < $1.key }) {
            if let entry = self.entries[name] {
                entry.count.set(count)
                continue
            }
            do {
                self.entries[name] = try await self.start(name, port, Count(count))
            } catch {
                self.logger.error(
                    "Failed to start healthcheck",
                    metadata: ["service": "\(name)", "port": "\(port)", "err": "\(error)"]
                )
            }
        }
    }

    func close() async {
        for entry in self.entries.values { await entry.server.shutdown(drain: .zero) }
        self.entries = [:]
    }

    private func start(_ name: String, _ port: UInt16, _ count: Count) async throws -> Entry {
        let health = self.health
        let server = try await HTTPServer.start(
            on: .tcp(host: "0.0.0.0", port: Int(port)),
            handler: AsyncHTTPServerHandler(
                SmallPages { _ in Self.answer(name, count.value, isHealthy: health.isHealthy) }
            ),
            group: self.group
        )
        return Entry(port: port, server: server, count: count)
    }

    /// What is said of a Service, as `namespace/name`.
    static func answer(_ name: String, _ count: Int, isHealthy: Bool) -> SmallPages.Answer {
        let parts = name.split(separator: "/", maxSplits: 1)
        let isUp = count > 0 && isHealthy
        return SmallPages.Answer(
            status: isUp ? .ok : .serviceUnavailable,
            body: """
                {
                \t"service": {
                \t\t"namespace": "\(parts.first ?? "")",
                \t\t"name": "\(parts.last ?? "")"
                \t},
                \t"localEndpoints": \(count),
                \t"serviceProxyHealthy": \(isHealthy)
                }
                """,
            fields: [("x-load-balancing-endpoint-weight", "\(count)")]
        )
    }
}
