// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Bytes
internal import KeyValueStore
internal import Synchronization

/// A snapshot of a running store, as a file that etcd's tools take for one of theirs: a bbolt file
/// with etcd's buckets, and its SHA-256 behind it.
///
/// The revision is fixed when the snapshot is opened, and so is what history belongs to it; nothing
/// of it is removed while the snapshot is read. The data is gone through twice: once to plan the
/// pages, since the first page tells where everything is, and once to send them.
///
/// Source: etcd 3.6 `server/storage/schema/bucket.go`, `server/storage/mvcc/store.go`,
/// `server/etcdserver/api/v3rpc/maintenance.go`.
final class SnapshotWriter: SnapshotStream {
    /// What the snapshot holds besides keys.
    struct Contents: Sendable {
        var revision: Int64
        var compactRevision: Int64
        var index: UInt64
        var term: UInt64
        var memberID: UInt64
        var alarms: [AlarmType]
        /// Time to live in seconds, by lease.
        var leases: [(id: Int64, ttl: Int64)]
    }

    /// Etcd's names of buckets, in order.
    private static let bucketNames = [
        "alarm", "auth", "authRoles", "authUsers", "cluster", "key", "lease", "members",
        "members_removed", "meta",
    ]

    /// About how many bytes `next` gives at once.
    private static let partBytes = 256 << 10

    private enum Pages {
        static let freelist: UInt64 = 2
        static let root: UInt64 = 3
        static let firstData: UInt64 = 4
    }

    private enum Step {
        case start
        case keys
        case keyBranches
        case leases
        case digest
        case end
    }

    private struct State {
        var step = Step.start
        var sha = SHA256()
        /// The next history to read.
        var nextRevision: Int64 = 0
        var leaf = BoltLeaf()
        var leafIndex = 0
        var page = Pages.firstData
        var buffer: [UInt8] = []
        var isClosed = false
    }

    let revision: Int64
    let totalBytes: UInt64

    private let store: EmbeddedStore
    private let contents: Contents
    private let keyPlan: BoltBucketPlan
    private let leasePlan: BoltBucketPlan
    private let state = Mutex(State())

    /// Plans a snapshot. Goes through all data, so it is nothing for a thread others wait for. The
    /// store has pinned `contents.compactRevision`; the snapshot lets go of it when it is closed.
    init(_ store: EmbeddedStore, _ contents: Contents) throws(StoreError) {
        var keyPlan = BoltBucketPlan(firstPage: Pages.firstData)
        var next: Int64 = 0
        while next <= contents.revision {
            let chunk = try store.readHistory(from: next)
            for change in chunk.changes where change.revision.main <= contents.revision {
                change.record.withUnsafeBytes { bytes in
                    let record = Record.openUnchecked(bytes)
                    guard store.isHashed(change.revision, record, contents.compactRevision) else {
                        return
                    }
                    let (key, value) = EmbeddedStore.etcdEntry(change.revision, record)
                    keyPlan.add(key, valueBytes: value.count)
                }
            }
            next = chunk.end + 1
        }
        keyPlan.finish()
        var leasePlan = BoltBucketPlan(firstPage: keyPlan.endPage)
        for lease in contents.leases {
            let (key, value) = Self.leaseEntry(lease.id, lease.ttl)
            leasePlan.add(key, valueBytes: value.count)
        }
        leasePlan.finish()
        self.store = store
        self.contents = contents
        self.keyPlan = keyPlan
        self.leasePlan = leasePlan
        self.revision = contents.revision
        let fileBytes = leasePlan.endPage * UInt64(Bolt.pageBytes)
        self.totalBytes = fileBytes + UInt64(SHA256.digestBytes)
    }

    deinit {
        self.close()
    }

    func close() {
        let isFirst = self.state.withLock { state in
            defer { state.isClosed = true }
            return !state.isClosed
        }
        if isFirst { self.store.unpin(self.contents.compactRevision) }
    }

    func next() async throws(StoreError) -> Bytes? {
        try self.nextPart()
    }

    /// The next part of the file.
    func nextPart() throws(StoreError) -> Bytes? {
        let part = try self.state.withLock { state throws(StoreError) in
            if state.isClosed { return [UInt8]?.none }
            while state.buffer.count < Self.partBytes, state.step != .end {
                try self.advance(&state)
            }
            if state.buffer.isEmpty { return nil }
            defer { state.buffer = [] }
            return state.buffer
        }
        if part == nil { self.close() }
        return part.map { Bytes($0) }
    }

