// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Keys by the time at which they are due; a key is in it once, at the earliest time it was given.
struct DelayHeap<Key: Hashable & Sendable> {
    struct Entry {
        var key: Key
        var deadline: Duration
        /// Keys of the same time keep their order.
        var sequence: UInt64
    }

    private var heap: [Entry] = []
    private var deadlines: [Key: Duration] = [:]
    private var sequence: UInt64 = 0

    var count: Int { self.deadlines.count }

    /// The entry that is due first. Entries that an earlier one has replaced were removed before.
    var first: Entry? { self.heap.first }

    mutating func insert(_ key: Key, _ deadline: Duration) {
        if let known = self.deadlines[key], known <= deadline { return }
        self.deadlines[key] = deadline
        self.heap.append(Entry(key: key, deadline: deadline, sequence: self.sequence))
        self.sequence += 1
        self.siftUp(self.heap.count - 1)
    }

    mutating func removeFirst() {
        guard let first = self.heap.first else { return }
        self.deadlines[first.key] = nil
        self.dropTop()
        // What is left of keys that were given an earlier time later on.
        while let next = self.heap.first, self.deadlines[next.key] != next.deadline {
            self.dropTop()
        }
    }

    private mutating func dropTop() {
        let last = self.heap.removeLast()
        guard !self.heap.isEmpty else { return }
        self.heap[0] = last
        self.siftDown(0)
    }

    private static func precedes(_ left: Entry, _ right: Entry) -> Bool {
        (left.deadline, left.sequence) < (right.deadline, right.sequence)
    }

    private mutating func siftUp(_ start: Int) {
        var index = start
        while index > 0 {
            let parent = (index - 1) / 2
            guard Self.precedes(self.heap[index], self.heap[parent]) else { return }
            self.heap.swapAt(index, parent)
            index = parent
        }
    }

    private mutating func siftDown(_ start: Int) {
        var index = start
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2]
            where child < self.heap.count && Self.precedes(self.heap[child], self.heap[least]) {
                least = child
            }
            if least == index { return }
            self.heap.swapAt(index, least)
            index = least
        }
    }
}
