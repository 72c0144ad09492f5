// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Bytes
internal import KeyValueStore
internal import Metrics
internal import Synchronization

// MARK: - The applier thread

extension EmbeddedStore {
    /// The bytes of frames that are moved to the table in one transaction.
    private static var applyBytes: Int { 8 << 20 }

    /// A compaction that is under way.
    private struct Compaction {
        /// History before this goes.
        var floor: Int64
        /// The next record to look at.
        var cursor: Revision
        /// How many records are looked at in a step.
        var step: Int
    }

    func runApplier() {
        var compaction: Compaction?
        let delay = self.options.applyDelay.components
        let nanoseconds = delay.seconds * 1_000_000_000 + delay.attoseconds / 1_000_000_000
        while !self.isStopped.load(ordering: .relaxed) {
            let isClosing = self.applierInbox.closed
            let (tailBytes, floor) = self.state.withLock { state in
                let isDue = state.compactionFloor > state.compactedRevision
                return (state.tail.bytes, isDue ? state.compactionFloor : nil)
            }
            // Opening goes on with a compaction that is not finished.
            let compacts = (compaction != nil || floor != nil) && !isClosing
            if tailBytes == 0, !compacts {
                if isClosing { return }
                _ = self.applierInbox.take(timeout: nil)
                continue
            }
            if tailBytes < self.options.applyThresholdBytes, !compacts, !isClosing {
                _ = self.applierInbox.take(timeout: nanoseconds)
            }
            do throws(BackendError) {
                try self.applyOnce(&compaction, floor: compacts ? floor : nil)
            } catch {
                self.fail(error)
                return
            }
        }
    }

    /// Moves some frames to the table and does one step of a compaction, in one transaction.
    private func applyOnce(
        _ compaction: inout Compaction?,
        floor: Int64?
    ) throws(BackendError) {
        let frames = self.state.withLock { $0.tail.oldest(maximumBytes: Self.applyBytes) }
        var batch = TableBatch(state: self.backend.state)
        for frame in frames {
            guard batch.add(frame.storage.bytes, frame.header) else {
                throw .damaged("frame \(frame.header.sequence) in memory")
            }
        }
        let applied = self.state.withLock { $0.applied }
        if compaction == nil, let floor, floor <= applied {
            let start = self.state.withLock { $0.compactedRevision }
            compaction = Compaction(
                floor: floor,
                cursor: Revision(main: max(start, 0), sub: 0),
                step: self.options.compactionStep
            )
        }
        var finishedFloor: Int64?
        if var running = compaction {
            let isDone = try self.compactStep(&running, &batch)
            if isDone {
                finishedFloor = running.floor
                batch.state.compactedRevision = running.floor
            }
            compaction = isDone ? nil : running
        }
        let begin = MonotonicClock().nanoseconds
        try self.backend.apply(batch)
        if let metrics = self.options.metrics {
            metrics.applications.observe(nanoseconds: MonotonicClock().nanoseconds - begin)
        }
        let revision = batch.state.revision
        let (waiters, hasRoom) = self.state.withLock { state in
            state.tail.removeOldest(frames.count)
            state.applied = max(state.applied, revision)
            var waiters: [StoreState.CompactionWaiter] = []
            if let finishedFloor {
                state.compactedRevision = finishedFloor
                waiters = state.compactionWaiters.filter { $0.revision <= finishedFloor }
                state.compactionWaiters.removeAll { $0.revision <= finishedFloor }
            }
            return (waiters, state.tail.bytes <= self.options.maximumTailBytes)
        }
        // The batch points into the frames.
        withExtendedLifetime(frames) {}
        for waiter in waiters { waiter.body(nil) }
        if hasRoom, !frames.isEmpty { self.roomInbox.poke() }
    }

    /// How many keys are looked up before readers and the writer get at the state again.
    private static var trimsPerLock: Int { 64 }

    /// Looks at the next records of the history that goes, and notes what of it can be removed.
    ///
    /// Every record up to the floor was written after the last compaction, or is the last one of
    /// it: whatever can go is an earlier revision of such a record's key, or a tombstone among
    /// them. So the work is in proportion to the history, not to the number of keys.
    ///
    /// - Returns: Whether the end was reached.
    private func compactStep(
        _ compaction: inout Compaction,
        _ batch: inout TableBatch
    ) throws(BackendError) -> Bool {
        let floor = compaction.floor
        let step = compaction.step
        var cursor = compaction.cursor
        var keys: [Bytes] = []
        var isDone = true
        var defect: Revision?
        try self.backend.scanRecords(from: cursor) { revision, bytes in
            if revision.main > floor { return false }
            if keys.count >= step {
                isDone = false
                return false
            }
            guard let record = Record.open(bytes, revision), let keyValue = record.keyValue else {
                defect = revision
                return false
            }
            keys.append(Bytes(copying: keyValue.key))
            cursor = Revision(main: revision.main, sub: revision.sub + 1)
            return true
        }
        if let defect { throw .damaged("record \(defect) is damaged") }
        compaction.cursor = cursor
        var deletions: [Revision] = []
        var start = 0
        while start < keys.count {
            let end = min(start + Self.trimsPerLock, keys.count)
            self.state.withLock { state in
                for key in keys[start..<end] {
                    key.withUnsafeBytes { key in
                        state.index.trim(key, before: floor) { deletions.append($0) }
                    }
                }
            }
            start = end
        }
        batch.deletions.append(contentsOf: deletions)
        return isDone
    }

    /// Lets go of a revision that was kept for a reader.
    func unpin(_ revision: Int64) {
        let isDue = self.state.withLock { state in
            state.unpin(revision)
            return state.compactionFloor > state.compactedRevision
        }
        if isDue { self.applierInbox.poke() }
    }
}
