// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Bytes
package import KeyValueStore
internal import Synchronization

// MARK: - Reading

extension EmbeddedStore {
    /// How many keys are looked up before the writer gets at the state again.
    private static var keysPerLock: Int { 8192 }

    /// How many records are read in one transaction of the table. While one is open, pages that are
    /// freed are not used again.
    private static var recordsPerRead: Int { 1000 }

    /// How often a read of one key is tried again because compaction got there between the look at
    /// the index and the look at the table. Each time means one more compaction.
    private static var maximumAttempts: Int { 1000 }

    func damaged(_ revision: Revision) -> StoreError {
        StoreError.corrupt.because(
            "\(self.backend.name): record \(revision) is damaged or missing"
        )
    }

    /// Reads a range on the caller's thread.
    package func readRange(_ request: RangeRequest) throws(StoreError) -> RangeResponse {
        try RequestCheck.check(request)
        try self.checkRunning()
        if request.rangeEnd.isEmpty, !request.countOnly { return try self.readKey(request) }
        var response = RangeResponse()
        let revision: Int64
        let matched: [FoundRecord]
        (response.header, revision, response.count, matched) = try self.match(request)
        defer { if !request.countOnly { self.unpin(revision) } }
        if request.countOnly { return response }
        var kvs: [KeyValue] = []
        let keep = request.limit > 0 ? Int(clamping: request.limit) : Int.max
        if request.isInKeyOrder {
            // Only what is answered is read.
            response.more = matched.count > keep
            let isDown = request.sortOrder == .descend
            let answered =
                isDown ? ArraySlice(matched.reversed().prefix(keep)) : matched.prefix(keep)
            kvs = try self.keyValues(answered)
        } else {
            (kvs, response.more) = request.arrange(try self.keyValues(matched[...]))
        }
        if request.keysOnly {
            for index in kvs.indices { kvs[index].value = Bytes() }
        }
        response.kvs = kvs
        return response
    }

    /// Finds the records of a range, without holding the lock for long. Unless only counted, the
    /// revision is pinned: whoever reads the records has to unpin it.
    func match(
        _ request: RangeRequest
    ) throws(StoreError) -> (ResponseHeader, Int64, Int64, [FoundRecord]) {
        let range = request.keyRange
        let limit = request.scanLimit ?? .max
        let (header, revision, first, total) = try self.state.withLock {
            state throws(StoreError) in
            if state.isRaised(.corrupt) { throw StoreError.corrupt }
            let header = state.header(state.committed)
            let revision = try state.readRevision(request.revision, current: state.committed)
            let isCounted = request.countOnly || request.scanLimit != nil
            let total = isCounted ? state.index.count(range, at: revision) : 0
            if request.countOnly { return (header, revision, RangeMatch(), total) }
            state.pin(revision)
            let match = state.match(
                range,
                at: revision,
                limit: limit,
                chunk: Self.keysPerLock
            )
            return (header, revision, match, total)
        }
        var records = first.records
        var rest = first.resume
        while let next = rest {
            let match = self.state.withLock { state in
                state.match(
                    next,
                    at: revision,
                    limit: limit - records.count,
                    chunk: Self.keysPerLock
                )
            }
            records.append(contentsOf: match.records)
            rest = match.resume
        }
        let isCounted = request.countOnly || request.scanLimit != nil
        return (header, revision, Int64(isCounted ? total : records.count), records)
    }

    /// Reads one key.
    private func readKey(_ request: RangeRequest) throws(StoreError) -> RangeResponse {
        var response = RangeResponse()
        for _ in 0..<Self.maximumAttempts {
            let (header, found) = try self.findKey(request)
            response.header = header
            guard let found else { return response }
            guard let kv = try self.keyValue(found) else { continue }
            response.count = 1
            (response.kvs, response.more) = request.arrange([kv])
            if request.keysOnly, !response.kvs.isEmpty { response.kvs[0].value = Bytes() }
            return response
        }
        throw StoreError.corrupt.because("a record of the index is not in the table")
    }

