// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Why a backend could not do what it was asked.
package enum BackendError: Error, Hashable, Sendable {
    /// There is no space for it. Nothing was written; it may be tried again.
    case noSpace(String)
    /// What is on disk is not what was written there. Names file and place.
    case damaged(String)
    /// A write or a flush failed. What is on disk is unknown, so the engine has to stop and start
    /// again from what it finds; trying again could acknowledge what the kernel has dropped.
    case failed(String)
    /// The directory cannot be used as it is: somebody else's, wrong permissions, wrong content.
    case unusable(String)
}

extension BackendError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .noSpace(let text), .damaged(let text), .failed(let text), .unusable(let text): text
        }
    }
}

/// What the engine stands on: a log that makes writes durable, and a table that holds them.
///
/// A frame is first appended to the log, which is what acknowledging waits for, and applied to the
/// table later, many frames in one transaction. The table remembers the last frame it has, so that
/// opening can apply what the log has beyond it.
///
/// `prepare` and `append` are called by the writer thread, `apply` by the applier thread, the
/// others by any thread.
package protocol StorageBackend: AnyObject, Sendable {
    /// Makes sure that a frame of `bytes` can be logged and, with what waits to be applied, put
    /// into the table.
    ///
    /// - Parameters:
    ///   - bytes: The size of the frame, roughly.
    ///   - pendingBytes: The size of the frames that wait to be applied.
    ///   - isGrowth: Whether the frame may use all space but a reserve. The reserve is for
    ///     deletions and compactions, which make space.
    /// - Throws: `noSpace`, or `failed`.
    func prepare(bytes: Int, pendingBytes: Int, isGrowth: Bool) throws(BackendError)

    /// Appends a frame to the log. On return it is durable.
    func append(_ frame: UnsafeRawBufferPointer, sequence: UInt64) throws(BackendError)

    /// Changes the table in one durable transaction, and lets the log reuse the space of frames up
    /// to `batch.state.sequence`.
    func apply(_ batch: borrowing TableBatch) throws(BackendError)

    /// Gives `body` the record of `revision`, nil if it is not in the table. The bytes are valid
    /// during the call.
    func readRecord(
        _ revision: Revision,
        _ body: (UnsafeRawBufferPointer?) -> Void
    ) throws(BackendError)

    /// Gives `body` the records of `revisions` in order; nil for one that is not in the table.
    /// Stops when `body` answers false.
    func readRecords(
        _ revisions: ArraySlice<Revision>,
        _ body: (Revision, UnsafeRawBufferPointer?) -> Bool
    ) throws(BackendError)

    /// Gives `body` the records from `first` on in order, until it answers false.
    func scanRecords(
        from first: Revision,
        _ body: (Revision, UnsafeRawBufferPointer) -> Bool
    ) throws(BackendError)

    /// Gives `body` every lease with its time to live in seconds.
    func scanLeases(_ body: (Int64, Int64) -> Void) throws(BackendError)

    /// What errors call the table.
    var name: String { get }

    /// The state as of the last `apply`.
    var state: TableState { get }

    /// Gives `body` the size in bytes of each of `revisions`' records, nil if it is not there, until
    /// it answers false. Records are not checked.
    func measureRecords(
        _ revisions: ArraySlice<Revision>,
        _ body: (Revision, Int?) -> Bool
    ) throws(BackendError)

    /// The space the store takes.
    var usage: StorageUsage { get }

    /// Marks the table as complete and closes it. Nothing may be called afterwards.
    func close() throws(BackendError)
}

/// The space a store takes.
package struct StorageUsage: Hashable, Sendable {
    /// Bytes on disk, log and free pages included.
    package var allocatedBytes: Int64
    /// Bytes of pages that hold data.
    package var usedBytes: Int64

    package init(allocatedBytes: Int64, usedBytes: Int64) {
        self.allocatedBytes = allocatedBytes
        self.usedBytes = usedBytes
    }
}

/// A change of the table.
package struct TableBatch: ~Copyable {
    /// A record to add. Records come in order and are later than all in the table.
    package struct Addition {
        package var revision: Revision
        package var record: UnsafeRawBufferPointer
    }

    /// A lease that is there afterwards (with its time to live in seconds), or is not.
    package struct LeaseChange {
        package var id: Int64
        package var ttl: Int64?
    }

    package var additions: [Addition] = []
    /// Records to remove, in any order.
    package var deletions: [Revision] = []
    /// In order: a later change of the same lease counts.
    package var leases: [LeaseChange] = []
    /// The state afterwards. Counts and sums are kept by the backend.
    package var state: TableState

    package init(state: TableState) {
        self.state = state
    }

    /// Adds what a frame says. Its memory has to stay until the batch is applied.
    ///
    /// - Returns: False if the frame is malformed.
    package mutating func add(_ frame: UnsafeRawBufferPointer, _ header: Frame.Header) -> Bool {
        var additions: [Addition] = []
        var leases: [LeaseChange] = []
        var state = self.state
        let isSound = Frame.forEachEntry(of: frame, header) { entry in
            switch entry.kind {
            case .record:
                additions.append(Addition(revision: entry.revision, record: entry.data))
            case .leaseGrant:
                let ttl = entry.data.count == 8 ? Frame.load(entry.data, 0, as: Int64.self) : 0
                leases.append(LeaseChange(id: entry.main, ttl: ttl))
            case .leaseRevoke:
                leases.append(LeaseChange(id: entry.main, ttl: nil))
            case .compact:
                state.compactRevision = entry.main
            case .alarms:
                state.alarms = entry.sub
            }
        }
        guard isSound else { return false }
        state.revision = header.revision
        state.index = header.index
        state.sequence = header.sequence
        state.frameChecksum = header.checksum
        self.additions.append(contentsOf: additions)
        self.leases.append(contentsOf: leases)
        self.state = state
        return true
    }
}
