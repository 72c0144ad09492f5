// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import NIOCore

/// Carries the bytes of an upgraded connection between the channel and its stream.
package final class HTTP1RawHandler: ChannelDuplexHandler, HTTP1Transport {
    package typealias InboundIn = ByteBuffer
    package typealias OutboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    private let stream: HTTP1Stream
    private let connection: HTTPConnection
    private let handler: any HTTPConnectionHandler
    private let limits: HTTPLimits
    private var context: ChannelHandlerContext?
    private var readPending = false
    private var flushScheduled = false
    private var isOver = false

    init(
        stream: HTTP1Stream,
        connection: HTTPConnection,
        handler: any HTTPConnectionHandler,
        limits: HTTPLimits,
    ) {
        self.stream = stream
        self.connection = connection
        self.handler = handler
        self.limits = limits
    }

    package func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    package func handlerRemoved(context: ChannelHandlerContext) {
        self.finish(.connectionLost(.closed("the handler was removed")))
        self.context = nil
    }

    package func read(context: ChannelHandlerContext) {
        if self.stream.unconsumed < self.limits.streamWindowBytes {
            context.read()
        } else {
            self.readPending = true
        }
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = self.unwrapInboundIn(data)
        guard !self.isOver, bytes.readableBytes > 0 else { return }
        self.stream.unconsumed += bytes.readableBytes
        self.stream.receiver?.received(data: bytes)
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .some(ChannelEvent.inputClosed) = event as? ChannelEvent {
            self.stream.remoteEnded = true
            self.stream.receiver?.receivedEnd()
            if self.stream.localEnded { context.close(promise: nil) }
            return
        }
        context.fireUserInboundEventTriggered(event)
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        self.stream.receiver?.writabilityChanged(context.channel.isWritable)
        context.fireChannelWritabilityChanged()
    }

    package func channelInactive(context: ChannelHandlerContext) {
        self.finish(
            self.stream.remoteEnded && self.stream.localEnded
                ? .finished : .connectionLost(.closed("the peer closed the connection"))
        )
        context.fireChannelInactive()
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.finish(.connectionLost(.closed(String(describing: error))))
        context.close(promise: nil)
    }

    private func finish(_ reason: HTTPStreamClosure) {
        guard !self.isOver else { return }
        self.isOver = true
        self.stream.owner = nil
        let receiver = self.stream.receiver
        self.stream.receiver = nil
        receiver?.closed(reason)
        self.handler.connectionClosed(self.connection)
    }

    // MARK: - HTTP1Transport

    package var isWritable: Bool { self.context?.channel.isWritable ?? false }

    package var queuedByteCount: Int {
        let pending = try? self.context?.channel.syncOptions?.getOption(.bufferedWritableBytes)
        return pending ?? 0
    }

    package var closesAfterResponse: Bool {
        get { true }
        set {}
    }

    package var mayDiscardBody: Bool { false }

    package func write(_ bytes: ByteBuffer) {
        guard let context = self.context, bytes.readableBytes > 0 else { return }
        context.write(self.wrapOutboundOut(bytes), promise: nil)
        self.flushSoon()
    }

    package func writeChunk(_ bytes: ByteBuffer) { self.write(bytes) }

    package func flushSoon() {
        guard !self.flushScheduled, let context = self.context else { return }
        self.flushScheduled = true
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.eventLoop.execute {
            bound.value.0.flushScheduled = false
            bound.value.1.flush()
        }
    }

    package func responseEnded(_ stream: HTTP1Stream) {}

    package func resetByApplication(_ stream: HTTP1Stream, code: HTTP2ErrorCode) {
        guard let context = self.context else { return }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.eventLoop.execute {
            bound.value.0.finish(.resetLocally(code))
            bound.value.1.close(promise: nil)
        }
    }

    package func abort(_ stream: HTTP1Stream) {
        self.resetByApplication(stream, code: .internalError)
    }

    package func consumed(_ stream: HTTP1Stream) {
        guard self.readPending, stream.unconsumed < self.limits.streamWindowBytes else { return }
        self.readPending = false
        self.context?.read()
    }

    package func endRaw(_ stream: HTTP1Stream) {
        guard let context = self.context else { return }
        context.flush()
        if stream.remoteEnded {
            context.close(promise: nil)
        } else {
            context.close(mode: .output, promise: nil)
        }
    }

    package func upgrade(
        _ stream: HTTP1Stream,
        _ head: ByteBuffer,
        handOver: ((any Channel) -> Void)?,
    ) {}
}