    private func advance(_ state: inout State) throws(StoreError) {
        switch state.step {
        case .start:
            Self.emit(self.firstPages(), &state)
            state.step = .keys
        case .keys:
            if state.nextRevision > self.revision {
                state.step = .keyBranches
            } else {
                try self.emitKeys(&state)
            }
        case .keyBranches:
            for branch in self.keyPlan.branches {
                Self.emit(BoltBucketPlan.encode(branch), &state)
            }
            state.page = self.keyPlan.endPage
            state.leafIndex = 0
            state.step = .leases
        case .leases:
            for lease in self.contents.leases {
                let (key, value) = Self.leaseEntry(lease.id, lease.ttl)
                value.withUnsafeBytes { state.leaf.add(key, $0) }
                Self.emitFullLeaf(self.leasePlan, &state)
            }
            for branch in self.leasePlan.branches {
                Self.emit(BoltBucketPlan.encode(branch), &state)
            }
            state.step = .digest
        case .digest:
            state.buffer.append(contentsOf: state.sha.finish())
            state.step = .end
        case .end:
            return
        }
    }

    private static func emit(_ bytes: [UInt8], _ state: inout State) {
        bytes.withUnsafeBytes { state.sha.update($0) }
        state.buffer.append(contentsOf: bytes)
    }

    private func emitKeys(_ state: inout State) throws(StoreError) {
        let chunk = try self.store.readHistory(from: state.nextRevision)
        for change in chunk.changes where change.revision.main <= self.revision {
            change.record.withUnsafeBytes { bytes in
                let record = Record.openUnchecked(bytes)
                let compactRevision = self.contents.compactRevision
                guard self.store.isHashed(change.revision, record, compactRevision) else { return }
                let (key, value) = EmbeddedStore.etcdEntry(change.revision, record)
                state.leaf.add(key, value)
                Self.emitFullLeaf(self.keyPlan, &state)
            }
        }
        state.nextRevision = chunk.end + 1
    }

    /// Writes the leaf if it has the entries that were planned for it.
    private static func emitFullLeaf(_ plan: BoltBucketPlan, _ state: inout State) {
        guard state.leafIndex < plan.leafCounts.count,
            state.leaf.count == Int(plan.leafCounts[state.leafIndex])
        else { return }
        let bytes = state.leaf.encode(page: state.page)
        state.page += UInt64(bytes.count / Bolt.pageBytes)
        state.leafIndex += 1
        Self.emit(bytes, &state)
    }

    // MARK: - Pages in front

    private func firstPages() -> [UInt8] {
        var bytes: [UInt8] = []
        for page in 0..<2 as Range<UInt64> { bytes.append(contentsOf: self.metaPage(page)) }
        var freelist: [UInt8] = []
        freelist.appendPageHeader(
            id: Pages.freelist,
            flags: Bolt.Flag.freelist,
            count: 0,
            overflow: 0
        )
        freelist.pad(to: Bolt.pageBytes)
        bytes.append(contentsOf: freelist)
        bytes.append(contentsOf: self.rootPage())
        return bytes
    }

    private func metaPage(_ page: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendPageHeader(id: page, flags: Bolt.Flag.meta, count: 0, overflow: 0)
        let start = bytes.count
        bytes.append(integer: Bolt.magic)
        bytes.append(integer: Bolt.version)
        bytes.append(integer: UInt32(Bolt.pageBytes))
        bytes.append(integer: UInt32(0))
        bytes.append(integer: Pages.root)
        bytes.append(integer: UInt64(0))
        bytes.append(integer: Pages.freelist)
        bytes.append(integer: self.leasePlan.endPage)
        // The second page is the newer one.
        bytes.append(integer: page)
        bytes.append(integer: Bolt.checksum(bytes[start...]))
        bytes.pad(to: Bolt.pageBytes)
        return bytes
    }

    /// The page with the buckets. Small ones are inside it.
    private func rootPage() -> [UInt8] {
        var leaf = BoltLeaf()
        for name in Self.bucketNames {
            let value: [UInt8] =
                switch name {
                case "key": Self.bucket(self.keyPlan.root)
                case "lease": Self.bucket(self.leasePlan.root)
                case "meta": Self.inlineBucket(self.metaEntries())
                case "alarm": Self.inlineBucket(self.alarmEntries())
                default: Self.inlineBucket([])
                }
            value.withUnsafeBytes {
                leaf.add(Array(name.utf8), $0, flags: Bolt.bucketElement)
            }
        }
        return leaf.encode(page: Pages.root)
    }

    private static func bucket(_ root: UInt64?) -> [UInt8] {
        guard let root else { return self.inlineBucket([]) }
        var bytes: [UInt8] = []
        bytes.append(integer: root)
        bytes.append(integer: UInt64(0))
        return bytes
    }

