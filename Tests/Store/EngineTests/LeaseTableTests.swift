// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import KeyValueStore
import StoreTestSupport
import Testing

@testable import Engine

@Suite("Lease table")
struct LeaseTableTests {
    private let second: Int64 = 1_000_000_000

    @Test("ends leases in the order of their time, however often they are kept alive")
    func order() {
        var table = LeaseTable()
        table.grant(1, ttl: 10, now: 0)
        table.grant(2, ttl: 5, now: 0)
        table.grant(3, ttl: 20, now: 0)
        #expect(table.nextDeadline == 5 * self.second)
        #expect(table.keepAlive(2, now: 4 * self.second) == 5)
        #expect(table.expired(now: 8 * self.second, limit: 9, retry: 1) == [])
        #expect(table.nextDeadline == 9 * self.second)
        #expect(table.expired(now: 10 * self.second, limit: 9, retry: self.second) == [2, 1])
        #expect(table.keepAlive(1, now: 10 * self.second) == nil)
        _ = table.revoke(1)
        #expect(table.expired(now: 10 * self.second, limit: 9, retry: 1) == [])
        // One that could not be ended comes again.
        #expect(table.expired(now: 11 * self.second, limit: 9, retry: 1) == [2])
        _ = table.revoke(2)
        #expect(table.expired(now: 30 * self.second, limit: 9, retry: 1) == [3])
    }

    @Test("answers no more ended leases than it is asked for")
    func limit() {
        var table = LeaseTable()
        for id in 1...10 { table.grant(Int64(id), ttl: 1, now: 0) }
        let first = table.expired(now: 2 * self.second, limit: 4, retry: 100 * self.second)
        let rest = table.expired(now: 2 * self.second, limit: 100, retry: 100 * self.second)
        #expect(first.count == 4 && rest.count == 6)
        #expect(Set(first + rest).count == 10)
    }

    @Test("hands keys from lease to lease")
    func attach() {
        var table = LeaseTable()
        table.grant(1, ttl: 10, now: 0)
        table.grant(2, ttl: 10, now: 0)
        table.attach("a", to: 1)
        table.attach("b", to: 1)
        table.attach("a", to: 2)
        #expect(table.holder(of: "a") == 2 && table.holder(of: "b") == 1)
        table.attach("b", to: 0)
        #expect(table.holder(of: "b") == 0)
        #expect(table.revoke(1) == [])
        #expect(table.revoke(2) == ["a"])
        #expect(table.holder(of: "a") == 0)
        table.attach("c", to: 99)
        #expect(table.holder(of: "c") == 0)
    }

    @Test("does not overflow for the longest times")
    func overflow() {
        var table = LeaseTable()
        table.grant(1, ttl: .max, now: 5)
        table.grant(2, ttl: 9_000_000_000, now: .max - 10)
        #expect(table.expired(now: .max - 1, limit: 9, retry: 0) == [])
    }

    @Test("gives every lease its whole time after a restart")
    func restart() {
        var table = LeaseTable()
        table.grant(1, ttl: 10, now: 0)
        table.restart(now: 9 * self.second)
        #expect(table.expired(now: 11 * self.second, limit: 9, retry: 1) == [])
        #expect(table.expired(now: 19 * self.second, limit: 9, retry: 1) == [1])
    }

    @Test("agrees with a naive list of leases", arguments: [1, 2, 3] as [UInt64])
    func model(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var table = LeaseTable()
        var model: [Int64: (ttl: Int64, deadline: Int64)] = [:]
        var now: Int64 = 0
        for _ in 0..<3000 {
            now += Int64(random.below(2)) * self.second
            let id = Int64(random.below(20))
            switch random.below(4) {
            case 0 where model[id] == nil:
                let ttl = Int64(1 + random.below(30))
                table.grant(id, ttl: ttl, now: now)
                model[id] = (ttl, now + ttl * self.second)
            case 1:
                let kept = table.keepAlive(id, now: now)
                if let lease = model[id], lease.deadline > now {
                    #expect(kept == lease.ttl)
                    model[id]?.deadline = now + lease.ttl * self.second
                } else {
                    #expect(kept == nil)
                }
            case 2 where random.oneIn(4):
                _ = table.revoke(id)
                model[id] = nil
            default:
                let ended = table.expired(now: now, limit: .max, retry: 0)
                #expect(Set(ended) == Set(model.filter { $0.value.deadline <= now }.keys))
                for id in ended {
                    _ = table.revoke(id)
                    model[id] = nil
                }
            }
            #expect(table.ids == model.keys.sorted())
        }
    }
}

@Suite("Leases of the embedded store")
struct LeaseTests {
    /// How long a lease of one second lasts.
    private func lifetime(_ store: EmbeddedStore, _ key: Bytes) async throws -> Duration {
        // Before the lease begins, so that it never seems shorter than it was.
        let start = ContinuousClock.now
        let lease = try await store.leaseGrant(LeaseGrantRequest(ttl: 1)).id
        do {
            _ = try await store.put(PutRequest(key: key, lease: lease))
        } catch .leaseNotFound {
            // It is over before the machine got to this.
            return ContinuousClock.now - start
        }
        while try await !store.range(RangeRequest(key: key)).kvs.isEmpty {
            try await Task.sleep(for: .milliseconds(5))
            if ContinuousClock.now - start > .seconds(10) { break }
        }
        return ContinuousClock.now - start
    }

    // Measures real seconds: never less than one, and less than two unless the machine is too busy
    // with other tests to look in time, which it is not five times in a row.
    @Test("ends a lease between one and two of its seconds, under load")
    func expiry() async throws {
        let store = try EmbeddedStore(backend: MemoryBackend(), options: testOptions())
        defer { try? store.close() }
        let load = Task {
            var number = 0
            while !Task.isCancelled {
                _ = try await store.put(PutRequest(key: Bytes(utf8: "load\(number % 100)")))
                number += 1
            }
        }
        var times: [Duration] = []
        repeat {
            times.append(try await self.lifetime(store, Bytes(utf8: "leased\(times.count)")))
        } while times.count < 5 && times.allSatisfy { $0 >= .seconds(2) }
        #expect(times.allSatisfy { $0 >= .milliseconds(980) }, "\(times)")
        #expect(times.contains { $0 < .seconds(2) }, "\(times)")
        load.cancel()
        _ = try? await load.value
    }

    @Test("ends many leases at once without losing one")
    func many() async throws {
        let clock = ManualClock()
        let store = try EmbeddedStore(
            backend: MemoryBackend(),
            options: testOptions(),
            clock: clock
        )
        defer { try? store.close() }
        for number in 0..<350 {
            let lease = try await store.leaseGrant(LeaseGrantRequest(ttl: 10)).id
            let key = Bytes(utf8: "k\(number)")
            _ = try await store.put(PutRequest(key: key, lease: lease))
        }
        clock.advance(seconds: 9)
        #expect(try await store.range(RangeRequest(key: "k", rangeEnd: "l")).count == 350)
        clock.advance(seconds: 2)
        let isGone = try await poll {
            try await store.range(RangeRequest(key: "k", rangeEnd: "l")).count == 0
        }
        #expect(isGone)
        #expect(try await store.leaseLeases().leases == [])
    }
}
