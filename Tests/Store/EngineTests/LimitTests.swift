// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import KeyValueStore
import KeyValueStoreSuite
import Synchronization
import Testing

@testable import Engine

@Suite("Limits of the embedded store")
struct LimitTests {
    private func makeStore(
        _ change: (inout StoreOptions) -> Void
    ) throws -> EmbeddedStore {
        var options = testOptions()
        change(&options)
        return try EmbeddedStore(backend: MemoryBackend(), options: options, clock: ManualClock())
    }

    @Test("takes a request of exactly the limit", arguments: [-1, 0, 1])
    func requestBytes(offset: Int) async throws {
        let limit = 2000
        let store = try self.makeStore { $0.limits.maximumRequestBytes = limit }
        defer { try? store.close() }
        // Key: tag, length, 3. Value: tag, 2 bytes of length. Envelope: 18.
        let value = Bytes([UInt8](repeating: 1, count: limit - 18 - 5 - 3 + offset))
        let request = PutRequest(key: "key", value: value)
        #expect(RequestCheck.byteCount(request) + 18 == limit + offset)
        if offset > 0 {
            await #expect(throws: StoreError.requestTooLarge) { try await store.put(request) }
        } else {
            _ = try await store.put(request)
        }
        let txn = TxnRequest(success: [.put(request)])
        #expect(RequestCheck.byteCount(txn) > RequestCheck.byteCount(request))
    }

    @Test("nests transactions to the limit", arguments: [-1, 0, 1])
    func depth(offset: Int) async throws {
        let store = try self.makeStore { $0.limits.maximumTxnDepth = 5 }
        defer { try? store.close() }
        var request = TxnRequest(success: [.put(PutRequest(key: "a"))])
        for _ in 1..<(5 + offset) { request = TxnRequest(success: [.txn(request)]) }
        if offset > 0 {
            await #expect(throws: StoreError.tooManyOps) { try await store.txn(request) }
        } else {
            _ = try await store.txn(request)
        }
    }

    @Test("fills up to the quota, then raises the alarm")
    func quota() async throws {
        let store = try self.makeStore {
            $0.limits.quotaBytes = 100_000
            $0.applyDelay = .zero
        }
        defer { try? store.close() }
        let value = Bytes([UInt8](repeating: 1, count: 1000))
        var stored = 0
        while true {
            do {
                _ = try await store.put(PutRequest(key: Bytes(utf8: "k\(stored)"), value: value))
                stored += 1
            } catch {
                #expect(error == .noSpace)
                break
            }
        }
        #expect(stored > 60 && stored < 100)
        #expect(try await store.alarm(AlarmRequest()).alarms.count == 1)
        #expect(try await store.range(RangeRequest(key: "k1")).kvs.count == 1)
        // Making space and disarming recovers, without anything being defragmented.
        let gone = try await store.deleteRange(DeleteRangeRequest(key: "k", rangeEnd: "l"))
        #expect(gone.deleted == Int64(stored))
        let revision = gone.header.revision
        _ = try await store.compact(CompactionRequest(revision: revision, physical: true))
        _ = try await store.alarm(AlarmRequest(action: .deactivate, alarm: .noSpace))
        _ = try await store.put(PutRequest(key: "again", value: value))
    }

    @Test("refuses requests when too many wait")
    func pendingRequests() async throws {
        let store = try self.makeStore { $0.limits.maximumPendingRequests = 10 }
        defer { try? store.close() }
        let results = Mutex<[Bool]>([])
        // The writer cannot get at the state, so it takes one batch and then none.
        let sent = store.state.withLock { _ in
            for number in 0..<100 {
                let request = PutRequest(key: Bytes(utf8: "k\(number)"))
                store.submit(.put(request), bytes: 10) { result in
                    if case .failure(let error) = result {
                        #expect(error == .requestTooManyRequests)
                        results.withLock { $0.append(false) }
                    } else {
                        results.withLock { $0.append(true) }
                    }
                }
            }
            return 100
        }
        let isDone = try await poll { results.withLock { $0.count } == sent }
        #expect(isDone)
        let accepted = results.withLock { $0.filter { $0 }.count }
        #expect(accepted >= 10 && accepted < 100)
        #expect(try await store.range(RangeRequest(key: "k", rangeEnd: "l")).count == accepted)
    }

    @Test("gives a lease at least the shortest time", arguments: [(0, 1), (1, 1), (2, 2), (-7, 1)])
    func leaseMinimum(asked: Int64, given: Int64) async throws {
        let store = try self.makeStore { _ in }
        defer { try? store.close() }
        #expect(try await store.leaseGrant(LeaseGrantRequest(ttl: asked)).ttl == given)
    }

    @Test("takes the longest time of a lease", arguments: [-1, 0, 1])
    func leaseMaximum(offset: Int64) async throws {
        let store = try self.makeStore { _ in }
        defer { try? store.close() }
        let request = LeaseGrantRequest(ttl: 9_000_000_000 + offset)
        if offset > 0 {
            await #expect(throws: StoreError.leaseTTLTooLarge) {
                try await store.leaseGrant(request)
            }
        } else {
            #expect(try await store.leaseGrant(request).ttl == request.ttl)
        }
    }
}
