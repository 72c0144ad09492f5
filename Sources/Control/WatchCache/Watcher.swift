// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import Synchronization

/// What waits for a watcher's next events without a task.
package protocol WatchSleeper: AnyObject, Sendable {
    /// There may be something to send. Called once for each sleep, from anywhere.
    func wake()
}

/// A watch of one resource: a filter and a place in the ring of events.
///
// SAFETY: `@unchecked Sendable` because the variables are touched under the lock of the cache's
// state only, but for those that belong to the one task that asks for the next events.
package final class Watcher: @unchecked Sendable {
    package let cache: ResourceCache
    package let filter: WatchFilter
    /// The number of the next event to look at.
    var position: Int
    private let generation: Int
    private var waiter: Waiter?
    /// The place among those that wait for the same; meaningless while there is no waiter.
    private var place = 0
    private var isCancelled = false
    /// The first state that has not been sent yet. The task's own.
    private var initial: Initial?
    /// What wakes the task when its time has come. The task's own.
    private var alarm: Alarm?
    /// The revision up to which everything has been given out.
    private var revision: Int64

    fileprivate struct Initial {
        var objects: OrderedObjects
        /// What has not been sent yet.
        var run: OrderedObjects.Run
    }

    /// Who waits for the next events.
    enum Waiter {
        case task(CheckedContinuation<Wake, Never>)
        case sleeper(any WatchSleeper)

        func resume(returning wake: Wake) {
            switch self {
            case .task(let continuation): continuation.resume(returning: wake)
            case .sleeper(let sleeper):
                // Nobody is left to be told of the end of a watch that was given up.
                if wake != .cancelled { sleeper.wake() }
            }
        }
    }

    /// A deadline stays the same for many events, and so does its timer.
    private struct Alarm {
        let deadline: ContinuousClock.Instant
        let timers: DeadlineQueue
        let timer: DeadlineQueue.Timer
    }

    enum Wake {
        case changed
        case deadline
        case ending
        case cancelled
    }

    /// One event as this watcher sees it.
    package struct Item: Sendable {
        package let kind: CacheEvent.Kind
        /// The object to send.
        package let object: CachedObject
        /// Where its encodings are kept; nil for an object of the first state.
        package let event: CacheEvent?
    }

    /// What a watcher gets.
    package enum Step: Sendable {
        /// Objects of the first state, as additions.
        case initial([Item])
        /// The first state is complete at this revision.
        case initialEnd(Int64)
        case events([Item])
        /// Nothing happened until the deadline; everything up to this revision has been sent.
        case deadline(Int64)
        /// The server goes away; everything up to this revision has been sent.
        case ending(Int64)
    }

    /// Why a watch cannot go on.
    package enum Failure: Error, Sendable {
        /// The events that come next are no longer kept.
        case expired
        case cancelled
    }

    /// The most events that one step looks at.
    static let batchLimit = 512

    fileprivate init(
        _ cache: ResourceCache,
        _ filter: WatchFilter,
        position: Int,
        generation: Int,
        revision: Int64,
        initial: Initial?
    ) {
        self.cache = cache
        self.filter = filter
        self.position = position
        self.generation = generation
        self.revision = revision
        self.initial = initial
    }

    /// The next events; waits for some until the deadline.
    ///
    /// - Parameter applied: the revision up to which the cache has every event, asked for when there
    ///   are none.
    package func next(
        until deadline: ContinuousClock.Instant,
        _ timers: DeadlineQueue,
        applied: () -> Int64
    ) async throws(Failure) -> Step {
        while true {
            if let step = self.takeInitial() { return step }
            let atLeast = applied()
            let taken = try self.takeEvents(applied: atLeast)
            if !taken.isEmpty {
                let items = taken.compactMap(self.item)
                if !items.isEmpty { return .events(items) }
                continue
            }
            switch await self.wait(until: deadline, timers) {
            case .changed: continue
            case .cancelled: throw .cancelled
            case .deadline:
                return .deadline(self.cache.state.withLock { _ in self.revision })
            case .ending:
                return .ending(self.cache.state.withLock { _ in self.revision })
            }
        }
    }

    /// What the watcher is told of an event; nil for nothing.
    private func item(_ event: CacheEvent) -> Item? {
        guard let kind = self.filter.view(of: event) else { return nil }
        if kind == .deleted, event.kind != .deleted, let previous = event.previous {
            // No longer selected: gone for this watcher, as it was, at the revision of the change.
            return Item(
                kind: .deleted,
                object: previous.deleted(at: event.revision, self.cache.form),
                event: event
            )
        }
        return Item(kind: kind, object: event.object, event: event)
    }

    private func takeInitial() -> Step? {
        guard var initial = self.initial else { return nil }
        var items: [Item] = []
        while items.count < Self.batchLimit {
            guard let object = initial.objects.next(&initial.run) else {
                if items.isEmpty {
                    self.initial = nil
                    return .initialEnd(self.cache.state.withLock { _ in self.revision })
                }
                // The end is told next; until then nothing of the state has to be kept.
                self.initial = Initial(objects: OrderedObjects(), run: initial.run)
                return .initial(items)
            }
            if self.filter.matchesSelectors(object) {
                items.append(Item(kind: .added, object: object, event: nil))
            }
        }
        self.initial = initial
        return .initial(items)
    }

    private func takeEvents(applied: Int64) throws(Failure) -> [CacheEvent] {
        let events = self.cache.state.withLock { state -> [CacheEvent]? in
            guard state.generation == self.generation,
                let events = state.ring.events(from: self.position, limit: Self.batchLimit)
            else { return nil }
            self.position += events.count
            if let last = events.last {
                self.revision = max(self.revision, last.revision)
            } else {
                self.revision = max(self.revision, state.revision, applied)
            }
            return Array(events)
        }
        guard let events else { throw .expired }
        return events
    }

    // MARK: - Waiting

    private func wait(
        until deadline: ContinuousClock.Instant,
        _ timers: DeadlineQueue
    ) async -> Wake {
        self.arm(deadline, timers)
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let wake = self.cache.state.withLock { state -> Wake? in
                    if self.isCancelled { return .cancelled }
                    if state.isEnding { return .ending }
                    if ContinuousClock.now >= deadline { return .deadline }
                    guard state.generation == self.generation, self.position == state.ring.next
                    else { return .changed }
                    self.startWaiting(.task(continuation), &state)
                    return nil
                }
                if let wake { continuation.resume(returning: wake) }
            }
        } onCancel: {
            self.cancel()
        }
    }

    /// Gives the watch up: who waits for it is told, and who asks for events from now on.
    package func cancel() {
        self.cache.state.withLock { _ in self.isCancelled = true }
        self.wake(.cancelled)
    }

    /// Waits as ``next(until:_:applied:)`` does, without a task: `sleeper` is woken when there is
    /// something to be had from it.
    ///
    /// - Returns: false when there is something already; nobody is woken then.
    package func sleep(
        until deadline: ContinuousClock.Instant,
        _ timers: DeadlineQueue,
        _ sleeper: any WatchSleeper
    ) -> Bool {
        if self.initial != nil { return false }
        self.arm(deadline, timers)
        return self.cache.state.withLock { state in
            guard !self.isCancelled, !state.isEnding, ContinuousClock.now < deadline,
                state.generation == self.generation, self.position == state.ring.next
            else { return false }
            self.startWaiting(.sleeper(sleeper), &state)
            return true
        }
    }

    /// Sees to it that the task is woken at a deadline.
    private func arm(_ deadline: ContinuousClock.Instant, _ timers: DeadlineQueue) {
        if let alarm = self.alarm {
            if alarm.deadline == deadline { return }
            alarm.timers.remove(alarm.timer)
        }
        let timer = timers.add(deadline) { [weak self] in self?.wake(.deadline) }
        self.alarm = Alarm(deadline: deadline, timers: timers, timer: timer)
    }

    deinit {
        if let alarm = self.alarm { alarm.timers.remove(alarm.timer) }
    }

    private func startWaiting(_ waiter: Waiter, _ state: inout ResourceCache.State) {
        self.waiter = waiter
        if let trigger = self.filter.trigger {
            self.place = state.waitingFor[trigger]?.count ?? 0
            state.waitingFor[trigger, default: []].append(self)
            if case .label(_, let label, _) = trigger {
                state.waitingLabels[label, default: 0] += 1
            }
        } else {
            self.place = state.waiting.count
            state.waiting.append(self)
        }
    }

    /// Ends a wait, if there is one, for a reason that is no event.
    func wake(_ reason: Wake) {
        let waiter = self.cache.state.withLock { state -> Waiter? in
            guard let waiter = self.endWait() else { return nil }
            self.stopWaiting(&state)
            return waiter
        }
        waiter?.resume(returning: reason)
    }

    /// Who waits, and no longer does. Called under the lock by whoever takes the watcher from the
    /// list of those that wait.
    func endWait() -> Waiter? {
        defer { self.waiter = nil }
        return self.waiter
    }

    /// Takes the watcher from those that wait: all events so far are of no interest.
    private func stopWaiting(_ state: inout ResourceCache.State) {
        if let trigger = self.filter.trigger {
            self.leave(&state.waitingFor[trigger, default: []])
            if state.waitingFor[trigger]?.isEmpty == true { state.waitingFor[trigger] = nil }
            if case .label(_, let label, _) = trigger { state.endLabelWaits(label, 1) }
        } else {
            self.leave(&state.waiting)
        }
        self.position = state.ring.next
        self.revision = max(self.revision, state.revision)
    }

    /// Leaves a list, in which the last one takes the place.
    private func leave(_ list: inout [Watcher]) {
        let last = list.removeLast()
        guard last !== self else { return }
        last.place = self.place
        list[self.place] = last
    }
}

// MARK: - Starting

extension ResourceCache {
    /// Watches from after a revision.
    ///
    /// - Throws: `expired` when events after it are no longer kept.
    package func watch(
        after revision: Int64,
        _ filter: WatchFilter
    ) throws(Watcher.Failure) -> Watcher {
        let watcher = self.state.withLock { state -> Watcher? in
            guard let position = state.ring.position(after: revision) else { return nil }
            return Watcher(
                self,
                filter,
                position: position,
                generation: state.generation,
                revision: revision,
                initial: nil
            )
        }
        guard let watcher else { throw .expired }
        return watcher
    }

    /// Watches from the present state, which comes first.
    package func watchFromNow(applied: Int64, _ filter: WatchFilter) -> Watcher {
        self.state.withLock { state in
            let objects = state.indexes.candidates(filter, of: state.objects)
            return Watcher(
                self,
                filter,
                position: state.ring.next,
                generation: state.generation,
                revision: max(state.revision, applied),
                initial: Watcher.Initial(
                    objects: objects,
                    run: objects.run(within: filter.prefix)
                )
            )
        }
    }
}
