// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import NIOCore
import RPCInterface
import Synchronization

/// One call on a server: an HTTP stream on one side, a handler's task on the other.
///
/// The handler runs on the connection's event loop. A call with one request starts in the callback
/// that brings its last byte, and when the handler does not wait for anything, answers in it: no
/// thread is crossed and nothing is scheduled.
final class ServerCall: StreamCall, RPCPartsCall, RPCDeferredCall, @unchecked Sendable {
    private let connection: ServerConnection
    private let plan: CallPlan
    let deadline: ContinuousClock.Instant?

    // On the loop:
    /// A request that is not whole yet.
    private var request = ByteBuffer()
    private var isStarted = false
    /// Whether the one request of the call came compressed; set before the handler starts.
    private var isSingleRequestCompressed = false
    private var areHeadersSent = false
    /// Whether the status has been sent, or cannot be any more.
    private var isFinished = false
    private var isHandlerDone = false
    private var task: Task<Void, Never>?
    /// Hears when nobody waits for a call without a task any more.
    private var whenAbandoned: (@Sendable () -> Void)?
    private var timer: NIOScheduledCallback?

    init(stream: HTTPStream, plan: CallPlan, connection: ServerConnection) {
        self.connection = connection
        self.plan = plan
        self.deadline = plan.timeoutNanoseconds.map {
            ContinuousClock.now.advanced(by: .nanoseconds($0))
        }
        super.init(loop: connection.executor.loop, limits: connection.core.options.limits)
        self.stream = stream
    }

    /// Starts what a call does before its first message.
    func begin() {
        if self.plan.requestEncoding != .identity
            || self.connection.core.options.compression != .identity
        {
            let preferred = self.connection.core.options.compression
            self.state.withLock { $0.inbound.encoding = self.plan.requestEncoding }
            if preferred != .identity { self.compression = preferred }
        }
        if let nanoseconds = self.plan.timeoutNanoseconds {
            guard nanoseconds > 0 else {
                self.fail(CallDeadline.exceeded)
                return
            }
            self.timer = try? self.loop.scheduleCallback(
                in: .nanoseconds(nanoseconds),
                handler: DeadlineTimer(call: self)
            )
        }
        if case .onHeaders(let start) = self.plan.method.start {
            self.isStarted = true
            start(self)
        }
    }

    // MARK: RPCServerCall

    var method: RPCMethod { self.plan.method.method }
    var peer: RPCPeer { self.connection.peer }
    var requestMetadata: Metadata { MetadataCoding.metadata(from: self.plan.head.fields) }
    var isCancelled: Bool { self.state.withLock { $0.ending != nil } }

    var isRequestCompressed: Bool {
        self.isSingleRequestCompressed || self.state.withLock { $0.inbound.wasCompressed }
    }

    var attachment: (any Sendable)? {
        get { self.state.withLock { $0.attachment } }
        set { self.state.withLock { $0.attachment = newValue } }
    }

    var compression: RPCCompression {
        get { self.state.withLock { $0.outbound.encoding } }
        set {
            guard self.plan.acceptedEncodings.contains(newValue) else { return }
            self.state.withLock { state in
                if newValue == .identity || state.headerEncoding == newValue {
                    state.outbound.encoding = newValue
                } else if state.headerEncoding == .identity, !state.areHeadersDone {
                    state.headerEncoding = newValue
                    state.outbound.encoding = newValue
                }
            }
        }
    }

    var takesParts: Bool {
        self.state.withLock { $0.outbound.encoding == .identity }
    }

    func addInitialMetadata(_ metadata: Metadata) {
        self.state.withLock { state in
            if !state.areHeadersDone { state.initialMetadata.add(contentsOf: metadata) }
        }
    }

    func addTrailingMetadata(_ metadata: Metadata) {
        self.state.withLock { $0.trailingMetadata.add(contentsOf: metadata) }
    }

    func sendInitialMetadata() throws(RPCError) {
        let (metadata, ending) = self.state.withLock { ($0.initialMetadata, $0.ending) }
        switch ending {
        case .stopped(let error), .failed(let error): throw error
        case .handlerReturned, .ok: return
        case nil: break
        }
        try MetadataCoding.check(metadata)
        self.onLoop { call in _ = call.prepareToSend() }
    }