    @inline(__always)
    private func findKey(
        _ request: RangeRequest
    ) throws(StoreError) -> (ResponseHeader, FoundRecord?) {
        try self.state.withLock { state throws(StoreError) in
            if state.alarms != 0, state.isRaised(.corrupt) { throw StoreError.corrupt }
            let header = state.header(state.committed)
            let at = try state.readRevision(request.revision, current: state.committed)
            let known = request.key.withUnsafeBytes { state.index.revision(of: $0, at: at) }
            guard let revision = known else { return (header, nil) }
            let tail = revision.main > state.applied ? state.tail.record(revision) : nil
            return (header, FoundRecord(revision: revision, tail: tail))
        }
    }

    /// Reads a record; nil if it is not there any more.
    private func keyValue(_ found: FoundRecord) throws(StoreError) -> KeyValue? {
        if let tail = found.tail {
            return tail.withUnsafeBytes {
                KeyValue(encoded: Bytes(copying: Record.openUnchecked($0).body))
            }
        }
        var kv: KeyValue?
        var isThere = false
        try self.readTable(found.revision) { bytes in
            isThere = true
            kv = Record.open(bytes, found.revision).flatMap {
                KeyValue(encoded: Bytes(copying: $0.body))
            }
        }
        if isThere, kv == nil { throw self.damaged(found.revision) }
        return kv
    }

    private func readTable(
        _ revision: Revision,
        _ body: (UnsafeRawBufferPointer) -> Void
    ) throws(StoreError) {
        do throws(BackendError) {
            try self.backend.readRecord(revision) { bytes in
                if let bytes { body(bytes) }
            }
        } catch {
            throw StoreError.corrupt.because(error.description)
        }
    }

    /// Reads pinned records.
    private func keyValues(
        _ records: ArraySlice<FoundRecord>
    ) throws(StoreError) -> [KeyValue] {
        var kvs: [KeyValue] = []
        kvs.reserveCapacity(records.count)
        try self.visit(records) { record in
            guard let kv = KeyValue(encoded: Bytes(copying: record.body)) else { return .damaged }
            kvs.append(kv)
            return .goOn
        }
        return kvs
    }

    /// What becomes of a visit after a record.
    enum VisitStep {
        case goOn
        case stop
        /// The record is taken to be damaged.
        case damaged
    }

    /// How the records of a run in the table were gone through.
    struct RunOutcome {
        /// A record that is missing or not what was written.
        var defect: Revision?
        var isStopped: Bool
    }

    /// Gives `body` each of the pinned `records` in order, checked.
    func visit(
        _ records: ArraySlice<FoundRecord>,
        _ body: (Record.View) -> VisitStep
    ) throws(StoreError) {
        var defect: Revision?
        var position = records.startIndex
        try self.forEachRun(of: records) { tail in
            let step = tail.withUnsafeBytes { body(Record.openUnchecked($0)) }
            if step == .damaged { defect = records[position].revision }
            position += 1
            return step == .goOn
        } table: { revisions throws(BackendError) in
            var outcome = RunOutcome(defect: nil, isStopped: false)
            try self.backend.readRecords(revisions) { revision, bytes in
                guard let bytes, let record = Record.open(bytes, revision) else {
                    outcome.defect = revision
                    return false
                }
                switch body(record) {
                case .goOn: return true
                case .stop: outcome.isStopped = true
                case .damaged: outcome.defect = revision
                }
                return false
            }
            position += revisions.count
            return outcome
        }
        if let defect { throw self.damaged(defect) }
    }

