// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Bytes
internal import Synchronization

/// A backend that keeps everything in memory: for tests, and for stores that may be lost.
package final class MemoryBackend: StorageBackend {
    private struct Contents {
        var state: TableState
        /// In order of revisions; removed ones are nil until they are cleaned up.
        var revisions: [Revision] = []
        var records: [Bytes?] = []
        var removed = 0
        var leases: [Int64: Int64] = [:]

        /// The index of `revision`, or where it would be.
        func position(_ revision: Revision) -> Int {
            var low = 0
            var high = self.revisions.count
            while low < high {
                let middle = (low + high) / 2
                if self.revisions[middle] < revision { low = middle + 1 } else { high = middle }
            }
            return low
        }

        func record(_ revision: Revision) -> Bytes? {
            let index = self.position(revision)
            guard index < self.revisions.count, self.revisions[index] == revision else {
                return nil
            }
            return self.records[index]
        }

        mutating func removeHoles() {
            var kept: [Revision] = []
            var records: [Bytes?] = []
            kept.reserveCapacity(self.revisions.count - self.removed)
            records.reserveCapacity(kept.capacity)
            for (revision, record) in zip(self.revisions, self.records) where record != nil {
                kept.append(revision)
                records.append(record)
            }
            self.revisions = kept
            self.records = records
            self.removed = 0
        }
    }

    private let contents: Mutex<Contents>

    /// An empty backend.
    package init(clusterID: UInt64 = 1, memberID: UInt64 = 1) {
        self.contents = Mutex(
            Contents(state: TableState(clusterID: clusterID, memberID: memberID))
        )
    }

    package func prepare(bytes: Int, pendingBytes: Int, isGrowth: Bool) throws(BackendError) {}

    package func append(
        _ frame: UnsafeRawBufferPointer,
        sequence: UInt64
    ) throws(BackendError) {}

    package func apply(_ batch: borrowing TableBatch) throws(BackendError) {
        self.contents.withLock { contents in
            var state = batch.state
            let old = contents.state
            state.recordCount = old.recordCount
            state.recordBytes = old.recordBytes
            state.recordSum = old.recordSum
            state.leaseSum = old.leaseSum
            for addition in batch.additions {
                contents.revisions.append(addition.revision)
                contents.records.append(Bytes(copying: addition.record))
                state.add(addition.record)
            }
            for revision in batch.deletions {
                let index = contents.position(revision)
                guard index < contents.revisions.count, contents.revisions[index] == revision,
                    let record = contents.records[index]
                else { continue }
                let checksum = record.withUnsafeBytes { Frame.load($0, 0, as: UInt64.self) }
                state.remove(bytes: record.count, checksum: checksum)
                contents.records[index] = nil
                contents.removed += 1
            }
            for change in batch.leases {
                if let ttl = contents.leases[change.id] {
                    state.leaseSum &-= TableState.leaseChecksum(change.id, ttl: ttl)
                }
                contents.leases[change.id] = change.ttl
                if let ttl = change.ttl {
                    state.leaseSum &+= TableState.leaseChecksum(change.id, ttl: ttl)
                }
            }
            contents.state = state
            if contents.removed * 2 > contents.revisions.count { contents.removeHoles() }
        }
    }

    package func readRecord(
        _ revision: Revision,
        _ body: (UnsafeRawBufferPointer?) -> Void
    ) throws(BackendError) {
        guard let record = self.contents.withLock({ $0.record(revision) }) else {
            body(nil)
            return
        }
        record.withUnsafeBytes { body($0) }
    }

    package func readRecords(
        _ revisions: ArraySlice<Revision>,
        _ body: (Revision, UnsafeRawBufferPointer?) -> Bool
    ) throws(BackendError) {
        for revision in revisions {
            let record = self.contents.withLock { $0.record(revision) }
            let goesOn =
                if let record {
                    record.withUnsafeBytes { body(revision, $0) }
                } else {
                    body(revision, nil)
                }
            if !goesOn { return }
        }
    }

    package func measureRecords(
        _ revisions: ArraySlice<Revision>,
        _ body: (Revision, Int?) -> Bool
    ) throws(BackendError) {
        for revision in revisions {
            let count = self.contents.withLock { $0.record(revision)?.count }
            if !body(revision, count) { return }
        }
    }

    package func scanRecords(
        from first: Revision,
        _ body: (Revision, UnsafeRawBufferPointer) -> Bool
    ) throws(BackendError) {
        var next = first
        while true {
            let found: (Revision, Bytes)? = self.contents.withLock { contents in
                var index = contents.position(next)
                while index < contents.revisions.count {
                    if let record = contents.records[index] {
                        return (contents.revisions[index], record)
                    }
                    index += 1
                }
                return nil
            }
            guard let (revision, record) = found else { return }
            guard record.withUnsafeBytes({ body(revision, $0) }) else { return }
            next = Revision(main: revision.main, sub: revision.sub + 1)
        }
    }

    package func scanLeases(_ body: (Int64, Int64) -> Void) throws(BackendError) {
        let leases = self.contents.withLock { $0.leases }
        for (id, ttl) in leases { body(id, ttl) }
    }

    package var name: String { "memory" }

    package var state: TableState { self.contents.withLock { $0.state } }

    package var usage: StorageUsage {
        let bytes = self.contents.withLock { $0.state.recordBytes }
        return StorageUsage(allocatedBytes: bytes, usedBytes: bytes)
    }

    package func close() throws(BackendError) {}

    /// Replaces what the table says of itself, for tests of what opening notices.
    func setState(_ state: TableState) {
        self.contents.withLock { $0.state = state }
    }
}
