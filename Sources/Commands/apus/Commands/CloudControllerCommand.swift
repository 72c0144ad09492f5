// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import CloudController
internal import CommandTree
internal import ComponentServer
internal import Flags
internal import HTTP2Transport
internal import Informers
internal import Kubeconfig
internal import KubernetesAPI
internal import LeaderElection
internal import LocalCluster
internal import Logging
internal import Logs
internal import Metrics
internal import NIOPosix
internal import ProcessMetrics
internal import RPC
internal import RPCInterface

extension Command {
    /// `apus cloud-controller-manager`: what depends on what the cluster runs on.
    static let cloudControllerManager = Command(
        "cloud-controller-manager",
        summary: "Give Services of type LoadBalancer their addresses, and nodes what a cloud knows",
        isProgram: true,
        flags: CloudControllerFlags.all
    ) { invocation in
        try invocation.expectNoArguments()
        let flags = CloudControllerFlags(invocation.flags)
        let pool = try flags.pool()
        let connection = try Kubeconfig(path: flags.kubeconfig).connection()
        let group = MultiThreadedEventLoopGroup.singleton
        let agent = "cloud-controller-manager/v1.36"
        // Watches have a connection of their own, so that writes never wait behind them.
        let watching = try connection.makeClient(group: group, userAgent: agent)
        let writing = try connection.makeClient(group: group, userAgent: agent)
        defer { for client in [watching, writing] { client.close(gracefully: false) } }
        let logger = flags.logger
        let isLost = try await withThrowingTaskGroup(of: Bool.self) { tasks in
            if let server = try flags.server(access: DelegatedAccess(writing), group: group) {
                tasks.addTask {
                    try await server.run()
                    return false
                }
            }
            tasks.addTask {
                let work: @Sendable () async throws -> Void = {
                    await flags.runControllers(pool, watching, writing, logger)
                }
                guard let election = flags.election else {
                    try await work()
                    return false
                }
                return try await LeaderElector(election, channel: writing).run(work)
            }
            defer { tasks.cancelAll() }
            return try await tasks.next() ?? false
        }
        guard isLost else { return .success }
        invocation.output.writeError("cloud-controller-manager: leaderelection lost\n")
        return .failure
    }
}

/// The flags of `cloud-controller-manager`, upstream's and the local provider's.
struct CloudControllerFlags: Sendable {
    private static let kubeconfig = Flag(
        "kubeconfig",
        default: "",
        help: "`file` that says how to reach the API server"
    )
    private static let provider = Flag(
        "cloud-provider",
        default: LocalProvider.name,
        help: "the `name` of the provider; there is local"
    )
    private static let pool = Flag(
        "load-balancer-pool",
        default: [String](),
        help: "`ranges`, spans and addresses that Services get; none gives them the nodes' own"
    )
    private static let clusterName = Flag(
        "cluster-name",
        default: "kubernetes",
        help: "the `name` of the cluster in the cloud"
    )
    private static let clusterRange = Flag(
        "cluster-cidr",
        default: [String](),
        help: "the `ranges` of pod addresses that routes are made for"
    )
    private static let configuresRoutes = Flag(
        "configure-cloud-routes",
        default: true,
        help: "make routes in the cloud, with --allocate-node-cidrs, where it has any"
    )
    private static let allocatesRanges = Flag(
        "allocate-node-cidrs",
        default: false,
        help: "whether nodes have ranges of pod addresses"
    )
    private static let monitorPeriod = Flag(
        "node-monitor-period",
        default: Duration.seconds(5),
        help: "time between two looks at nodes that are not ready"
    )
    private static let routePeriod = Flag(
        "route-reconciliation-period",
        default: Duration.seconds(10),
        help: "time between two looks at the cloud's routes"
    )
    private static let leaderElection = LeaderElectionFlags(component: "cloud-controller-manager")
    private static let address = Flag(
        "bind-address",
        default: "0.0.0.0",
        help: "the `address` that serves health and metrics"
    )
    private static let port = Flag(
        "secure-port",
        default: 10258,
        help: "the `port` that serves them over TLS; 0 serves nothing"
    )

    static let all: [any AnyFlag] =
        [
            kubeconfig, provider, pool, clusterName, clusterRange, configuresRoutes,
            allocatesRanges, monitorPeriod, routePeriod, address, port,
        ] + leaderElection.all + LogFlags.all

