// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
import Synchronization

/// What waits for the scheduler's loop, and the loop when nothing does.
///
/// Informers and answers put things in from any thread; the one loop takes them all at once.
final class SchedulerInbox: Sendable {
    private struct State {
        var inputs: [SchedulerInput] = []
        var waiter: CheckedContinuation<Void, Never>?
        /// Whether nothing that the loop began is still under way; known while it waits.
        var isSettled = false
        /// Those who wait for the loop to have nothing to do.
        var idleWaiters: [CheckedContinuation<Void, Never>] = []
        var turns = 0
    }

    private let state = Mutex(State())

    /// Adds something and wakes the loop.
    func put(_ input: SchedulerInput) {
        let waiter = self.state.withLock { state in
            state.inputs.append(input)
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Takes all that waits.
    func take() -> [SchedulerInput] {
        self.state.withLock { state in
            state.turns += 1
            defer { state.inputs = [] }
            return state.inputs
        }
    }

    /// How often the loop has looked: its wake-ups.
    var turns: Int { self.state.withLock { $0.turns } }

    /// Returns when the loop waits and nothing that it began is under way.
    func waitUntilIdle() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let isIdle = self.state.withLock { state in
                if state.waiter != nil, state.isSettled { return true }
                state.idleWaiters.append(continuation)
                return false
            }
            if isIdle { continuation.resume() }
        }
    }

    /// Returns when something waits, the deadline has come, or the task is cancelled. May return
    /// without a cause.
    ///
    /// - Parameter isSettled: whether nothing is under way of which the loop will hear.
    func wait(
        until deadline: Duration?,
        _ clock: any ComponentClock,
        isSettled: Bool
    ) async {
        let timer = deadline.map { clock.schedule(at: $0) { self.wake() } }
        defer { timer?.cancel() }
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                let (isReady, idleWaiters) = self.state.withLock {
                    state -> (Bool, [CheckedContinuation<Void, Never>]) in
                    // A deadline that came before the loop waited must not be missed.
                    let isDue = deadline.map { $0 <= clock.uptime } ?? false
                    if !state.inputs.isEmpty || Task.isCancelled || isDue {
                        return (true, [])
                    }
                    state.waiter = continuation
                    state.isSettled = isSettled
                    defer { if isSettled { state.idleWaiters = [] } }
                    return (false, isSettled ? state.idleWaiters : [])
                }
                if isReady { continuation.resume() }
                for waiter in idleWaiters { waiter.resume() }
            }
        } onCancel: {
            self.wake()
        }
    }

    private func wake() {
        let waiter = self.state.withLock { state in
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }
}
