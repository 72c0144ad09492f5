// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import KeyValueStore
import KeyValueStoreSuite
import Synchronization
import Testing

@testable import Engine

@Suite("Watches of the embedded store")
struct WatchTests {
    private func makeStore(
        _ change: (inout StoreOptions) -> Void = { _ in },
        clock: any StoreClock = ManualClock()
    ) throws -> EmbeddedStore {
        var options = testOptions()
        change(&options)
        return try EmbeddedStore(backend: MemoryBackend(), options: options, clock: clock)
    }

    private let all = WatchCreateRequest(key: [0], rangeEnd: [0])

    @Test("bounds what a watcher that does not read costs, and misses nothing for it later")
    func slowReader() async throws {
        let store = try self.makeStore { $0.limits.maximumWatchStreamBytes = 100_000 }
        defer { try? store.close() }
        let slow = try store.makeSession()
        try slow.create(self.all, compactRevision: -1)
        let quick = WatchReader(try await store.openWatchStream())
        try await quick.create(self.all)
        let value = Bytes([UInt8](repeating: 1, count: 1000))
        let count = 1000
        for number in 0..<count {
            _ = try await store.put(PutRequest(key: Bytes(utf8: "k\(number)"), value: value))
        }
        #expect(try await quick.events(count).count == count)
        #expect(slow.queuedBytes <= 100_000 + 2000)
        #expect(slow.queuedBytes > 50_000)
        var keys: [Bytes] = []
        while keys.count < count {
            guard case .response(let response) = try slow.take() else {
                Issue.record("nothing left after \(keys.count) events")
                return
            }
            keys.append(contentsOf: response.events.map(\.kv.key))
        }
        #expect(keys == (0..<count).map { Bytes(utf8: "k\($0)") })
        // It is fed by commits again.
        _ = try await store.put(PutRequest(key: "last"))
        guard case .response(let last) = try slow.take() else {
            Issue.record("the watcher was lost")
            return
        }
        #expect(last.events.map(\.kv.key) == ["last"])
        slow.close()
    }

    @Test("ends a watcher that does not read when its place in history is compacted")
    func slowReaderCompacted() async throws {
        let store = try self.makeStore { $0.limits.maximumWatchStreamBytes = 10_000 }
        defer { try? store.close() }
        let slow = try store.makeSession()
        try slow.create(self.all, compactRevision: -1)
        let other = WatchReader(try await store.openWatchStream())
        try await other.create(self.all)
        let value = Bytes([UInt8](repeating: 1, count: 1000))
        for _ in 0..<100 { _ = try await store.put(PutRequest(key: "k", value: value)) }
        #expect(try await other.events(100).count == 100)
        let revision = try await store.status().header.revision
        _ = try await store.compact(CompactionRequest(revision: revision, physical: true))
        var events = 0
        var end: WatchResponse?
        while case .response(let response) = try slow.take() {
            events += response.events.count
            if response.canceled { end = response }
        }
        #expect(events > 0 && events < 100)
        #expect(end?.compactRevision == revision)
        #expect(end?.cancelReason == StoreError.compacted.message)
        _ = try await store.put(PutRequest(key: "k", value: value))
        #expect(try await other.events(1).count == 1)
        #expect(store.hub.watcherCount == 1)
        slow.close()
    }

    @Test("tells progress to watchers that want it, and only when they are idle")
    func progressNotify() async throws {
        let clock = ManualClock()
        let store = try self.makeStore(clock: clock)
        defer { try? store.close() }
        let reader = WatchReader(try await store.openWatchStream())
        var request = self.all
        request.progressNotify = true
        let id = try await reader.create(request).watchID
        _ = try await store.put(PutRequest(key: "a"))
        #expect(try await reader.events(1).count == 1)
        // The deadline counts from when the writer has heard of the watcher.
        _ = try await store.leaseGrant(LeaseGrantRequest(ttl: 9000))
        // It was busy in the first interval, and idle in the second.
        clock.advance(seconds: 601)
        _ = try await store.leaseGrant(LeaseGrantRequest(ttl: 9000))
        clock.advance(seconds: 601)
        let response = try await reader.next()
        #expect(response.isProgressNotify)
        #expect(response.watchID == id)
        #expect(response.header.revision == 2)
        reader.stream.close()
    }

    @Test("ends a stream whose reader is cancelled while it waits")
    func cancelledReader() async throws {
        let store = try self.makeStore()
        defer { try? store.close() }
        let stream = try await store.openWatchStream()
        try await stream.create(self.all)
        #expect(try await stream.next()?.created == true)
        let waiting = Task { try await stream.next() }
        try await Task.sleep(for: .milliseconds(20))
        waiting.cancel()
        #expect(try await waiting.value == nil)
        #expect(store.hub.watcherCount == 0)
    }