    private static func inlineBucket(_ entries: [(key: [UInt8], value: [UInt8])]) -> [UInt8] {
        var leaf = BoltLeaf()
        for entry in entries { entry.value.withUnsafeBytes { leaf.add(entry.key, $0) } }
        let used = entries.reduce(Bolt.pageHeaderBytes) {
            $0 + Bolt.leafBytes(keyBytes: $1.key.count, valueBytes: $1.value.count)
        }
        var bytes: [UInt8] = []
        bytes.append(integer: UInt64(0))
        bytes.append(integer: UInt64(0))
        bytes.append(contentsOf: leaf.encode(page: 0).prefix(used))
        return bytes
    }

    private func metaEntries() -> [(key: [UInt8], value: [UInt8])] {
        func big(_ value: UInt64) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }
        var entries = [
            (key: Array("consistent_index".utf8), value: big(self.contents.index))
        ]
        if self.contents.compactRevision >= 0 {
            let revision = Revision(main: self.contents.compactRevision, sub: 0)
            let value = EmbeddedStore.etcdKey(revision, isTombstone: false)
            entries.append((Array("finishedCompactRev".utf8), value))
            entries.append((Array("scheduledCompactRev".utf8), value))
        }
        entries.append((Array("term".utf8), big(self.contents.term)))
        return entries.sorted { $0.key.lexicographicallyPrecedes($1.key) }
    }

    private func alarmEntries() -> [(key: [UInt8], value: [UInt8])] {
        let entries = self.contents.alarms.map { alarm in
            // etcdserverpb.AlarmMember: 1 memberID, 2 alarm.
            var key = Self.message([(1, self.contents.memberID)])
            key.append(contentsOf: Self.message([(2, UInt64(alarm.rawValue))]))
            return (key: key, value: [UInt8]())
        }
        return entries.sorted { $0.key.lexicographicallyPrecedes($1.key) }
    }

    /// Etcd's entry of a lease: the number, and `leasepb.Lease` (1 ID, 2 TTL).
    private static func leaseEntry(_ id: Int64, _ ttl: Int64) -> (key: [UInt8], value: [UInt8]) {
        let key = withUnsafeBytes(of: id.bigEndian) { Array($0) }
        return (key, self.message([(1, UInt64(bitPattern: id)), (2, UInt64(bitPattern: ttl))]))
    }

    private static func message(_ fields: [(number: UInt8, value: UInt64)]) -> [UInt8] {
        var bytes: [UInt8] = []
        for field in fields where field.value != 0 {
            bytes.append(field.number << 3)
            var rest = field.value
            while rest >= 0x80 {
                bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
                rest >>= 7
            }
            bytes.append(UInt8(rest))
        }
        return bytes
    }
}

extension EmbeddedStore {
    /// Etcd's key of a revision: main, "_", sub, and "t" for a tombstone.
    static func etcdKey(_ revision: Revision, isTombstone: Bool) -> [UInt8] {
        var key: [UInt8] = []
        key.reserveCapacity(18)
        withUnsafeBytes(of: revision.main.bigEndian) { key.append(contentsOf: $0) }
        key.append(UInt8(ascii: "_"))
        withUnsafeBytes(of: Int64(revision.sub).bigEndian) { key.append(contentsOf: $0) }
        if isTombstone { key.append(UInt8(ascii: "t")) }
        return key
    }

    /// What etcd keeps of a record: its key and value in the bucket "key".
    static func etcdEntry(
        _ revision: Revision,
        _ record: Record.View
    ) -> (key: [UInt8], value: UnsafeRawBufferPointer) {
        let key = self.etcdKey(revision, isTombstone: record.isTombstone)
        guard record.isTombstone, let keyValue = record.keyValue else { return (key, record.body) }
        // Etcd's tombstones hold the key alone, which is how the body begins.
        let count = Wire.bytesFieldCount(keyValue.key.count)
        return (key, UnsafeRawBufferPointer(rebasing: record.body[..<count]))
    }

    /// Plans a snapshot of the store as it is now. Blocks.
    func makeSnapshot() throws(StoreError) -> SnapshotWriter {
        try self.checkRunning()
        let contents = self.state.withLock { state in
            state.pin(state.compactRevision)
            return SnapshotWriter.Contents(
                revision: state.committed,
                compactRevision: state.compactRevision,
                index: state.requestIndex,
                term: state.term,
                memberID: state.memberID,
                alarms: state.raised.map(\.alarm),
                leases: state.leases.ids.map { ($0, state.leases.lease($0)?.ttl ?? 0) }
            )
        }
        do throws(StoreError) {
            return try SnapshotWriter(self, contents)
        } catch {
            self.unpin(contents.compactRevision)
            throw error
        }
    }
}
