// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KeyValueStore
internal import Synchronization

/// Settings of an embedded store.
package struct StoreOptions: Sendable {
    /// Limits that clients meet.
    package var limits = StoreLimits()

    /// How long a commit may wait in the log until it is moved to the table. Until then its records
    /// are served from memory.
    package var applyDelay: Duration = .milliseconds(200)

    /// The bytes in the log from which on they are moved at once.
    package var applyThresholdBytes = 4 << 20

    /// The bytes that may wait in the log. Beyond them writers wait for the table.
    package var maximumTailBytes = 64 << 20

    /// The bytes of requests after which a group commit is closed.
    package var commitBytes = 4 << 20

    /// How many records one step of a compaction looks at.
    package var compactionStep = 1000

    /// What to count and measure; nil for nothing.
    package var metrics: StoreMetrics?

    package init() {}
}

/// The store in this process: MVCC in memory over a log and a table on disk.
///
/// One thread, the *writer*, evaluates requests in order and commits them in groups: all that came
/// in while the last group was being flushed are evaluated, written as one frame and flushed once.
/// A second, the *applier*, moves frames from the log to the table and removes compacted history.
/// Reads are done by the caller's thread and wait for neither.
///
/// The store has to be closed; until then its threads keep it alive.
package final class EmbeddedStore: Sendable {
    let backend: any StorageBackend
    /// The settings it was opened with.
    package let options: StoreOptions
    let clock: any StoreClock
    let state: Guarded<StoreState>
    let hub: WatchHub
    let inbox = Mailbox<PendingWrite>()
    let applierInbox = Mailbox<Never>()
    /// Told when the applier has made room in the tail.
    let roomInbox = Mailbox<Never>()
    let isStopped = Atomic<Bool>(false)
    private let life: Mutex<Life>
    private let onFailure: @Sendable (String) -> Void

    private struct Life {
        var threads: [EngineThread] = []
        var failure: StoreError?
        var sessions: [ObjectIdentifier: WeakSession] = [:]
        var isClosed = false
    }

    private struct WeakSession {
        weak var session: WatchSession?
    }

    /// A write that waits for the writer.
    struct PendingWrite: Sendable {
        var request: WriteRequest
        var bytes: Int
        var completion: @Sendable (WriteResult) -> Void
    }

    /// Reads what `backend` holds and starts serving.
    ///
    /// - Parameters:
    ///   - backend: An open backend.
    ///   - options: Settings.
    ///   - clock: What leases go by.
    ///   - onFailure: Called once, on a thread of the store, if it has to stop because the disk
    ///     failed. Nothing that was not acknowledged may be assumed then.
    /// - Throws: `damaged` if a record is not what was written, `failed` if it cannot be read.
    package init(
        backend: any StorageBackend,
        options: StoreOptions = StoreOptions(),
        clock: any StoreClock = MonotonicClock(),
        onFailure: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(BackendError) {
        var state = StoreState(backend.state)
        try Self.load(backend, &state, now: clock.nanoseconds)
        self.backend = backend
        self.options = options
        self.clock = clock
        self.hub = WatchHub(published: state.committed)
        self.state = Guarded(state)
        self.onFailure = onFailure
        self.life = Mutex(Life())
        let inbox = self.inbox
        clock.onChange { inbox.poke() }
        let threads = [
            EngineThread.start(name: "store-writer") { self.runWriter() },
            EngineThread.start(name: "store-applier") { self.runApplier() },
        ]
        self.life.withLock { $0.threads = threads }
    }

    // MARK: - Loading

    /// Builds the index from the table's records, and checks that they are all there.
    private static func load(
        _ backend: any StorageBackend,
        _ state: inout StoreState,
        now: Int64
    ) throws(BackendError) {
        let table = backend.state
        var leaseSum: UInt64 = 0
        var leases = LeaseTable()
        try backend.scanLeases { id, ttl in
            leases.grant(id, ttl: ttl, now: now)
            leaseSum &+= TableState.leaseChecksum(id, ttl: ttl)
        }
        guard leaseSum == table.leaseSum else {
            throw .damaged("\(backend.name): the leases are not those that were written")
        }
        var found = TableState(clusterID: table.clusterID, memberID: table.memberID)
        var defect: String?
        var last = Revision(main: 0, sub: 0)
        var batch = IndexBatch()
        try IndexLoader.load(into: &state, leases: leases) { loader throws(BackendError) in
            try backend.scanRecords(from: last) { revision, bytes in
                guard let record = Record.open(bytes, revision), let keyValue = record.keyValue,
                    !keyValue.key.isEmpty
                else {
                    defect = "record \(revision) is damaged"
                    return false
                }
                guard last < revision, revision.main <= table.revision else {
                    defect = "record \(revision) is out of order"
                    return false
                }
                last = revision
                found.add(bytes)
                batch.add(revision, keyValue, isTombstone: record.isTombstone)
                if batch.isFull {
                    loader.send(batch)
                    batch = IndexBatch()
                }
                return true
            }
            loader.send(batch)
        }
        if let defect { throw .damaged("\(backend.name): \(defect)") }
        guard found.recordCount == table.recordCount, found.recordSum == table.recordSum,
            found.recordBytes == table.recordBytes
        else {
            throw .damaged(
                "\(backend.name): \(found.recordCount) records are there, "
                    + "\(table.recordCount) were written; the sums of their checksums differ"
            )
        }
    }

    // MARK: - Life

    /// Why the store has stopped; nil while it runs.
    package var failure: StoreError? {
        self.life.withLock { $0.failure }
    }

    /// Refuses what comes in from now on, finishes what is under way, and closes the backend.
    ///
    /// Blocks until that is done. Closing twice is harmless.
    ///
    /// - Throws: If the disk failed.
    package func close() throws(StoreError) {
        let threads = self.life.withLock { life in
            if life.isClosed { return [EngineThread]() }
            life.isClosed = true
            if life.failure == nil { life.failure = .stopped }
            defer { life.threads = [] }
            return life.threads
        }
        if threads.isEmpty { return }
        self.inbox.close()
        for (index, thread) in threads.enumerated() {
            thread.join()
            // The applier ends when the writer can give it nothing more.
            if index == 0 {
                self.roomInbox.close()
                self.applierInbox.close()
            }
        }
        let hasFailed = self.isStopped.exchange(true, ordering: .sequentiallyConsistent)
        self.failCompactionWaiters()
        self.closeSessions()
        if hasFailed { throw self.stoppedError }
        do throws(BackendError) {
            try self.backend.close()
        } catch {
            throw StoreError.stopped.because(error.description)
        }
    }

    /// Stops for good because the disk cannot be relied on.
    func fail(_ error: BackendError) {
        let isFirst = self.life.withLock { life in
            if let failure = life.failure, failure.cause != nil { return false }
            life.failure = StoreError.stopped.because(error.description)
            return true
        }
        self.isStopped.store(true, ordering: .sequentiallyConsistent)
        self.inbox.close()
        self.roomInbox.poke()
        self.applierInbox.poke()
        self.failCompactionWaiters()
        self.closeSessions()
        if isFirst { self.onFailure(error.description) }
    }

    func failCompactionWaiters() {
        let waiters = self.state.withLock { state in
            defer { state.compactionWaiters = [] }
            return state.compactionWaiters
        }
        for waiter in waiters { waiter.body(self.stoppedError) }
    }

    /// The number of watch streams that are open.
    var watchStreamCount: Int {
        self.life.withLock { $0.sessions.values.count { $0.session != nil } }
    }

    private func closeSessions() {
        let sessions = self.life.withLock { life in
            defer { life.sessions = [:] }
            return life.sessions.values.compactMap(\.session)
        }
        for session in sessions { session.close() }
    }

    /// The error of requests after the store has stopped.
    var stoppedError: StoreError {
        self.life.withLock { $0.failure } ?? .stopped
    }

    @inline(__always)
    func checkRunning() throws(StoreError) {
        if self.isStopped.load(ordering: .relaxed) { throw self.stoppedError }
    }

    /// Opens a watch stream without waiting.
    func makeSession() throws(StoreError) -> WatchSession {
        try self.checkRunning()
        let session = WatchSession(hub: self.hub, limits: self.options.limits, history: self)
        self.life.withLock { life in
            if life.sessions.count >= 64, life.sessions.count.nonzeroBitCount == 1 {
                life.sessions = life.sessions.filter { $0.value.session != nil }
            }
            life.sessions[ObjectIdentifier(session)] = WeakSession(session: session)
        }
        // Stopping closes the sessions it finds; this one may have come too late for that.
        if self.isStopped.load(ordering: .sequentiallyConsistent) { session.close() }
        return session
    }

    /// Hands a write to the writer. `completion` is called once, on a thread of the store or, if
    /// the write is refused at once, on the caller's; it must return quickly.
    package func submit(
        _ request: WriteRequest,
        bytes: Int,
        _ completion: @escaping @Sendable (WriteResult) -> Void
    ) {
        let pending = PendingWrite(request: request, bytes: bytes, completion: completion)
        let acceptance = self.inbox.send(
            pending,
            weight: bytes,
            maximumCount: self.options.limits.maximumPendingRequests,
            maximumWeight: self.options.limits.maximumPendingBytes
        )
        switch acceptance {
        case .accepted: return
        case .full: completion(.failure(.requestTooManyRequests))
        case .closed: completion(.failure(self.stoppedError))
        }
    }
}