    /// Goes through `records` in order: one by one where they are in the tail, several at a time
    /// where they are in the table.
    ///
    /// - Parameters:
    ///   - tail: Answers whether to go on.
    ///   - table: Given neighbouring records that are in the table.
    func forEachRun(
        of records: ArraySlice<FoundRecord>,
        tail: (Bytes) -> Bool,
        table: (ArraySlice<Revision>) throws(BackendError) -> RunOutcome
    ) throws(StoreError) {
        var start = records.startIndex
        while start < records.endIndex {
            if let bytes = records[start].tail {
                if !tail(bytes) { return }
                start += 1
                continue
            }
            var end = start
            let most = min(records.endIndex, start + Self.recordsPerRead)
            while end < most, records[end].tail == nil { end += 1 }
            let outcome: RunOutcome
            do throws(BackendError) {
                outcome = try table(records[start..<end].map(\.revision)[...])
            } catch {
                throw StoreError.corrupt.because(error.description)
            }
            if let defect = outcome.defect { throw self.damaged(defect) }
            if outcome.isStopped { return }
            start = end
        }
    }

    // MARK: - Ranges for the network

    /// What a range answers besides the keys.
    package struct RangeSummary {
        package var header: ResponseHeader
        package var count: Int64
        package var more: Bool
    }

    /// Reads a range and gives `body` each key in its encoding (`mvccpb.KeyValue`), in order, so that
    /// an answer can be put together without taking keys apart first.
    ///
    /// - Parameter begin: Called first, with what else the answer says. The bytes given to `body`
    ///   are valid during the call.
    package func visitRange(
        _ request: RangeRequest,
        begin: (RangeSummary) -> Void,
        _ body: (UnsafeRawBufferPointer) -> Void
    ) throws(StoreError) {
        try RequestCheck.check(request)
        try self.checkRunning()
        let isPlain = request.isInKeyOrder && !request.keysOnly && !request.countOnly
        if request.rangeEnd.isEmpty, isPlain {
            return try self.visitKey(request, begin, body)
        }
        guard isPlain else {
            let response = try self.readRange(request)
            begin(
                RangeSummary(
                    header: response.header,
                    count: response.count,
                    more: response.more
                )
            )
            var scratch: [UInt8] = []
            for kv in response.kvs {
                let count = kv.encodedByteCount
                if scratch.count < count { scratch = [UInt8](repeating: 0, count: count) }
                scratch.withUnsafeMutableBytes { buffer in
                    guard let base = buffer.baseAddress else { return }
                    _ = kv.encode(to: base)
                    body(UnsafeRawBufferPointer(start: base, count: count))
                }
            }
            return
        }
        let reading = try self.openRange(request)
        begin(reading.summary)
        try reading.read { kv in
            body(kv)
            return true
        }
    }

    private func visitKey(
        _ request: RangeRequest,
        _ begin: (RangeSummary) -> Void,
        _ body: (UnsafeRawBufferPointer) -> Void
    ) throws(StoreError) {
        for _ in 0..<Self.maximumAttempts {
            let (header, found) = try self.findKey(request)
            guard let found else {
                begin(RangeSummary(header: header, count: 0, more: false))
                return
            }
            let summary = RangeSummary(header: header, count: 1, more: false)
            if let tail = found.tail {
                begin(summary)
                tail.withUnsafeBytes { body(Record.openUnchecked($0).body) }
                return
            }
            var isThere = false
            var isSound = false
            try self.readTable(found.revision) { bytes in
                isThere = true
                guard let record = Record.open(bytes, found.revision) else { return }
                isSound = true
                begin(summary)
                body(record.body)
            }
            if isSound { return }
            if isThere { throw self.damaged(found.revision) }
        }
        throw StoreError.corrupt.because("a record of the index is not in the table")
    }

    // MARK: - Read-only transactions

    /// Runs a transaction that changes nothing on the caller's thread.
    package func readTxn(_ request: TxnRequest) throws(StoreError) -> TxnResponse {
        try self.checkRunning()
        var evaluator = Evaluator(backend: self.backend, limits: self.options.limits)
        var broken: BackendError?
        let response: TxnResponse? = try self.state.withLock { state throws(StoreError) in
            if state.isRaised(.corrupt) { throw StoreError.corrupt }
            do throws(EvaluationError) {
                var response = try evaluator.readOnlyTxn(request, &state)
                response.header = state.header(response.header.revision)
                return response
            } catch {
                switch error {
                case .refused(let refusal): throw refusal
                case .broken(let error):
                    broken = error
                    return nil
                }
            }
        }
        guard let response else {
            throw StoreError.corrupt.because(broken?.description ?? "")
        }
        return response
    }
}

