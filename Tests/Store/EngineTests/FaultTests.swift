// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import KeyValueStore
import KeyValueStoreSuite
import Synchronization
import Testing

@testable import Engine

@Suite("Store on a failing disk")
struct FaultTests {
    /// What a run of the workload was told.
    struct Outcome {
        /// Acknowledged writes: the value of a key at a revision, nil for a deletion.
        var acknowledged: [(revision: Int64, key: Bytes, value: Bytes?)] = []
        /// The key and value whose write failed, if one did.
        var refused: [Bytes: Bytes] = [:]
        /// Events that a watcher saw.
        var seen: [Event] = []
    }

    /// Writes until the store stops or all is written.
    private func work(_ store: EmbeddedStore) async throws -> Outcome {
        var outcome = Outcome()
        let stream = try await store.openWatchStream()
        try await stream.create(WatchCreateRequest(key: [0], rangeEnd: [0], prevKV: true))
        let watcher = Task {
            var seen: [Event] = []
            while let response = try await stream.next() {
                seen.append(contentsOf: response.events)
            }
            return seen
        }
        for number in 0..<24 {
            let key = Bytes(utf8: "k\(number % 5)")
            let value = Bytes(utf8: "v\(number)")
            do {
                switch number % 6 {
                case 4:
                    let response = try await store.deleteRange(DeleteRangeRequest(key: key))
                    if response.deleted > 0 {
                        outcome.acknowledged.append((response.header.revision, key, nil))
                    }
                case 5:
                    let revision = try await store.status().header.revision
                    if revision > 8 {
                        let request = CompactionRequest(revision: revision - 5, physical: true)
                        _ = try await store.compact(request)
                    }
                default:
                    let response = try await store.put(PutRequest(key: key, value: value))
                    outcome.acknowledged.append((response.header.revision, key, value))
                }
            } catch {
                #expect(error == .stopped, "\(error)")
                outcome.refused[key] = value
                break
            }
        }
        if store.failure == nil { try? await Task.sleep(for: .milliseconds(5)) }
        stream.close()
        outcome.seen = try await watcher.value
        return outcome
    }

