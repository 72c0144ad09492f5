// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import DNSMessages
import Informers
public import Logging
public import NIOCore
import NIOPosix
public import RPCInterface

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

    public init(
        _ configuration: Configuration,
        channel: any RPCChannel,
        group: any EventLoopGroup,
        logger: Logger
    ) {
        self.configuration = configuration
        self.channel = channel
        self.group = group
        self.logger = logger
    }

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
        let zone = ClusterZone(domain: self.configuration.domain, records: InformerRecords(factory))
        let servers = ResolverFile(
            self.configuration.resolverFile,
            own: Set(self.configuration.addresses)
        ).servers
        let resolver = DNSResolver(
            zone: zone,
            forwarder: Forwarder(
                servers: servers.compactMap { try? SocketAddress(ipAddress: $0, port: 53) },
                group: self.group
            )
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
        let datagrams = try await DatagramBootstrap(group: self.group)
            .channelOption(.socketOption(.so_reuseaddr), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(DatagramHandler(resolver))
                }
            }
            .bind(to: endpoint).get()
        let streams = try await ServerBootstrap(group: self.group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handlers = channel.pipeline.syncOperations
                    try handlers.addHandler(IdleStateHandler(allTimeout: StreamHandler.idleTimeout))
                    try handlers.addHandler(StreamHandler(resolver))
                }
            }
            .bind(to: endpoint).get()
        return [datagrams, streams]
    }
}

/// Questions over UDP.
private final class DatagramHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    private let resolver: DNSResolver

    init(_ resolver: DNSResolver) {
        self.resolver = resolver
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = self.unwrapInboundIn(data)
        let asker = envelope.remoteAddress
        switch self.resolver.step(
            envelope.data.readableBytesView,
            limit: { $0.payloadLimit(DNSAnswer.maximumPayloadBytes) }
        ) {
        case .silence:
            return
        case .answer(let message):
            let answer = AddressedEnvelope(remoteAddress: asker, data: ByteBuffer(bytes: message))
            context.write(self.wrapOutboundOut(answer), promise: nil)
        case .forward(let query):
            let channel = context.channel
            self.resolver.forward(
                Array(envelope.data.readableBytesView),
                query,
                overTCP: false,
                limit: query.payloadLimit(DNSAnswer.maximumPayloadBytes)
            ) { answer in
                let envelope = AddressedEnvelope(
                    remoteAddress: asker,
                    data: ByteBuffer(bytes: answer)
                )
                channel.writeAndFlush(envelope, promise: nil)
            }
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) { context.flush() }
}

/// Questions over TCP, each behind its length (RFC 7766).
private final class StreamHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    static let idleTimeout = TimeAmount.seconds(10)

    private let resolver: DNSResolver
    private var received = ByteBuffer()

    init(_ resolver: DNSResolver) {
        self.resolver = resolver
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var part = self.unwrapInboundIn(data)
        self.received.writeBuffer(&part)
        while let length = self.received.getInteger(at: self.received.readerIndex, as: UInt16.self),
            let bytes = self.received.getBytes(
                at: self.received.readerIndex + 2,
                length: Int(length)
            )
        {
            self.received.moveReaderIndex(forwardBy: 2 + Int(length))
            self.received.discardReadBytes()
            self.answer(bytes, context.channel)
        }
    }

    private func answer(_ message: [UInt8], _ channel: any Channel) {
        switch self.resolver.step(message, limit: { _ in Int(UInt16.max) }) {
        case .silence:
            channel.close(promise: nil)
        case .answer(let answer):
            channel.writeAndFlush(Self.framed(answer), promise: nil)
        case .forward(let query):
            self.resolver.forward(message, query, overTCP: true, limit: Int(UInt16.max)) { answer in
                channel.writeAndFlush(Self.framed(answer), promise: nil)
            }
        }
    }

    private static func framed(_ message: [UInt8]) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeInteger(UInt16(message.count))
        buffer.writeBytes(message)
        return buffer
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent { context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
