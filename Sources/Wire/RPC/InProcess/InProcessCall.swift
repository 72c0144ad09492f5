// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import NIOCore
import RPCInterface
import Synchronization

/// One call inside the process: two queues of encoded messages and what both sides know of how it
/// stands.
final class InProcessCall: Sendable {
    /// Messages on their way in one direction.
    struct Pipe: ~Copyable {
        var queue: InboundQueue
        var staging: OutboundQueue
        var reader = CallWaiter()
        var writer = CallWaiter()
        var isEnded = false

        /// Encodes a message into the reader's queue.
        mutating func append(
            _ encode: (inout RPCByteSink) throws -> Void
        ) throws(RPCError) -> UnsafeContinuation<Void, Never>? {
            try self.staging.append(encode)
            _ = try self.queue.receive(self.staging.drain(), copying: false)
            return self.reader.wake()
        }
    }

    struct State: ~Copyable {
        var requests: Pipe
        var responses: Pipe
        var headerReader = CallWaiter()
        /// How the call ended for the client.
        var clientEnding: StreamCall.Ending?
        /// Why the handler's operations fail.
        var serverStop: RPCError?
        var isStarted = false
        var initialMetadata = Metadata()
        var areHeadersDone = false
        var trailingMetadata = Metadata()
        var attachment: (any Sendable)?
        var handler: Task<Void, Never>?
        var timer: Task<Void, Never>?
    }

    let method: RPCMethod
    let requestMetadata: Metadata
    let deadline: ContinuousClock.Instant?
    let highWater: Int
    private let maxRequestBytes: Int
    private let serverMaxRequestBytes: Int
    let serverInterceptors: [any ServerInterceptor]
    private let clientInterceptors: [any ClientInterceptor]
    private let statusMessageBytes: Int
    let state: Mutex<State>
    private let start = Mutex<RPCServerMethod.Start?>(nil)

    init(
        method: RPCMethod,
        options: CallOptions,
        deadline: ContinuousClock.Instant?,
        server: RPCServerOptions,
        client: RPCClientOptions
    ) {
        self.method = method
        self.requestMetadata = options.metadata
        self.deadline = deadline
        self.highWater = client.limits.outboundBufferBytes
        let maxRequest =
            options.maxRequestMessageBytes ?? client.limits.maxOutboundMessageBytes
        let maxResponse =
            options.maxResponseMessageBytes ?? client.limits.maxInboundMessageBytes
        self.maxRequestBytes = maxRequest
        self.serverMaxRequestBytes = server.limits.maxInboundMessageBytes
        self.serverInterceptors = server.interceptors
        self.clientInterceptors = client.interceptors
        self.statusMessageBytes = server.limits.statusMessageBytes
        self.state = Mutex(
            State(
                requests: Pipe(
                    queue: InboundQueue(
                        maxMessageBytes: server.limits.maxInboundMessageBytes
                    ),
                    staging: OutboundQueue(maxMessageBytes: maxRequest)
                ),
                responses: Pipe(
                    queue: InboundQueue(maxMessageBytes: maxResponse),
                    staging: OutboundQueue(
                        maxMessageBytes: server.limits.maxOutboundMessageBytes
                    )
                )
            )
        )
    }

    /// Starts the server's side.
    func begin(_ serverMethod: RPCServerMethod) {
        if let deadline = self.deadline {
            guard deadline > ContinuousClock.now else {
                self.stop(CallDeadline.exceeded)
                return
            }
            let timer = Task.detached { [weak self] in
                do {
                    try await Task.sleep(until: deadline, clock: .continuous)
                    self?.stop(CallDeadline.exceeded)
                } catch {
                    // Cancelled: the call is over.
                }
            }
            self.state.withLock { $0.timer = timer }
        }
        switch serverMethod.start {
        case .onHeaders(let start):
            start(InProcessServerCall(self))
        case .onRequest:
            self.start.withLock { $0 = serverMethod.start }
        }
    }

    // MARK: Client

    /// A request of a method that has one begins its handler; others are queued.
    func appendRequest(
        _ encode: (inout RPCByteSink) throws -> Void
    ) throws(RPCError) -> Bool {
        let ending = self.state.withLock { state -> RPCError? in
            switch state.clientEnding {
            case .failed(let error), .stopped(let error): error
            case .ok, .handlerReturned: Self.writeAfterEnd
            case nil: state.requests.isEnded ? Self.writeAfterEnd : nil
            }
        }
        if let ending { throw ending }
        guard !self.method.kind.streamsRequests else {
            return try self.append(encode, to: .requests)
        }
        guard let start = self.start.withLock({ $0.take() }) else {
            self.finish(Self.tooManyRequests)
            throw Self.tooManyRequests
        }
        var sink = RPCByteSink()
        try OutboundQueue.frame(
            to: &sink,
            encoding: .identity,
            limit: self.maxRequestBytes,
            encode
        )
        guard case .onRequest(let begin) = start else { return true }
        let server = InProcessServerCall(self)
        let limit = self.serverMaxRequestBytes
        let result = sink.withBytes { bytes in
            Result { () throws(RPCError) in
                try InboundQueue.decodeWhole(bytes, encoding: .identity, limit: limit) { message in
                    try begin(message, server)
                }
            }
        }
        if case .failure(let error) = result { self.finish(error) }
        return true
    }

