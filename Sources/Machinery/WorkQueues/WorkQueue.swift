// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Clocks
import Metrics
import Synchronization

/// Keys to be worked on: each at most by one worker at a time, once however often it was added.
///
/// ```swift
/// let queue = WorkQueue<ObjectKey>()
/// await queue.run(workers: 4) { key in try await reconcile(key) }
/// ```
public final class WorkQueue<Key: Hashable & Sendable>: Sendable {
    private struct State {
        var queue = WorkQueueState<Key>()
        var limiter: RateLimiter<Key>
        var isShutDown = false
        var waiters: [(id: UInt64, continuation: CheckedContinuation<Key?, Never>)] = []
        var nextWaiter: UInt64 = 0
        var timer: (deadline: Duration, timer: ClockTimer)?
        var added: UInt64 = 0
        var retries: UInt64 = 0
    }

    private let clock: any ComponentClock
    private let state: Mutex<State>
    /// Set once, before the queue is used; nil when nobody measures.
    private let metrics = Mutex<QueueMetrics?>(nil)
    private let isMeasured: Bool

    /// - Parameters:
    ///   - baseDelay: the wait after the first failure of a key; it doubles with each.
    ///   - maximumDelay: the longest wait.
    ///   - name: what the metrics call the queue.
    ///   - metrics: where the queue is counted.
    public init(
        clock: any ComponentClock = SystemClock(),
        baseDelay: Duration = .milliseconds(5),
        maximumDelay: Duration = .seconds(1000),
        name: String = "",
        metrics: WorkQueueMetrics? = nil
    ) {
        self.clock = clock
        var state = State(limiter: RateLimiter(base: baseDelay, maximum: maximumDelay))
        if metrics != nil { state.queue.times = QueueTimes() }
        self.state = Mutex(state)
        self.isMeasured = metrics != nil
        guard let metrics else { return }
        let queue = metrics.queue(name) { [weak self] in
            self?.reading ?? WorkQueueMetrics.Reading()
        }
        self.metrics.withLock { $0 = queue }
    }

    private var reading: WorkQueueMetrics.Reading {
        let now = self.clock.uptime
        return self.state.withLock { state in
            let unfinished = state.queue.times?.unfinished(now) ?? (.zero, .zero)
            return WorkQueueMetrics.Reading(
                depth: state.queue.count,
                unfinished: unfinished.total,
                longest: unfinished.longest
            )
        }
    }

    /// The time, where somebody wants to know.
    private var measuredNow: Duration { self.isMeasured ? self.clock.uptime : .zero }

    private func publish(_ measured: QueueMeasurements?, retries: UInt64 = 0) {
        guard let measured, let metrics = self.metrics.withLock({ $0 }) else { return }
        if measured.adds > 0 { metrics.adds.increment(by: measured.adds) }
        if retries > 0 { metrics.retries.increment(by: retries) }
        for wait in measured.waits { metrics.waits.observe(wait) }
        for work in measured.works { metrics.works.observe(work) }
    }

    /// Keys that wait for a worker now.
    public var count: Int { self.state.withLock { $0.queue.count } }
    /// Nothing waits, is worked on or is due later.
    public var isIdle: Bool {
        self.state.withLock {
            $0.queue.count == 0 && $0.queue.processingCount == 0 && $0.queue.delayedCount == 0
        }
    }
    /// No key waits or is worked on; some may be due later.
    public var isQuiet: Bool {
        self.state.withLock { $0.queue.count == 0 && $0.queue.processingCount == 0 }
    }
    /// How often a key was added, and how often again after a failure: for metrics.
    public var counters: (added: UInt64, retries: UInt64) {
        self.state.withLock { ($0.added, $0.retries) }
    }

    /// Adds a key now.
    public func add(_ key: Key) {
        self.change { state, now in
            state.added += 1
            state.queue.add(key, now: now)
        }
    }

    /// Adds a key after `delay`, or earlier if it was asked for earlier.
    public func add(_ key: Key, after delay: Duration) {
        guard delay > .zero else { return self.add(key) }
        let deadline = self.clock.uptime + delay
        self.change { state, _ in state.queue.add(key, at: deadline) }
    }

