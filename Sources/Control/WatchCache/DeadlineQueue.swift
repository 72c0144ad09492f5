// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Synchronization

/// Points in time at which something is called: one task for any number of them, asleep until the
/// earliest, and none while there are none.
package final class DeadlineQueue: Sendable {
    /// A deadline that has been added.
    package struct Timer: Sendable {
        fileprivate let id: UInt64
        fileprivate let bucket: Int64
    }

    private struct State {
        var epoch = ContinuousClock.now
        var nextID: UInt64 = 0
        /// By tenths of a second since the epoch.
        var buckets: [Int64: [UInt64: @Sendable () -> Void]] = [:]
        var sleeper: Task<Void, Never>?
        var sleepsUntil: Int64 = .max
    }

    private let state = Mutex(State())

    package init() {}

    /// Deadlines are met to this precision.
    private static let tick: Duration = .milliseconds(100)

    /// How many ticks have gone by in a time. A division of durations costs more than all else here.
    private static func ticks(_ time: Duration) -> Int64 {
        let (seconds, attoseconds) = time.components
        return seconds * 10 + attoseconds / 100_000_000_000_000_000
    }

    /// Calls `body` once when the time has come, unless it is removed before.
    package func add(
        _ deadline: ContinuousClock.Instant,
        _ body: @escaping @Sendable () -> Void
    ) -> Timer {
        self.state.withLock { state in
            let bucket = Self.ticks(deadline - state.epoch) + 1
            state.nextID += 1
            state.buckets[bucket, default: [:]][state.nextID] = body
            if bucket < state.sleepsUntil { self.sleep(until: bucket, &state) }
            return Timer(id: state.nextID, bucket: bucket)
        }
    }

    package func remove(_ timer: Timer) {
        self.state.withLock { state in
            state.buckets[timer.bucket]?[timer.id] = nil
            if state.buckets[timer.bucket]?.isEmpty == true { state.buckets[timer.bucket] = nil }
        }
    }

    private func sleep(until bucket: Int64, _ state: inout State) {
        state.sleeper?.cancel()
        state.sleepsUntil = bucket
        let wakeup = state.epoch + Self.tick * Double(bucket)
        state.sleeper = Task { [weak self] in
            do {
                try await Task.sleep(
                    until: wakeup,
                    tolerance: .milliseconds(20),
                    clock: .continuous
                )
            } catch {
                return
            }
            self?.fire()
        }
    }

    private func fire() {
        let due = self.state.withLock { state in
            let now = Self.ticks(ContinuousClock.now - state.epoch)
            var due: [@Sendable () -> Void] = []
            for bucket in state.buckets.keys where bucket <= now {
                due += (state.buckets.removeValue(forKey: bucket) ?? [:]).values
            }
            state.sleepsUntil = .max
            state.sleeper = nil
            if let next = state.buckets.keys.min() { self.sleep(until: next, &state) }
            return due
        }
        for body in due { body() }
    }
}
