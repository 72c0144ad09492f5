// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import Synchronization

/// A watch of one resource: a filter and a place in the ring of events.
///
// SAFETY: `@unchecked Sendable` because the variables are touched under the lock of the cache's
// state only.
package final class Watcher: @unchecked Sendable {
    package let cache: ResourceCache
    package let filter: WatchFilter
    /// The number of the next event to look at.
    var position: Int
    private let generation: Int
    private var waiter: CheckedContinuation<Wake, Never>?
    private var isCancelled = false
    /// The first state that has not been sent yet.
    private var initial: Initial?
    /// The revision up to which everything has been given out.
    private var revision: Int64

    fileprivate struct Initial {
        var objects: OrderedObjects
        var cursor: OrderedObjects.Cursor
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
        // Only this watcher's task looks at the first state.
        guard var initial = self.cache.state.withLock({ _ in self.initial }) else { return nil }
        var items: [Item] = []
        while items.count < Self.batchLimit {
            guard
                let object = initial.objects.next(&initial.cursor, within: self.filter.prefix)
            else {
                let revision = self.cache.state.withLock { _ in
                    self.initial = nil
                    return self.revision
                }
                if items.isEmpty { return .initialEnd(revision) }
                self.cache.state.withLock { _ in
                    self.initial = Initial(objects: OrderedObjects(), cursor: initial.cursor)
                }
                return .initial(items)
            }
            if self.filter.matchesSelectors(object) {
                items.append(Item(kind: .added, object: object, event: nil))
            }
        }
        self.cache.state.withLock { [initial] _ in self.initial = initial }
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
        let timer = timers.add(deadline) { self.wake(.deadline) }
        defer { timers.remove(timer) }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let wake = self.cache.state.withLock { state -> Wake? in
                    if self.isCancelled { return .cancelled }
                    if state.isEnding { return .ending }
                    if ContinuousClock.now >= deadline { return .deadline }
                    guard state.generation == self.generation, self.position == state.ring.next
                    else { return .changed }
                    self.waiter = continuation
                    let id = ObjectIdentifier(self)
                    if let trigger = self.filter.trigger {
                        state.waitingFor[trigger, default: [:]][id] = self
                    } else {
                        state.waiting[id] = self
                    }
                    return nil
                }
                if let wake { continuation.resume(returning: wake) }
            }
        } onCancel: {
            self.cache.state.withLock { _ in self.isCancelled = true }
            self.wake(.cancelled)
        }
    }

    /// Ends a wait, if there is one.
    func wake(_ reason: Wake) {
        let waiter = self.cache.state.withLock { state in
            defer { self.waiter = nil }
            if reason != .changed { self.stopWaiting(&state) }
            return self.waiter
        }
        waiter?.resume(returning: reason)
    }

    /// Takes the watcher from those that wait. An event may have done so already, and then it is to
    /// be looked at; else all events so far are of no interest.
    private func stopWaiting(_ state: inout ResourceCache.State) {
        let id = ObjectIdentifier(self)
        if let trigger = self.filter.trigger {
            guard state.waitingFor[trigger]?.removeValue(forKey: id) != nil else { return }
            if state.waitingFor[trigger]?.isEmpty == true { state.waitingFor[trigger] = nil }
        } else {
            guard state.waiting.removeValue(forKey: id) != nil else { return }
        }
        self.position = state.ring.next
        self.revision = max(self.revision, state.revision)
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
            Watcher(
                self,
                filter,
                position: state.ring.next,
                generation: state.generation,
                revision: max(state.revision, applied),
                initial: Watcher.Initial(
                    objects: state.objects,
                    cursor: state.objects.cursor(from: filter.prefix)
                )
            )
        }
    }
}