    /// Adds a key after the wait that its failures call for.
    public func addRateLimited(_ key: Key) {
        let now = self.clock.uptime
        self.change(retries: 1) { state, _ in
            state.retries += 1
            state.queue.add(key, at: now + state.limiter.next(key))
        }
    }

    /// Forgets the failures of a key.
    public func forget(_ key: Key) {
        self.state.withLock { $0.limiter.forget(key) }
    }

    /// How often the key has failed since it was forgotten.
    public func failureCount(_ key: Key) -> Int {
        self.state.withLock { $0.limiter.failureCount(key) }
    }

    /// The next key: waits for one. ``finish(_:)`` must follow.
    ///
    /// - Returns: nil when the queue is shut down or the task is cancelled.
    public func next() async -> Key? {
        let id = self.state.withLock { state in
            defer { state.nextWaiter += 1 }
            return state.nextWaiter
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Key?, Never>) in
                let now = self.measuredNow
                let (ready, measured) = self.state.withLock {
                    state -> (Key??, QueueMeasurements?) in
                    if state.isShutDown || Task.isCancelled { return (.some(nil), nil) }
                    if let key = state.queue.take(now: now) {
                        return (.some(key), state.queue.times?.drain())
                    }
                    state.waiters.append((id, continuation))
                    return (.none, nil)
                }
                self.publish(measured)
                if let ready { continuation.resume(returning: ready) }
            }
        } onCancel: {
            let waiter = self.state.withLock { state in
                state.waiters.firstIndex { $0.id == id }.map { state.waiters.remove(at: $0) }
            }
            waiter?.continuation.resume(returning: nil)
        }
    }

    /// The next key if one waits. ``finish(_:)`` must follow.
    public func takeIfReady() -> Key? {
        let now = self.measuredNow
        return self.state.withLock { $0.isShutDown ? nil : $0.queue.take(now: now) }
    }

    /// Says that the work on a key is done.
    public func finish(_ key: Key) {
        self.change { state, now in state.queue.finish(key, now: now) }
    }

    /// Ends every worker; nothing is handed out any more.
    public func shutDown() {
        let (waiters, timer) = self.state.withLock { state in
            state.isShutDown = true
            defer {
                state.waiters = []
                state.timer = nil
            }
            return (state.waiters, state.timer)
        }
        timer?.timer.cancel()
        for waiter in waiters { waiter.continuation.resume(returning: nil) }
    }

    // MARK: - Machinery

    /// Changes the state, then wakes the workers that have something to do and sets the timer.
    private func change(retries: UInt64 = 0, _ body: (inout State, Duration) -> Void) {
        let now = self.measuredNow
        // This is called for every event of every object, and code for any type of key looks types up
        // as it runs: what is not needed is not asked for.
        let (ready, measured, isDelayed) = self.state.withLock { state in
            body(&state, now)
            let ready = state.waiters.isEmpty ? nil : Self.hand(&state, now)
            return (ready, state.queue.times?.drain(), state.queue.delayedCount > 0)
        }
        self.publish(measured, retries: retries)
        if let ready {
            for (waiter, key) in ready { waiter.resume(returning: key) }
        }
        if isDelayed { self.armTimer() }
    }

    private static func hand(
        _ state: inout State,
        _ now: Duration
    ) -> [(CheckedContinuation<Key?, Never>, Key)] {
        guard !state.isShutDown else { return [] }
        var ready: [(CheckedContinuation<Key?, Never>, Key)] = []
        while !state.waiters.isEmpty, let key = state.queue.take(now: now) {
            ready.append((state.waiters.removeFirst().continuation, key))
        }
        return ready
    }

    /// Sees to it that a timer runs for the earliest delayed key, and only then.
    private func armTimer() {
        self.state.withLock { state in
            guard !state.isShutDown, let deadline = state.queue.nextDeadline else { return }
            if let timer = state.timer {
                guard deadline < timer.deadline else { return }
                timer.timer.cancel()
            }
            let timer = self.clock.schedule(at: deadline) { [weak self] in self?.fire(deadline) }
            state.timer = (deadline, timer)
        }
    }

    private func fire(_ deadline: Duration) {
        let now = max(self.clock.uptime, deadline)
        self.change { state, _ in
            if state.timer?.deadline == deadline { state.timer = nil }
            _ = state.queue.moveDue(now)
        }
    }
}