    func finishRequests() {
        let task = self.state.withLock { state in
            state.requests.isEnded = true
            // In process a message is whole or not there, so ending cannot fail.
            try? state.requests.queue.end()
            return state.requests.reader.wake()
        }
        task?.resume()
        let isMissing = self.start.withLock { $0.take() != nil }
        if isMissing {
            self.finish(RPCError(code: .internalError, message: "the request has no message"))
        }
    }

    /// Ends the call for both sides from outside: cancelled, or the deadline passed.
    func stop(_ error: RPCError) {
        let (tasks, handler, isFirst) = self.state.withLock { state in
            let isFirst = state.clientEnding == nil
            if isFirst { state.clientEnding = .stopped(error) }
            return Self.end(&state, error, isFirst: isFirst)
        }
        for task in tasks { task.resume() }
        handler?.cancel()
        if isFirst { self.finished(error.status) }
    }

    // MARK: Server

    /// The handler has ended, or the call is refused.
    func finish(_ failure: RPCError?) {
        let (tasks, handler, status) = self.state.withLock {
            state -> ([UnsafeContinuation<Void, Never>], Task<Void, Never>?, RPCStatus?) in
            var failure = failure
            do throws(RPCError) {
                try MetadataCoding.check(state.trailingMetadata)
                if let error = failure { try MetadataCoding.check(error.metadata) }
            } catch {
                failure = error
                state.trailingMetadata = Metadata()
            }
            let isFirst = state.clientEnding == nil
            if isFirst {
                if var failure {
                    failure.cause = nil
                    failure.message = StatusMessage.decode(
                        StatusMessage.encode(failure.message, limit: self.statusMessageBytes)
                    )
                    state.trailingMetadata.add(contentsOf: failure.metadata)
                    failure.metadata = state.trailingMetadata
                    state.clientEnding = .failed(failure)
                } else {
                    state.clientEnding = .ok
                }
            }
            let (tasks, handler, _) = Self.end(&state, Self.handlerIsDone, isFirst: isFirst)
            return (tasks, handler, isFirst ? failure?.status ?? .ok : nil)
        }
        for task in tasks { task.resume() }
        handler?.cancel()
        if let status { self.finished(status) }
    }

    private static func end(
        _ state: inout State,
        _ stop: RPCError,
        isFirst: Bool
    ) -> ([UnsafeContinuation<Void, Never>], Task<Void, Never>?, Bool) {
        if state.serverStop == nil { state.serverStop = stop }
        state.areHeadersDone = true
        let tasks = [
            state.requests.reader.wake(), state.requests.writer.wake(),
            state.responses.reader.wake(), state.responses.writer.wake(),
            state.headerReader.wake(),
        ].compactMap { $0 }
        state.timer?.cancel()
        state.timer = nil
        defer { state.handler = nil }
        return (tasks, state.handler, isFirst)
    }

    private func finished(_ status: RPCStatus) {
        for interceptor in self.clientInterceptors {
            interceptor.didFinish(self.method, status)
        }
    }

    // MARK: Both

    /// Appends to one direction; `true` when there is room for more.
    func append(
        _ encode: (inout RPCByteSink) throws -> Void,
        to direction: Direction
    ) throws(RPCError) -> Bool {
        let result = self.state.withLock {
            state -> Result<(UnsafeContinuation<Void, Never>?, Bool), RPCError> in
            Result { () throws(RPCError) in
                switch direction {
                case .requests:
                    let task = try state.requests.append(encode)
                    return (task, state.requests.queue.byteCount < self.highWater)
                case .responses:
                    state.areHeadersDone = true
                    let task = try state.responses.append(encode)
                    return (task, state.responses.queue.byteCount < self.highWater)
                }
            }
        }
        let (task, hasRoom) = try result.get()
        task?.resume()
        if direction == .responses { self.state.withLock { $0.headerReader.wake() }?.resume() }
        return hasRoom
    }

    enum Direction {
        case requests
        case responses
    }

    static var writeAfterEnd: RPCError {
        RPCError(code: .cancelled, message: "the call takes no more messages")
    }

    static var cancelledTask: RPCError {
        RPCError(code: .cancelled, message: "the task was cancelled")
    }

    private static var tooManyRequests: RPCError {
        RPCError(
            code: .internalError,
            message: "more than one request message in a call that has one"
        )
    }

    private static var handlerIsDone: RPCError {
        RPCError(code: .cancelled, message: "the handler has returned")
    }
}
