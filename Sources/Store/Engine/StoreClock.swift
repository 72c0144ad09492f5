// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Glibc
internal import Synchronization

/// The time leases and notifications go by: nanoseconds since some moment, never jumping.
package protocol StoreClock: Sendable {
    /// The time now.
    var nanoseconds: Int64 { get }

    /// How long a thread may sleep to be awake at `deadline`; nil if it is woken when time passes.
    func sleep(until deadline: Int64) -> Int64?

    /// Registers what to call when time has passed without a thread sleeping for it.
    func onChange(_ body: @escaping @Sendable () -> Void)
}

/// The machine's monotonic clock. It stands still while the machine is suspended, and setting the
/// wall clock does not touch it.
package struct MonotonicClock: StoreClock {
    package init() {}

    package var nanoseconds: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    package func sleep(until deadline: Int64) -> Int64? {
        max(0, deadline - self.nanoseconds)
    }

    package func onChange(_ body: @escaping @Sendable () -> Void) {}
}

/// A clock that goes when it is told to.
package final class ManualClock: StoreClock {
    private struct State {
        var nanoseconds: Int64
        var observers: [@Sendable () -> Void] = []
    }

    private let state: Mutex<State>

    package init(nanoseconds: Int64 = 1_000_000_000) {
        self.state = Mutex(State(nanoseconds: nanoseconds))
    }

    package var nanoseconds: Int64 { self.state.withLock { $0.nanoseconds } }

    package func sleep(until deadline: Int64) -> Int64? {
        self.nanoseconds >= deadline ? 0 : nil
    }

    package func onChange(_ body: @escaping @Sendable () -> Void) {
        self.state.withLock { $0.observers.append(body) }
    }

    /// Lets time pass.
    package func advance(seconds: Double) {
        let observers = self.state.withLock { state in
            state.nanoseconds += Int64(seconds * 1_000_000_000)
            return state.observers
        }
        for observer in observers { observer() }
    }
}
