// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import RPCInterface
import Synchronization

/// The server's side of a call inside the process.
final class InProcessServerCall: RPCServerCall {
    private let call: InProcessCall

    init(_ call: InProcessCall) { self.call = call }

    var method: RPCMethod { self.call.method }
    var peer: RPCPeer { RPCPeer(address: "inprocess") }
    var requestMetadata: Metadata { self.call.requestMetadata }
    var deadline: ContinuousClock.Instant? { self.call.deadline }
    var isCancelled: Bool { self.call.state.withLock { $0.serverStop != nil } }

    /// Messages inside the process are not compressed.
    var compression: RPCCompression {
        get { .identity }
        set {}
    }

    var isRequestCompressed: Bool { false }

    var attachment: (any Sendable)? {
        get { self.call.state.withLock { $0.attachment } }
        set { self.call.state.withLock { $0.attachment = newValue } }
    }

    func addInitialMetadata(_ metadata: Metadata) {
        self.call.state.withLock { state in
            if !state.areHeadersDone { state.initialMetadata.add(contentsOf: metadata) }
        }
    }

    func sendInitialMetadata() throws(RPCError) {
        let (metadata, stop) = self.call.state.withLock { ($0.initialMetadata, $0.serverStop) }
        if let stop { throw stop }
        try MetadataCoding.check(metadata)
        let task = self.call.state.withLock { state in
            state.areHeadersDone = true
            return state.headerReader.wake()
        }
        task?.resume()
    }

    func addTrailingMetadata(_ metadata: Metadata) {
        self.call.state.withLock { $0.trailingMetadata.add(contentsOf: metadata) }
    }

    func run(_ handler: @escaping @Sendable () async throws -> Void) {
        let call = self.call
        let task = Task.detached {
            do {
                try await InterceptorChain.run(
                    call.serverInterceptors,
                    ServerContext(self),
                    handler
                )
                call.finish(nil)
            } catch {
                call.finish(RPCError(wrapping: error))
            }
        }
        let isOver = call.state.withLock { state in
            if state.serverStop == nil { state.handler = task }
            return state.serverStop != nil
        }
        if isOver { task.cancel() }
    }

    func take(
        _ decode: (UnsafeRawBufferPointer) throws -> Void
    ) throws(RPCError) -> RPCInboundStep {
        let result = self.call.state.withLock {
            state -> Result<(RPCInboundStep, UnsafeContinuation<Void, Never>?), RPCError> in
            Result { () throws(RPCError) in
                if let stop = state.serverStop { throw stop }
                let taken = try state.requests.queue.take(decode)
                let isLow = state.requests.queue.byteCount <= self.call.highWater / 2
                let wake = taken.step == .message && isLow
                return (taken.step, wake ? state.requests.writer.wake() : nil)
            }
        }
        switch result {
        case .success(let (step, task)):
            task?.resume()
            return step
        case .failure(let error):
            self.call.finish(error)
            throw error
        }
    }

    func waitForMessage() async throws(RPCError) {
        await withTaskCancellationHandler {
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
                let ready = self.call.state.withLock { state in
                    if Task.isCancelled || state.serverStop != nil
                        || state.requests.queue.hasMessage || state.requests.isEnded
                    {
                        return Optional(continuation)
                    }
                    return state.requests.reader.wait(continuation)
                }
                ready?.resume()
            }
        } onCancel: {
            self.call.state.withLock { $0.requests.reader.wake() }?.resume()
        }
        if Task.isCancelled { throw InProcessCall.cancelledTask }
    }

    func append(
        _ encode: (inout RPCByteSink) throws -> Void
    ) throws(RPCError) -> Bool {
        let (stop, metadata) = self.call.state.withLock { state in
            (state.serverStop, state.areHeadersDone ? Metadata() : state.initialMetadata)
        }
        if let stop { throw stop }
        try MetadataCoding.check(metadata)
        return try self.call.append(encode, to: .responses)
    }

    func waitForRoom() async throws(RPCError) {
        await withTaskCancellationHandler {
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
                let ready = self.call.state.withLock { state in
                    let hasRoom = state.responses.queue.byteCount < self.call.highWater
                    if Task.isCancelled || state.serverStop != nil || hasRoom {
                        return Optional(continuation)
                    }
                    return state.responses.writer.wait(continuation)
                }
                ready?.resume()
            }
        } onCancel: {
            self.call.state.withLock { $0.responses.writer.wake() }?.resume()
        }
        if Task.isCancelled { throw InProcessCall.cancelledTask }
    }
}
