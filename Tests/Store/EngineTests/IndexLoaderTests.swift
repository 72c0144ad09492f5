// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import KeyValueStore
import Testing

@testable import Engine

@Suite("Index loader")
struct IndexLoaderTests {
    /// A batch of `count` changes from revision `first` on; every tenth is a deletion of the key that
    /// was written before it.
    private func batch(_ first: Int64, _ count: Int64) throws -> IndexBatch {
        var batch = IndexBatch()
        for main in first..<(first + count) {
            let isTombstone = main % 10 == 0
            let kv = KeyValue(
                key: Bytes(utf8: "key\(isTombstone ? main - 1 : main)"),
                createRevision: main,
                modRevision: main,
                version: 1,
                lease: main % 2 == 0 ? 0 : 7
            )
            var bytes = [UInt8](repeating: 0, count: kv.encodedByteCount)
            try bytes.withUnsafeMutableBytes { buffer in
                _ = kv.encode(to: try #require(buffer.baseAddress))
            }
            try bytes.withUnsafeBytes { buffer in
                let encoded = try #require(EncodedKeyValue(parsing: buffer))
                batch.add(Revision(main: main, sub: 0), encoded, isTombstone: isTombstone)
            }
        }
        return batch
    }

    private func leases() -> LeaseTable {
        var leases = LeaseTable()
        leases.grant(7, ttl: 60, now: 0)
        return leases
    }

    // Far more batches than may wait.
    @Test("puts everything into the index, in order, and keys to their leases")
    func batches() throws {
        var state = StoreState(testState())
        let batches = try (0..<300).map { try self.batch(Int64($0) * 20 + 1, 20) }
        try IndexLoader.load(into: &state, leases: self.leases()) { loader in
            loader.send(IndexBatch())
            for batch in batches { loader.send(batch) }
        }
        #expect(state.index.defect() == nil)
        let all = KeyRange(key: [0], rangeEnd: [0])
        #expect(state.index.count(all, at: 6000) == 6000 / 10 * 8)
        for main in [1, 5, 8, 5998] as [Int64] {
            let found = Bytes(utf8: "key\(main)").withUnsafeBytes { state.index.state(of: $0) }
            #expect(found?.revision == Revision(main: main, sub: 0))
            #expect(found?.isTombstone == false)
        }
        let deleted = Bytes(utf8: "key5999").withUnsafeBytes { state.index.state(of: $0) }
        #expect(deleted?.isTombstone == true)
        #expect(deleted?.revision.main == 6000)
        // Odd keys have the lease, but not those that were deleted.
        #expect(state.leases.lease(7)?.keys.count == 6000 / 10 * 4)
    }

    @Test("ends its thread when reading fails")
    func failure() throws {
        var state = StoreState(testState())
        let batch = try self.batch(1, 20)
        #expect(throws: BackendError.damaged("here")) {
            try IndexLoader.load(into: &state, leases: self.leases()) {
                loader throws(BackendError) in
                loader.send(batch)
                throw .damaged("here")
            }
        }
    }
}
