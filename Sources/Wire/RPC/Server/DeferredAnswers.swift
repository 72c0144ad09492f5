// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import NIOCore
import RPCInterface
import Synchronization

/// How a deferred call ends.
enum DeferredAnswer: Sendable {
    case message(@Sendable (inout RPCByteSink) throws -> Void)
    case refusal(RPCError)
}

/// Answers to the calls of one event loop, on their way to it from other threads.
///
/// Whoever answers many calls at once wakes the loop for the first one only.
final class DeferredAnswers: Sendable {
    private struct State: Sendable {
        var waiting: [(call: ServerCall, answer: DeferredAnswer)] = []
        var isScheduled = false
    }

    private let loop: any EventLoop
    private let state = Mutex(State())

    init(_ loop: any EventLoop) { self.loop = loop }

    /// Ends `call` on the loop, soon.
    func add(_ call: ServerCall, _ answer: DeferredAnswer) {
        let schedules = self.state.withLock { state in
            state.waiting.append((call, answer))
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        if schedules { self.loop.execute { self.deliver() } }
    }

    private func deliver() {
        let waiting = self.state.withLock { state in
            state.isScheduled = false
            defer { state.waiting = [] }
            return state.waiting
        }
        for (call, answer) in waiting { call.end(with: answer) }
    }
}
