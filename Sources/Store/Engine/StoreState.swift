// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Bytes
internal import KeyValueStore

/// Everything the engine knows in memory: what is pending, what is durable, and where it is.
///
/// A value without I/O and clock. The engine guards it with one lock, which is held while a request
/// is looked up or applied and never while the disk is waited for.
struct StoreState: ~Copyable {
    var index = KeyIndex()
    var tail = Tail()
    var leases = LeaseTable()

    /// The last write that was evaluated. It may not be durable yet.
    var revision: Int64
    /// The last write that is durable: what readers see.
    var committed: Int64
    /// The last write that is in the table; later ones are in the tail.
    var applied: Int64
    /// History before this was given up: readers are refused it. -1 before the first compaction.
    var compactRevision: Int64
    /// History before this is off the table.
    var compactedRevision: Int64
    /// Raised alarms, as bits.
    var alarms: UInt32
    /// The number of requests evaluated.
    var requestIndex: UInt64
    /// Whether leases changed in a way that is not durable yet.
    var hasPendingLeases = false
    /// Revisions that readers are in the middle of reading. What they can see is not removed.
    private(set) var pins: [Int64] = []
    /// Who waits for history to be off the table.
    var compactionWaiters: [CompactionWaiter] = []

    struct CompactionWaiter: Sendable {
        var revision: Int64
        /// Called with an error if the store stops before it is done.
        var body: @Sendable (StoreError?) -> Void
    }

    let clusterID: UInt64
    let memberID: UInt64
    let term: UInt64

    /// A state as the table remembers it, without keys.
    init(_ table: TableState) {
        self.revision = table.revision
        self.committed = table.revision
        self.applied = table.revision
        self.compactRevision = table.compactRevision
        self.compactedRevision = table.compactedRevision
        self.alarms = table.alarms
        self.requestIndex = table.index
        self.clusterID = table.clusterID
        self.memberID = table.memberID
        self.term = table.term
    }

    /// A header that tells `revision`.
    @inline(__always)
    func header(_ revision: Int64) -> ResponseHeader {
        ResponseHeader(
            clusterID: self.clusterID,
            memberID: self.memberID,
            revision: revision,
            raftTerm: self.term
        )
    }

    // MARK: - Alarms

    func isRaised(_ alarm: AlarmType) -> Bool {
        self.alarms & Self.bit(alarm) != 0
    }

    static func bit(_ alarm: AlarmType) -> UInt32 {
        switch alarm {
        case .none: 0
        case .noSpace: 1
        case .corrupt: 2
        }
    }

    /// The raised alarms.
    var raised: [AlarmMember] {
        [AlarmType.noSpace, .corrupt].filter { self.isRaised($0) }.map {
            AlarmMember(memberID: self.memberID, alarm: $0)
        }
    }

    // MARK: - Reading

    /// The revision a request for `wanted` reads at, if it may.
    ///
    /// - Parameter current: The newest revision the reader may see.
    @inline(__always)
    func readRevision(_ wanted: Int64, current: Int64) throws(StoreError) -> Int64 {
        if wanted <= 0 { return current }
        if wanted > current { throw StoreError.futureRevision }
        if wanted < self.compactRevision { throw StoreError.compacted }
        return wanted
    }

    mutating func pin(_ revision: Int64) {
        self.pins.append(revision)
    }

    mutating func unpin(_ revision: Int64) {
        if let index = self.pins.firstIndex(of: revision) { self.pins.remove(at: index) }
    }

    /// The revision before which history may be removed now.
    var compactionFloor: Int64 {
        min(self.compactRevision, self.pins.min() ?? .max)
    }
}

// MARK: - Ranges

/// A record that a read found, and where it is.
struct FoundRecord {
    var revision: Revision
    /// The record, unless it is in the table.
    var tail: Bytes?
}

/// The keys that answer a range, before their values are read.
struct RangeMatch {
    var records: [FoundRecord] = []
    /// Where to go on if the match stopped because it had become long.
    var resume: KeyRange?
}

extension RangeRequest {
    var keyRange: KeyRange { KeyRange(key: self.key, rangeEnd: self.rangeEnd) }

    /// Whether the answer is the first keys in key order, up or down, and nothing is filtered.
    var isInKeyOrder: Bool {
        self.sortTarget == .key && !self.hasFilters
    }

    private var hasFilters: Bool {
        self.minModRevision != 0 || self.maxModRevision != 0 || self.minCreateRevision != 0
            || self.maxCreateRevision != 0
    }

    /// The most keys that have to be found; nil for all. One more than the limit tells whether
    /// there are more.
    var scanLimit: Int? {
        guard self.limit > 0, !self.hasFilters, self.sortOrder != .descend,
            self.sortTarget == .key || self.sortOrder == .none
        else { return nil }
        return Int(clamping: self.limit.addingReportingOverflow(1).partialValue.magnitude)
    }

    func admits(_ kv: KeyValue) -> Bool {
        (self.maxModRevision == 0 || kv.modRevision <= self.maxModRevision)
            && (self.minModRevision == 0 || kv.modRevision >= self.minModRevision)
            && (self.maxCreateRevision == 0 || kv.createRevision <= self.maxCreateRevision)
            && (self.minCreateRevision == 0 || kv.createRevision >= self.minCreateRevision)
    }

    /// Filters, sorts and cuts keys that were found in key order.
    ///
    /// Source: etcd 3.6 `server/etcdserver/txn/range.go`, `executeRange`.
    func arrange(_ found: [KeyValue]) -> (kvs: [KeyValue], more: Bool) {
        var kvs = self.hasFilters ? found.filter { self.admits($0) } : found
        let order: SortOrder =
            self.sortTarget != .key && self.sortOrder == .none ? .ascend : self.sortOrder
        if order != .none, self.sortTarget != .key {
            func sort<Value: Comparable>(_ value: (KeyValue) -> Value) {
                kvs.sort { order == .ascend ? value($0) < value($1) : value($0) > value($1) }
            }
            switch self.sortTarget {
            case .key: break
            case .version: sort(\.version)
            case .create: sort(\.createRevision)
            case .mod: sort(\.modRevision)
            case .value: sort(\.value)
            }
        } else if order == .descend {
            kvs.reverse()
        }
        if self.limit > 0, Int64(kvs.count) > self.limit {
            return (Array(kvs.prefix(Int(self.limit))), true)
        }
        return (kvs, false)
    }
}

extension StoreState {
    /// Finds the records of the keys in `range` at `revision`, at most `limit` and stopping after
    /// `chunk` of them.
    func match(
        _ range: KeyRange,
        at revision: Int64,
        limit: Int,
        chunk: Int
    ) -> RangeMatch {
        var match = RangeMatch()
        if range.isEmpty || limit == 0 { return match }
        let most = min(limit, chunk)
        var last: [UInt8] = []
        let applied = self.applied
        let isComplete = self.index.visit(range, at: revision) { item in
            match.records.append(FoundRecord(revision: item.revision, tail: nil))
            if match.records.count < most { return true }
            last = item.key
            return false
        }
        for index in match.records.indices where match.records[index].revision.main > applied {
            match.records[index].tail = self.tail.record(match.records[index].revision)
        }
        if !isComplete, match.records.count < limit, range.end != .single {
            match.resume = KeyRange(key: Bytes(last + [0]), end: range.end)
        }
        return match
    }
}
