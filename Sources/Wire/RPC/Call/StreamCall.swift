// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import NIOCore
import RPCInterface
import Synchronization

/// What both sides of a call on an HTTP stream have in common: messages in, messages out, and the
/// tasks that wait for either.
///
/// Tasks come from any thread and find the state behind a lock. The stream belongs to its event
/// loop: what a task wants from it is done there, at once when the task runs on it.
class StreamCall: HTTPStreamReceiver, @unchecked Sendable {
    // SAFETY (Sendable): `state` is behind its lock. `stream` and the subclasses' variables that are
    // marked so are only used on `loop`, which every entry asserts.

    /// Everything that tasks and the loop share.
    struct State: ~Copyable {
        var inbound: InboundQueue
        var outbound: OutboundQueue
        /// The task that waits for a message, and the one that waits for room.
        var reader = CallWaiter()
        var writer = CallWaiter()
        /// The task that waits for response headers (client).
        var headerReader = CallWaiter()
        /// Whether the transport takes more.
        var isPeerWritable = true
        /// Whether a flush is on its way to the loop.
        var isFlushScheduled = false
        /// Whether a message of the call is sent in parts, which leave as they come.
        var sendsParts = false
        /// Whether the local side has sent its last message.
        var isOutboundEnded = false
        /// Bytes for flow control that the loop has not been told of yet.
        var giveBack = 0
        /// How the call ended.
        var ending: Ending?
        /// Server: the response's headers and trailers.
        var initialMetadata = Metadata()
        var trailingMetadata = Metadata()
        /// Client: the response's headers and trailers.
        var headers: HeaderFields?
        var trailers: HeaderFields?
        /// Whether the response's headers are final.
        var areHeadersDone = false
        /// The encoding that this side's headers name.
        var headerEncoding: RPCCompression = .identity
        /// See `ServerContext.attachment`.
        var attachment: (any Sendable)?
    }

    /// How a call ended.
    enum Ending: Sendable {
        /// With `OK`; messages that wait can still be taken.
        case ok
        /// With this status; messages that came before it can still be taken.
        case failed(RPCError)
        /// Here, now: nothing more is read or written.
        case stopped(RPCError)
        /// Server: the handler has returned.
        case handlerReturned
    }

    /// The loop of the stream.
    let loop: any EventLoop
    /// The stream, on the loop; `nil` before it starts and when it is over.
    final var stream: HTTPStream?
    /// Whether the stream has been told that no more messages come, on the loop.
    final var isStreamEnded = false
    /// Bytes of messages at which a writer is suspended.
    private let highWater: Int
    final let state: Mutex<State>

    /// Bytes for flow control that are told to the loop at once.
    private static let giveBackBytes = 16 << 10

    init(loop: any EventLoop, limits: RPCLimits) {
        self.loop = loop
        self.highWater = limits.outboundBufferBytes
        self.state = Mutex(
            State(
                inbound: InboundQueue(maxMessageBytes: limits.maxInboundMessageBytes),
                outbound: OutboundQueue(maxMessageBytes: limits.maxOutboundMessageBytes)
            )
        )
    }

    // MARK: For subclasses

    /// Whether appended messages leave without being asked for. Otherwise they wait for ``flush()``.
    var flushesByItself: Bool { true }

    /// Whether a message that arrives wakes the reader; otherwise only the end does, because the
    /// reader needs both.
    var wakesReaderForMessage: Bool { true }

    /// Whether ending the outbound side is told to the stream when the messages before it are.
    var endsStreamWithMessages: Bool { false }

    /// Sends headers before the first message, on the loop.
    ///
    /// - Returns: false when the stream cannot take messages now.
    func prepareToSend() -> Bool { preconditionFailure("a subclass implements this") }

    /// The framing or a limit was broken by the peer, or a message cannot be decoded. On the loop.
    func fail(_ error: RPCError) { preconditionFailure("a subclass implements this") }

    /// Messages are about to go to the stream. On the loop.
    func willSend(_ data: ByteBuffer) {}

    /// The reading or the writing task was cancelled.
    func taskCancelled() {}

    // MARK: HTTPStreamReceiver

    func received(head: HTTPResponseHead) {}

    func received(data: ByteBuffer) {
        self.loop.assertInEventLoop()
        let (giveBack, task, failure) = self.state.withLock {
            state -> (Int, UnsafeContinuation<Void, Never>?, RPCError?) in
            guard state.ending == nil else { return (data.readableBytes, nil, nil) }
            do throws(RPCError) {
                let giveBack = try state.inbound.receive(data)
                let isReady = self.wakesReaderForMessage && state.inbound.hasMessage
                return (giveBack, isReady ? state.reader.wake() : nil, nil)
            } catch {
                return (data.readableBytes, nil, error)
            }
        }
        if giveBack > 0 { self.stream?.consume(giveBack) }
        task?.resume()
        if let failure { self.fail(failure) }
    }

