// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Synchronization

/// One task that waits for one event, whichever comes first.
final class SleepWaiter: Sendable {
    private enum State {
        case idle
        case waiting(CheckedContinuation<Void, Never>)
        case done
    }

    private let state = Mutex(State.idle)

    func wait() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let isDone = self.state.withLock { state in
                if case .done = state { return true }
                state = .waiting(continuation)
                return false
            }
            if isDone { continuation.resume() }
        }
    }

    func wake() {
        let waiting = self.state.withLock { state -> CheckedContinuation<Void, Never>? in
            defer { state = .done }
            if case .waiting(let continuation) = state { return continuation }
            return nil
        }
        waiting?.resume()
    }
}
