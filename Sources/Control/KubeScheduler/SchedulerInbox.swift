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
            defer { state.inputs = [] }
            return state.inputs
        }
    }

    /// Returns when something waits, the deadline has come, or the task is cancelled. May return
    /// without a cause.
    func wait(until deadline: Duration?, _ clock: any ComponentClock) async {
        let timer = deadline.map { clock.schedule(at: $0) { self.wake() } }
        defer { timer?.cancel() }
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                let isReady = self.state.withLock { state in
                    // A deadline that came before the loop waited must not be missed.
                    let isDue = deadline.map { $0 <= clock.uptime } ?? false
                    if !state.inputs.isEmpty || Task.isCancelled || isDue { return true }
                    state.waiter = continuation
                    return false
                }
                if isReady { continuation.resume() }
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
