// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import DNSMessages
import Informers
public import Logging
public import NIOCore
import NIOPosix
public import RPCInterface
import Synchronization

/// The cluster's name server: Services and pods from memory, everything else from the host's
/// servers; over UDP and TCP.
public struct ClusterDNS: Sendable {
    public struct Configuration: Sendable {
        public var domain = DNSName("cluster.local")
        /// The addresses that it listens on.
        public var addresses: [String]
        public var port = 53
        /// The text of the host's resolv.conf.
        public var resolverFile = ""

        public init(addresses: [String]) {
            self.addresses = addresses
        }
    }

    private let configuration: Configuration
    private let channel: any RPCChannel
    private let group: any EventLoopGroup
    private let logger: Logger
    public let metrics: DNSMetrics
    private let isServing = Flag()

    /// Set once, from any thread.
    private final class Flag: Sendable {
        let value = Atomic<Bool>(false)
    }

    public init(
        _ configuration: Configuration,
        channel: any RPCChannel,
        group: any EventLoopGroup,
        logger: Logger,
        metrics: DNSMetrics = DNSMetrics()
    ) {
        self.configuration = configuration
        self.channel = channel
        self.group = group
        self.logger = logger
        self.metrics = metrics
    }

    /// Whether it answers questions.
    public var isReady: Bool { self.isServing.value.load(ordering: .relaxed) }

    /// Serves until the task is cancelled.
    ///
    /// - Throws: when an address cannot be bound.
    public func run() async throws {
        let factory = InformerFactory(self.channel) { [logger] resource, error in
            logger.warning(
                "Failed to watch",
                metadata: ["resource": "\(resource)", "err": "\(error)"]
            )
        }
        let records = InformerRecords(factory)
        let zone = ClusterZone(domain: self.configuration.domain, records: records)
        let servers = ResolverFile(
            self.configuration.resolverFile,
            own: Set(self.configuration.addresses)
        ).servers
        let resolver = DNSResolver(
            zone: zone,
            forwarder: Forwarder(
                servers: servers.compactMap { try? SocketAddress(ipAddress: $0, port: 53) },
                group: self.group,
                metrics: self.metrics
            ),
            generation: { records.generation }
        )
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await factory.run() }
            // Names that are there would be denied before the informers know them.
            tasks.addTask {
                await factory.waitForSync()
                var channels: [any Channel] = []
                for address in self.configuration.addresses {
                    channels += try await self.listen(address, resolver)
                }
                self.logger.info(
                    "Serving",
                    metadata: ["addresses": "\(self.configuration.addresses)"]
                )
                self.isServing.value.store(true, ordering: .relaxed)
                let open = channels
                let (stream, end) = AsyncStream<Void>.makeStream()
                await withTaskCancellationHandler {
                    for await _ in stream {}
                } onCancel: {
                    end.finish()
                }
                for channel in open { try? await channel.close().get() }
            }
            try await tasks.next()
            tasks.cancelAll()
        }
    }

    private func listen(_ address: String, _ resolver: DNSResolver) async throws -> [any Channel] {
        let endpoint = try SocketAddress(ipAddress: address, port: self.configuration.port)
        let isIPv6 = endpoint.protocol == .inet6
        let metrics = self.metrics
        let datagrams = try await DatagramBootstrap(group: self.group)
            .channelOption(.socketOption(.so_reuseaddr), value: 1)
            // Many questions in one system call, and their answers in another.
            .channelOption(.datagramVectorReadMessageCount, value: DatagramHandler.batch)
            .channelOption(
                .recvAllocator,
                value: FixedSizeRecvByteBufferAllocator(
                    capacity: DatagramHandler.batch * DatagramHandler.questionBytes
                )
            )
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        DatagramHandler(
                            resolver,
                            DNSMetrics.Listener(metrics, transport: "udp", isIPv6: isIPv6)
                        )
                    )
                }
            }
            .bind(to: endpoint).get()
        let connections = StreamHandler.Connections()
        let streams = try await ServerBootstrap(group: self.group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handlers = channel.pipeline.syncOperations
                    try handlers.addHandler(IdleStateHandler(allTimeout: StreamHandler.idleTimeout))
                    try handlers.addHandler(
                        StreamHandler(
                            resolver,
                            DNSMetrics.Listener(metrics, transport: "tcp", isIPv6: isIPv6),
                            connections
                        )
                    )
                }
            }
            .bind(to: endpoint).get()
        return [datagrams, streams]
    }
}
