// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import NIOCore
import RPCInterface
import Synchronization

/// One call of a client: an HTTP stream on one side, the caller's task on the other.
final class ClientCall: StreamCall, RPCClientCall, @unchecked Sendable {
    let method: RPCMethod
    let waitsForReady: Bool
    private let options: CallOptions
    private let deadline: ContinuousClock.Instant?
    private let connection: ClientConnection

    // On the loop:
    private var transport: (any ClientTransport)?
    private var timer: NIOScheduledCallback?
    /// Requests that were sent, for sending them again; `nil` when they cannot be.
    private var sent: ByteBuffer? = ByteBuffer()
    private var retries = 0
    /// The status of the HTTP response when it is not an RPC response.
    private var failedResponse: RPCError?
    private var hasResponse = false
    private var isSubmitted = false

    init(
        method: RPCMethod,
        options: CallOptions,
        deadline: ContinuousClock.Instant?,
        limits: RPCLimits,
        connection: ClientConnection
    ) {
        self.method = method
        self.options = options
        self.deadline = deadline
        self.connection = connection
        self.waitsForReady = options.waitForReady ?? connection.core.options.waitForReady
        super.init(loop: connection.loop, limits: limits)
        let compression = options.compression ?? connection.core.options.compression
        if compression != .identity {
            self.state.withLock { state in
                state.outbound.encoding = compression
                state.headerEncoding = compression
            }
        }
        if method.kind.streamsRequests { self.onLoop { ($0 as? ClientCall)?.submit() } }
    }

    override var flushesByItself: Bool { self.method.kind.streamsRequests }
    override var wakesReaderForMessage: Bool { self.method.kind.streamsResponses }
    override var endsStreamWithMessages: Bool { true }

    // MARK: RPCClientCall

    func finishRequests() {
        let isFirst = self.state.withLock { state in
            defer { state.isOutboundEnded = true }
            return !state.isOutboundEnded && state.ending == nil
        }
        guard isFirst else { return }
        self.onLoop { call in
            if call.stream == nil {
                (call as? ClientCall)?.submit()
            } else {
                call.flush()
            }
        }
    }

