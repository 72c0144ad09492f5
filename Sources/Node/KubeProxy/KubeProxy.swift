// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Clocks
import Informers
import KubernetesAPI
public import Logging
import Metrics
import NFTables
import Netlink
import Protobuf
public import RPCInterface
import ResourceClient
import Scalars
import ServiceRules
import Synchronization

/// Brings Services into the kernel of a node, and its pods onto the network.
///
/// Handlers of the informers note which Services have changed; one task computes their rules anew and
/// gives the kernel the differences, all that have come together in one transaction. Another keeps
/// routes and announced addresses. Both sleep when nothing changes. When the kernel refuses a change,
/// what it had stays and works; the whole table is given to it again after a pause that grows.
public final class KubeProxy: Sendable {
    let configuration: Configuration
    let channel: any RPCChannel
    let logger: Logger
    let clock: any ComponentClock
    public let metrics: ProxyMetrics
    /// What the health pages say.
    public let health: ProxyHealth
    let pending = Mutex(Pending())
    let rules: Wake
    let network: Wake
    let healthPorts: HealthCheckPorts

    /// What is to be looked at when the task next runs.
    struct Pending {
        /// `namespace/name` of Services.
        var services: Set<String> = []
        /// Events of Services and of slices that have come since the task last ran.
        var serviceChanges = 0
        var endpointChanges = 0
        /// When what changed endpoints happened, by Service: for how long programming took.
        var triggers: [String: Timestamp] = [:]
        var isWhole = true
        var node: CoreV1.Node?
        var nodeChanged = false
        var announcesAgain = false
    }

    /// Wakes a task once for any number of calls.
    struct Wake: Sendable {
        let stream: AsyncStream<Void>
        private let continuation: AsyncStream<Void>.Continuation

        init() {
            (self.stream, self.continuation) = AsyncStream.makeStream(
                bufferingPolicy: .bufferingNewest(1)
            )
        }

        func callAsFunction() { self.continuation.yield() }
    }

    public init(
        _ configuration: Configuration,
        channel: any RPCChannel,
        logger: Logger,
        metrics: ProxyMetrics = ProxyMetrics(),
        clock: any ComponentClock = SystemClock()
    ) {
        self.configuration = configuration
        self.channel = channel
        self.logger = logger
        self.clock = clock
        self.metrics = metrics
        self.health = ProxyHealth(clock: clock, families: configuration.families.map(\.rawValue))
        self.rules = Wake()
        self.network = Wake()
        self.healthPorts = HealthCheckPorts(logger: logger, health: self.health)
    }

    /// Whether the rules have been in the kernel at least once.
    public var hasSynced: Bool { self.health.hasSynced }

    /// The informers that the proxy reads.
    struct Sources: Sendable {
        let services: Informer<CoreV1.Service>
        let slices: Informer<DiscoveryV1.EndpointSlice>
        let nodes: Informer<CoreV1.Node>
    }

    /// Runs until the task is cancelled; the rules stay, so that traffic goes on meanwhile.
    public func run() async throws {
        let factory = InformerFactory(self.channel, clock: self.clock) { [logger] resource, error in
            logger.warning(
                "Failed to watch",
                metadata: ["resource": "\(resource)", "err": "\(error)"]
            )
        }
        let sources = Sources(
            services: factory.informer(of: CoreV1.Service.self),
            slices: factory.informer(of: DiscoveryV1.EndpointSlice.self),
            nodes: factory.informer(of: CoreV1.Node.self)
        )
        self.listen(to: sources)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await factory.run() }
            group.addTask {
                await factory.waitForSync()
                try await self.keepRules(sources)
            }
            group.addTask {
                await factory.waitForSync()
                try await self.keepNetwork(sources)
            }
            defer { group.cancelAll() }
            try await group.next()
        }
        await self.healthPorts.close()
    }

    // MARK: - Changes

    private func listen(to sources: Sources) {
        sources.slices.addIndex("service") { slice in
            [Self.serviceName(of: slice)].compactMap(\.self)
        }
        sources.services.addHandler { event in
            self.metrics.serviceChanges.increment()
            self.note(event.object.objectKey.description, .service)
            if case .updated(let old, let new) = event,
                Announcements.facts(old) == Announcements.facts(new)
            {
                return
            }
            self.network()
        }
        sources.slices.addHandler { event in
            guard let name = Self.serviceName(of: event.object) else { return }
            self.metrics.endpointChanges.increment()
            self.note(name, .endpoints(trigger: Self.trigger(of: event.object)))
        }
        sources.nodes.addHandler { event in
            self.note(event)
        }
    }

    /// The Service of a slice, as `namespace/name`.
    private static func serviceName(of slice: DiscoveryV1.EndpointSlice) -> String? {
        guard let name = slice.metadata.labels["kubernetes.io/service-name"], !name.isEmpty else {
            return nil
        }
        return "\(slice.metadata.namespace)/\(name)"
    }

    /// When what changed a slice happened, as the slice says.
    private static func trigger(of slice: DiscoveryV1.EndpointSlice) -> Timestamp? {
        slice.metadata.annotations["endpoints.kubernetes.io/last-change-trigger-time"].flatMap {
            try? Timestamp(parsing: $0, as: .nanoseconds)
        }
    }

    /// What has changed of a Service.
    private enum Change {
        case service
        /// - Parameter trigger: when what changed them happened.
        case endpoints(trigger: Timestamp?)
    }

    private func note(_ service: String, _ change: Change) {
        self.pending.withLock { pending in
            pending.services.insert(service)
            switch change {
            case .service: pending.serviceChanges += 1
            case .endpoints(let trigger):
                pending.endpointChanges += 1
                if let trigger, pending.triggers[service].map({ trigger < $0 }) ?? true {
                    pending.triggers[service] = trigger
                }
            }
            self.metrics.pending(pending.serviceChanges, pending.endpointChanges)
        }
        self.health.queued()
        self.metrics.lastQueued(self.configuration.families, self.clock.now)
        self.rules()
    }

    private func note(_ event: InformerEvent<CoreV1.Node>) {
        let node = event.object
        if case .updated(let old, let new) = event {
            let wasReady = Self.isReady(old)
            if !wasReady, Self.isReady(new) {
                // Neighbours may have learned somewhere else meanwhile.
                self.pending.withLock { $0.announcesAgain = true }
                self.network()
            }
            if NodeRoutes.facts(old) != NodeRoutes.facts(new) { self.network() }
        } else {
            self.network()
        }
        guard node.metadata.name == self.configuration.nodeName else { return }
        if case .deleted = event { return self.health.setNode(isEligible: false) }
        self.health.setNode(isEligible: ProxyHealth.isEligible(node))
        let isNews = self.pending.withLock { pending in
            let old = pending.node
            pending.node = node
            let isNews =
                old?.metadata.labels[Self.zoneLabel] != node.metadata.labels[Self.zoneLabel]
                || old.map(NodeRoutes.facts) != NodeRoutes.facts(node)
            pending.nodeChanged = pending.nodeChanged || isNews
            return isNews
        }
        if isNews { self.rules() }
    }

    private static func isReady(_ node: CoreV1.Node) -> Bool {
        node.status.conditions.contains { $0.type == "Ready" && $0.status == "True" }
    }

    static let zoneLabel = "topology.kubernetes.io/zone"
}
