// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import KubernetesAPI
import ObjectModel
import Protobuf
import RPCInterface
import Synchronization

extension ResourcesService {
    /// How many writes of a stream may be under way at once; more wait in the connection.
    private static let concurrentWrites = 64

    func mutate(
        _ requests: RPCRequestStream<ApusResource.MutateRequest>,
        responses: RPCWriter<ApusResource.MutateResponse>,
        context: ServerContext
    ) async throws {
        let lanes = MutateLanes()
        let answers = MutateAnswers(responses)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            var running = 0
            while let request = try await requests.next() {
                // Writes to one object go on one after the other.
                let turn = lanes.enter(Self.place(of: request))
                if running >= Self.concurrentWrites {
                    _ = try await tasks.next()
                    running -= 1
                }
                running += 1
                tasks.addTask {
                    await turn.wait()
                    defer { lanes.leave(turn) }
                    try await answers.send(await self.perform(request, context))
                }
            }
            try await tasks.waitForAll()
        }
    }

    private func perform(
        _ request: ApusResource.MutateRequest,
        _ context: ServerContext
    ) async -> ApusResource.MutateResponse {
        var response = ApusResource.MutateResponse()
        response.id = request.id
        do throws(StatusError) {
            switch request.operation {
            case .create(let create):
                response.written = try await self.create(create, context)
            case .update(let update):
                response.written = try await self.update(update, context)
            case .patch(let patch):
                response.written = try await self.patch(patch, context)
            case .delete(let delete):
                response.deleted = try await self.delete(delete, context)
            case nil:
                throw .badRequest("the operation is missing")
            }
        } catch {
            response.failure = error.status
        }
        return response
    }

    private static func place(of request: ApusResource.MutateRequest) -> String {
        let target: ApusResource.Target? =
            switch request.operation {
            case .create(let create): create.target
            case .update(let update): update.target
            case .patch(let patch): patch.target
            case .delete(let delete): delete.target
            case nil: nil
            }
        guard let target, !target.name.isEmpty else { return "" }
        return "\(target.group)/\(target.resource)/\(target.namespace)/\(target.name)"
    }
}

/// Answers from many tasks on one stream, one at a time.
private actor MutateAnswers {
    private let writer: RPCWriter<ApusResource.MutateResponse>
    private var isWriting = false
    private var waiting: [ApusResource.MutateResponse] = []

    init(_ writer: RPCWriter<ApusResource.MutateResponse>) {
        self.writer = writer
    }

    func send(_ response: ApusResource.MutateResponse) async throws {
        self.waiting.append(response)
        if self.isWriting { return }
        self.isWriting = true
        defer { self.isWriting = false }
        while !self.waiting.isEmpty {
            let batch = self.waiting
            self.waiting = []
            try await self.writer.write(contentsOf: batch)
        }
    }
}

/// The order of the writes to each object.
private final class MutateLanes: Sendable {
    /// A place in the order of one object's writes.
    final class Turn: Sendable {
        let place: String
        private let state = Mutex(State())

        private struct State {
            var hasCome: Bool = false
            var waiter: CheckedContinuation<Void, Never>?
        }

        init(place: String) {
            self.place = place
        }

        func wait() async {
            await withCheckedContinuation { continuation in
                let hasCome = self.state.withLock { state in
                    if !state.hasCome { state.waiter = continuation }
                    return state.hasCome
                }
                if hasCome { continuation.resume() }
            }
        }

        func come() {
            let waiter = self.state.withLock { state in
                state.hasCome = true
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume()
        }
    }

    private let lanes = Mutex<[String: [Turn]]>([:])

    /// A turn behind those for the same place; without a place it comes at once.
    func enter(_ place: String) -> Turn {
        let turn = Turn(place: place)
        guard !place.isEmpty else {
            turn.come()
            return turn
        }
        let isFirst = self.lanes.withLock { lanes in
            lanes[place, default: []].append(turn)
            return lanes[place]?.count == 1
        }
        if isFirst { turn.come() }
        return turn
    }

    func leave(_ turn: Turn) {
        guard !turn.place.isEmpty else { return }
        let next = self.lanes.withLock { lanes -> Turn? in
            lanes[turn.place]?.removeFirst()
            guard let next = lanes[turn.place]?.first else {
                lanes[turn.place] = nil
                return nil
            }
            return next
        }
        next?.come()
    }
}
