// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import KeyValueStore
import TestFolders
import Testing

@testable import Engine

@Suite("RangeReading")
struct RangeReadingTests {
    private static let everything = RangeRequest(key: [0], rangeEnd: [0])

    /// Reads at most `count` keys at a time.
    private static func readAll(_ reading: RangeReading, by count: Int) throws -> [KeyValue] {
        var kvs: [KeyValue] = []
        while !reading.isAtEnd {
            var left = count
            try reading.read { bytes in
                if let kv = KeyValue(encoded: Bytes(copying: bytes)) { kvs.append(kv) }
                left -= 1
                return left > 0
            }
        }
        return kvs
    }

    @Test("gives what a range gives, in whatever parts", arguments: [1, 2, 7, 100])
    func parts(count: Int) async throws {
        let directory = TemporaryDirectory()
        let store = try openStore(directory.path)
        defer { try? store.close() }
        // Some in the table, in one piece and in several, and some in the log.
        for number in 0..<40 {
            let size = number % 3 == 0 ? 9000 : 100
            let value = Bytes([UInt8](repeating: UInt8(number), count: size))
            _ = try await store.put(PutRequest(key: Bytes(utf8: "k\(number)"), value: value))
            if number == 30 {
                #expect(try await poll { store.state.withLock { $0.tail.bytes } == 0 })
            }
        }
        for request in [
            Self.everything, RangeRequest(key: [0], rangeEnd: [0], limit: 11),
            RangeRequest(key: [0], rangeEnd: [0], limit: 9, sortOrder: .descend),
            RangeRequest(key: "k1", rangeEnd: "k2", revision: 20),
            RangeRequest(key: "x", rangeEnd: "y"),
        ] {
            let whole = try await store.range(request)
            let reading = try store.openRange(request)
            var bytes = 0
            try reading.measureRest { bytes += $0 }
            #expect(bytes == whole.kvs.reduce(0) { $0 + $1.encodedByteCount })
            #expect(try Self.readAll(reading, by: count) == whole.kvs)
            #expect(reading.summary.count == whole.count && reading.summary.more == whole.more)
            #expect(reading.isAtEnd)
        }
    }

    @Test("keeps what it has not read yet from compaction")
    func pins() async throws {
        let directory = TemporaryDirectory()
        let store = try openStore(directory.path)
        defer { try? store.close() }
        for number in 0..<20 {
            _ = try await store.put(PutRequest(key: Bytes(utf8: "k\(number)"), value: "old"))
        }
        var reading: RangeReading? = try store.openRange(Self.everything)
        for number in 0..<20 {
            _ = try await store.put(PutRequest(key: Bytes(utf8: "k\(number)"), value: "new"))
        }
        let revision = try await store.status().header.revision
        _ = try await store.compact(CompactionRequest(revision: revision))
        #expect(try await poll { store.state.withLock { $0.tail.bytes } == 0 })
        let kvs = try Self.readAll(try #require(reading), by: 3)
        #expect(kvs.count == 20 && kvs.allSatisfy { $0.value == "old" })
        reading = nil
        #expect(try await poll { store.backend.state.recordCount == 20 })
    }

    @Test("is refused like a range")
    func refusals() async throws {
        let store = try EmbeddedStore(backend: MemoryBackend(), options: testOptions())
        #expect(throws: StoreError.futureRevision) {
            try store.openRange(RangeRequest(key: "a", rangeEnd: "b", revision: 100))
        }
        #expect(throws: StoreError.emptyKey) {
            try store.openRange(RangeRequest(key: "", rangeEnd: "b"))
        }
        try store.close()
        #expect(throws: StoreError.self) { try store.openRange(Self.everything) }
    }
}
