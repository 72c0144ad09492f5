// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// What a work queue knows, without waiting and without a clock.
///
/// A key is in at most one of these places: waiting for a worker, being worked on, or due later. A
/// key that is added while a worker has it waits until that worker is done, so that no key is worked
/// on twice at once, and is then worked on once however often it was added.
///
/// Source: upstream client-go `util/workqueue/queue.go`, `delaying_queue.go`.
package struct WorkQueueState<Key: Hashable & Sendable> {
    /// Keys to hand out, in the order of their arrival; removed ones are skipped by `head`.
    private var order: [Key] = []
    private var head = 0
    /// Keys that need work: those in `order`, and those being worked on that were added again.
    private var dirty: Set<Key> = []
    private var processing: Set<Key> = []
    private var delayed = DelayHeap<Key>()
    /// Nil when nobody measures.
    package var times: QueueTimes<Key>?

    package init() {}

    /// Keys that wait for a worker.
    package var count: Int { self.order.count - self.head }
    /// Keys that workers have.
    package var processingCount: Int { self.processing.count }
    /// Keys that are due later.
    package var delayedCount: Int { self.delayed.count }
    /// When the next delayed key is due.
    package var nextDeadline: Duration? { self.delayed.first?.deadline }

    /// - Parameter now: for those who measure.
    /// - Returns: whether a worker can take the key now.
    @discardableResult
    package mutating func add(_ key: Key, now: Duration = .zero) -> Bool {
        guard self.dirty.insert(key).inserted else { return false }
        self.times?.add(key, now)
        guard !self.processing.contains(key) else { return false }
        self.order.append(key)
        return true
    }

    /// Adds the key at `deadline`, or at an earlier time that it already has.
    package mutating func add(_ key: Key, at deadline: Duration) {
        self.delayed.insert(key, deadline)
    }

    /// Adds the delayed keys that are due.
    ///
    /// - Returns: how many a worker can take now.
    package mutating func moveDue(_ now: Duration) -> Int {
        var moved = 0
        while let first = self.delayed.first, first.deadline <= now {
            self.delayed.removeFirst()
            if self.add(first.key, now: now) { moved += 1 }
        }
        return moved
    }

    /// The next key, which is then being worked on until ``finish(_:)``.
    package mutating func take(now: Duration = .zero) -> Key? {
        guard self.head < self.order.count else { return nil }
        let key = self.order[self.head]
        self.head += 1
        if self.head > 64, self.head * 2 > self.order.count {
            self.order.removeFirst(self.head)
            self.head = 0
        }
        self.dirty.remove(key)
        self.processing.insert(key)
        self.times?.take(key, now)
        return key
    }

    /// Says that the worker of the key is done.
    ///
    /// - Returns: whether the key was added meanwhile and can be taken now.
    @discardableResult
    package mutating func finish(_ key: Key, now: Duration = .zero) -> Bool {
        self.times?.finish(key, now)
        guard self.processing.remove(key) != nil, self.dirty.contains(key) else { return false }
        self.order.append(key)
        return true
    }
}