    func run(_ handler: @escaping @Sendable () async throws -> Void) {
        let interceptors = self.connection.core.options.interceptors
        let task = Task.immediate(executorPreference: self.connection.executor) { [self] in
            var failure: RPCError?
            do {
                if interceptors.isEmpty {
                    try await handler()
                } else {
                    try await InterceptorChain.run(interceptors, ServerContext(self), handler)
                }
            } catch {
                failure = RPCError(wrapping: error)
            }
            if self.loop.inEventLoop {
                self.handlerEnded(failure)
            } else {
                self.loop.execute { [failure] in self.handlerEnded(failure) }
            }
        }
        if !self.isHandlerDone { self.task = task }
    }

    // MARK: RPCDeferredCall

    func beginDeferred() -> Bool {
        guard let observers = self.connection.core.observers else { return false }
        for observer in observers { observer.callBegan(self.method) }
        return true
    }

    func beginDeferred(whenAbandoned: @escaping @Sendable () -> Void) -> Bool {
        guard self.beginDeferred() else { return false }
        self.whenAbandoned = whenAbandoned
        return true
    }

    func answer(_ encode: @escaping @Sendable (inout RPCByteSink) throws -> Void) {
        self.deferredEnded(.message(encode))
    }

    func refuse(_ error: RPCError) {
        self.deferredEnded(.refusal(error))
    }

    private func deferredEnded(_ answer: DeferredAnswer) {
        if self.loop.inEventLoop {
            self.end(with: answer)
        } else {
            self.connection.answers.add(self, answer)
        }
    }

    /// Ends a deferred call, on the loop.
    func end(with answer: DeferredAnswer) {
        var failure: RPCError?
        switch answer {
        case .message(let encode):
            do throws(RPCError) {
                _ = try self.append(encode)
            } catch {
                failure = error
            }
        case .refusal(let error): failure = error
        }
        for observer in self.connection.core.observers ?? [] {
            observer.callEnded(self.method, failure)
        }
        self.handlerEnded(failure)
    }

    // MARK: The stream

    override var flushesByItself: Bool { self.plan.method.method.kind.streamsResponses }

    override func received(data: ByteBuffer) {
        guard !self.isFinished else {
            self.stream?.consume(data.readableBytes)
            return
        }
        guard case .onRequest(let start) = self.plan.method.start else {
            super.received(data: data)
            return
        }
        self.stream?.consume(data.readableBytes)
        guard !self.isStarted else {
            self.fail(Self.tooManyRequests)
            return
        }
        self.receiveRequest(data, start)
    }

    private func receiveRequest(
        _ data: ByteBuffer,
        _ start: @Sendable (UnsafeRawBufferPointer, any RPCServerCall) throws -> Void
    ) {
        var data = data
        if self.request.readableBytes > 0 {
            self.request.writeImmutableBuffer(data)
            data = self.request
        }
        let encoding = self.plan.requestEncoding
        let limit = self.connection.core.options.limits.maxInboundMessageBytes
        let result = data.withUnsafeReadableBytes { bytes in
            Result { () throws(RPCError) in
                try InboundQueue.decodeWhole(bytes, encoding: encoding, limit: limit) { message in
                    // Compressed or not, the frame is the only one.
                    guard MessagePrefix.frameIsAll(of: bytes) else { throw Self.tooManyRequests }
                    self.isStarted = true
                    self.isSingleRequestCompressed = bytes.first == 1
                    try start(message, self)
                }
            }
        }
        switch result {
        case .success(.some):
            self.request = ByteBuffer()
        case .success(nil):
            if self.request.readableBytes == 0 {
                // A copy: the data is a view of the connection's read buffer.
                self.request = ByteBuffer(bytes: data.readableBytesView)
            }
        case .failure(let error):
            self.fail(error)
        }
    }

    override func receivedEnd() {
        guard !self.isFinished else { return }
        if case .onRequest = self.plan.method.start {
            guard !self.isStarted else { return }
            self.fail(
                RPCError(
                    code: .internalError,
                    message: self.request.readableBytes > 0
                        ? "the stream ended inside a message" : "the request has no message"
                )
            )
            return
        }
        let (task, failure) = self.state.withLock {
            state -> (UnsafeContinuation<Void, Never>?, RPCError?) in
            do throws(RPCError) {
                try state.inbound.end()
                return (state.reader.wake(), nil)
            } catch {
                return (nil, error)
            }
        }
        task?.resume()
        if let failure { self.fail(failure) }
    }

    override func closed(_ reason: HTTPStreamClosure) {
        self.loop.assertInEventLoop()
        self.stream = nil
        if !self.isFinished {
            self.isFinished = true
            self.stop(RPCError(code: .cancelled, message: "the call was cancelled: \(reason)"))
        }
        self.timer?.cancel()
        self.timer = nil
        self.connection.callClosed()
    }

