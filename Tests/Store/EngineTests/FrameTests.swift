// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import KeyValueStore
import Testing

@testable import Engine

@Suite("Log frame")
struct FrameTests {
    private func frame() -> FrameBuilder.Finished {
        var builder = FrameBuilder()
        Bytes(utf8: "key").withUnsafeBytes { key in
            Bytes(utf8: "value").withUnsafeBytes { value in
                builder.addPut(
                    Revision(main: 7, sub: 0),
                    key: key,
                    value: value,
                    createRevision: 7,
                    version: 1,
                    lease: 3
                )
            }
            builder.addTombstone(Revision(main: 8, sub: 0), key: key)
        }
        builder.addLeaseGrant(3, ttl: 60)
        builder.addLeaseRevoke(4)
        builder.addCompaction(5)
        builder.addAlarms(1)
        return builder.finish(sequence: 9, previousChecksum: 11, revision: 8, index: 20)
    }

    @Test("says what was put into it")
    func roundTrip() throws {
        let finished = self.frame()
        let header = try #require(Frame.open(finished.storage.bytes))
        #expect(header == finished.header)
        #expect(header.sequence == 9 && header.revision == 8 && header.index == 20)
        #expect(finished.storage.count % Frame.alignment == 0)
        var batch = TableBatch(state: TableState(clusterID: 1, memberID: 2))
        let isSound = batch.add(finished.storage.bytes, header)
        #expect(isSound)
        #expect(batch.additions.map(\.revision.main) == [7, 8])
        #expect(batch.leases.map(\.id) == [3, 4])
        #expect(batch.leases.map(\.ttl) == [60, nil])
        #expect(batch.state.compactRevision == 5)
        #expect(batch.state.alarms == 1)
        #expect(batch.state.sequence == 9)
        let put = try #require(Record.open(batch.additions[0].record, Revision(main: 7, sub: 0)))
        let kv = try #require(put.keyValue)
        #expect([UInt8](kv.key) == Array("key".utf8))
        #expect([UInt8](kv.value) == Array("value".utf8))
        #expect(kv.createRevision == 7 && kv.modRevision == 7 && kv.version == 1)
        #expect(kv.lease == 3)
        // A record is not taken for the one of another revision.
        #expect(Record.open(batch.additions[0].record, Revision(main: 7, sub: 1)) == nil)
    }

    @Test("is refused with any bit changed or any byte missing")
    func damage() {
        let bytes = [UInt8](self.frame().storage.bytes)
        let padding = bytes.count - self.frame().header.payloadBytes - Frame.headerBytes
        for index in 0..<(bytes.count - padding) {
            var damaged = bytes
            damaged[index] ^= 1 << UInt8(index % 8)
            #expect(damaged.withUnsafeBytes { Frame.open($0) } == nil, "byte \(index)")
            let short = bytes[..<index]
            #expect(short.withUnsafeBytes { Frame.open($0) } == nil, "\(index) bytes")
        }
    }

    @Test("state of a table survives its encoding, and no other bytes do")
    func state() {
        var state = TableState(clusterID: 1, memberID: 2)
        state.alarms = 3
        state.term = 4
        state.revision = 5
        state.compactRevision = -1
        state.compactedRevision = 6
        state.index = 7
        state.sequence = 8
        state.frameChecksum = 9
        state.recordCount = 10
        state.recordBytes = 11
        state.recordSum = 12
        state.leaseSum = 13
        state.isClean = false
        let bytes = state.encoded
        #expect(bytes.withUnsafeBytes { TableState(parsing: $0) } == state)
        for index in bytes.indices {
            var damaged = bytes
            damaged[index] ^= 4
            #expect(damaged.withUnsafeBytes { TableState(parsing: $0) } == nil, "byte \(index)")
        }
    }
}
