// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
public import Scalars

/// The clocks of the machine.
public struct SystemClock: ComponentClock {
    public init() {}

    public var now: Timestamp {
        var time = timespec()
        // CLOCK_REALTIME with a valid pointer cannot fail (clock_gettime(2)).
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(seconds: Int64(time.tv_sec), nanoseconds: Int32(time.tv_nsec))
    }

    public var uptime: Duration {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    public func schedule(
        at deadline: Duration,
        _ action: @escaping @Sendable () -> Void
    ) -> ClockTimer {
        let wait = deadline - self.uptime
        // The task belongs to the timer: it ends with the action or with `cancel`.
        let task = Task.detached {
            do {
                if wait > .zero { try await Task.sleep(for: wait) }
                if !Task.isCancelled { action() }
            } catch {
                // Cancelled: nothing is to be done.
            }
        }
        return ClockTimer { task.cancel() }
    }
}
