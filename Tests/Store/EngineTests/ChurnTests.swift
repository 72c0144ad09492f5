// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import KeyValueStore
import StoreTestSupport
import TestFolders
import Testing

@testable import Engine

/// What a cluster does to its store, on a clock that passes at once: nodes renew leases, pods come,
/// change and go, events end an hour later with their lease. Every five minutes the history of the
/// five minutes before the last is given up, as the API server does it.
struct Churn {
    static let nodes = 200
    static let pods = 300
    static let podsPerRound = 50
    static let writesPerRound = 500
    static let roundSeconds = 300.0
    static let eventSeconds: Int64 = 3600

    let store: EmbeddedStore
    let clock: ManualClock
    var random = SeededGenerator(seed: 3)
    private var round = 0
    private var nextPod = 0
    private var lastRevision: Int64 = 0

    init(store: EmbeddedStore, clock: ManualClock) {
        self.store = store
        self.clock = clock
    }

    static let eventsPerRound = 50

    /// The rounds whose events are there when one has passed: the others of an hour have ended.
    static var roundsOfEvents: Int { Int(Double(Self.eventSeconds) / Self.roundSeconds) - 1 }

    /// The most keys that can be there.
    static var maximumKeys: Int {
        Self.nodes + Self.pods + Self.roundsOfEvents * Self.eventsPerRound
    }

    private mutating func value() -> Bytes {
        let size = self.random.oneIn(20) ? 30_000 : 200 + self.random.below(3000)
        return Bytes([UInt8](repeating: UInt8(self.round % 256), count: size))
    }

    private mutating func put(_ key: String, lease: Int64 = 0) -> PutRequest {
        PutRequest(key: Bytes(utf8: "/registry/\(key)"), value: self.value(), lease: lease)
    }

    /// Five minutes of it: 500 keys are written, 50 at a time, and about 100 deleted.
    mutating func passRound() async throws {
        let store = self.store
        let lease = try await store.leaseGrant(LeaseGrantRequest(ttl: Self.eventSeconds)).id
        for group in 0..<10 {
            var writes: [PutRequest] = []
            for number in 0..<(Self.writesPerRound / 10) {
                switch number % 10 {
                case 0:
                    writes.append(self.put("events/\(self.round)-\(group)-\(number)", lease: lease))
                case 1:
                    writes.append(self.put("pods/\(self.nextPod)"))
                    self.nextPod += 1
                case 2:
                    let pod = self.nextPod - 1 - self.random.below(min(self.nextPod, Self.pods / 2))
                    writes.append(self.put("pods/\(pod)"))
                default: writes.append(self.put("leases/\(self.random.below(Self.nodes))"))
                }
            }
            let gone = (self.nextPod - Self.podsPerRound / 10..<self.nextPod)
                .map { $0 - Self.pods }
                .filter { $0 >= 0 }
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for write in writes { tasks.addTask { _ = try await store.put(write) } }
                for pod in gone {
                    let request = DeleteRangeRequest(key: Bytes(utf8: "/registry/pods/\(pod)"))
                    tasks.addTask { _ = try await store.deleteRange(request) }
                }
                try await tasks.waitForAll()
            }
        }
        self.round += 1
        self.clock.advance(seconds: Self.roundSeconds)
        let revision = try await store.status().header.revision
        if self.lastRevision > 0 {
            _ = try await store.compact(
                CompactionRequest(revision: self.lastRevision, physical: true)
            )
        }
        self.lastRevision = revision
    }

    /// Gives up all history.
    func compactAll() async throws {
        let revision = try await self.store.status().header.revision
        _ = try await self.store.compact(CompactionRequest(revision: revision, physical: true))
    }
}

@Suite("Store through weeks of churn")
struct ChurnTests {
    /// Two weeks in the long run.
    static let rounds = isLongRun ? 14 * 24 * 12 : 40

    @Test("keeps the file within live data, history and slack through weeks of churn")
    func growth() async throws {
        let directory = TemporaryDirectory()
        let clock = ManualClock()
        let live = try await self.churn(directory.path, clock)
        // Opening checks every page and record.
        let store = try openStore(directory.path, clock: clock)
        defer { try? store.close() }
        #expect(try await self.keys(store) == live)
        #expect(store.state.withLock { $0.index.defect() } == nil)
    }

    private func keys(_ store: EmbeddedStore) async throws -> [KeyValue] {
        try await store.range(RangeRequest(key: [0], rangeEnd: [0], keysOnly: true)).kvs
    }

    /// Lets all rounds pass and answers which keys are there in the end.
    private func churn(_ path: String, _ clock: ManualClock) async throws -> [KeyValue] {
        var options = testOptions()
        options.applyDelay = .milliseconds(1)
        let store = try openStore(path, options: options, clock: clock)
        defer { try? store.close() }
        var churn = Churn(store: store, clock: clock)
        var peakRecords: Int64 = 0
        var early: Int64 = 0
        for round in 0..<Self.rounds {
            try await churn.passRound()
            peakRecords = max(peakRecords, store.backend.state.recordBytes)
            if round == max(Self.rounds / 4, 20) {
                early = try await store.status().databaseBytes
            }
        }
        let bytes = try await store.status().databaseBytes
        // Data and history in pages that are filled by half at least; some 1.6 MB that a round writes
        // before the next compaction, in the table and, twice, on their way there; the reserve and
        // room for a transaction; an eighth allocated ahead; four log files of a megabyte.
        let bound = (peakRecords * 2 + (12 << 20)) * 9 / 8 + (4 << 20)
        #expect(bytes <= bound)
        // Three quarters of the time added nothing but what frames on their way may need.
        #expect(bytes <= early + (8 << 20))
        let hasEnded = try await poll {
            try await store.leaseLeases().leases.count <= Churn.roundsOfEvents
        }
        #expect(hasEnded)
        try await churn.compactAll()
        let live = try await self.keys(store)
        #expect(live.count <= Churn.maximumKeys)
        // Of each key one record, and the deletions of the revision compacted to.
        let records = Int(store.backend.state.recordCount)
        #expect(records <= live.count + Churn.eventsPerRound)
        if isLongRun {
            let revision = try await store.status().header.revision
            print(
                """
                churn: \(Self.rounds) rounds, revision \(revision), \(live.count) keys, \
                \(records) records; \(peakRecords) bytes of records at most; file and log: \
                \(early) bytes after a quarter, \(bytes) at the end, bound \(bound)
                """
            )
        }
        return live
    }
}