    func received(trailers: HeaderFields) {}

    func receivedEnd() {}

    final func writabilityChanged(_ isWritable: Bool) {
        let task = self.state.withLock { state in
            state.isPeerWritable = isWritable
            return isWritable ? state.writer.wake() : nil
        }
        task?.resume()
    }

    func closed(_ reason: HTTPStreamClosure) { preconditionFailure("a subclass implements this") }

    // MARK: Reading

    final func take(
        _ decode: (UnsafeRawBufferPointer) throws -> Void
    ) throws(RPCError) -> RPCInboundStep {
        enum Outcome {
            case step(RPCInboundStep, giveBack: Int)
            case over(RPCError)
            case broken(RPCError)
        }
        let outcome: Outcome = self.state.withLock { state in
            switch state.ending {
            case .stopped(let error): return .over(error)
            case .handlerReturned: return .over(Self.handlerHasReturned)
            case .ok, .failed, nil: break
            }
            do throws(RPCError) {
                let taken = try state.inbound.take(decode)
                if taken.step == .message {
                    state.giveBack += taken.giveBack
                    guard state.giveBack >= Self.giveBackBytes else {
                        return .step(.message, giveBack: 0)
                    }
                    defer { state.giveBack = 0 }
                    return .step(.message, giveBack: state.giveBack)
                }
                switch state.ending {
                case .ok: return .step(.end, giveBack: 0)
                case .failed(let error), .stopped(let error): return .over(error)
                case .handlerReturned: return .over(Self.handlerHasReturned)
                case nil: return .step(taken.step, giveBack: 0)
                }
            } catch {
                return .broken(error)
            }
        }
        switch outcome {
        case .step(let step, let giveBack):
            if giveBack > 0 { self.consume(giveBack) }
            return step
        case .over(let error):
            throw error
        case .broken(let error):
            self.onLoop { $0.fail(error) }
            throw error
        }
    }