    func initialMetadata() async throws(RPCError) -> Metadata {
        await withTaskCancellationHandler {
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
                let ready = self.state.withLock { state in
                    if Task.isCancelled || state.areHeadersDone || state.ending != nil {
                        return Optional(continuation)
                    }
                    return state.headerReader.wait(continuation)
                }
                ready?.resume()
            }
        } onCancel: {
            self.cancel()
        }
        let (fields, ending) = self.state.withLock { ($0.headers, $0.ending) }
        if let fields { return MetadataCoding.metadata(from: fields) }
        switch ending {
        case .failed(let error), .stopped(let error): throw error
        case .ok, .handlerReturned, nil: return Metadata()
        }
    }

    var trailingMetadata: Metadata {
        let fields = self.state.withLock { $0.trailers }
        return fields.map(MetadataCoding.metadata(from:)) ?? Metadata()
    }

    func cancel() {
        let isOver = self.state.withLock { $0.ending != nil }
        guard !isOver else { return }
        self.stop(RPCError(code: .cancelled, message: "the call was cancelled"))
    }

    override func taskCancelled() { self.cancel() }

    // MARK: On the loop

    /// Asks for a connection.
    private func submit() {
        self.loop.assertInEventLoop()
        guard !self.isSubmitted else { return }
        self.isSubmitted = true
        guard self.state.withLock({ $0.ending == nil }) else { return }
        if let deadline = self.deadline {
            let left = ContinuousClock.now.duration(to: deadline)
            guard left > .zero else {
                self.stop(CallDeadline.exceeded)
                return
            }
            self.timer = try? self.loop.scheduleCallback(
                in: .nanoseconds(left.wholeNanoseconds),
                handler: CallTimer(call: self)
            )
        }
        self.connection.submit(self)
    }

    /// Starts the stream.
    func open(on transport: any ClientTransport) {
        self.loop.assertInEventLoop()
        guard self.state.withLock({ $0.ending == nil }) else { return }
        do throws(RPCError) {
            let head = try self.makeHead()
            self.transport = transport
            self.stream = transport.startRequest(head, endStream: false, receiver: self)
        } catch {
            self.stop(error)
            return
        }
        if let sent = self.sent, sent.readableBytes > 0 {
            // Again, after a server that did not process it.
            self.sent = ByteBuffer()
            self.willSend(sent)
            self.stream?.send(sent)
        }
        self.isStreamEnded = false
        self.flush()
    }

    private func makeHead() throws(RPCError) -> HTTPRequestHead {
        var head = self.connection.template(for: self.method)
        if let deadline = self.deadline {
            let left = ContinuousClock.now.duration(to: deadline)
            head.fields.append(
                .grpcTimeout,
                GRPCTimeout.format(nanoseconds: left.wholeNanoseconds)
            )
        }
        let encoding = self.state.withLock { $0.headerEncoding }
        if encoding != .identity { head.fields.append(.grpcEncoding, encoding.rawValue) }
        if !self.options.metadata.isEmpty {
            var fields = head.fields
            try MetadataCoding.append(self.options.metadata, to: &fields)
            head.fields = fields
        }
        return head
    }

    override func prepareToSend() -> Bool { self.stream != nil }

    override func willSend(_ data: ByteBuffer) {
        guard let sent = self.sent else { return }
        let limit = self.connection.core.options.retryBufferBytes
        guard !self.hasResponse, sent.readableBytes + data.readableBytes <= limit else {
            self.sent = nil
            return
        }
        if sent.readableBytes == 0 {
            self.sent = data
        } else {
            self.sent?.writeImmutableBuffer(data)
        }
    }

    func deadlinePassed() { self.stop(CallDeadline.exceeded) }

    /// No connection can be had.
    func unreachable(_ error: RPCError) { self.stop(error) }

    override func fail(_ error: RPCError) { self.stop(error) }

    /// Ends the call here and tells the server.
    private func stop(_ error: RPCError) {
        guard self.end(.stopped(error)) else { return }
        self.finished(error.status)
        self.onLoop { call in
            guard let call = call as? ClientCall else { return }
            call.releaseTimer()
            call.sent = nil
            if let stream = call.stream {
                stream.reset(.cancel)
            } else {
                call.connection.forget(call)
            }
        }
    }

    private func releaseTimer() {
        self.timer?.cancel()
        self.timer = nil
    }

    private func finished(_ status: RPCStatus) {
        for interceptor in self.connection.core.options.interceptors {
            interceptor.didFinish(self.method, status)
        }
    }

    /// The server ended the call.
    private func complete(_ ending: Ending) {
        guard self.end(ending) else { return }
        switch ending {
        case .ok, .handlerReturned: self.finished(.ok)
        case .failed(let error), .stopped(let error): self.finished(error.status)
        }
    }

    // MARK: The stream

    override func received(head: HTTPResponseHead) {
        guard !head.status.isInformational else { return }
        self.hasResponse = true
        self.sent = nil
        guard head.status == .ok || head.fields.contains(.grpcStatus) else {
            self.failedResponse = RPCError(
                code: HTTPMapping.code(of: head.status),
                message: "unexpected HTTP status \(head.status)"
            )
            return
        }
        guard CompressionNegotiation.isRPC(head.fields) else {
            let type = head.fields[.contentType] ?? ""
            self.failedResponse = RPCError(
                code: head.status == .ok ? .unknown : HTTPMapping.code(of: head.status),
                message: "unexpected content-type \"\(type)\" (HTTP status \(head.status))"
            )
            return
        }
        if head.fields.contains(.grpcStatus) {
            self.receive(status: head.fields)
            return
        }
        let encoding: RPCCompression
        do throws(RPCError) {
            encoding = try CompressionNegotiation.encoding(of: head.fields)
        } catch {
            self.stop(RPCError(code: .internalError, message: error.message))
            return
        }
        let task = self.state.withLock { state in
            state.inbound.encoding = encoding
            state.headers = head.fields
            state.areHeadersDone = true
            return state.headerReader.wake()
        }
        task?.resume()
    }

    override func received(data: ByteBuffer) {
        guard self.hasResponse, self.failedResponse == nil else {
            self.stream?.consume(data.readableBytes)
            return
        }
        super.received(data: data)
    }

    override func received(trailers: HeaderFields) {
        guard self.failedResponse == nil else { return }
        self.receive(status: trailers)
    }

    override func receivedEnd() {
        defer { self.endAfterServer() }
        if let error = self.failedResponse {
            self.complete(.failed(error))
        } else {
            self.complete(
                .failed(
                    RPCError(code: .internalError, message: "the stream ended without a status")
                )
            )
        }
    }

    /// The server has ended and wants no more requests: ends this side too, so that the stream does
    /// not stay open.
    private func endAfterServer() {
        guard let stream = self.stream, !self.isStreamEnded else { return }
        self.isStreamEnded = true
        if stream.queuedByteCount == 0 {
            stream.end()
        } else {
            stream.reset(.cancel)
        }
    }

    private func receive(status fields: HeaderFields) {
        self.state.withLock { state in
            state.trailers = fields
            state.areHeadersDone = true
        }
        guard let text = fields[.grpcStatus], let number = Int(text), number >= 0 else {
            self.complete(
                .failed(RPCError(code: .unknown, message: "the server sent no valid grpc-status"))
            )
            return
        }
        guard number != 0 else {
            let failure = self.state.withLock { state -> RPCError? in
                do throws(RPCError) {
                    try state.inbound.end()
                    return nil
                } catch {
                    return error
                }
            }
            self.complete(failure.map(Ending.failed) ?? .ok)
            return
        }
        self.complete(
            .failed(
                RPCError(
                    code: RPCStatusCode(rawValue: number),
                    message: fields.withFirstValue(of: .grpcMessage) { StatusMessage.decode($0) }
                        ?? "",
                    details: fields.withFirstValue(of: .grpcStatusDetails) {
                        MetadataCoding.decode($0) ?? []
                    } ?? [],
                    metadata: MetadataCoding.metadata(from: fields)
                )
            )
        )
    }

    override func closed(_ reason: HTTPStreamClosure) {
        self.loop.assertInEventLoop()
        self.stream = nil
        self.transport = nil
        let isOver = self.state.withLock { $0.ending != nil }
        if !isOver, reason == .notProcessed, !self.hasResponse, self.sent != nil,
            self.retries < self.connection.core.options.maxRetries
        {
            self.retries += 1
            self.connection.submit(self)
            return
        }
        self.releaseTimer()
        self.sent = nil
        if !isOver {
            if let deadline = self.deadline, ContinuousClock.now >= deadline {
                self.complete(.stopped(CallDeadline.exceeded))
            } else {
                self.complete(.failed(HTTPMapping.error(of: reason)))
            }
        }
    }
}

/// Ends a call at its deadline.
private struct CallTimer: NIOScheduledCallbackHandler {
    weak var call: ClientCall?

    func handleScheduledCallback(eventLoop: some EventLoop) {
        self.call?.deadlinePassed()
    }
}
