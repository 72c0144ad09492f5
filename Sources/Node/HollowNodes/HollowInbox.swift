// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
import KubernetesAPI
import Synchronization

/// What the hollow nodes are told.
enum HollowInput: Sendable {
    case pod(CoreV1.Pod)
    case podGone(String)
    /// A write is done; if it failed, for the pod of that uid.
    case written(failed: String?)
}

/// What waits for the loop of the hollow nodes, and the loop when nothing does.
final class HollowInbox: Sendable {
    private struct State {
        var inputs: [HollowInput] = []
        var waiter: CheckedContinuation<Void, Never>?
        var addresses: UInt32 = 0
    }

    private let state = Mutex(State())

    /// Adds something and wakes the loop.
    func put(_ input: HollowInput) {
        let waiter = self.state.withLock { state in
            state.inputs.append(input)
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Takes all that waits.
    func take() -> [HollowInput] {
        self.state.withLock { state in
            defer { state.inputs = [] }
            return state.inputs
        }
    }

    /// An address that no pod has had for the last four million.
    func nextPodAddress() -> String {
        let number = self.state.withLock { state in
            state.addresses = (state.addresses + 1) & 0x3F_FFFF
            return state.addresses
        }
        return "10.\(64 + number >> 16).\(number >> 8 & 255).\(number & 255)"
    }

    /// Returns when something waits, the deadline has come, or the task is cancelled.
    func wait(until deadline: Duration?, _ clock: any ComponentClock) async {
        let timer = deadline.map { clock.schedule(at: $0) { self.wake() } }
        defer { timer?.cancel() }
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                let isReady = self.state.withLock { state in
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

/// Lets so many tasks at once through a gate.
final class AsyncLimit: Sendable {
    private struct State {
        var free: Int
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Mutex<State>

    init(_ limit: Int) {
        self.state = Mutex(State(free: limit))
    }

    /// Waits until there is room.
    func enter() async {
        await withCheckedContinuation { continuation in
            let isFree = self.state.withLock { state in
                if state.free > 0 {
                    state.free -= 1
                    return true
                }
                state.waiters.append(continuation)
                return false
            }
            if isFree { continuation.resume() }
        }
    }

    /// Makes room.
    func leave() {
        let waiter: CheckedContinuation<Void, Never>? = self.state.withLock { state in
            if state.waiters.isEmpty {
                state.free += 1
                return nil
            }
            return state.waiters.removeFirst()
        }
        waiter?.resume()
    }
}
