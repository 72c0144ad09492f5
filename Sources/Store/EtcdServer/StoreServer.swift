// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import Engine
internal import Glibc
internal import HTTP
internal import HTTP2Transport
internal import KeyValueStore
package import Logging
package import Metrics
package import NIOCore
internal import ProcessMetrics
internal import RPC
internal import RPCInterface
internal import Synchronization
internal import TLS

/// `apus etcd`: an embedded store, served to the network with etcd's API.
///
///     let server = try await StoreServer.start(configuration, logger: logger, group: group)
///     try await server.run()
///
/// `run` ends when its task is cancelled, after the store is closed, or throws when the disk
/// failed.
package final class StoreServer: Sendable {
    /// The store that is served.
    package let store: EmbeddedStore
    /// What it counts.
    package let metrics: MetricRegistry
    private let configuration: Configuration
    private let logger: Logger
    private let servers: [HTTPServer]
    private let failure: FailureSignal

    private init(
        _ store: EmbeddedStore,
        _ metrics: MetricRegistry,
        _ configuration: Configuration,
        _ logger: Logger,
        _ servers: [HTTPServer],
        _ failure: FailureSignal
    ) {
        self.store = store
        self.metrics = metrics
        self.configuration = configuration
        self.logger = logger
        self.servers = servers
        self.failure = failure
    }

    /// The ports that are listened on, in the order of the configuration; nil for unix sockets.
    package var ports: [Int?] { self.servers.map { $0.localAddress?.port } }

    // MARK: - Starting

    /// Opens the store and starts to listen. Blocks while the index is built.
    package static func start(
        _ configuration: Configuration,
        logger: Logger,
        group: any EventLoopGroup
    ) async throws -> StoreServer {
        let clients = try Self.urls(configuration.clientURLs, "--listen-client-urls")
        let others = try Self.urls(configuration.metricsURLs, "--listen-metrics-urls")
        let tls = try Self.tls(configuration, (clients + others).contains { $0.isTLS }, logger)
        let metrics = MetricRegistry()
        let failure = FailureSignal()
        let store = try Self.open(configuration, metrics, failure, logger)
        do {
            let http = EtcdHTTPHandler(store: store, metrics: metrics)
            let member = EtcdMember(
                name: configuration.name,
                peerURLs: configuration.advertisedPeerURLs,
                clientURLs: configuration.advertisedClientURLs.isEmpty
                    ? configuration.clientURLs : configuration.advertisedClientURLs
            )
            let statistics = CallMetrics(metrics)
            var options = RPCServerOptions()
            options.limits.maxInboundMessageBytes =
                configuration.store.limits.maximumRequestBytes + EtcdServices.overheadBytes
            options.interceptors = [statistics]
            let rpc = RPCHTTPHandler(
                services: EtcdServices.all(store, member: member),
                options: options,
                other: AsyncHTTPServerHandler(http)
            )
            let side = AsyncHTTPServerHandler(http)
            let listeners: [(EtcdURL, any HTTPServerHandler)] =
                clients.map { ($0, rpc) } + others.map { ($0, side) }
            var servers: [HTTPServer] = []
            for (url, handler) in listeners {
                servers.append(
                    try await HTTPServer.start(
                        on: url.endpoint,
                        tls: url.isTLS ? tls : nil,
                        handler: handler,
                        limits: Self.limits(configuration),
                        group: group
                    )
                )
                logger.info("Serving", metadata: ["url": "\(url)"])
            }
            EtcdMetrics.register(store, in: metrics)
            ProcessMetrics.register(in: metrics)
            return StoreServer(store, metrics, configuration, logger, servers, failure)
        } catch {
            try? store.close()
            throw error
        }
    }

    private static func urls(_ texts: [String], _ flag: String) throws(Failure) -> [EtcdURL] {
        var urls: [EtcdURL] = []
        for text in texts {
            guard let url = EtcdURL(text) else {
                throw .configuration(
                    "\(flag): '\(text)' is no address such as http://127.0.0.1:2379"
                )
            }
            urls.append(url)
        }
        return urls
    }

    private static func limits(_ configuration: Configuration) -> HTTPLimits {
        var limits = HTTPLimits()
        limits.concurrentStreams = configuration.maximumConcurrentStreams
        limits.unauthenticatedConcurrentStreams = configuration.maximumConcurrentStreams
        // Clients of etcd keep quiet connections for later, and cancel calls by the thousand.
        limits.idleTimeout = .zero
        limits.peerResetsPerSecond = 10_000
        // gRPC's clients measure a busy connection with a PING each round trip.
        limits.pingsPerSecond = 10_000
        limits.keepaliveInterval = configuration.keepaliveInterval
        limits.keepaliveTimeout = configuration.keepaliveTimeout
        limits.drainTimeout = configuration.drainTimeout
        return limits
    }

    private static func tls(
        _ configuration: Configuration,
        _ isNeeded: Bool,
        _ logger: Logger
    ) throws -> TLSContextSource? {
        let hasCertificate = !configuration.certificatePath.isEmpty
        guard hasCertificate == !configuration.privateKeyPath.isEmpty else {
            throw Failure.configuration("--cert-file and --key-file go together")
        }
        guard isNeeded else {
            if hasCertificate {
                logger.warning("No address is https; certificate and key are not used")
            }
            return nil
        }
        guard hasCertificate else {
            throw Failure.configuration("an https address needs --cert-file and --key-file")
        }
        var tls = TLSServerConfiguration(
            identity: TLSServerConfiguration.Identity(
                certificatePath: configuration.certificatePath,
                privateKeyPath: configuration.privateKeyPath
            )
        )
        tls.allowsTLS12 = configuration.allowsTLS12
        let authority = configuration.trustedAuthorityPath
        if configuration.requiresClientCertificates || !authority.isEmpty {
            guard !authority.isEmpty else {
                throw Failure.configuration("--client-cert-auth needs --trusted-ca-file")
            }
            tls.clientCertificates = .required
            tls.clientAuthorityPath = authority
        }
        do throws(TLSConfigurationError) {
            return try TLSContextSource(server: tls) { error in
                if let error {
                    logger.error("New certificates cannot be used", metadata: ["err": "\(error)"])
                } else {
                    logger.info("Took up new certificates")
                }
            }
        } catch {
            throw Failure.configuration("certificates: \(error)")
        }
    }

    private static func open(
        _ configuration: Configuration,
        _ metrics: MetricRegistry,
        _ failure: FailureSignal,
        _ logger: Logger
    ) throws(Failure) -> EmbeddedStore {
        let start = ContinuousClock.now
        do throws(BackendError) {
            var options = configuration.store
            options.metrics = StoreMetrics(metrics)
            let backend = try DirectoryBackend(
                opening: configuration.dataDirectory,
                options: configuration.backend
            ) {
                TableState(
                    clusterID: UInt64.random(in: 1...UInt64.max),
                    memberID: UInt64.random(in: 1...UInt64.max)
                )
            }
            let store = try EmbeddedStore(backend: backend, options: options) { reason in
                failure.raise(reason)
            }
            let took = ContinuousClock.now - start
            logger.info(
                "Opened the store",
                metadata: [
                    "dir": "\(configuration.dataDirectory)",
                    "records": .stringConvertible(backend.state.recordCount),
                    "revision": .stringConvertible(backend.state.revision),
                    "took": "\(took)",
                ]
            )
            return store
        } catch {
            throw .storage(error)
        }
    }

    // MARK: - Running

    /// Serves until the task is cancelled or the disk fails; then stops.
    package func run() async throws {
        let compaction = self.configuration.compaction.map { mode in
            Task { await self.compact(CompactionSchedule(mode)) }
        }
        let reason = await self.failure.wait()
        compaction?.cancel()
        self.logger.info("Stopping")
        await self.stop(drains: reason == nil)
        if let reason {
            self.logger.error("The disk failed", metadata: ["err": "\(reason)"])
            throw Failure.disk(reason)
        }
    }

    /// Ends all connections and closes the store.
    package func stop(drains: Bool = true) async {
        // Watch streams end only with their store, so that is told first that no more comes.
        await withTaskGroup(of: Void.self) { group in
            for server in self.servers {
                let drain = drains ? self.configuration.drainTimeout : .zero
                group.addTask { await server.shutdown(drain: drain) }
            }
            group.addTask { await self.closeStore() }
        }
    }

    private func closeStore() async {
        await withCheckedContinuation { continuation in
            EngineThread.start(name: "store-close") {
                do throws(StoreError) {
                    try self.store.close()
                } catch {
                    self.logger.error("Closing the store", metadata: ["err": "\(error)"])
                }
                continuation.resume()
            }.detach()
        }
    }

    private func compact(_ schedule: CompactionSchedule) async {
        var schedule = schedule
        while (try? await Task.sleep(for: .seconds(schedule.interval))) != nil {
            let now = MonotonicClock().nanoseconds / 1_000_000_000
            do throws(StoreError) {
                let revision = try await self.store.status().header.revision
                guard let target = schedule.tick(now: now, revision: revision) else { continue }
                _ = try await self.store.compact(CompactionRequest(revision: target))
                self.logger.info(
                    "Compacted by schedule",
                    metadata: ["revision": .stringConvertible(target)]
                )
            } catch .compacted {
                continue
            } catch {
                schedule.failed()
                self.logger.warning("Compaction failed", metadata: ["err": "\(error)"])
            }
        }
    }
}

/// Tells a task that the disk failed, whichever comes first.
final class FailureSignal: Sendable {
    private struct State {
        var reason: String?
        var isCancelled = false
        var waiter: CheckedContinuation<String?, Never>?
    }

    private let state = Mutex(State())

    func raise(_ reason: String) {
        let waiter = self.state.withLock { state in
            state.reason = state.reason ?? reason
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: reason)
    }

    /// Returns the reason of a failure, or nil when the task is cancelled. For one task.
    func wait() async -> String? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer = self.state.withLock { state -> String?? in
                    if let reason = state.reason { return reason }
                    if state.isCancelled { return .some(nil) }
                    state.waiter = continuation
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            let waiter = self.state.withLock { state in
                state.isCancelled = true
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume(returning: nil)
        }
    }
}