    private let values: ParsedFlags

    init(_ values: ParsedFlags) {
        self.values = values
    }

    var kubeconfig: String { self.values[Self.kubeconfig] }

    var logger: Logger { LogFlags.logger("cloud-controller-manager", self.values) }

    func pool() throws -> AddressPool {
        let name = self.values[Self.provider]
        guard name == LocalProvider.name else {
            throw UsageError("--cloud-provider: '\(name)' is not known; there is local")
        }
        do {
            return try AddressPool(self.values[Self.pool].filter { !$0.isEmpty })
        } catch {
            throw UsageError("--load-balancer-pool: \(error)")
        }
    }

    /// Nil without election.
    var election: LeaderElectionConfiguration? {
        let flags = Self.leaderElection
        guard self.values[flags.elects] else { return nil }
        let suffix = String(UInt64.random(in: .min ... .max), radix: 16)
        var election = LeaderElectionConfiguration(
            namespace: self.values[flags.leaseNamespace],
            name: self.values[flags.leaseName],
            identity: "\(NodeAddress.hostName())_\(suffix)"
        )
        election.leaseDuration = self.values[flags.leaseDuration]
        election.renewDeadline = self.values[flags.renewDeadline]
        election.retryPeriod = self.values[flags.retryPeriod]
        return election
    }

    /// Runs the controllers of the parts that the provider has, until the task is cancelled.
    func runControllers(
        _ pool: AddressPool,
        _ watching: any RPCChannel,
        _ writing: any RPCChannel,
        _ logger: Logger
    ) async {
        let factory = InformerFactory(watching) { resource, error in
            logger.warning(
                "Failed to watch",
                metadata: ["resource": "\(resource)", "err": "\(error)"]
            )
        }
        let services = factory.informer(of: CoreV1.Service.self)
        let provider = LocalProvider(pool: pool) { services.list() }
        await withDiscardingTaskGroup { tasks in
            if let balancers = provider.loadBalancers {
                let controller = ServiceController(
                    balancers,
                    factory: factory,
                    channel: writing,
                    logger: logger
                )
                tasks.addTask { await controller.run() }
            }
            if !pool.isEmpty {
                let controller = AnnouncementController(
                    pool,
                    factory: factory,
                    channel: writing,
                    logger: logger
                )
                tasks.addTask { await controller.run() }
            }
            if let instances = provider.instances {
                let node = CloudNodeController(
                    instances,
                    factory: factory,
                    channel: writing,
                    logger: logger
                )
                let lifecycle = CloudNodeLifecycleController(
                    instances,
                    factory: factory,
                    channel: writing,
                    period: self.values[Self.monitorPeriod],
                    logger: logger
                )
                tasks.addTask { await node.run() }
                tasks.addTask { await lifecycle.run() }
            }
            if let routes = provider.routes, self.values[Self.configuresRoutes],
                self.values[Self.allocatesRanges]
            {
                let controller = RouteController(
                    routes,
                    factory: factory,
                    channel: writing,
                    cluster: self.values[Self.clusterName],
                    clusterRanges: self.values[Self.clusterRange],
                    period: self.values[Self.routePeriod],
                    logger: logger
                )
                tasks.addTask { await controller.run() }
            }
            tasks.addTask { await factory.run() }
        }
    }

    /// The server of health and metrics; nil when it is switched off.
    func server(
        access: any ComponentAccess,
        group: MultiThreadedEventLoopGroup
    ) throws -> ComponentServer? {
        let port = self.values[Self.port]
        guard port != 0 else { return nil }
        var server = ComponentServer.Configuration(
            endpoint: .tcp(host: self.values[Self.address], port: port),
            tls: try ComponentServer.tls(
                certificatePath: "",
                keyPath: "",
                authorityPath: "",
                name: NodeAddress.hostName(),
                hosts: ["localhost", "127.0.0.1"]
            )
        )
        server.access = access
        let metrics = MetricRegistry()
        ProcessMetrics.register(in: metrics)
        server.pages["/metrics"] = ComponentServer.Page(contentType: Exposition.mediaType) {
            Array(metrics.text().utf8)
        }
        return ComponentServer(server, group: group)
    }
}