    override func prepareToSend() -> Bool {
        guard !self.isFinished, let stream = self.stream else { return false }
        guard !self.areHeadersSent else { return true }
        let (metadata, encoding) = self.state.withLock { state in
            state.areHeadersDone = true
            return (state.initialMetadata, state.headerEncoding)
        }
        self.areHeadersSent = true
        if metadata.isEmpty && encoding == .identity {
            stream.send(ResponseHeads.ok)
        } else {
            do throws(RPCError) {
                stream.send(try ResponseHeads.ok(metadata: metadata, encoding: encoding))
            } catch {
                stream.send(ResponseHeads.ok)
                self.fail(error)
                return false
            }
        }
        return true
    }

    /// Ends the call with a status that the handler did not choose, and cancels the handler.
    override func fail(_ error: RPCError) {
        self.loop.assertInEventLoop()
        guard !self.isFinished else { return }
        self.finish(error)
        self.stop(error)
    }

    func deadlinePassed() { self.fail(CallDeadline.exceeded) }

    // MARK: -

    private func stop(_ error: RPCError) {
        _ = self.end(.stopped(error))
        self.task?.cancel()
        self.task = nil
        let whenAbandoned = self.whenAbandoned
        self.whenAbandoned = nil
        whenAbandoned?()
    }

    private func handlerEnded(_ failure: RPCError?) {
        self.loop.assertInEventLoop()
        self.isHandlerDone = true
        self.task = nil
        self.whenAbandoned = nil
        guard !self.isFinished, let stream = self.stream else { return }
        let isWhole = self.state.withLock { $0.outbound.missingBytes == 0 }
        let failure = failure ?? (isWhole ? nil : Self.messageIsCut)
        if failure == nil, !self.areHeadersSent {
            // What nearly every unary call does: head, message and trailers at once.
            let plain = self.state.withLock { state -> (ByteBuffer?, Waiting)? in
                guard state.initialMetadata.isEmpty, state.trailingMetadata.isEmpty,
                    state.headerEncoding == .identity, state.ending == nil
                else { return nil }
                let data = state.outbound.byteCount > 0 ? state.outbound.drain() : nil
                state.isOutboundEnded = true
                return (data, state.end(.handlerReturned))
            }
            if let (data, waiting) = plain {
                self.areHeadersSent = true
                self.isFinished = true
                stream.send(ResponseHeads.ok)
                if let data { stream.send(data) }
                stream.send(trailers: ResponseHeads.okTrailers)
                waiting.resume()
                return
            }
        }
        // Messages that were written before an error go first.
        if failure == nil || self.state.withLock({ $0.outbound.byteCount > 0 }) {
            self.flush()
            // Headers whose metadata is invalid fail the call inside `flush`.
            guard !self.isFinished else { return }
        }
        self.finish(failure)
        _ = self.end(.handlerReturned)
    }

    /// Sends the status.
    private func finish(_ failure: RPCError?) {
        self.isFinished = true
        guard let stream = self.stream else { return }
        let trailing = self.state.withLock { state in
            state.isOutboundEnded = true
            return state.trailingMetadata
        }
        if failure == nil, trailing.isEmpty, self.areHeadersSent {
            stream.send(trailers: ResponseHeads.okTrailers)
            return
        }
        let limit = self.connection.core.options.limits.statusMessageBytes
        if let failure, !self.areHeadersSent {
            let initial = self.state.withLock { $0.initialMetadata }
            stream.send(
                ResponseHeads.trailersOnly(
                    failure,
                    initial: initial,
                    trailing: trailing,
                    messageLimit: limit
                ),
                endStream: true
            )
            return
        }
        stream.send(
            trailers: ResponseHeads.trailers(failure, trailing: trailing, messageLimit: limit)
        )
    }

    private static var messageIsCut: RPCError {
        RPCError(code: .internalError, message: "the handler has left a message unfinished")
    }

    private static var tooManyRequests: RPCError {
        RPCError(
            code: .internalError,
            message: "more than one request message in a call that has one"
        )
    }
}

/// Ends a call at its deadline.
private struct DeadlineTimer: NIOScheduledCallbackHandler {
    weak var call: ServerCall?

    func handleScheduledCallback(eventLoop: some EventLoop) {
        self.call?.deadlinePassed()
    }
}
