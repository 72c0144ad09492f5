// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Bytes
internal import KeyValueStore

/// The CRC-32C (Castagnoli) that etcd hashes its data with.
///
/// Source: RFC 3720, appendix B.4.
package struct CRC32C {
    private static let table: [UInt32] = (0..<256).map { index in
        var value = UInt32(index)
        for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0x82F6_3B78 : value >> 1 }
        return value
    }

    private var register: UInt32 = 0xFFFF_FFFF

    package init() {}

    /// Takes in `bytes`.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        var register = self.register
        Self.table.withUnsafeBufferPointer { table in
            for byte in bytes {
                register = register >> 8 ^ table[Int((register ^ UInt32(byte)) & 0xFF)]
            }
        }
        self.register = register
    }

    /// The checksum of all bytes taken in.
    package var value: UInt32 { ~self.register }
}

extension EmbeddedStore {
    /// Hashes what a store has at `revision` the way etcd does: two stores with the same history,
    /// compacted at the same revision, have the same hash.
    ///
    /// Source: etcd 3.6 `server/storage/mvcc/hash.go`.
    func computeHash(_ wanted: Int64) throws(StoreError) -> HashKVResponse {
        let (header, revision, compactRevision) = try self.state.withLock {
            state throws(StoreError) in
            let revision = try state.readRevision(wanted, current: state.committed)
            state.pin(state.compactRevision)
            return (state.header(state.committed), revision, state.compactRevision)
        }
        defer { self.unpin(compactRevision) }
        var crc = CRC32C()
        [UInt8]("key".utf8).withUnsafeBytes { crc.update($0) }
        var next: Int64 = 0
        while next <= revision {
            let chunk = try self.readHistory(from: next)
            for change in chunk.changes where change.revision.main <= revision {
                change.record.withUnsafeBytes { bytes in
                    let record = Record.openUnchecked(bytes)
                    if self.isHashed(change.revision, record, compactRevision) {
                        Self.hash(change.revision, record, &crc)
                    }
                }
            }
            next = chunk.end + 1
        }
        return HashKVResponse(
            header: header,
            hash: crc.value,
            compactRevision: compactRevision,
            hashRevision: revision
        )
    }

    /// Whether a revision counts: what a compaction takes away does not, whether it has been taken
    /// away already or not.
    func isHashed(
        _ revision: Revision,
        _ record: Record.View,
        _ compactRevision: Int64
    ) -> Bool {
        if revision.main > compactRevision { return true }
        guard let key = record.keyValue?.key else { return false }
        if record.isTombstone { return revision.main == compactRevision }
        return self.state.withLock { state in
            state.index.revision(of: key, at: compactRevision) == revision
        }
    }

    private static func hash(_ revision: Revision, _ record: Record.View, _ crc: inout CRC32C) {
        let (key, value) = self.etcdEntry(revision, record)
        key.withUnsafeBytes { crc.update($0) }
        crc.update(value)
    }
}
