// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Bytes
package import KeyValueStore

/// A range at one revision whose keys are read part by part, so that its answer never has to be in
/// memory as a whole.
///
/// The revision is pinned until the reading is let go of: history that it may still read is not
/// removed meanwhile. One task at a time uses it.
package final class RangeReading {
    private let store: EmbeddedStore
    private let revision: Int64
    private let records: ArraySlice<FoundRecord>
    private var position: Int

    /// What the answer says besides the keys.
    package let summary: EmbeddedStore.RangeSummary

    init(
        _ store: EmbeddedStore,
        pinned revision: Int64,
        _ records: ArraySlice<FoundRecord>,
        _ summary: EmbeddedStore.RangeSummary
    ) {
        self.store = store
        self.revision = revision
        self.records = records
        self.position = records.startIndex
        self.summary = summary
    }

    deinit {
        self.store.unpin(self.revision)
    }

    /// Whether all keys were read.
    package var isAtEnd: Bool { self.position == self.records.endIndex }

    /// Gives `body` each further key in its encoding (`mvccpb.KeyValue`), in order, until it answers
    /// false or there are no more. The bytes are valid during the call.
    package func read(_ body: (UnsafeRawBufferPointer) -> Bool) throws(StoreError) {
        var position = self.position
        try self.store.visit(self.records[position...]) { record in
            position += 1
            return body(record.body) ? .goOn : .stop
        }
        self.position = position
    }

    /// Gives `body` the size of the encoding of each key that was not read yet.
    package func measureRest(_ body: (Int) -> Void) throws(StoreError) {
        try self.store.measure(self.records[self.position...], body)
    }
}

extension EmbeddedStore {
    /// Whether a range can be read by `openRange`: several keys, whole and in order.
    package static func canOpen(_ request: RangeRequest) -> Bool {
        request.isInKeyOrder && !request.keysOnly && !request.countOnly
            && !request.rangeEnd.isEmpty
    }

    /// Finds the keys of a range and keeps them readable.
    package func openRange(_ request: RangeRequest) throws(StoreError) -> RangeReading {
        try RequestCheck.check(request)
        try self.checkRunning()
        let (header, revision, count, matched) = try self.match(request)
        let keep = request.limit > 0 ? Int(clamping: request.limit) : Int.max
        let answered =
            request.sortOrder == .descend
            ? ArraySlice(matched.reversed().prefix(keep)) : matched.prefix(keep)
        return RangeReading(
            self,
            pinned: revision,
            answered,
            RangeSummary(header: header, count: count, more: matched.count > keep)
        )
    }

    /// Gives `body` the size of the body of each of the pinned `records`, in order.
    func measure(
        _ records: ArraySlice<FoundRecord>,
        _ body: (Int) -> Void
    ) throws(StoreError) {
        try self.forEachRun(of: records) { tail in
            body(tail.count - Record.headerBytes)
            return true
        } table: { revisions throws(BackendError) in
            var missing: Revision?
            try self.backend.measureRecords(revisions) { revision, count in
                guard let count, count >= Record.headerBytes else {
                    missing = revision
                    return false
                }
                body(count - Record.headerBytes)
                return true
            }
            return RunOutcome(defect: missing, isStopped: false)
        }
    }
}