    @Test("ends streams when the store is closed, and when they are let go of")
    func closing() async throws {
        let store = try self.makeStore()
        let stream = try await store.openWatchStream()
        try await stream.create(self.all)
        do {
            let other = try await store.openWatchStream()
            try await other.create(self.all)
            #expect(store.hub.watcherCount == 2)
        }
        #expect(store.hub.watcherCount == 1)
        let reader = Task {
            var count = 0
            while try await stream.next() != nil { count += 1 }
            return count
        }
        try store.close()
        #expect(try await reader.value <= 1)
        await #expect(throws: StoreError.stopped) { try await store.openWatchStream() }
    }

    @Test("refuses more watchers than a stream may have")
    func watcherLimit() async throws {
        let store = try self.makeStore { $0.limits.maximumWatchersPerStream = 3 }
        defer { try? store.close() }
        let reader = WatchReader(try await store.openWatchStream())
        for _ in 0..<3 { #expect(try await !reader.create(self.all).canceled) }
        let refused = try await reader.create(self.all)
        #expect(refused.canceled)
        #expect(refused.watchID == WatchResponse.noWatchID)
        try await reader.stream.cancel(0)
        #expect(try await reader.next().canceled)
        #expect(try await !reader.create(self.all).canceled)
        reader.stream.close()
    }

    @Test("refuses a negative revision as compacted")
    func negativeRevision() async throws {
        let store = try self.makeStore()
        defer { try? store.close() }
        let reader = WatchReader(try await store.openWatchStream())
        var request = self.all
        request.startRevision = -5
        let response = try await reader.create(request)
        #expect(response.canceled && response.compactRevision > 0)
        reader.stream.close()
    }

    @Test("shares one encoding between all watchers of a range")
    func sharedEvents() async throws {
        let store = try self.makeStore()
        defer { try? store.close() }
        let sessions = try (0..<10).map { _ in try store.makeSession() }
        for session in sessions { try session.create(self.all, compactRevision: -1) }
        _ = try await store.put(PutRequest(key: "a", value: "b"))
        var places: Set<UInt> = []
        for session in sessions {
            guard case .response(let created) = try session.take(), created.created,
                case .response(let told) = try session.take()
            else {
                Issue.record("no response")
                return
            }
            told.events.encoded.withUnsafeBytes { bytes in
                _ = places.insert(UInt(bitPattern: bytes.baseAddress))
            }
            session.close()
        }
        #expect(places.count == 1)
    }

    @Test("calls back when there is something to take")
    func callback() async throws {
        let store = try self.makeStore()
        defer { try? store.close() }
        let session = try store.makeSession()
        let calls = Mutex(0)
        session.onReady { calls.withLock { $0 += 1 } }
        #expect(calls.withLock { $0 } == 0)
        try session.create(self.all, compactRevision: -1)
        #expect(calls.withLock { $0 } == 1)
        _ = try await store.put(PutRequest(key: "a"))
        #expect(calls.withLock { $0 } == 2)
        session.close()
        #expect(calls.withLock { $0 } == 3)
        guard case .closed = try session.take() else {
            Issue.record("the session is not closed")
            return
        }
    }

    @Test("cuts responses between revisions, or inside one for those who take fragments")
    func cutting() async throws {
        for fragment in [false, true] {
            let store = try self.makeStore { $0.limits.maximumWatchResponseBytes = 10_000 }
            defer { try? store.close() }
            let value = Bytes([UInt8](repeating: 1, count: 3000))
            var request = self.all
            request.fragment = fragment
            request.startRevision = 2
            // Revision 2 is bigger than a response, 3 to 8 fit two or three at a time.
            let puts = (0..<5).map {
                RequestOp.put(PutRequest(key: Bytes(utf8: "\($0)"), value: value))
            }
            _ = try await store.txn(TxnRequest(success: puts))
            for _ in 0..<6 { _ = try await store.put(PutRequest(key: "x", value: value)) }
            let reader = WatchReader(try await store.openWatchStream())
            try await reader.create(request)
            var sizes: [Int] = []
            var revisions: [Int64] = []
            while revisions.count < 11 {
                let response = try await reader.next()
                sizes.append(response.events.count)
                let own = response.events.map(\.kv.modRevision)
                if !fragment, let last = revisions.last { #expect(own.first != last) }
                let more =
                    response.events.last?.kv.modRevision == 2 && revisions.count + own.count < 5
                #expect(response.fragment == (fragment && more))
                revisions.append(contentsOf: own)
            }
            #expect(revisions == [2, 2, 2, 2, 2, 3, 4, 5, 6, 7, 8])
            #expect(sizes.allSatisfy { $0 <= (fragment ? 3 : 5) })
            #expect(sizes.first == (fragment ? 3 : 5))
            reader.stream.close()
        }
    }
}

extension WatchSession {
    var queuedBytes: Int { self.statistics.bytes }
}
