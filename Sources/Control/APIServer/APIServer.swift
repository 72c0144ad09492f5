// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import Access
import EventRecording
package import HTTP
package import HTTP2Transport
package import KeyValueStore
package import NIOCore
import ObjectModel
import RPC
package import RPCInterface
package import Registry
package import ResourceTable
import Scalars
import Synchronization
package import TLS
import WatchCache

/// The API server: REST and `apus.resource.v1.Resources` on one port, over a key-value store.
///
/// ```swift
/// let server = APIServer(configuration, store: store)
/// async let running: Void = server.run()
/// try await server.waitUntilReady()
/// let client = ApusResource.ResourcesClient(channel: server.channel)
/// ```
package final class APIServer: Sendable {
    /// How a server is set up.
    package struct Configuration: Sendable {
        /// Where it listens; nil serves the in-process channel only.
        package var endpoint: HTTPEndpoint?
        /// nil for cleartext, which belongs into tests.
        package var tls: TLSContextSource?
        /// What is served.
        package var table = ResourceTable.served
        /// The ranges of Service addresses, one for each family; the first is the default.
        package var serviceRanges: [AddressRange]
        /// The ports that Services can have on every node.
        package var nodePorts: ClosedRange<Int32> = 30_000...32_767
        /// The address that others reach the server at: that of the `kubernetes` Service's endpoint.
        package var advertiseAddress = "127.0.0.1"
        /// The port that goes with it; nil for the one that is listened on.
        package var advertisePort: Int?
        /// Who may do what; made with what reads and writes the server's objects.
        package var access: @Sendable (any ObjectWriter) -> AccessParts = { _ in .open }
        /// How often the store's history is given up; nil for never.
        package var compactionInterval: Duration? = .seconds(300)
        /// How kubelets are reached.
        package var nodes = NodeConnections.Configuration()
        /// How many requests that only read, and that write, may be under way at once.
        package var readingLimit = 400
        package var writingLimit = 200
        /// The connections' limits.
        package var limits: HTTPLimits
        /// Takes lines for the log.
        package var log: @Sendable (String) -> Void = { _ in }
        /// The authorities of client certificates in PEM, as extension API servers are told; empty
        /// for none.
        package var clientAuthority = ""
        /// How long a request may take that does not last by its nature.
        package var requestTimeout: Duration = .seconds(60)
        /// How long the server goes on, but says that it is not ready, before it ends.
        package var shutdownDelay: Duration = .zero
        /// Where volumes of the default StorageClass lie on nodes; empty for no such class.
        package var localVolumePath = ""
        /// How long requests may go on after the end has been asked for.
        package var drain: Duration = .seconds(60)

        /// - Parameter serviceRanges: one range of Service addresses, or two of different families.
        package init(serviceRanges: [AddressRange] = [.standard]) {
            precondition(!serviceRanges.isEmpty, "Services need a range of addresses")
            self.serviceRanges = serviceRanges
            var limits = HTTPLimits()
            limits.concurrentStreams = 1000
            limits.unauthenticatedConcurrentStreams = 100
            self.limits = limits
        }
    }

    private let configuration: Configuration
    private let registry: Registry
    private let core: ServerCore
    private let services: [any RPCService]
    private let repair: ServiceRepair
    private let state = Mutex(State())

    private struct State {
        var server: HTTPServer?
        var isReady = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    package init(_ configuration: Configuration, store: any KeyValueStore) {
        self.configuration = configuration
        let registry = Registry(table: configuration.table, store: store)
        let allocator = ServiceAllocator(
            registry: registry,
            ranges: configuration.serviceRanges,
            nodePorts: configuration.nodePorts
        )
        registry.store(GroupResource(group: "", resource: "services"))?.allocator = allocator
        let core = ServerCore(
            registry: registry,
            access: AccessControl(
                configuration.access(RegistryReader(registry: registry)),
                StartGate(registry.shared.timers)
            ),
            discovery: Discovery(
                // Without a way to the nodes there is nothing to measure.
                table: configuration.nodes.group == nil
                    ? configuration.table : configuration.table.withMetrics,
                serverAddress:
                    "\(configuration.advertiseAddress):\(configuration.advertisePort ?? 6443)"
            ),
            health: HealthChecks(shared: registry.shared),
            limits: InFlightLimits(
                reading: configuration.readingLimit,
                writing: configuration.writingLimit
            ),
            nodes: NodeConnections(registry: registry, configuration: configuration.nodes),
            requestTimeout: configuration.requestTimeout
        )
        let services = [ResourcesService(core: core)]
        let channel = Self.channel(to: services)
        self.repair = ServiceRepair(
            registry,
            allocator,
            RepairMetrics(core.metrics.registry),
            addressEvents: EventRecorder(
                component: "ipallocator-repair-controller",
                channel: channel
            ),
            portEvents: EventRecorder(
                component: "portallocator-repair-controller",
                channel: channel
            ),
            log: configuration.log
        )
        self.registry = registry
        self.core = core
        self.services = services
    }

    /// A channel to the server's RPC services in this process, as a member of `system:masters`.
    package var channel: any RPCChannel { Self.channel(to: self.services) }

    private static func channel(to services: [any RPCService]) -> any RPCChannel {
        InProcessChannel(services: services, server: self.rpcOptions)
    }

    /// The address that is listened on, once it is.
    package var localAddress: SocketAddress? {
        self.state.withLock { $0.server?.localAddress }
    }

    private static var rpcOptions: RPCServerOptions {
        var options = RPCServerOptions()
        options.limits.maxInboundMessageBytes = RESTExchange.maximumBodyBytes + 64 << 10
        return options
    }

    /// Serves until the task is cancelled; then lets running requests finish.
    ///
    /// - Parameter group: the event loops that connections are spread over.
    package func run(group: any EventLoopGroup) async throws {
        if let endpoint = self.configuration.endpoint {
            let server = try await self.start(endpoint, group)
            self.state.withLock { $0.server = server }
        }
        let server = self.state.withLock { $0.server }
        // No children of this task: requests that finish after its cancellation need them.
        let background = Task { await self.runBackground(port: server?.localAddress?.port) }
        await Self.waitUntilCancelled()
        self.core.health.shutDown()
        let drain = self.configuration.drain
        let delay = self.configuration.shutdownDelay
        let shared = self.registry.shared
        await Task {
            if delay > .zero { try? await Task.sleep(for: delay) }
            shared.endWatches()
            await server?.shutdown(drain: drain)
        }.value
        self.core.nodes.close()
        background.cancel()
        await background.value
    }

    /// What goes on beside requests, until the task is cancelled.
    private func runBackground(port: Int?) async {
        let shared = self.registry.shared
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await shared.run() }
            tasks.addTask { await self.repair.run() }
            if let interval = self.configuration.compactionInterval {
                tasks.addTask { await Compactor(store: shared.store, interval: interval).run() }
            }
            tasks.addTask {
                await Bootstrap(
                    registry: self.registry,
                    configuration: self.configuration,
                    port: port,
                    access: self.core.access.parts,
                    gate: self.core.access.gate
                ).run()
                await self.repair.step(now: .current())
                self.becomeReady()
                await IdentityLease(registry: self.registry).run()
            }
        }
    }

    private func start(
        _ endpoint: HTTPEndpoint,
        _ group: any EventLoopGroup
    ) async throws -> HTTPServer {
        try await HTTPServer.start(
            on: endpoint,
            tls: self.configuration.tls,
            handler: RPCHTTPHandler(
                services: self.services,
                options: Self.rpcOptions,
                other: AsyncHTTPServerHandler(RESTHandler(core: self.core))
            ),
            limits: self.configuration.limits,
            group: group
        )
    }

    private func becomeReady() {
        self.core.health.bootstrapIsDone()
        let waiters = self.state.withLock { state in
            state.isReady = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Returns when everything that has to exist exists.
    package func waitUntilReady() async {
        await withCheckedContinuation { continuation in
            let isReady = self.state.withLock { state in
                if !state.isReady { state.waiters.append(continuation) }
                return state.isReady
            }
            if isReady { continuation.resume() }
        }
    }

    private static func waitUntilCancelled() async {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
        await withTaskCancellationHandler {
            for await _ in stream {}
        } onCancel: {
            continuation.finish()
        }
    }
}
