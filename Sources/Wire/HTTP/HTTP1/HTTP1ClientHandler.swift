// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import NIOCore
package import NIOHTTP1

/// The client side of an HTTP/1.1 connection, behind NIOHTTP1's decoder: one request at a time, the
/// others wait.
package final class HTTP1ClientHandler: ChannelDuplexHandler, RemovableChannelHandler {
    package typealias InboundIn = HTTPClientResponsePart
    package typealias OutboundIn = HTTPClientRequestPart
    package typealias OutboundOut = HTTPClientRequestPart

    private let connection: HTTPConnection
    private let limits: HTTPLimits
    private var context: ChannelHandlerContext?
    private var current: HTTP1ClientStream?
    private var waiting = CircularBuffer<HTTP1ClientStream>(initialCapacity: 1)
    private var requestCounter = 0
    private var closesAfterResponse = false
    private var isOver = false
    private var isDraining = false
    private var readPending = false
    private var flushScheduled = false
    private var isReading = false
    private var needsFlush = false
    private var idleTimer: Scheduled<Void>?

    /// Called once when no more requests can be started.
    package var onDraining: () -> Void = {}

    /// Requests that may wait.
    private static let waitingLimit = 10_000

    package init(connection: HTTPConnection, limits: HTTPLimits) {
        self.connection = connection
        self.limits = limits
    }

    package static func install(
        _ handler: HTTP1ClientHandler,
        limits: HTTPLimits,
        on pipeline: ChannelPipeline.SynchronousOperations,
        after position: any ChannelHandler,
    ) throws {
        var configuration = NIOHTTPDecoderLimitConfiguration()
        configuration.maxHeaderFieldSize = limits.headerListBytes
        configuration.maxHeaderListSize = limits.headerListBytes
        configuration.maxHeaderFieldCount = limits.headerCount
        let decoder = ByteToMessageHandler(
            HTTPResponseDecoder(
                leftOverBytesStrategy: .forwardBytes,
                informationalResponseStrategy: .forward,
                limitConfiguration: configuration,
            )
        )
        try pipeline.addHandlers(
            [HTTPRequestEncoder(), decoder, handler],
            position: .after(position),
        )
    }

    package var isAcceptingRequests: Bool {
        !self.isOver && !self.isDraining && self.waiting.count < Self.waitingLimit
    }

    package var requestCount: Int { (self.current == nil ? 0 : 1) + self.waiting.count }

    // MARK: - Requests

    package func startRequest(
        _ head: HTTPRequestHead,
        endStream: Bool,
        receiver: any HTTPStreamReceiver,
    ) -> HTTPStream {
        self.requestCounter += 1
        let stream = HTTP1ClientStream(
            owner: self,
            connection: self.connection,
            number: self.requestCounter,
            head: head,
            endStream: endStream,
        )
        stream.receiver = receiver
        if !self.isAcceptingRequests {
            let bound = NIOLoopBound((self, stream), eventLoop: self.connection.eventLoop)
            self.connection.eventLoop.execute {
                bound.value.0.finish(bound.value.1, .notProcessed)
            }
        } else if self.current == nil {
            self.begin(stream)
        } else {
            self.waiting.append(stream)
        }
        return stream
    }

    private func begin(_ stream: HTTP1ClientStream) {
        self.idleTimer?.cancel()
        self.idleTimer = nil
        self.current = stream
        self.closesAfterResponse = false
        stream.begin()
    }

    private func startWaiting() {
        guard self.current == nil, !self.isOver else { return }
        if self.isDraining {
            while let stream = self.waiting.popFirst() { self.finish(stream, .notProcessed) }
            self.context?.close(promise: nil)
        } else if let next = self.waiting.popFirst() {
            self.begin(next)
        } else {
            self.startIdleTimer()
        }
    }

    private func startIdleTimer() {
        let (seconds, _) = self.limits.idleTimeout.components
        guard seconds > 0, let context = self.context else { return }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        self.idleTimer = context.eventLoop.scheduleTask(in: .seconds(seconds)) {
            bound.value.drain()
        }
    }

    /// Starts no more requests; closes when the current one is done.
    private func drain() {
        guard !self.isDraining else { return }
        self.isDraining = true
        self.onDraining()
        if self.current == nil { self.startWaiting() }
    }

    private func finish(_ stream: HTTP1ClientStream, _ reason: HTTPStreamClosure) {
        stream.owner = nil
        let receiver = stream.receiver
        stream.receiver = nil
        receiver?.closed(reason)
    }

    private func over(_ error: HTTPConnectionError) {
        guard !self.isOver else { return }
        self.isOver = true
        self.idleTimer?.cancel()
        if !self.isDraining {
            self.isDraining = true
            self.onDraining()
        }
        if let stream = self.current {
            self.current = nil
            self.finish(stream, .connectionLost(error))
        }
        while let stream = self.waiting.popFirst() { self.finish(stream, .notProcessed) }
    }

    func exchangeMayEnd(_ stream: HTTP1ClientStream) {
        guard stream === self.current, stream.remoteEnded else { return }
        if !stream.localEnded { self.closesAfterResponse = true }
        self.current = nil
        self.finish(stream, .finished)
        if self.closesAfterResponse { self.drain() } else { self.startWaiting() }
    }

    func reset(_ stream: HTTP1ClientStream, _ code: HTTP2ErrorCode) {
        guard let context = self.context, !stream.isResetting else { return }
        stream.isResetting = true
        let bound = NIOLoopBound((self, stream, context), eventLoop: context.eventLoop)
        context.eventLoop.execute {
            let (handler, stream, context) = bound.value
            guard stream.owner != nil else { return }
            if handler.current === stream {
                handler.current = nil
                handler.finish(stream, .resetLocally(code))
                handler.over(.closed("a request was given up"))
                context.close(promise: nil)
            } else {
                handler.waiting.removeAll { $0 === stream }
                handler.finish(stream, .resetLocally(code))
            }
        }
    }

    // MARK: - Channel

    package func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    package func handlerRemoved(context: ChannelHandlerContext) {
        self.over(.closed("the handler was removed"))
        self.context = nil
    }

    package func channelInactive(context: ChannelHandlerContext) {
        self.over(.closed("the server closed the connection"))
        context.fireChannelInactive()
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.over(
            error is HTTPParserError
                ? .protocolViolation(.protocolError, String(describing: error))
                : .closed(String(describing: error))
        )
        context.close(promise: nil)
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .some(.shutdownGracefully) = event as? ConnectionEvent else {
            return context.fireUserInboundEventTriggered(event)
        }
        self.drain()
    }

    package func read(context: ChannelHandlerContext) {
        if (self.current?.unconsumed ?? 0) < self.limits.streamWindowBytes {
            context.read()
        } else {
            self.readPending = true
        }
    }

    func consumed() {
        guard self.readPending else { return }
        self.readPending = false
        if let context = self.context { self.read(context: context) }
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.isReading = true
        guard let stream = self.current else {
            // A response that nobody asked for.
            self.over(.protocolViolation(.protocolError, "a response without a request"))
            return context.close(promise: nil)
        }
        switch self.unwrapInboundIn(data) {
        case .head(let head): self.received(head, stream, context)
        case .body(let bytes):
            guard bytes.readableBytes > 0 else { return }
            stream.unconsumed += bytes.readableBytes
            stream.receiver?.received(data: bytes)
        case .end(let trailers):
            if stream.isInformational { return }
            stream.remoteEnded = true
            if let trailers,
                let fields = try? HTTP1HeadReader.fields(trailers, limits: self.limits)
            {
                stream.receiver?.received(trailers: fields)
            }
            stream.receiver?.receivedEnd()
            self.exchangeMayEnd(stream)
        }
    }

    private func received(
        _ head: NIOHTTP1.HTTPResponseHead,
        _ stream: HTTP1ClientStream,
        _ context: ChannelHandlerContext,
    ) {
        guard let status = HTTPStatus(peer: Int(head.status.code)),
            let fields = try? HTTP1HeadReader.fields(head.headers, limits: self.limits),
            (try? HTTP1HeadReader.checkFraming(head.headers, isHTTP10: false)) != nil
        else {
            self.over(.protocolViolation(.protocolError, "a response that breaks RFC 9112"))
            return context.close(promise: nil)
        }
        stream.isInformational = status.isInformational && status != .switchingProtocols
        if !stream.isInformational {
            let tokens = head.headers[canonicalForm: "connection"].map { $0.lowercased() }
            if tokens.contains("close")
                || (head.version.minor == 0 && !tokens.contains("keep-alive"))
            {
                self.closesAfterResponse = true
            }
        }
        stream.receiver?.received(head: HTTPResponseHead(status: status, fields: fields))
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        self.isReading = false
        self.flushNow()
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        self.current?.receiver?.writabilityChanged(context.channel.isWritable)
        context.fireChannelWritabilityChanged()
    }

    // MARK: - Writing

    var isWritable: Bool { self.context?.channel.isWritable ?? false }

    /// Writes a part. The decoder sees it pass and learns to which method a response belongs.
    func write(_ part: HTTPClientRequestPart) {
        guard let context = self.context else { return }
        context.write(self.wrapOutboundOut(part), promise: nil)
        self.needsFlush = true
        self.flushSoon()
    }

    func flushSoon() {
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
}

/// One exchange on an HTTP/1.1 client connection.
final class HTTP1ClientStream: HTTPStream {
    unowned(unsafe) var owner: HTTP1ClientHandler?
    let head: HTTPRequestHead
    private let number: Int
    private var headPending = false
    private var begun = false
    private var queue = CircularBuffer<ByteBuffer>(initialCapacity: 1)
    private var queuedTrailers: HeaderFields?
    private var queued = 0
    var localEnded: Bool
    var remoteEnded = false
    var isInformational = false
    var isResetting = false
    var unconsumed = 0

    init(
        owner: HTTP1ClientHandler,
        connection: HTTPConnection,
        number: Int,
        head: HTTPRequestHead,
        endStream: Bool,
    ) {
        self.owner = owner
        self.number = number
        self.head = head
        self.localEnded = endStream
        super.init(connection: connection)
    }

    override var id: Int { self.number }
    override var isWritable: Bool {
        self.begun ? self.owner?.isWritable ?? false : self.queued == 0
    }
    override var queuedByteCount: Int { self.queued }

    /// It is this request's turn.
    func begin() {
        self.begun = true
        self.headPending = true
        if self.localEnded {
            self.writeHead(bodyBytes: self.queued)
            self.drainQueue()
            self.writeEnd()
        } else {
            self.owner?.flushSoon()
        }
    }

    func flushPendingHead() {
        guard self.headPending else { return }
        self.writeHead(bodyBytes: nil)
        self.drainQueue()
    }

    private func writeHead(bodyBytes: Int?) {
        self.headPending = false
        var headers = HTTPHeaders()
        headers.add(name: "host", value: self.head.authority)
        for (name, value) in self.head.fields {
            switch name.wellKnown {
            case .host, .transferEncoding, .keepAlive, .proxyConnection: continue
            default: headers.add(name: name.text, value: value)
            }
        }
        if HTTP1Writer.contentLength(self.head.fields) == nil {
            if let bodyBytes, self.queuedTrailers == nil {
                let announces =
                    bodyBytes > 0 || self.head.methodIs("POST")
                    || self.head.methodIs("PUT") || self.head.methodIs("PATCH")
                if announces { headers.add(name: "content-length", value: String(bodyBytes)) }
            } else {
                headers.add(name: "transfer-encoding", value: "chunked")
            }
        }
        let path = self.head.path
        self.owner?.write(
            .head(
                NIOHTTP1.HTTPRequestHead(
                    version: .http1_1,
                    method: NIOHTTP1.HTTPMethod(rawValue: self.head.method.name),
                    uri: path.isEmpty ? self.head.authority : path,
                    headers: headers,
                )
            )
        )
    }

    private func drainQueue() {
        while let data = self.queue.popFirst() { self.writeData(data) }
        self.queued = 0
    }

    private func writeData(_ data: ByteBuffer) {
        if data.readableBytes > 0 { self.owner?.write(.body(.byteBuffer(data))) }
    }

    private func writeEnd() {
        var trailers: HTTPHeaders?
        if let queued = self.queuedTrailers {
            trailers = HTTPHeaders(queued.map { ($0.name.text, $0.value) })
        }
        self.queuedTrailers = nil
        self.owner?.write(.end(trailers))
        self.owner?.exchangeMayEnd(self)
    }

    override func send(_ data: ByteBuffer, endStream: Bool) {
        self.eventLoop.assertInEventLoop()
        guard self.owner != nil, !self.localEnded else { return }
        if endStream { self.localEnded = true }
        if !self.begun || (self.headPending && !endStream) {
            self.queue.append(data)
            self.queued += data.readableBytes
            return
        }
        if self.headPending {
            self.queue.append(data)
            self.queued += data.readableBytes
            self.writeHead(bodyBytes: self.queued)
            self.drainQueue()
        } else {
            self.writeData(data)
        }
        if endStream { self.writeEnd() }
    }

    override func send(trailers: HeaderFields) {
        self.eventLoop.assertInEventLoop()
        guard self.owner != nil, !self.localEnded else { return }
        self.localEnded = true
        if !trailers.isEmpty { self.queuedTrailers = trailers }
        guard self.begun else { return }
        if self.headPending {
            self.writeHead(bodyBytes: self.queued)
            self.drainQueue()
        }
        self.writeEnd()
    }

    override func end() { self.send(trailers: HeaderFields()) }

    override func reset(_ code: HTTP2ErrorCode) {
        self.eventLoop.assertInEventLoop()
        self.owner?.reset(self, code)
    }

    override func consume(_ byteCount: Int) {
        self.eventLoop.assertInEventLoop()
        let count = min(max(byteCount, 0), self.unconsumed)
        guard count > 0 else { return }
        self.unconsumed -= count
        self.owner?.consumed()
    }
}
