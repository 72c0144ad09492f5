// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import DNSMessages
import NIOCore
import Synchronization

/// Questions over TCP, each behind its length (RFC 7766).
final class StreamHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    static let idleTimeout = TimeAmount.seconds(10)
    /// Connections of a listener; further ones are closed at once.
    static let maximumConnections = 1000

    /// How many there are.
    final class Connections: Sendable {
        fileprivate let count = Atomic<Int>(0)
    }

    private let resolver: DNSResolver
    private var metrics: DNSMetrics.Listener
    private let connections: Connections
    private var received = ByteBuffer()

    init(_ resolver: DNSResolver, _ metrics: DNSMetrics.Listener, _ connections: Connections) {
        self.resolver = resolver
        self.metrics = metrics
        self.connections = connections
    }

    func channelActive(context: ChannelHandlerContext) {
        let count = self.connections.count.add(1, ordering: .relaxed).newValue
        if count > Self.maximumConnections { context.close(promise: nil) }
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.connections.count.subtract(1, ordering: .relaxed)
        context.fireChannelInactive()
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
            self.answer(bytes, context)
        }
    }

    private func answer(_ message: [UInt8], _ context: ChannelHandlerContext) {
        let begin = NIODeadline.now()
        let channel = context.channel
        switch self.resolver.step(message, limit: { _ in Int(UInt16.max) }) {
        case .silence:
            channel.close(promise: nil)
        case .answer(let answer, let type):
            channel.writeAndFlush(Self.framed(answer), promise: nil)
            self.metrics.count(
                type ?? .any,
                bytes: message.count,
                answer: answer,
                from: .zone,
                seconds: DatagramHandler.seconds(since: begin)
            )
        case .forward(let query):
            let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
            self.resolver.forward(message, query, overTCP: true, limit: Int(UInt16.max)) { answer in
                channel.eventLoop.execute {
                    channel.writeAndFlush(Self.framed(answer), promise: nil)
                    handler.value.metrics.count(
                        query.type,
                        bytes: message.count,
                        answer: answer,
                        from: .forward,
                        seconds: DatagramHandler.seconds(since: begin)
                    )
                }
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
