// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import DNSMessages
import Metrics
import NIOCore
import NIOPosix
import Synchronization

/// Asks the host's name servers what the cluster does not know.
///
/// A question goes to one server at a time, over a socket of its own with a random port and id, so
/// that nobody can guess what an answer has to look like; over TCP when the answer does not fit.
final class Forwarder: Sendable {
    private let servers: [SocketAddress]
    private let group: any EventLoopGroup
    private let cache = Mutex(AnswerCache())
    private let order: Mutex<ServerOrder>
    private let running = Atomic<Int>(0)

    /// What one server gets before the next is asked.
    static let timeout = TimeAmount.seconds(2)
    /// Questions that may be under way; more are answered with SERVFAIL.
    static let maximumRunning = 1000

    private let metrics: DNSMetrics

    init(servers: [SocketAddress], group: any EventLoopGroup, metrics: DNSMetrics) {
        self.servers = servers
        self.order = Mutex(ServerOrder(count: servers.count))
        self.group = group
        self.metrics = metrics
    }

    /// The answer to a question as a message; nil when no server answers.
    func answer(_ message: [UInt8], _ query: DNSQuery, overTCP: Bool) async -> [UInt8]? {
        let key = AnswerCache.Key(
            name: query.name,
            type: query.type,
            recordClass: query.recordClass,
            dnssecOK: query.extensions?.dnssecOK ?? false
        )
        let now = Self.now
        if let kept = self.cache.withLock({ $0.answer(key, id: query.id, now: now) }) {
            let isPositive = ForwardedAnswer.isPositive(kept)
            self.metrics.cacheHits.with(isPositive ? "success" : "denial").increment()
            return kept
        }
        self.metrics.cacheMisses.increment()
        guard self.running.add(1, ordering: .relaxed).newValue <= Self.maximumRunning else {
            self.running.subtract(1, ordering: .relaxed)
            self.metrics.rejections.increment()
            return nil
        }
        defer { self.running.subtract(1, ordering: .relaxed) }
        var question = message
        let id = UInt16.random(in: 0 ... .max)
        question[0] = UInt8(id >> 8)
        question[1] = UInt8(id & 0xFF)
        for index in self.order.withLock({ $0.next(now: now) }) {
            let server = self.servers[index]
            let begin = NIODeadline.now()
            var answer = overTCP ? nil : await self.ask(server, question, query, overTCP: false)
            if answer.map(ForwardedAnswer.isTruncated) ?? overTCP {
                answer = await self.ask(server, question, query, overTCP: true) ?? answer
            }
            self.order.withLock { $0.note(index, hasAnswered: answer != nil, now: Self.now) }
            guard var answer else { continue }
            self.metrics.upstreamDurations.with(
                "forward",
                server.description,
                ForwardedAnswer.codeName(answer)
            ).observe(DatagramHandler.seconds(since: begin))
            let count = self.cache.withLock { cache in
                cache.store(answer, key, now: now)
                return cache.count
            }
            self.metrics.cacheEntries.set(Double(count))
            answer[0] = UInt8(query.id >> 8)
            answer[1] = UInt8(query.id & 0xFF)
            return answer
        }
        return nil
    }

    private static var now: Int64 { Int64(NIODeadline.now().uptimeNanoseconds / 1_000_000_000) }

    private func ask(
        _ server: SocketAddress,
        _ question: [UInt8],
        _ query: DNSQuery,
        overTCP: Bool
    ) async -> [UInt8]? {
        let loop = self.group.next()
        let promise = loop.makePromise(of: [UInt8].self)
        let handler = AnswerHandler(question, query, promise: promise, isStream: overTCP)
        let connecting: EventLoopFuture<any Channel>
        if overTCP {
            connecting = ClientBootstrap(group: loop).connectTimeout(Self.timeout)
                .channelInitializer { $0.pipeline.addHandler(handler) }
                .connect(to: server)
        } else {
            // Connected, so that the kernel drops what others send.
            connecting = DatagramBootstrap(group: loop)
                .channelInitializer { $0.pipeline.addHandler(handler) }
                .connect(to: server)
        }
        connecting.whenFailure { promise.fail($0) }
        let timer = loop.scheduleTask(in: Self.timeout) {
            promise.fail(ChannelError.connectTimeout(Self.timeout))
        }
        let answer = try? await promise.futureResult.get()
        timer.cancel()
        connecting.whenSuccess { $0.close(promise: nil) }
        return answer
    }
}

/// Sends a question when the channel is up, and takes the answer that belongs to it.
private final class AnswerHandler: ChannelInboundHandler, @unchecked Sendable {
    // SAFETY: used on its channel's event loop only, after it was handed over.
    typealias InboundIn = Any

    private let question: [UInt8]
    private let query: DNSQuery
    private let promise: EventLoopPromise<[UInt8]>
    private let isStream: Bool
    private var received = ByteBuffer()

    init(
        _ question: [UInt8],
        _ query: DNSQuery,
        promise: EventLoopPromise<[UInt8]>,
        isStream: Bool
    ) {
        self.question = question
        self.query = query
        self.promise = promise
        self.isStream = isStream
    }

    func channelActive(context: ChannelHandlerContext) {
        var buffer = context.channel.allocator.buffer(capacity: self.question.count + 2)
        if self.isStream { buffer.writeInteger(UInt16(self.question.count)) }
        buffer.writeBytes(self.question)
        if self.isStream {
            context.writeAndFlush(NIOAny(buffer), promise: nil)
        } else if let remote = context.remoteAddress {
            let envelope = AddressedEnvelope(remoteAddress: remote, data: buffer)
            context.writeAndFlush(NIOAny(envelope), promise: nil)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if self.isStream {
            var part = self.unwrapStream(data)
            self.received.writeBuffer(&part)
            guard
                let length = self.received.getInteger(
                    at: self.received.readerIndex,
                    as: UInt16.self
                ),
                let bytes = self.received.getBytes(
                    at: self.received.readerIndex + 2,
                    length: Int(length)
                )
            else { return }
            self.take(bytes)
        } else {
            let envelope = self.unwrapDatagram(data)
            self.take(Array(envelope.data.readableBytesView))
        }
    }

    private func unwrapStream(_ data: NIOAny) -> ByteBuffer {
        // What a socket has read, as it comes out of a box for anything.
        switch self.unwrapInboundIn(data) {
        case let buffer as ByteBuffer: buffer
        case .byteBuffer(let buffer) as IOData: buffer
        default: ByteBuffer()
        }
    }

    private func unwrapDatagram(_ data: NIOAny) -> AddressedEnvelope<ByteBuffer> {
        guard let envelope = self.unwrapInboundIn(data) as? AddressedEnvelope<ByteBuffer> else {
            preconditionFailure("a datagram channel reads envelopes")
        }
        return envelope
    }

    /// An answer has the id and the question of what was asked; others are ignored.
    private func take(_ message: [UInt8]) {
        guard message.count >= 12 + self.query.question.count, message[2] & 0x80 != 0,
            message[0] == self.question[0], message[1] == self.question[1],
            message[12...].starts(with: self.query.question)
        else { return }
        self.promise.succeed(message)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.promise.fail(error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.promise.fail(ChannelError.eof)
    }
}