    final func waitForMessage() async throws(RPCError) {
        let giveBack = self.state.withLock { state in
            defer { state.giveBack = 0 }
            return state.giveBack
        }
        if giveBack > 0 { self.consume(giveBack) }
        await withTaskCancellationHandler {
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
                let ready = self.state.withLock { state in
                    if Task.isCancelled || state.ending != nil || state.inbound.isEnded
                        || (self.wakesReaderForMessage && state.inbound.hasMessage)
                    {
                        return Optional(continuation)
                    }
                    return state.reader.wait(continuation)
                }
                ready?.resume()
            }
        } onCancel: {
            self.taskCancelled()
            self.state.withLock { $0.reader.wake() }?.resume()
        }
        if Task.isCancelled { throw Self.cancelledTask }
    }

    // MARK: Writing

    final func append(
        _ encode: (inout RPCByteSink) throws -> Void
    ) throws(RPCError) -> Bool {
        try self.change(isInParts: false) { queue throws(RPCError) in try queue.append(encode) }
    }

    final func appendStart(
        _ encode: (inout RPCByteSink) throws -> Int
    ) throws(RPCError) -> Bool {
        try self.change(isInParts: true) { queue throws(RPCError) in
            try queue.appendStart(encode)
        }
    }

    final func appendPart(
        _ encode: (inout RPCByteSink) throws -> Void
    ) throws(RPCError) -> Bool {
        try self.change(isInParts: true) { queue throws(RPCError) in
            try queue.appendPart(encode)
        }
    }

    /// Adds to what waits, and has it sent if that is not left to the end of the call.
    private func change(
        isInParts: Bool,
        _ append: (inout OutboundQueue) throws(RPCError) -> Void
    ) throws(RPCError) -> Bool {
        enum Outcome {
            case room(Bool, schedule: Bool)
            case failed(RPCError)
        }
        let outcome: Outcome = self.state.withLock { state in
            switch state.ending {
            case nil: break
            case .ok: return .failed(Self.writeAfterEnd)
            case .handlerReturned: return .failed(Self.handlerHasReturned)
            case .failed(let error), .stopped(let error): return .failed(error)
            }
            guard !state.isOutboundEnded else { return .failed(Self.writeAfterEnd) }
            do throws(RPCError) {
                try append(&state.outbound)
            } catch {
                return .failed(error)
            }
            // A message that is whole with its first part is like any other.
            if isInParts, state.outbound.missingBytes > 0 { state.sendsParts = true }
            let flushes = self.flushesByItself || state.sendsParts
            let schedule = flushes && !state.isFlushScheduled
            if schedule { state.isFlushScheduled = true }
            // A single message leaves with the end of its side, so nobody waits for it to leave.
            let hasRoom =
                !flushes
                || (state.isPeerWritable && state.outbound.byteCount < self.highWater)
            return .room(hasRoom, schedule: schedule)
        }
        switch outcome {
        case .room(let hasRoom, let schedule):
            if schedule { self.loop.execute { self.flush() } }
            return hasRoom
        case .failed(let error):
            throw error
        }
    }

    final func waitForRoom() async throws(RPCError) {
        if self.loop.inEventLoop { self.flush() }
        await withTaskCancellationHandler {
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
                let ready = self.state.withLock { state in
                    let hasRoom =
                        state.isPeerWritable && state.outbound.byteCount < self.highWater
                    if Task.isCancelled || state.ending != nil || hasRoom {
                        return Optional(continuation)
                    }
                    return state.writer.wait(continuation)
                }
                ready?.resume()
            }
        } onCancel: {
            self.taskCancelled()
            self.state.withLock { $0.writer.wake() }?.resume()
        }
        if Task.isCancelled { throw Self.cancelledTask }
    }

    /// Hands what was appended to the stream. On the loop.
    final func flush() {
        self.loop.assertInEventLoop()
        guard self.prepareToSend(), let stream = self.stream else {
            self.state.withLock { $0.isFlushScheduled = false }
            return
        }
        let (data, isEnd, sendsParts) = self.state.withLock {
            state -> (ByteBuffer?, Bool, Bool) in
            state.isFlushScheduled = false
            let data = state.outbound.byteCount > 0 ? state.outbound.drain() : nil
            let isEnd = state.isOutboundEnded && self.endsStreamWithMessages
            return (data, isEnd, state.sendsParts)
        }
        let ends = isEnd && !self.isStreamEnded
        if ends { self.isStreamEnded = true }
        if let data {
            self.willSend(data)
            stream.send(data, endStream: ends)
        } else if ends {
            stream.end()
        }
        guard data != nil, self.flushesByItself || sendsParts else { return }
        let isWritable = stream.isWritable
        let task = self.state.withLock { state in
            state.isPeerWritable = isWritable
            return isWritable ? state.writer.wake() : nil
        }
        task?.resume()
    }

    // MARK: Ending

    /// Ends the call for its tasks, once.
    ///
    /// - Returns: whether this was the first ending.
    final func end(_ ending: Ending) -> Bool {
        let waiting = self.state.withLock { state -> Waiting? in
            guard state.ending == nil else { return nil }
            return state.end(ending)
        }
        waiting?.resume()
        return waiting != nil
    }

    /// The tasks that wait for anything of a call, on their way out of its lock.
    struct Waiting {
        var reader: UnsafeContinuation<Void, Never>?
        var writer: UnsafeContinuation<Void, Never>?
        var headerReader: UnsafeContinuation<Void, Never>?

        func resume() {
            self.reader?.resume()
            self.writer?.resume()
            self.headerReader?.resume()
        }
    }

    // MARK: -

    /// Runs `body` on the loop: now when this is the loop.
    final func onLoop(_ body: @escaping @Sendable (StreamCall) -> Void) {
        if self.loop.inEventLoop {
            body(self)
        } else {
            self.loop.execute { body(self) }
        }
    }

    private func consume(_ byteCount: Int) {
        self.onLoop { $0.stream?.consume(byteCount) }
    }

    static var cancelledTask: RPCError {
        RPCError(code: .cancelled, message: "the task was cancelled")
    }

    private static var handlerHasReturned: RPCError {
        RPCError(code: .cancelled, message: "the handler has returned")
    }

    private static var writeAfterEnd: RPCError {
        RPCError(code: .cancelled, message: "the call takes no more messages")
    }
}

extension StreamCall.State {
    /// Notes the ending and hands out the tasks that have to hear of it.
    mutating func end(_ ending: StreamCall.Ending) -> StreamCall.Waiting {
        switch ending {
        case .stopped, .handlerReturned: _ = self.inbound.clear()
        case .ok, .failed: break
        }
        self.ending = ending
        self.outbound.clear()
        self.areHeadersDone = true
        return StreamCall.Waiting(
            reader: self.reader.wake(),
            writer: self.writer.wake(),
            headerReader: self.headerReader.wake()
        )
    }
}
