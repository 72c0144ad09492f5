// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import Bytes
import Synchronization

/// The objects of one resource as they are now, and its last events.
///
/// ```
/// store ──events──▶ objects (ordered)   ──snapshot──▶ lists, first states of watches
///                   ring of events      ──cursor────▶ watchers
/// ```
///
/// A watcher is a place in the ring, not a queue: it costs the same however slow it is, and one that
/// falls out of the ring is told so. Nobody waits for a watcher.
package final class ResourceCache: Sendable {
    /// What keys in the store begin with, slash included.
    package let prefix: Bytes
    package let form: StoredForm
    let state: Mutex<State>

    struct State {
        var objects = OrderedObjects()
        var indexes = ObjectIndexes()
        var ring = EventRing(floor: 0)
        /// The revision of the last event.
        var revision: Int64 = 0
        /// Counts how often the objects were read anew because events were lost.
        var generation = 0
        /// Watchers that have nothing more to send are told to end.
        var isEnding = false
        /// Those that wait for any event. Each knows its place in the list.
        var waiting: [Watcher] = []
        /// Those that wait for events of certain objects.
        var waitingFor: [WatchFilter.Trigger: [Watcher]] = [:]
        /// How many of those wait for the value of a label, by the label.
        var waitingLabels: [String: Int] = [:]

        /// Takes note that watchers no longer wait for a label.
        mutating func endLabelWaits(_ label: String, _ count: Int) {
            let rest = (self.waitingLabels[label] ?? 0) - count
            self.waitingLabels[label] = rest > 0 ? rest : nil
        }

        /// All that wait.
        var allWaiting: [Watcher] { self.waiting + self.waitingFor.values.joined() }
    }

    package init(prefix: Bytes, form: StoredForm) {
        self.prefix = prefix
        self.form = form
        self.state = Mutex(State())
    }

    /// A consistent state of the objects.
    package struct Snapshot: Sendable {
        package let objects: OrderedObjects
        /// The last revision that it has.
        package let revision: Int64
    }

    /// The objects now.
    ///
    /// - Parameter applied: a revision up to which this cache is known to have every event.
    package func snapshot(applied: Int64) -> Snapshot {
        self.state.withLock { state in
            Snapshot(objects: state.objects, revision: max(state.revision, applied))
        }
    }

    /// The objects now that a filter may select: all of those that it does, and perhaps others.
    package func snapshot(applied: Int64, for filter: WatchFilter) -> Snapshot {
        self.state.withLock { state in
            Snapshot(
                objects: state.indexes.candidates(filter, of: state.objects),
                revision: max(state.revision, applied)
            )
        }
    }

    /// The object with a key, as it is now.
    package func object(_ key: Bytes) -> CachedObject? {
        self.state.withLock { $0.objects[key] }
    }

    /// A number that differs whenever the objects do.
    package var changeCount: UInt64 {
        self.state.withLock { UInt64($0.generation) << 48 | UInt64($0.ring.next) }
    }

    package var count: Int { self.state.withLock { $0.objects.count } }

    // MARK: - Filling

    /// Takes the state that was read from the store at a revision. Watchers of the state before are
    /// ended, since what happened in between is not known.
    func reset(_ objects: OrderedObjects, revision: Int64) {
        let woken = self.state.withLock { state in
            state.objects = objects
            state.indexes = ObjectIndexes()
            state.revision = revision
            state.ring = EventRing(floor: revision)
            state.generation += 1
            let woken = state.allWaiting.compactMap { $0.endWait() }
            state.waiting = []
            state.waitingFor = [:]
            state.waitingLabels = [:]
            return woken
        }
        for waiter in woken { waiter.resume(returning: .changed) }
    }

    /// Tells all watchers to end, when they have sent what there is.
    func endWatches() {
        let watchers = self.state.withLock { state in
            state.isEnding = true
            return state.allWaiting
        }
        for watcher in watchers { watcher.wake(.ending) }
    }

    /// A change as it came from the store.
    enum Change {
        case put(CachedObject)
        case delete(Bytes, revision: Int64)
    }

    /// Applies changes in their order and wakes those who wait for them.
    func apply(_ changes: [Change]) {
        var woken: [Watcher.Waiter] = []
        self.state.withLock { state in
            for change in changes {
                guard let event = self.apply(change, &state) else { continue }
                let number = state.ring.next
                state.ring.append(event)
                state.revision = event.revision
                self.collect(&woken, &state, event, number)
            }
        }
        for waiter in woken { waiter.resume(returning: .changed) }
    }

    private func apply(_ change: Change, _ state: inout State) -> CacheEvent? {
        switch change {
        case .put(let object):
            let previous = state.objects.put(object)
            state.indexes.replace(previous, with: object)
            return CacheEvent(previous == nil ? .added : .modified, object, previous: previous)
        case .delete(let key, let revision):
            guard let previous = state.objects.remove(key) else { return nil }
            state.indexes.replace(previous, with: nil)
            return CacheEvent(
                .deleted,
                previous.deleted(at: revision, self.form),
                previous: previous
            )
        }
    }

    /// Takes those who wait for an event out of the waiting, and lets them go on from it.
    private func collect(
        _ woken: inout [Watcher.Waiter],
        _ state: inout State,
        _ event: CacheEvent,
        _ number: Int
    ) {
        func take(_ watchers: [Watcher]) {
            for watcher in watchers {
                watcher.position = number
                if let waiter = watcher.endWait() { woken.append(waiter) }
            }
        }
        if !state.waiting.isEmpty {
            take(state.waiting)
            state.waiting.removeAll(keepingCapacity: true)
        }
        guard !state.waitingFor.isEmpty else { return }
        for trigger in self.triggers(of: event, state.waitingLabels) {
            guard let watchers = state.waitingFor.removeValue(forKey: trigger) else { continue }
            take(watchers)
            if case .label(_, let label, _) = trigger {
                state.endLabelWaits(label, watchers.count)
            }
        }
    }

    private func triggers(
        of event: CacheEvent,
        _ waitingLabels: [String: Int]
    ) -> [WatchFilter.Trigger] {
        let object = event.object
        var prefixes: [Bytes] = [Bytes()]
        var triggers: [WatchFilter.Trigger] = [.key(object.key)]
        if let slash = object.key.firstIndex(of: UInt8(ascii: "/")) {
            let prefix = object.key.slice(0..<(slash + 1))
            triggers.append(.namespace(prefix))
            prefixes.append(prefix)
        }
        /// Values before and after the event, each once.
        func values(_ key: IndexKey) -> [String] {
            let now = object.value(of: key)
            let before = event.previous?.value(of: key)
            return [now, before == now ? nil : before].compactMap { $0 }
        }
        if let index = self.form.fields?.trigger {
            triggers += values(.field(index)).map { .field($0) }
        }
        if waitingLabels.isEmpty { return triggers }
        for label in self.labels(of: event) where waitingLabels[label] != nil {
            for value in values(.label(label)) {
                triggers += prefixes.map { .label($0, label, value) }
            }
        }
        return triggers
    }

    /// The labels that an object has, or had before. They are looked at, and not those that are
    /// waited for, so that the cost of an event does not grow with the number of watchers.
    private func labels(of event: CacheEvent) -> Set<String> {
        var labels: Set<String> = []
        for object in [event.object, event.previous].compactMap({ $0 }) {
            object.withMessage { message in
                ObjectBytes.forEachLabel(in: message) { label in
                    labels.insert(String(decoding: label, as: UTF8.self))
                }
            }
        }
        return labels
    }
}
