// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import NIOCore

/// Joins an ``HTTP2Session`` to a channel: one read cycle in, one write out.
final class HTTP2ChannelHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let session: HTTP2Session
    private let pool: BufferPool
    private var context: ChannelHandlerContext?
    private var isReading = false
    private var isFlushing = false
    private var flushScheduled = false
    private var isClosing = false
    private var timer: Scheduled<Void>?
    private var timerDeadline = Int64.max

    init(session: HTTP2Session, pool: BufferPool) {
        self.session = session
        self.pool = pool
    }

    private static func now() -> Int64 { Int64(NIODeadline.now().uptimeNanoseconds) }

    // MARK: - Life

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        self.session.onNeedsFlush = { [weak self] in self?.flushSoon() }
        if context.channel.isActive { self.flush() }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.end(.closed("the handler was removed"))
        self.context = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        self.flush()
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.end(.closed("the peer closed the connection"))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.end(.closed(String(describing: error)))
        context.close(promise: nil)
    }

    private func end(_ error: HTTPConnectionError) {
        self.timer?.cancel()
        self.timer = nil
        self.session.inputClosed(error)
        self.session.onNeedsFlush = {}
    }

    // MARK: - Bytes

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.isReading = true
        self.session.receive(self.unwrapInboundIn(data), now: Self.now())
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        self.isReading = false
        // Tasks that the read woke write before the flush.
        EventLoopTaskExecutor.ofCurrentThread?.drain()
        self.flush()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        let isWritable = context.channel.isWritable
        self.session.writeBlocked(!isWritable, now: Self.now())
        if isWritable { self.flush() } else { self.arm() }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .some(.shutdownGracefully) = event as? ConnectionEvent {
            self.session.shutdownGracefully(now: Self.now())
            self.flush()
            return
        }
        if case .some(ChannelEvent.inputClosed) = event as? ChannelEvent {
            // Without its half of the connection the peer can neither acknowledge nor update.
            self.end(.closed("the peer closed its half"))
            context.close(promise: nil)
            return
        }
        context.fireUserInboundEventTriggered(event)
    }

    /// Flushes at the end of the loop's tick.
    private func flushSoon() {
        guard !self.isReading, !self.isFlushing, !self.flushScheduled, let context = self.context
        else { return }
        self.flushScheduled = true
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.execute {
            bound.value.flushScheduled = false
            bound.value.flush()
        }
    }

    private func flush() {
        guard !self.isFlushing, !self.isClosing, let context = self.context,
            context.channel.isActive
        else { return }
        self.isFlushing = true
        let now = Self.now()
        var last: ByteBuffer?
        var more = true
        // Flushing may make the channel writable again, of which it tells us while we are here.
        while more, context.channel.isWritable {
            var wrote = false
            while more, context.channel.isWritable {
                self.session.output.lend(self.pool.take())
                more = self.session.produce(now: now)
                if self.session.output.isEmpty { more = false } else { wrote = true }
                self.session.output.drain { part in
                    last = part
                    context.write(self.wrapOutboundOut(part), promise: nil)
                }
            }
            if wrote { context.flush() }
        }
        self.pool.give(self.session.output.reclaim(last))
        self.isFlushing = false
        if !context.channel.isWritable { self.session.checkOutboundQueue() }
        if self.session.isFinished {
            self.isClosing = true
            self.closeAfterFlush(context)
            return
        }
        self.arm()
    }

    /// Closes when what was written has left.
    private func closeAfterFlush(_ context: ChannelHandlerContext) {
        self.timer?.cancel()
        self.timer = nil
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.writeAndFlush(self.wrapOutboundOut(ByteBuffer())).whenComplete { _ in
            bound.value.close(promise: nil)
        }
        // A peer that does not read has no say in how long that takes.
        self.timer = context.eventLoop.scheduleTask(in: .seconds(5)) {
            bound.value.close(promise: nil)
        }
    }

    // MARK: - Time

    /// Makes sure that the session's next deadline is looked at.
    private func arm() {
        guard let context = self.context, let deadline = self.session.nextDeadline,
            deadline < self.timerDeadline
        else { return }
        self.timer?.cancel()
        self.timerDeadline = deadline
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        self.timer = context.eventLoop.scheduleTask(
            deadline: .uptimeNanoseconds(UInt64(max(deadline, 0)))
        ) {
            let handler = bound.value
            handler.timer = nil
            handler.timerDeadline = Int64.max
            handler.session.tick(now: Self.now())
            handler.flush()
            handler.arm()
        }
    }
}
