// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import ApusAPI
import KubernetesAPI
public import ObjectModel
import Protobuf
public import RPCInterface
import Synchronization

/// Writes over one `Mutate` stream, without waiting for the answer to the write before: the fast way
/// for whoever writes much.
///
/// Writes to one object are done in the order in which they were begun. A stream that breaks fails
/// the writes that it carried, whose outcome is unknown as with any lost answer, and the next write
/// opens another. `run()` does the work and must be running.
public final class PipelinedWriter: Sendable {
    /// The most writes that wait for an answer; more wait for their turn.
    public static let maximumUnanswered = 4096

    private typealias Answer = Result<ApusResource.MutateResponse, StatusError>

    private struct State {
        var nextID: UInt64 = 1
        /// Written by the stream's writer next.
        var queued: [ApusResource.MutateRequest] = []
        var waiting: [UInt64: CheckedContinuation<Answer, Never>] = [:]
        var wake: CheckedContinuation<Void, Never>?
        var isClosed = false
    }

    private let service: ApusResource.ResourcesClient
    private let state = Mutex(State())

    public init(_ channel: any RPCChannel) {
        self.service = ApusResource.ResourcesClient(channel: channel)
    }

    /// Sends a write and waits for its answer.
    ///
    /// - Throws: the server's Status; 503 when the stream broke or the writer is closed.
    public func write(
        _ operation: ApusResource.MutateRequest.OneOfOperation
    ) async throws(StatusError) -> ApusResource.MutateResponse {
        let answer: Answer = await withCheckedContinuation { continuation in
            let (refused, wake) = self.state.withLock {
                state -> (StatusError?, CheckedContinuation<Void, Never>?) in
                if state.isClosed { return (Self.closed, nil) }
                if state.waiting.count >= Self.maximumUnanswered {
                    let full = "\(Self.maximumUnanswered) writes wait for an answer"
                    return (.tooManyRequests(full, retryAfterSeconds: 1), nil)
                }
                let id = state.nextID
                state.nextID += 1
                state.waiting[id] = continuation
                state.queued.append(
                    ApusResource.MutateRequest.with {
                        $0.id = id
                        $0.operation = operation
                    }
                )
                defer { state.wake = nil }
                return (nil, state.wake)
            }
            wake?.resume()
            if let refused { continuation.resume(returning: .failure(refused)) }
        }
        let response = try answer.get()
        if case .failure(let status) = response.result { throw StatusError(status) }
        return response
    }

    /// Carries the writes until the task is cancelled.
    public func run() async {
        while !Task.isCancelled, await self.waitForWork() {
            await self.runStream()
        }
        self.fail(Self.closed, andClose: true)
    }

    // MARK: - The stream

    private static var closed: StatusError { .serviceUnavailable("the writer is closed") }

    /// Returns when there is something to write; false when the task was cancelled.
    private func waitForWork() async -> Bool {
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                let isReady = self.state.withLock { state in
                    if !state.queued.isEmpty || Task.isCancelled { return true }
                    state.wake = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            let wake = self.state.withLock { state in
                defer { state.wake = nil }
                return state.wake
            }
            wake?.resume()
        }
        return !Task.isCancelled
    }

    private func runStream() async {
        do throws(RPCError) {
            let call = try await self.service.mutate()
            await withTaskGroup(of: RPCError?.self) { group in
                group.addTask { await self.readAnswers(of: call) }
                group.addTask { await self.writeRequests(to: call) }
                let first = await group.next() ?? nil
                call.cancel()
                group.cancelAll()
                self.fail(
                    first.map { StatusError($0) }
                        ?? .serviceUnavailable("the server ended the stream"),
                    andClose: false
                )
            }
        } catch {
            self.fail(StatusError(error), andClose: false)
        }
    }

    private func readAnswers(
        of call: RPCBidirectionalCall<ApusResource.MutateRequest, ApusResource.MutateResponse>
    ) async -> RPCError? {
        do throws(RPCError) {
            let responses = call.responses
            while let response = try await responses.next() {
                let waiting = self.state.withLock { $0.waiting.removeValue(forKey: response.id) }
                waiting?.resume(returning: .success(response))
            }
            return nil
        } catch {
            return error
        }
    }

    private func writeRequests(
        to call: RPCBidirectionalCall<ApusResource.MutateRequest, ApusResource.MutateResponse>
    ) async -> RPCError? {
        do throws(RPCError) {
            while await self.waitForWork() {
                let batch = self.state.withLock { state in
                    defer { state.queued.removeAll(keepingCapacity: true) }
                    return state.queued
                }
                for request in batch { try await call.write(request) }
            }
            return nil
        } catch {
            return error
        }
    }

    private func fail(_ error: StatusError, andClose: Bool) {
        let waiting = self.state.withLock { state in
            if andClose { state.isClosed = true }
            state.queued = []
            defer { state.waiting = [:] }
            return state.waiting
        }
        for continuation in waiting.values { continuation.resume(returning: .failure(error)) }
    }
}

extension PipelinedWriter {
    /// Creates an object, or posts to a subresource.
    @discardableResult
    public func create(
        _ request: ApusResource.CreateRequest
    ) async throws(StatusError) -> ApusResource.WriteResponse {
        try await self.write(.create(request)).written
    }

    @discardableResult
    public func update(
        _ request: ApusResource.UpdateRequest
    ) async throws(StatusError) -> ApusResource.WriteResponse {
        try await self.write(.update(request)).written
    }

    @discardableResult
    public func patch(
        _ request: ApusResource.PatchRequest
    ) async throws(StatusError) -> ApusResource.WriteResponse {
        try await self.write(.patch(request)).written
    }

    @discardableResult
    public func delete(
        _ request: ApusResource.DeleteRequest
    ) async throws(StatusError) -> ApusResource.DeleteResponse {
        try await self.write(.delete(request)).deleted
    }
}
