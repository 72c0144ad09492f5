// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import NIOCore
package import NIOHTTP1

/// The server side of an HTTP/1.1 connection, behind NIOHTTP1's decoder.
///
/// One request is served at a time. What a client pipelines behind it waits, and reading stops
/// while more than a window of it waits or the application has not consumed a body.
package final class HTTP1ServerHandler: ChannelDuplexHandler, RemovableChannelHandler,
    HTTP1Transport
{
    package typealias InboundIn = HTTPServerRequestPart
    package typealias OutboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    private let connection: HTTPConnection
    private let handler: any HTTPConnectionHandler
    private let limits: HTTPLimits
    private var context: ChannelHandlerContext?

    private var current: HTTP1Stream?
    private var exchangeCount = 0
    private var waitingParts = CircularBuffer<HTTPServerRequestPart>(initialCapacity: 1)
    private var waitingBytes = 0
    /// Body bytes dropped since the response ended before the request did.
    private var discarded = 0
    private var isDiscarding = false

    private var keepsAlive = true
    package var closesAfterResponse = false
    private var isShuttingDown = false
    private var isClosed = false
    private var isProcessing = false
    private var readPending = false
    private var isReading = false
    private var flushScheduled = false
    private var needsFlush = false
    private var wasWritable = true
    /// The parts that the decoder has given out.
    private(set) var partCount = 0
    /// Bytes that came after the end and were thrown away.
    private var droppedBytes = 0
    /// A part of a head has come.
    private var headBegun = false
    /// The timer bounds the head that has begun; more of it does not start it anew.
    private var isTimingHead = false
    private var timer: Scheduled<Void>?
    private var writeTimer: Scheduled<Void>?

    package init(
        connection: HTTPConnection,
        handler: any HTTPConnectionHandler,
        limits: HTTPLimits,
    ) {
        self.connection = connection
        self.handler = handler
        self.limits = limits
    }

    /// Adds the decoder and this handler after another.
    package static func install(
        _ handler: HTTP1ServerHandler,
        limits: HTTPLimits,
        on pipeline: ChannelPipeline.SynchronousOperations,
        after position: any ChannelHandler,
    ) throws {
        var configuration = NIOHTTPDecoderLimitConfiguration()
        configuration.maxHeaderFieldSize = limits.headerListBytes
        configuration.maxHeaderListSize = limits.headerListBytes
        configuration.maxHeaderFieldCount = limits.headerCount
        let decoder = ByteToMessageHandler(
            HTTPRequestDecoder(
                leftOverBytesStrategy: .forwardBytes,
                limitConfiguration: configuration,
            )
        )
        try pipeline.addHandlers(
            [HTTP1LineGuard(handler: handler, limits: limits), decoder, handler],
            position: .after(position),
        )
    }

    // MARK: - Life

    package func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        self.startTimer(.idle)
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        self.cancelTimers()
        self.context = nil
    }

    package func channelInactive(context: ChannelHandlerContext) {
        self.closed(.closed("the peer closed the connection"))
        context.fireChannelInactive()
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let parsing = error as? HTTPParserError {
            let isOverflow = parsing == .headerOverflow
            return self.refuse(
                isOverflow ? .headerFieldsTooLarge : .badRequest,
                isOverflow
                    ? .limitExceeded(.headerList)
                    : .protocolViolation(.protocolError, String(describing: parsing)),
            )
        }
        self.closed(.closed(String(describing: error)))
        context.close(promise: nil)
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .some(.shutdownGracefully) = event as? ConnectionEvent else {
            return context.fireUserInboundEventTriggered(event)
        }
        self.isShuttingDown = true
        self.closesAfterResponse = true
        if self.current == nil { context.close(promise: nil) }
    }

    /// The connection is over.
    private func closed(_ error: HTTPConnectionError) {
        guard !self.isClosed else { return }
        self.isClosed = true
        self.cancelTimers()
        self.waitingParts.removeAll()
        if let stream = self.current {
            self.current = nil
            self.finish(stream, stream.localEnded ? .finished : .connectionLost(error))
        }
        self.handler.connectionClosed(self.connection)
    }

    private func finish(_ stream: HTTP1Stream, _ reason: HTTPStreamClosure) {
        stream.owner = nil
        let receiver = stream.receiver
        stream.receiver = nil
        receiver?.closed(reason)
    }

    /// Answers what cannot be served and closes.
    func refuse(_ status: HTTPStatus, _ error: HTTPConnectionError) {
        guard let context = self.context, !self.isClosed else { return }
        let mayAnswer = self.current.map { !$0.headSent } ?? true
        self.closed(error)
        if mayAnswer { self.write(HTTP1Writer.failure(status)) }
        self.closeAfterFlush(context)
    }

    private func closeAfterFlush(_ context: ChannelHandlerContext) {
        self.isClosed = true
        self.cancelTimers()
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        // Closing our half first lets the peer read the answer before it sees the end.
        context.writeAndFlush(self.wrapOutboundOut(ByteBuffer())).whenComplete { _ in
            bound.value.close(mode: .output, promise: nil)
        }
        self.timer = context.eventLoop.scheduleTask(in: Self.lingerTime) {
            bound.value.close(promise: nil)
        }
    }

    /// How long a connection that we end waits for the peer to notice.
    private static let lingerTime = TimeAmount.milliseconds(500)

    // MARK: - Reading

    package func read(context: ChannelHandlerContext) {
        if self.mayRead { context.read() } else { self.readPending = true }
    }

    private var mayRead: Bool {
        // A peer that does not hear us ends up with full buffers of its own.
        if self.isClosed { return self.droppedBytes < Self.discardedBodyBytes }
        return self.waitingBytes < self.limits.streamWindowBytes
            && (self.current?.unconsumed ?? 0) < self.limits.streamWindowBytes
    }

    private func resumeReading() {
        guard self.readPending, self.mayRead, let context = self.context else { return }
        self.readPending = false
        context.read()
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = self.unwrapInboundIn(data)
        self.partCount &+= 1
        guard !self.isClosed else { return }
        self.isReading = true
        if case .head = part { self.headBegun = false }
        if self.current == nil || self.isCurrent(part) {
            self.process(part)
        } else {
            if case .body(let bytes) = part { self.waitingBytes += bytes.readableBytes }
            self.waitingBytes += 64
            self.waitingParts.append(part)
        }
    }

    /// Whether the part belongs to the exchange that is being served.
    private func isCurrent(_ part: HTTPServerRequestPart) -> Bool {
        guard let stream = self.current, self.waitingParts.isEmpty else { return false }
        if case .head = part { return false }
        return !stream.remoteEnded
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        self.isReading = false
        if self.headBegun, !self.isTimingHead, !self.isClosed { self.startTimer(.header) }
        self.flushNow()
    }

    /// Bytes have come that did not complete a head yet.
    func sawPartialHead() {
        if self.current == nil, !self.isClosed { self.headBegun = true }
    }

    /// Whether nothing that comes is of use any more.
    var isOver: Bool { self.isClosed }

    /// Bytes have come that nobody reads.
    func dropped(_ count: Int) { self.droppedBytes += count }

    /// More bytes have come than a head has, and nothing came out of them.
    func sawTooManyFruitlessBytes() {
        self.refuse(
            self.current == nil ? .headerFieldsTooLarge : .badRequest,
            .limitExceeded(.headerList)
        )
    }

    private func process(_ part: HTTPServerRequestPart) {
        switch part {
        case .head(let head): self.start(head)
        case .body(let bytes): self.received(bytes)
        case .end(let trailers): self.receivedEnd(trailers)
        }
    }

    private func start(_ source: NIOHTTP1.HTTPRequestHead) {
        self.cancelTimer()
        let request: HTTP1HeadReader.Result
        do throws(HTTP1HeadReader.Refusal) {
            request = try HTTP1HeadReader.request(
                source,
                isSecure: self.connection.peer.isSecure,
                limits: self.limits,
            )
        } catch {
            return self.refuse(
                error.status,
                .protocolViolation(.protocolError, "a request that breaks RFC 9112"),
            )
        }
        self.keepsAlive = request.keepsAlive
        self.closesAfterResponse = !request.keepsAlive || self.isShuttingDown
        self.exchangeCount += 1
        self.discarded = 0
        self.isDiscarding = false
        let stream = HTTP1Stream(
            owner: self,
            connection: self.connection,
            number: self.exchangeCount,
            request: request.head,
            isHTTP10: request.isHTTP10,
            wantsUpgrade: request.wantsUpgrade,
        )
        // The decoder stops behind a request that asks for an upgrade.
        if source.headers.contains(name: "upgrade") { self.closesAfterResponse = true }
        self.current = stream
        let receiver = self.handler.startStream(stream, head: request.head)
        if stream.owner != nil { stream.receiver = receiver }
        if stream.wantsContinue, !stream.headSent, stream.owner != nil,
            !receiver.answersExpectations
        {
            stream.send(HTTPResponseHead(status: .continue), endStream: false)
        }
    }

    private func received(_ bytes: ByteBuffer) {
        guard let stream = self.current, bytes.readableBytes > 0 else { return }
        if self.isDiscarding {
            self.discarded += bytes.readableBytes
            if self.discarded > Self.discardedBodyBytes { self.endConnection() }
            return
        }
        stream.unconsumed += bytes.readableBytes
        if self.limits.bodyIdleTimeout > .zero { self.startTimer(.body) }
        stream.receiver?.received(data: bytes)
    }

    private func receivedEnd(_ trailers: NIOHTTP1.HTTPHeaders?) {
        guard let stream = self.current, !stream.isUpgraded else { return }
        self.cancelTimer()
        stream.remoteEnded = true
        if self.isDiscarding { return self.exchangeEnded(stream) }
        if let trailers {
            do throws(HTTP1HeadReader.Refusal) {
                let fields = try HTTP1HeadReader.fields(trailers, limits: self.limits)
                stream.receiver?.received(trailers: fields)
            } catch {
                return self.refuse(
                    error.status,
                    .protocolViolation(.protocolError, "bad trailers"),
                )
            }
        }
        stream.receiver?.receivedEnd()
    }

    // MARK: - Writing

    package var isWritable: Bool { self.context?.channel.isWritable ?? false }

    package var queuedByteCount: Int {
        guard let channel = self.context?.channel else { return 0 }
        let pending = try? channel.syncOptions?.getOption(.bufferedWritableBytes)
        return pending ?? 0
    }

    package func write(_ bytes: ByteBuffer) {
        guard let context = self.context, bytes.readableBytes > 0 else { return }
        context.write(self.wrapOutboundOut(bytes), promise: nil)
        self.needsFlush = true
        self.flushSoon()
    }

    package func writeChunk(_ bytes: ByteBuffer) {
        if bytes.readableBytes < Self.copiedChunkBytes {
            var out = HTTP1Writer.chunkHead(bytes.readableBytes)
            out.writeImmutableBuffer(bytes)
            out.writeStaticString("\r\n")
            self.write(out)
        } else {
            self.write(HTTP1Writer.chunkHead(bytes.readableBytes))
            self.write(bytes)
            self.write(Self.lineEnd)
        }
    }

    private static let lineEnd = ByteBuffer(string: "\r\n")
    /// Chunks below this size are copied into one buffer with their frame.
    private static let copiedChunkBytes = 4096

    package func flushSoon() {
        guard !self.isReading, !self.flushScheduled, let context = self.context else { return }
        self.flushScheduled = true
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.execute {
            bound.value.flushScheduled = false
            bound.value.flushNow()
        }
    }

    private func flushNow() {
        self.current?.flushPendingHead()
        guard self.needsFlush, let context = self.context else { return }
        self.needsFlush = false
        context.flush()
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        let isWritable = context.channel.isWritable
        self.writeTimer?.cancel()
        self.writeTimer = nil
        if isWritable != self.wasWritable {
            self.wasWritable = isWritable
            self.current?.receiver?.writabilityChanged(isWritable)
        }
        let timeout = TimeAmount.nanoseconds(Self.nanoseconds(self.limits.writeTimeout))
        if !isWritable, timeout > .zero {
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            self.writeTimer = context.eventLoop.scheduleTask(in: timeout) {
                let (handler, context) = bound.value
                handler.closed(.timedOut(.write))
                context.close(promise: nil)
            }
        }
        context.fireChannelWritabilityChanged()
    }

    // MARK: - The end of an exchange

    /// The most of a request body that is read and dropped to keep a connection.
    private static let discardedBodyBytes = 256 << 10

    package var mayDiscardBody: Bool { !(self.current?.wantsContinue ?? false) }

    package func responseEnded(_ stream: HTTP1Stream) {
        guard stream === self.current else { return }
        if stream.remoteEnded {
            self.exchangeEnded(stream)
        } else if self.closesAfterResponse {
            self.endConnection()
        } else {
            self.isDiscarding = true
            self.discarded = 0
            stream.unconsumed = 0
            self.resumeReading()
        }
    }

    private func exchangeEnded(_ stream: HTTP1Stream) {
        self.current = nil
        self.finish(stream, .finished)
        if self.closesAfterResponse {
            self.endConnection()
            return
        }
        self.startTimer(.idle)
        self.processWaiting()
    }

    /// Serves what was pipelined.
    private func processWaiting() {
        guard !self.isProcessing else { return }
        self.isProcessing = true
        defer { self.isProcessing = false }
        while !self.isClosed, let first = self.waitingParts.first {
            if self.current != nil, case .head = first { break }
            self.waitingParts.removeFirst()
            self.waitingBytes -= 64
            if case .body(let bytes) = first { self.waitingBytes -= bytes.readableBytes }
            self.process(first)
        }
        self.resumeReading()
        if !self.isReading { self.flushSoon() }
    }

    /// Ends the connection after what was written.
    private func endConnection() {
        guard let context = self.context, !self.isClosed else { return }
        self.flushNow()
        self.closed(.closed("the connection is not kept"))
        self.closeAfterFlush(context)
    }

    package func resetByApplication(_ stream: HTTP1Stream, code: HTTP2ErrorCode) {
        guard stream === self.current, let context = self.context else { return }
        let bound = NIOLoopBound((self, stream, context), eventLoop: context.eventLoop)
        // `closed` must not come from inside the call that caused it.
        context.eventLoop.execute {
            let (handler, stream, context) = bound.value
            guard handler.current === stream else { return }
            handler.current = nil
            handler.finish(stream, .resetLocally(code))
            handler.closed(.closed("a stream was reset"))
            context.close(promise: nil)
        }
    }

    package func abort(_ stream: HTTP1Stream) {
        self.resetByApplication(stream, code: .internalError)
    }

    package func consumed(_ stream: HTTP1Stream) {
        self.resumeReading()
    }

    package func endRaw(_ stream: HTTP1Stream) {}

    // MARK: - Upgrade

    package func upgrade(
        _ stream: HTTP1Stream,
        _ head: ByteBuffer,
        handOver: ((any Channel) -> Void)?,
    ) {
        guard let context = self.context, stream === self.current else { return }
        self.cancelTimers()
        context.write(self.wrapOutboundOut(head), promise: nil)
        self.needsFlush = true
        let bound = NIOLoopBound((self, stream, context, handOver), eventLoop: context.eventLoop)
        // The decoder is in the middle of a call; the pipeline changes after it.
        context.eventLoop.execute {
            let (handler, stream, context, handOver) = bound.value
            handler.changePipeline(stream, context, handOver)
        }
    }

    private func changePipeline(
        _ stream: HTTP1Stream,
        _ context: ChannelHandlerContext,
        _ handOver: ((any Channel) -> Void)?,
    ) {
        guard self.current === stream, !self.isClosed else { return }
        let channel = context.channel
        context.flush()
        self.isClosed = true
        self.current = nil
        let pipeline = channel.pipeline.syncOperations
        let raw = HTTP1RawHandler(
            stream: stream,
            connection: self.connection,
            handler: self.handler,
            limits: self.limits,
        )
        try? channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: true)
        if let handOver {
            self.finish(stream, .finished)
            handOver(channel)
            self.handler.connectionClosed(self.connection)
        } else {
            stream.owner = raw
            try? pipeline.addHandler(raw, position: .after(self))
        }
        let decoder = try? pipeline.handler(
            type: ByteToMessageHandler<HTTPRequestDecoder>.self
        )
        let guardian = try? pipeline.handler(type: HTTP1LineGuard.self)
        pipeline.removeHandler(self, promise: nil)
        if let guardian { pipeline.removeHandler(guardian, promise: nil) }
        if let decoder { pipeline.removeHandler(decoder, promise: nil) }
        channel.read()
    }

    // MARK: - Time

    private static func nanoseconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return min(max(seconds, 0), Int64.max / 4_000_000_000) * 1_000_000_000
            + attoseconds / 1_000_000_000
    }

    private func startTimer(_ timeout: HTTPTimeout) {
        self.cancelTimer()
        let duration =
            switch timeout {
            case .header: self.limits.headerTimeout
            case .body: self.limits.bodyIdleTimeout
            default: self.limits.idleTimeout
            }
        let amount = TimeAmount.nanoseconds(Self.nanoseconds(duration))
        guard amount > .zero, let context = self.context else { return }
        self.isTimingHead = timeout == .header
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        self.timer = context.eventLoop.scheduleTask(in: amount) {
            let (handler, context) = bound.value
            handler.timer = nil
            if timeout == .idle {
                handler.closed(.timedOut(.idle))
                context.close(promise: nil)
            } else {
                handler.refuse(.requestTimeout, .timedOut(timeout))
            }
        }
    }

    private func cancelTimer() {
        self.timer?.cancel()
        self.timer = nil
        self.isTimingHead = false
    }

    private func cancelTimers() {
        self.cancelTimer()
        self.writeTimer?.cancel()
        self.writeTimer = nil
    }
}
