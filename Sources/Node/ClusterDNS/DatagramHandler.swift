// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import DNSMessages
import NIOCore

/// Questions over UDP.
final class DatagramHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    /// The most questions that one system call reads.
    static let batch = 32
    /// The most bytes of a question; what is longer is cut, and malformed then.
    static let questionBytes = 2048

    private let resolver: DNSResolver
    private var metrics: DNSMetrics.Listener
    private var ready = ReadyAnswers()

    init(_ resolver: DNSResolver, _ metrics: DNSMetrics.Listener) {
        self.resolver = resolver
        self.metrics = metrics
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let begin = NIODeadline.now()
        let envelope = self.unwrapInboundIn(data)
        // Read before anything is looked up: a change meanwhile makes the answer an old one.
        let generation = self.resolver.generation()
        let question = envelope.data.withUnsafeReadableBytes { ReadyAnswers.question($0) }
        if let question {
            let kept = envelope.data.withUnsafeReadableBytes {
                self.ready.answer($0, question, generation: generation)
            }
            if let kept {
                self.send(kept, to: envelope, question.type, since: begin, context)
                return
            }
        }
        switch self.resolver.step(
            envelope.data.readableBytesView,
            limit: { $0.payloadLimit(DNSAnswer.maximumPayloadBytes) }
        ) {
        case .silence:
            return
        case .answer(let message, let type):
            if let question {
                envelope.data.withUnsafeReadableBytes {
                    self.ready.store(message, $0, question, generation: generation)
                }
            }
            self.send(message, to: envelope, type ?? .any, since: begin, context)
        case .forward(let query):
            self.forward(query, envelope, since: begin, context)
        }
    }

    private func send(
        _ message: [UInt8],
        to envelope: AddressedEnvelope<ByteBuffer>,
        _ type: DNSType,
        since begin: NIODeadline,
        _ context: ChannelHandlerContext
    ) {
        let answer = AddressedEnvelope(
            remoteAddress: envelope.remoteAddress,
            data: context.channel.allocator.buffer(bytes: message)
        )
        context.write(self.wrapOutboundOut(answer), promise: nil)
        self.metrics.count(
            type,
            bytes: envelope.data.readableBytes,
            answer: message,
            from: .zone,
            seconds: Self.seconds(since: begin)
        )
    }

    private func forward(
        _ query: DNSQuery,
        _ envelope: AddressedEnvelope<ByteBuffer>,
        since begin: NIODeadline,
        _ context: ChannelHandlerContext
    ) {
        let channel = context.channel
        let asker = envelope.remoteAddress
        let bytes = envelope.data.readableBytes
        // SAFETY: used on the event loop alone, where the channel and its handler live.
        let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
        self.resolver.forward(
            Array(envelope.data.readableBytesView),
            query,
            overTCP: false,
            limit: query.payloadLimit(DNSAnswer.maximumPayloadBytes)
        ) { answer in
            channel.eventLoop.execute {
                channel.writeAndFlush(
                    AddressedEnvelope(remoteAddress: asker, data: ByteBuffer(bytes: answer)),
                    promise: nil
                )
                handler.value.metrics.count(
                    query.type,
                    bytes: bytes,
                    answer: answer,
                    from: .forward,
                    seconds: Self.seconds(since: begin)
                )
            }
        }
    }

    static func seconds(since begin: NIODeadline) -> Double {
        Double((NIODeadline.now() - begin).nanoseconds) * 1e-9
    }

    func channelReadComplete(context: ChannelHandlerContext) { context.flush() }
}