    @Test(
        "loses nothing acknowledged wherever writing or applying fails",
        arguments: SimulatedDisk.Fault.allCases
    )
    func failAtEach(fault: SimulatedDisk.Fault) async throws {
        var number = 1
        while true {
            let disk = SimulatedDisk()
            let stopped = Mutex<[String]>([])
            var options = testOptions()
            options.applyDelay = .zero
            let backend = try SimulatedBackend(disk)
            disk.fail(at: number, fault)
            let store = try EmbeddedStore(backend: backend, options: options) { reason in
                stopped.withLock { $0.append(reason) }
            }
            let outcome = try await self.work(store)
            let hasFailed = disk.hasFailed
            if hasFailed {
                _ = try await poll { stopped.withLock { !$0.isEmpty } }
                #expect(stopped.withLock { $0.count } == 1)
                #expect(throws: StoreError.self) { try store.close() }
                await #expect(throws: StoreError.stopped) {
                    try await store.put(PutRequest(key: "x"))
                }
                await #expect(throws: StoreError.stopped) {
                    try await store.range(RangeRequest(key: "x"))
                }
            } else {
                try store.close()
            }
            let failedAfter = disk.operations
            try await self.checkAfterRestart(disk, outcome, "operation \(number), \(fault)")
            // Nothing is retried after a failure of the log: the one that failed was the last.
            if !hasFailed {
                #expect(failedAfter < number)
                #expect(number > 20, "the workload has too few operations to fail")
                return
            }
            number += 1
        }
    }

    private func checkAfterRestart(
        _ disk: SimulatedDisk,
        _ outcome: Outcome,
        _ comment: String
    ) async throws {
        let store = try EmbeddedStore(backend: try SimulatedBackend(disk), options: testOptions())
        defer { try? store.close() }
        let compactRevision = store.state.withLock { $0.compactRevision }
        let last = try await store.status().header.revision
        for (revision, key, value) in outcome.acknowledged {
            #expect(revision <= last, "\(comment)")
            if revision < compactRevision { continue }
            let read = try await store.range(RangeRequest(key: key, revision: revision))
            #expect(read.kvs.first?.value == value, "\(comment): \(key) at \(revision)")
        }
        // What a watcher saw was durable.
        for event in outcome.seen where event.kv.modRevision >= compactRevision {
            let read = try await store.range(
                RangeRequest(key: event.kv.key, revision: event.kv.modRevision)
            )
            #expect(read.kvs.first?.value == (event.type == .put ? event.kv.value : nil))
        }
        // The last state of each key is the last acknowledged one or the refused one.
        for (key, refused) in outcome.refused {
            let read = try await store.range(RangeRequest(key: key)).kvs.first?.value
            let known = outcome.acknowledged.last { $0.key == key }?.value
            #expect(read == known || read == refused || read == nil, "\(comment)")
        }
        let next = try await store.put(PutRequest(key: "after", value: "1"))
        #expect(next.header.revision == last + 1)
        #expect(store.state.withLock { $0.index.defect() } == nil)
    }

    @Test("refuses growth when the disk is full, and goes on when it is not")
    func fullDisk() async throws {
        let disk = SimulatedDisk()
        let store = try EmbeddedStore(backend: try SimulatedBackend(disk), options: testOptions())
        _ = try await store.put(PutRequest(key: "a", value: "1"))
        disk.isFull = true
        let stream = WatchReader(try await store.openWatchStream())
        try await stream.create(WatchCreateRequest(key: "a"))
        await #expect(throws: StoreError.noSpace) {
            try await store.put(PutRequest(key: "a", value: "2"))
        }
        let alarm = AlarmMember(memberID: 1, alarm: .noSpace)
        #expect(try await store.alarm(AlarmRequest()).alarms == [alarm])
        #expect(try await store.range(RangeRequest(key: "a")).kvs.first?.value == "1")
        #expect(try await store.status().errors.count == 1)
        // Deletions and compactions make space, so they work on.
        let gone = try await store.deleteRange(DeleteRangeRequest(key: "a"))
        #expect(gone.deleted == 1)
        #expect(try await stream.events(1).first?.type == .delete)
        _ = try await store.compact(
            CompactionRequest(revision: gone.header.revision, physical: true)
        )
        disk.isFull = false
        await #expect(throws: StoreError.noSpace) { try await store.put(PutRequest(key: "a")) }
        // The alarm survives a restart, and ends when it is told to.
        try store.close()
        let again = try EmbeddedStore(backend: try SimulatedBackend(disk), options: testOptions())
        await #expect(throws: StoreError.noSpace) { try await again.put(PutRequest(key: "a")) }
        _ = try await again.alarm(AlarmRequest(action: .deactivate, alarm: .noSpace))
        _ = try await again.put(PutRequest(key: "a", value: "3"))
        try again.close()
    }

    @Test("refuses everything while the alarm for corruption is raised")
    func corruptAlarm() async throws {
        let store = try EmbeddedStore(backend: MemoryBackend(), options: testOptions())
        defer { try? store.close() }
        _ = try await store.put(PutRequest(key: "a", value: "1"))
        _ = try await store.alarm(AlarmRequest(action: .activate, alarm: .corrupt))
        await #expect(throws: StoreError.corrupt) { try await store.put(PutRequest(key: "a")) }
        await #expect(throws: StoreError.corrupt) { try await store.range(RangeRequest(key: "a")) }
        await #expect(throws: StoreError.corrupt) {
            try await store.range(RangeRequest(key: "a", rangeEnd: "b"))
        }
        await #expect(throws: StoreError.corrupt) { try await store.txn(TxnRequest()) }
        _ = try await store.alarm(AlarmRequest(action: .deactivate, alarm: .corrupt))
        #expect(try await store.range(RangeRequest(key: "a")).kvs.count == 1)
    }
}
