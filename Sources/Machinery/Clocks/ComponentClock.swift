// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Scalars

/// The time as a component sees it: a parameter, so that tests run in simulated time.
public protocol ComponentClock: Sendable {
    /// Wall time, for what stands in objects.
    var now: Timestamp { get }

    /// Time since a fixed point that never goes back, for measuring and waiting.
    var uptime: Duration { get }

    /// Runs `action` once when ``uptime`` reaches `deadline`, on a thread of the clock's choosing.
    ///
    /// `action` must not block. A deadline in the past runs it soon.
    func schedule(
        at deadline: Duration,
        _ action: @escaping @Sendable () -> Void
    ) -> ClockTimer
}

/// A scheduled action, to be cancelled by whoever scheduled it.
public final class ClockTimer: Sendable {
    private let onCancel: @Sendable () -> Void

    public init(onCancel: @escaping @Sendable () -> Void) {
        self.onCancel = onCancel
    }

    /// Prevents the action; does nothing when it has run.
    public func cancel() { self.onCancel() }
}

extension ComponentClock {
    /// Waits until ``uptime`` reaches `deadline`.
    ///
    /// - Returns: false when the task was cancelled meanwhile.
    @discardableResult
    public func sleep(until deadline: Duration) async -> Bool {
        let waiter = SleepWaiter()
        let timer = self.schedule(at: deadline) { waiter.wake() }
        await withTaskCancellationHandler {
            await waiter.wait()
        } onCancel: {
            timer.cancel()
            waiter.wake()
        }
        return !Task.isCancelled
    }

    /// Waits for `duration`.
    ///
    /// - Returns: false when the task was cancelled meanwhile.
    @discardableResult
    public func sleep(for duration: Duration) async -> Bool {
        await self.sleep(until: self.uptime + duration)
    }
}
