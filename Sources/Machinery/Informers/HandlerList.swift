// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Who hears of an informer's events, each in order and never two events at once.
struct HandlerList<Event: Sendable> {
    typealias Handler = @Sendable (Event) -> Void

    private struct Entry {
        var handler: Handler
        var pending: [Event] = []
        /// A thread is calling the handler; it takes what is added meanwhile, too.
        var isBusy = false
    }

    private var entries: [Entry] = []

    var count: Int { self.entries.count }

    /// Adds a handler that hears `events` first.
    mutating func add(_ handler: @escaping Handler, _ events: [Event]) -> Int {
        self.entries.append(Entry(handler: handler, pending: events))
        return self.entries.count - 1
    }

    mutating func enqueue(_ events: [Event]) {
        guard !events.isEmpty else { return }
        for index in self.entries.indices { self.entries[index].pending += events }
    }

    /// The events that the caller shall give to a handler now; nil when there are none, or another
    /// thread does it. To be called again after that.
    mutating func begin(_ index: Int) -> (Handler, [Event])? {
        guard !self.entries[index].isBusy, !self.entries[index].pending.isEmpty else { return nil }
        self.entries[index].isBusy = true
        defer { self.entries[index].pending = [] }
        return (self.entries[index].handler, self.entries[index].pending)
    }

    mutating func end(_ index: Int) { self.entries[index].isBusy = false }
}