// MARK: - History

extension EmbeddedStore: HistoryReader {
    /// How much history is read at once, in changes and in bytes. A write is never split.
    private static var historyChanges: Int { 1000 }
    private static var historyBytes: Int { 1 << 20 }

    func header(_ revision: Int64) -> ResponseHeader {
        self.state.withLock { $0.header(revision) }
    }

    func readHistory(from revision: Int64) throws(StoreError) -> HistoryChunk {
        try self.checkRunning()
        var chunk = HistoryChunk()
        let (committed, applied) = self.state.withLock { state in
            let reach = (state.committed, state.applied)
            if revision > state.applied {
                state.tail.collect(
                    from: revision,
                    changes: Self.historyChanges,
                    bytes: Self.historyBytes,
                    &chunk
                )
            }
            return reach
        }
        if revision > applied {
            if chunk.changes.isEmpty { chunk.end = committed }
        } else {
            try self.readTableHistory(from: revision, through: applied, &chunk)
        }
        chunk.compactRevision = self.state.withLock { $0.compactRevision }
        return chunk
    }

    private func readTableHistory(
        from revision: Int64,
        through last: Int64,
        _ chunk: inout HistoryChunk
    ) throws(StoreError) {
        chunk.end = last
        var bytes = 0
        var defect: Revision?
        do throws(BackendError) {
            try self.backend.scanRecords(from: Revision(main: revision, sub: 0)) { found, record in
                if found.main > last { return false }
                let isFull =
                    chunk.changes.count >= Self.historyChanges || bytes >= Self.historyBytes
                if isFull, let previous = chunk.changes.last, previous.revision.main != found.main {
                    chunk.end = previous.revision.main
                    return false
                }
                guard Record.open(record, found) != nil else {
                    defect = found
                    return false
                }
                let copy = Bytes(copying: record)
                chunk.changes.append(HistoryChunk.Change(revision: found, record: copy))
                bytes += record.count
                return true
            }
        } catch {
            throw StoreError.corrupt.because(error.description)
        }
        if let defect { throw self.damaged(defect) }
    }

    func previousRecord(
        of key: UnsafeRawBufferPointer,
        before revision: Revision
    ) throws(StoreError) -> Bytes? {
        for _ in 0..<Self.maximumAttempts {
            let found: FoundRecord? = self.state.withLock { state in
                if revision.main - 1 < state.compactRevision { return nil }
                guard let known = state.index.revision(of: key, at: revision.main - 1) else {
                    return nil
                }
                let tail = known.main > state.applied ? state.tail.record(known) : nil
                return FoundRecord(revision: known, tail: tail)
            }
            guard let found else { return nil }
            if let tail = found.tail { return tail }
            var copy: Bytes?
            var isThere = false
            try self.readTable(found.revision) { bytes in
                isThere = true
                if Record.open(bytes, found.revision) != nil { copy = Bytes(copying: bytes) }
            }
            if let copy { return copy }
            if isThere { throw self.damaged(found.revision) }
        }
        throw StoreError.corrupt.because("a record of the index is not in the table")
    }
}

extension Tail {
    /// Adds the changes from `revision` on to a chunk, in whole revisions, until it is full.
    func collect(
        from revision: Int64,
        changes: Int,
        bytes: Int,
        _ chunk: inout HistoryChunk
    ) {
        var total = 0
        for number in self.firstItem(from: revision)..<self.endItem {
            let (found, record) = self.item(number)
            let isFull = chunk.changes.count >= changes || total >= bytes
            if isFull, chunk.end != found.main { return }
            chunk.changes.append(HistoryChunk.Change(revision: found, record: record))
            chunk.end = found.main
            total += record.count
        }
    }
}
