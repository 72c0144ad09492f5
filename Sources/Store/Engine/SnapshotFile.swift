// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import KeyValueStore

/// A snapshot in a file: what it holds, and how to make a store of it.
///
/// Takes the snapshots of this store, of etcd (`etcdctl snapshot save`), and a copy of etcd's data
/// file (`member/snap/db`).
package enum SnapshotFile {
    /// What a snapshot holds, as `etcdctl snapshot status` reckons it.
    package struct Status: Hashable, Sendable {
        /// The CRC-32C of all buckets, keys and values.
        package var hash: UInt32
        /// The last revision.
        package var revision: Int64
        /// The entries of all buckets: revisions of keys, leases, and what etcd keeps besides.
        package var totalKeys: Int64
        /// The size of the database in bytes.
        package var totalBytes: Int64
    }

    /// Settings of a restoration.
    package struct Options: Sendable {
        /// Whether to do without the SHA-256, which a copy of a data file has not.
        package var skipsHashCheck = false
        /// The numbers of the new cluster and member.
        package var clusterID: UInt64
        package var memberID: UInt64
        /// What to add to the revision, so that clients which saw later ones than the snapshot has
        /// do not take new changes for old; 0 for nothing. History is compacted then.
        package var revisionBump: Int64 = 0
        /// Settings of the new store.
        package var backend = DirectoryBackend.Options()

        package init(clusterID: UInt64, memberID: UInt64) {
            self.clusterID = clusterID
            self.memberID = memberID
        }
    }

    /// Etcd's names.
    private enum Name {
        static let key = Array("key".utf8)
        static let lease = Array("lease".utf8)
        static let meta = Array("meta".utf8)
        static let finished = Array("finishedCompactRev".utf8)
        static let scheduled = Array("scheduledCompactRev".utf8)
    }

    /// About how many bytes of records go to the table at once.
    private static let batchBytes = 8 << 20

    // MARK: - Status

    /// Reads the whole file and says what is in it.
    package static func status(_ path: String) throws(BackendError) -> Status {
        let file = try BoltFile(opening: path)
        var status = Status(hash: 0, revision: 0, totalKeys: 0, totalBytes: file.byteCount)
        var crc = CRC32C()
        for bucket in try file.buckets() {
            let isKeys = bucket.name == Name.key
            bucket.name.withUnsafeBytes { crc.update($0) }
            try file.forEach(in: bucket) { key, value in
                crc.update(key)
                crc.update(value)
                if isKeys, let revision = self.revision(key) {
                    status.revision = revision.revision.main
                }
                status.totalKeys += 1
                return true
            }
        }
        status.hash = crc.value
        return status
    }

    // MARK: - Restoring

    /// Makes a new store in `directory`, which must be empty or missing, from the snapshot at
    /// `path`.
    ///
    /// - Returns: The revision of the new store.
    /// - Throws: `damaged` if the snapshot is not sound; the directory is then of no use.
    package static func restore(
        _ path: String,
        into directory: String,
        options: Options
    ) throws(BackendError) -> Int64 {
        let file = try BoltFile(opening: path)
        if !options.skipsHashCheck {
            guard !file.trailer.isEmpty else {
                throw .damaged(
                    "\(path): it has no hash; if it is a copy of a data file, restore it with "
                        + "--skip-hash-check"
                )
            }
            guard file.trailerIsRight() else {
                throw .damaged("\(path): it is not what was saved: its SHA-256 differs")
            }
        }
        let fresh = TableState(clusterID: options.clusterID, memberID: options.memberID)
        let backend = try DirectoryBackend(opening: directory, options: options.backend) { fresh }
        guard backend.state.recordCount == 0, backend.state.sequence == 0,
            backend.state.clusterID == options.clusterID
        else { throw .unusable("data directory \(directory) holds a store already") }
        var state = backend.state
        // The store goes on with a compaction that was not finished.
        (state.compactRevision, state.compactedRevision) = try self.compaction(file)
        try self.restoreKeys(file, path, backend, &state)
        state.revision = max(state.revision, state.compactRevision)
        if options.revisionBump > 0 {
            let (bumped, overflow) = state.revision.addingReportingOverflow(options.revisionBump)
            if overflow { throw .unusable("revision \(state.revision) cannot be bumped so far") }
            state.compactRevision = state.revision
            state.revision = bumped
        }
        var last = TableBatch(state: state)
        try self.restoreLeases(file, path, &last)
        try backend.apply(last)
        try backend.close()
        return state.revision
    }

    /// The revision that history was given up before, and that it is off the file before.
    private static func compaction(
        _ file: borrowing BoltFile
    ) throws(BackendError) -> (scheduled: Int64, finished: Int64) {
        var scheduled: Int64 = -1
        var finished: Int64 = -1
        for bucket in try file.buckets() where bucket.name == Name.meta {
            try file.forEach(in: bucket) { key, value in
                guard let found = self.revision(value) else { return true }
                if key.elementsEqual(Name.scheduled) { scheduled = found.revision.main }
                if key.elementsEqual(Name.finished) { finished = found.revision.main }
                return true
            }
        }
        return (max(scheduled, finished), finished)
    }

    /// Reads etcd's key of a revision.
    private static func revision(
        _ key: UnsafeRawBufferPointer
    ) -> (revision: Revision, isTombstone: Bool)? {
        let isTombstone = key.count == 18 && key[17] == UInt8(ascii: "t")
        guard key.count == 17 || isTombstone else { return nil }
        let main = Int64(bigEndian: key.loadUnaligned(as: Int64.self))
        let sub = Int64(bigEndian: key.loadUnaligned(fromByteOffset: 9, as: Int64.self))
        guard main >= 0, let sub = UInt32(exactly: sub) else { return nil }
        return (Revision(main: main, sub: sub), isTombstone)
    }

    private static func restoreKeys(
        _ file: borrowing BoltFile,
        _ path: String,
        _ backend: DirectoryBackend,
        _ state: inout TableState
    ) throws(BackendError) {
        var builder = FrameBuilder()
        var last = Revision(main: 0, sub: 0)
        var defect: String?
        var failure: BackendError?
        for bucket in try file.buckets() where bucket.name == Name.key {
            try file.forEach(in: bucket) { key, value in
                guard let (revision, isTombstone) = self.revision(key), last < revision,
                    let keyValue = EncodedKeyValue(parsing: value), !keyValue.key.isEmpty
                else {
                    defect = "the entry after revision \(last) makes no sense"
                    return false
                }
                last = revision
                if isTombstone {
                    builder.addTombstone(revision, key: keyValue.key)
                } else {
                    guard keyValue.modRevision == revision.main, keyValue.version > 0 else {
                        defect = "revision \(revision) has a key of another revision"
                        return false
                    }
                    builder.addPut(
                        revision,
                        key: keyValue.key,
                        value: keyValue.value,
                        createRevision: keyValue.createRevision,
                        version: keyValue.version,
                        lease: keyValue.lease
                    )
                }
                if builder.payloadBytes >= self.batchBytes {
                    do throws(BackendError) {
                        try self.flush(&builder, backend, &state, last.main)
                    } catch {
                        failure = error
                        return false
                    }
                }
                return true
            }
        }
        if let failure { throw failure }
        if let defect { throw .damaged("\(path): \(defect)") }
        try self.flush(&builder, backend, &state, last.main)
    }

    private static func flush(
        _ builder: inout FrameBuilder,
        _ backend: DirectoryBackend,
        _ state: inout TableState,
        _ revision: Int64
    ) throws(BackendError) {
        if builder.isEmpty { return }
        try backend.prepare(bytes: builder.payloadBytes, pendingBytes: 0, isGrowth: true)
        // The frame never goes to a log: it only carries the records.
        let finished = builder.finish(
            sequence: state.sequence,
            previousChecksum: 0,
            revision: revision,
            index: state.index
        )
        state.revision = max(state.revision, revision)
        var batch = TableBatch(state: state)
        for place in finished.records {
            let record = UnsafeRawBufferPointer(
                start: finished.storage.base + place.offset,
                count: place.count
            )
            batch.additions.append(TableBatch.Addition(revision: place.revision, record: record))
        }
        try backend.apply(batch)
        withExtendedLifetime(finished.storage) {}
    }

    private static func restoreLeases(
        _ file: borrowing BoltFile,
        _ path: String,
        _ batch: inout TableBatch
    ) throws(BackendError) {
        var defect = false
        var leases: [TableBatch.LeaseChange] = []
        for bucket in try file.buckets() where bucket.name == Name.lease {
            try file.forEach(in: bucket) { _, value in
                // leasepb.Lease: 1 ID, 2 TTL, 3 remaining TTL.
                var reader = FieldReader(value)
                var id: Int64 = 0
                var ttl: Int64 = 0
                while let tag = reader.tag() {
                    switch tag {
                    case 0x08: id = Int64(bitPattern: reader.varint() ?? 0)
                    case 0x10: ttl = Int64(bitPattern: reader.varint() ?? 0)
                    default: _ = reader.skip(tag)
                    }
                }
                if reader.failed || id == 0 || ttl <= 0 {
                    defect = true
                    return false
                }
                leases.append(TableBatch.LeaseChange(id: id, ttl: ttl))
                return true
            }
        }
        if defect { throw .damaged("\(path): a lease makes no sense") }
        batch.leases = leases
    }
}
