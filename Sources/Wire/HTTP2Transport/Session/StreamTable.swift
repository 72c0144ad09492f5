// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The open streams of a session by identifier.
///
/// Open addressing with linear probing. The slot is the identifier divided by two: the streams that
/// one side opens are consecutive odd numbers, so they fill consecutive slots. 16 bytes a slot.
///
/// A class over plain memory, because a struct of arrays inside the session would be checked for
/// exclusive access at each use.
final class StreamTable {
    private struct Slot {
        /// Zero for a free slot.
        var id: Int32
        /// Retained by the table.
        var stream: Unmanaged<HTTP2Stream>?
    }

    private var slots: UnsafeMutablePointer<Slot>
    private var capacity: Int
    private(set) var count = 0

    /// Slots of a table that has just been made; a power of two.
    private static let initialCapacity = 4
    /// A larger table is given back when the last stream has left it.
    private static let keptCapacity = 256

    init() {
        self.capacity = Self.initialCapacity
        self.slots = Self.allocate(Self.initialCapacity)
    }

    deinit {
        for slot in 0..<self.capacity { self.slots[slot].stream?.release() }
        self.slots.deallocate()
    }

    private static func allocate(_ capacity: Int) -> UnsafeMutablePointer<Slot> {
        let slots = UnsafeMutablePointer<Slot>.allocate(capacity: capacity)
        slots.initialize(repeating: Slot(id: 0, stream: nil), count: capacity)
        return slots
    }

    private func home(_ id: Int32) -> Int { Int(id >> 1) & (self.capacity &- 1) }

    subscript(id: Int32) -> HTTP2Stream? {
        let mask = self.capacity &- 1
        var slot = self.home(id)
        while true {
            let found = self.slots[slot].id
            if found == id { return self.slots[slot].stream?.takeUnretainedValue() }
            if found == 0 { return nil }
            slot = (slot &+ 1) & mask
        }
    }

    /// Adds a stream whose identifier, above zero, is not in the table.
    func insert(_ stream: HTTP2Stream, id: Int32) {
        if (self.count &+ 1) &* 4 > self.capacity &* 3 { self.resize(to: self.capacity &* 2) }
        self.place(Slot(id: id, stream: .passRetained(stream)))
        self.count &+= 1
    }

    private func place(_ entry: Slot) {
        let mask = self.capacity &- 1
        var slot = self.home(entry.id)
        while self.slots[slot].id != 0 { slot = (slot &+ 1) & mask }
        self.slots[slot] = entry
    }

    func remove(_ id: Int32) -> HTTP2Stream? {
        let mask = self.capacity &- 1
        var slot = self.home(id)
        while self.slots[slot].id != id {
            if self.slots[slot].id == 0 { return nil }
            slot = (slot &+ 1) & mask
        }
        let removed = self.slots[slot].stream
        self.count &-= 1
        // Close the gap: move back whatever would no longer be found from its home.
        var hole = slot
        var next = (slot &+ 1) & mask
        while self.slots[next].id != 0 {
            let home = self.home(self.slots[next].id)
            if (next &- home) & mask >= (next &- hole) & mask {
                self.slots[hole] = self.slots[next]
                hole = next
            }
            next = (next &+ 1) & mask
        }
        self.slots[hole] = Slot(id: 0, stream: nil)
        if self.count == 0, self.capacity > Self.keptCapacity {
            self.resize(to: Self.initialCapacity)
        }
        return removed?.takeRetainedValue()
    }

    /// Takes all streams out, in no particular order.
    func removeAll() -> [HTTP2Stream] {
        var all: [HTTP2Stream] = []
        for slot in 0..<self.capacity {
            if let stream = self.slots[slot].stream { all.append(stream.takeRetainedValue()) }
            self.slots[slot] = Slot(id: 0, stream: nil)
        }
        self.count = 0
        return all
    }

    /// Calls `body` with each stream; it must not add or remove any.
    func forEach(_ body: (HTTP2Stream) -> Void) {
        for slot in 0..<self.capacity {
            if let stream = self.slots[slot].stream { body(stream.takeUnretainedValue()) }
        }
    }

    private func resize(to capacity: Int) {
        let old = self.slots
        let oldCapacity = self.capacity
        self.slots = Self.allocate(capacity)
        self.capacity = capacity
        for slot in 0..<oldCapacity where old[slot].id != 0 { self.place(old[slot]) }
        old.deallocate()
    }
}
