// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import RPCInterface
import Synchronization

/// The client's side of a call inside the process.
final class InProcessClientCall: RPCClientCall {
    private let call: InProcessCall

    init(_ call: InProcessCall) { self.call = call }

    func append(
        _ encode: (inout RPCByteSink) throws -> Void
    ) throws(RPCError) -> Bool {
        try self.call.appendRequest(encode)
    }

    func waitForRoom() async throws(RPCError) {
        await withTaskCancellationHandler {
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
                let ready = self.call.state.withLock { state in
                    let hasRoom = state.requests.queue.byteCount < self.call.highWater
                    if Task.isCancelled || state.clientEnding != nil || hasRoom {
                        return Optional(continuation)
                    }
                    return state.requests.writer.wait(continuation)
                }
                ready?.resume()
            }
        } onCancel: {
            self.cancel()
        }
        if Task.isCancelled { throw InProcessCall.cancelledTask }
    }

    func finishRequests() { self.call.finishRequests() }

    func take(
        _ decode: (UnsafeRawBufferPointer) throws -> Void
    ) throws(RPCError) -> RPCInboundStep {
        let result = self.call.state.withLock {
            state -> Result<(RPCInboundStep, UnsafeContinuation<Void, Never>?), RPCError> in
            Result { () throws(RPCError) in
                if case .stopped(let error) = state.clientEnding { throw error }
                let taken = try state.responses.queue.take(decode)
                if taken.step == .message {
                    let isLow = state.responses.queue.byteCount <= self.call.highWater / 2
                    return (.message, isLow ? state.responses.writer.wake() : nil)
                }
                switch state.clientEnding {
                case .ok, .handlerReturned: return (.end, nil)
                case .failed(let error), .stopped(let error): throw error
                case nil: return (taken.step, nil)
                }
            }
        }
        switch result {
        case .success(let (step, task)):
            task?.resume()
            return step
        case .failure(let error):
            self.call.stop(error)
            throw error
        }
    }

    func waitForMessage() async throws(RPCError) {
        let streams = self.call.method.kind.streamsResponses
        await withTaskCancellationHandler {
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
                let ready = self.call.state.withLock { state in
                    if Task.isCancelled || state.clientEnding != nil
                        || (streams && state.responses.queue.hasMessage)
                    {
                        return Optional(continuation)
                    }
                    return state.responses.reader.wait(continuation)
                }
                ready?.resume()
            }
        } onCancel: {
            self.cancel()
        }
        if Task.isCancelled { throw InProcessCall.cancelledTask }
    }

    func initialMetadata() async throws(RPCError) -> Metadata {
        await withTaskCancellationHandler {
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
                let ready = self.call.state.withLock { state in
                    if Task.isCancelled || state.areHeadersDone || state.clientEnding != nil {
                        return Optional(continuation)
                    }
                    return state.headerReader.wait(continuation)
                }
                ready?.resume()
            }
        } onCancel: {
            self.cancel()
        }
        let (metadata, ending) = self.call.state.withLock {
            ($0.initialMetadata, $0.clientEnding)
        }
        if case .stopped(let error) = ending { throw error }
        return metadata
    }

    var trailingMetadata: Metadata {
        self.call.state.withLock { $0.clientEnding == nil ? Metadata() : $0.trailingMetadata }
    }

    func cancel() {
        let isOver = self.call.state.withLock { $0.clientEnding != nil }
        guard !isOver else { return }
        self.call.stop(RPCError(code: .cancelled, message: "the call was cancelled"))
    }
}
