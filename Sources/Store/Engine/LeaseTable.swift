// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import Bytes

/// The leases of a store: who they are, what they hold, when they end.
///
/// A value without clock or I/O: times come in as nanoseconds of a clock that never jumps.
package struct LeaseTable {
    /// One lease.
    package struct Lease: Hashable, Sendable {
        /// The time to live in seconds.
        package var ttl: Int64
        /// When it ends, in nanoseconds.
        package var deadline: Int64
        package var keys: Set<Bytes> = []
    }

    /// When to look at a lease next. A lease that was kept alive has a later deadline than here.
    private struct Alarm {
        var time: Int64
        var id: Int64
    }

    private var leases: [Int64: Lease] = [:]
    private var holders: [Bytes: Int64] = [:]
    /// A binary heap, earliest first.
    private var alarms: [Alarm] = []

    package init() {}

    /// The number of leases.
    package var count: Int { self.leases.count }

    /// All leases, by number.
    package var ids: [Int64] { self.leases.keys.sorted() }

    package func lease(_ id: Int64) -> Lease? { self.leases[id] }

    /// Whether lease `id` exists.
    package func contains(_ id: Int64) -> Bool { self.leases[id] != nil }

    /// The lease that ends `key`, or 0.
    @inline(__always)
    package func holder(of key: Bytes) -> Int64 {
        self.holders.isEmpty ? 0 : self.holders[key] ?? 0
    }

    // MARK: - Changes

    /// Adds a lease that does not exist yet.
    package mutating func grant(_ id: Int64, ttl: Int64, now: Int64) {
        let deadline = Self.deadline(ttl, now)
        self.leases[id] = Lease(ttl: ttl, deadline: deadline)
        self.push(Alarm(time: deadline, id: id))
    }

    /// Ends a lease; answers its keys in order.
    package mutating func revoke(_ id: Int64) -> [Bytes] {
        guard let lease = self.leases.removeValue(forKey: id) else { return [] }
        for key in lease.keys { self.holders[key] = nil }
        return lease.keys.sorted()
    }

    /// Starts a lease's time over; answers its time to live, or nil if there is no such lease or
    /// its time is up.
    package mutating func keepAlive(_ id: Int64, now: Int64) -> Int64? {
        guard var lease = self.leases[id], lease.deadline > now else { return nil }
        lease.deadline = Self.deadline(lease.ttl, now)
        self.leases[id]?.deadline = lease.deadline
        return lease.ttl
    }

    /// Hands `key` over to lease `id`; 0 for none.
    package mutating func attach(_ key: Bytes, to id: Int64) {
        let old = self.holder(of: key)
        if old == id { return }
        if old != 0 {
            self.leases[old]?.keys.remove(key)
            self.holders[key] = nil
        }
        if id != 0, self.leases[id] != nil {
            let own = key.detached()
            self.leases[id]?.keys.insert(own)
            self.holders[own] = id
        }
    }

    /// Gives every lease its whole time again, as after a restart.
    package mutating func restart(now: Int64) {
        for (id, lease) in self.leases {
            self.leases[id]?.deadline = Self.deadline(lease.ttl, now)
        }
    }

    // MARK: - Time

    /// When to call `expired` next; nil if never. Never later than the first lease that ends.
    package var nextDeadline: Int64? { self.alarms.first?.time }

    /// The leases whose time is up, at most `limit` of them. They stay until they are revoked, and
    /// are not answered again before `retry` nanoseconds have passed.
    package mutating func expired(now: Int64, limit: Int, retry: Int64) -> [Int64] {
        var found: [Int64] = []
        while let first = self.alarms.first, first.time <= now, found.count < limit {
            self.popFirst()
            guard let lease = self.leases[first.id] else { continue }
            if lease.deadline > now {
                self.push(Alarm(time: lease.deadline, id: first.id))
            } else {
                found.append(first.id)
                self.push(Alarm(time: now + max(retry, 1), id: first.id))
            }
        }
        return found
    }

    private static func deadline(_ ttl: Int64, _ now: Int64) -> Int64 {
        let (nanoseconds, overflow) = ttl.multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return .max }
        let (deadline, late) = now.addingReportingOverflow(nanoseconds)
        return late ? .max : deadline
    }

    private mutating func push(_ alarm: Alarm) {
        self.alarms.append(alarm)
        var index = self.alarms.count - 1
        while index > 0 {
            let parent = (index - 1) / 2
            if self.alarms[parent].time <= self.alarms[index].time { return }
            self.alarms.swapAt(parent, index)
            index = parent
        }
    }

    private mutating func popFirst() {
        let last = self.alarms.removeLast()
        if self.alarms.isEmpty { return }
        self.alarms[0] = last
        var index = 0
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2] where child < self.alarms.count {
                if self.alarms[child].time < self.alarms[least].time { least = child }
            }
            if least == index { return }
            self.alarms.swapAt(index, least)
            index = least
        }
    }
}
