// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Bytes
internal import KeyValueStore
internal import Metrics
internal import Synchronization

// MARK: - The writer thread

extension EmbeddedStore {
    /// What the writer keeps between groups.
    private struct WriterState: ~Copyable {
        var evaluator: Evaluator
        var sequence: UInt64
        var checksum: UInt64
        /// When watchers are told of progress next; 0 while none asks for it.
        var progressDeadline: Int64 = 0
    }

    /// How many leases are ended in one group at most, so that others get their turn.
    private static var maximumExpiredLeases: Int { 100 }

    /// When a lease that could not be ended is tried again, in nanoseconds.
    private static var leaseRetry: Int64 { 1_000_000_000 }

    /// What a request takes in a frame besides what is counted for it.
    private static var requestOverhead: Int { 128 }

    func runWriter() {
        let table = self.backend.state
        var writer = WriterState(
            evaluator: Evaluator(backend: self.backend, limits: self.options.limits),
            sequence: table.sequence,
            checksum: table.frameChecksum
        )
        while true {
            let timeout = self.nextTimeout(&writer)
            guard let batch = self.inbox.take(timeout: timeout) else { return }
            do throws(BackendError) {
                try self.process(batch, &writer)
                self.notifyProgress(&writer)
            } catch {
                self.fail(error)
                break
            }
        }
        while let rest = self.inbox.take(timeout: nil) {
            for pending in rest { pending.completion(.failure(self.stoppedError)) }
        }
    }

    /// How long the writer may sleep; nil if nothing is due ever.
    private func nextTimeout(_ writer: inout WriterState) -> Int64? {
        var deadline = self.state.withLock { $0.leases.nextDeadline }
        if self.hub.hasNotified {
            if writer.progressDeadline == 0 {
                let interval = self.options.limits.watchProgressIntervalSeconds
                writer.progressDeadline = self.clock.nanoseconds + interval * 1_000_000_000
            }
            deadline = min(deadline ?? .max, writer.progressDeadline)
        } else {
            writer.progressDeadline = 0
        }
        return deadline.flatMap { self.clock.sleep(until: $0) }
    }

    private func notifyProgress(_ writer: inout WriterState) {
        guard writer.progressDeadline != 0, self.clock.nanoseconds >= writer.progressDeadline
        else { return }
        writer.progressDeadline = 0
        for wakeup in self.hub.notifyProgress(self.header(0)) { wakeup.run() }
    }

    /// Evaluates and commits a batch, in groups of bounded size.
    private func process(
        _ batch: [PendingWrite],
        _ writer: inout WriterState
    ) throws(BackendError) {
        var start = 0
        repeat {
            var end = start
            var bytes = 0
            while end < batch.count, end == start || bytes < self.options.commitBytes {
                bytes += batch[end].bytes + Self.requestOverhead
                end += 1
            }
            do throws(BackendError) {
                try self.commitGroup(batch[start..<end], bytes, &writer)
            } catch {
                let stopped = StoreError.stopped.because(error.description)
                for pending in batch[start...] { pending.completion(.failure(stopped)) }
                throw error
            }
            start = end
        } while start < batch.count
    }

    /// The space there is for a group.
    private struct Room {
        /// Whether growth is possible.
        var forGrowth = true
        /// Whether anything can be written at all.
        var forAnything = true
        /// The bytes until the quota is reached.
        var quota: Int64 = .max
    }

    private func room(for bytes: Int) throws(BackendError) -> Room {
        var room = Room()
        let tailBytes = self.state.withLock { $0.tail.bytes }
        do throws(BackendError) {
            try self.backend.prepare(bytes: bytes, pendingBytes: tailBytes, isGrowth: true)
        } catch .noSpace {
            room.forGrowth = false
            do throws(BackendError) {
                try self.backend.prepare(bytes: bytes, pendingBytes: tailBytes, isGrowth: false)
            } catch .noSpace {
                room.forAnything = false
            }
        }
        let quota = self.options.limits.quotaBytes
        if quota > 0 { room.quota = quota - self.backend.usage.usedBytes - Int64(tailBytes) }
        return room
    }

    private func commitGroup(
        _ group: ArraySlice<PendingWrite>,
        _ bytes: Int,
        _ writer: inout WriterState
    ) throws(BackendError) {
        self.waitForRoomInTail()
        let room = try self.room(for: bytes)
        var results: [WriteResult] = []
        results.reserveCapacity(group.count)
        let expired = self.state.withLock { state in
            state.leases.expired(
                now: self.clock.nanoseconds,
                limit: Self.maximumExpiredLeases,
                retry: Self.leaseRetry
            )
        }
        if room.forAnything {
            for id in expired {
                let revocation = WriteRequest.leaseRevoke(LeaseRevokeRequest(id: id))
                _ = try self.evaluate(revocation, room, &writer)
            }
        }
        for pending in group {
            results.append(try self.evaluate(pending.request, room, &writer))
        }
        let compactions = group.contains { if case .compact = $0.request { true } else { false } }
        try self.commit(&writer, hasCompaction: compactions)
        self.count(group)
        for (pending, result) in zip(group, results) { self.complete(pending, result) }
    }

    private func count(_ group: ArraySlice<PendingWrite>) {
        guard let metrics = self.options.metrics else { return }
        metrics.groups.observe(Double(group.count))
        var (puts, deletes, txns): (UInt64, UInt64, UInt64) = (0, 0, 0)
        for pending in group {
            switch pending.request {
            case .put: puts += 1
            case .deleteRange: deletes += 1
            case .txn: txns += 1
            case .compact, .leaseGrant, .leaseRevoke, .alarm, .barrier: break
            }
        }
        metrics.puts.increment(by: puts)
        metrics.deletes.increment(by: deletes)
        metrics.txns.increment(by: txns)
    }

    /// Answers a request that is durable now.
    private func complete(_ pending: PendingWrite, _ result: WriteResult) {
        if case .compact(let request) = pending.request, request.physical,
            case .compact = result
        {
            let completion = pending.completion
            let isDone = self.state.withLock { state in
                if state.compactedRevision >= request.revision { return true }
                state.compactionWaiters.append(
                    StoreState.CompactionWaiter(revision: request.revision) { error in
                        completion(error.map { .failure($0) } ?? result)
                    }
                )
                return false
            }
            if !isDone {
                // Stopping fails the waiters it finds; this one may have come too late for that.
                if self.isStopped.load(ordering: .sequentiallyConsistent) {
                    self.failCompactionWaiters()
                }
                return
            }
        }
        pending.completion(result)
    }

    private func waitForRoomInTail() {
        while self.state.withLock({ $0.tail.bytes }) > self.options.maximumTailBytes {
            self.applierInbox.poke()
            if self.isStopped.load(ordering: .relaxed) { return }
            if self.roomInbox.take(timeout: nil) == nil { return }
        }
    }

    // MARK: - Evaluation

    private func evaluate(
        _ request: WriteRequest,
        _ room: Room,
        _ writer: inout WriterState
    ) throws(BackendError) -> WriteResult {
        let cost = RequestCheck.cost(request)
        var broken: BackendError?
        let result: WriteResult = self.state.withLock { state in
            if let refusal = self.refusal(request, cost, room, &state, &writer.evaluator) {
                return .failure(refusal)
            }
            writer.evaluator.begin(state)
            defer {
                writer.evaluator.end(&state)
                state.requestIndex += 1
            }
            do throws(EvaluationError) {
                return try self.run(request, &state, &writer.evaluator)
            } catch {
                switch error {
                case .refused(let error): return .failure(error)
                case .broken(let error):
                    broken = error
                    return .failure(StoreError.corrupt.because(error.description))
                }
            }
        }
        if let broken { throw broken }
        return result
    }

    /// Why a request is refused in the present state of the store; nil if it is not.
    private func refusal(
        _ request: WriteRequest,
        _ cost: Int,
        _ room: Room,
        _ state: inout StoreState,
        _ evaluator: inout Evaluator
    ) -> StoreError? {
        switch request {
        case .barrier: return nil
        case .alarm(let request) where request.action == .get: return nil
        case .alarm: break
        case .put, .deleteRange, .txn, .compact, .leaseGrant, .leaseRevoke:
            if state.isRaised(.corrupt) { return .corrupt }
        }
        if cost > 0 {
            if state.isRaised(.noSpace) { return .noSpace }
            let used = Int64(evaluator.frame.payloadBytes)
            if !room.forGrowth || Int64(cost) + used > room.quota {
                state.alarms |= StoreState.bit(.noSpace)
                if room.forAnything { evaluator.frame.addAlarms(state.alarms) }
                return .noSpace
            }
        }
        return room.forAnything ? nil : .noSpace
    }

    private func run(
        _ request: WriteRequest,
        _ state: inout StoreState,
        _ evaluator: inout Evaluator
    ) throws(EvaluationError) -> WriteResult {
        switch request {
        case .put(let request):
            var response = try evaluator.put(request, &state)
            response.header = state.header(response.header.revision)
            return .put(response)
        case .deleteRange(let request):
            var response = try evaluator.deleteRange(request, &state)
            response.header = state.header(response.header.revision)
            return .deleteRange(response)
        case .txn(let request):
            var response = try evaluator.txn(request, &state)
            response.header = state.header(response.header.revision)
            return .txn(response)
        case .compact(let request):
            var response = try evaluator.compact(request, &state)
            response.header = state.header(response.header.revision)
            return .compact(response)
        case .leaseGrant(let request):
            var response = try evaluator.leaseGrant(
                request,
                &state,
                now: self.clock.nanoseconds,
                newID: { Int64.random(in: 1...Int64.max) }
            )
            response.header = state.header(response.header.revision)
            return .leaseGrant(response)
        case .leaseRevoke(let request):
            var response = try evaluator.leaseRevoke(request.id, &state)
            response.header = state.header(response.header.revision)
            return .leaseRevoke(response)
        case .alarm(let request):
            var response = try evaluator.alarm(request, &state)
            response.header = state.header(response.header.revision)
            return .alarm(response)
        case .barrier:
            return .barrier
        }
    }

    // MARK: - Commit

    /// Makes durable and visible what was evaluated since the last commit.
    private func commit(
        _ writer: inout WriterState,
        hasCompaction: Bool
    ) throws(BackendError) {
        if writer.evaluator.frame.isEmpty { return }
        let (revision, index, compactRevision) = self.state.withLock {
            ($0.revision, $0.requestIndex, $0.compactRevision)
        }
        let finished = writer.evaluator.frame.finish(
            sequence: writer.sequence + 1,
            previousChecksum: writer.checksum,
            revision: revision,
            index: index
        )
        let start = self.options.metrics == nil ? 0 : MonotonicClock().nanoseconds
        try self.backend.append(finished.storage.bytes, sequence: finished.header.sequence)
        if let metrics = self.options.metrics {
            metrics.flushes.observe(nanoseconds: MonotonicClock().nanoseconds - start)
        }
        writer.sequence = finished.header.sequence
        writer.checksum = finished.header.checksum
        let wakeups = self.hub.publish(
            finished.records,
            in: finished.storage,
            revision: revision,
            header: self.header(revision),
            compactRevision: hasCompaction ? compactRevision : nil,
            WatchHub.Source(
                makeVisible: { self.makeVisible(finished, revision) },
                previous: { key, revision in
                    // A record that cannot be read is found out by whoever reads it next.
                    (try? self.previousRecord(of: key, before: revision)) ?? nil
                }
            )
        )
        for wakeup in wakeups { wakeup.run() }
        if hasCompaction { self.applierInbox.poke() }
    }

    private func makeVisible(_ finished: FrameBuilder.Finished, _ revision: Int64) {
        let (before, after) = self.state.withLock { state in
            let before = state.tail.bytes
            state.tail.append(finished)
            state.committed = revision
            state.hasPendingLeases = false
            return (before, state.tail.bytes)
        }
        let threshold = self.options.applyThresholdBytes
        if before == 0 || (before < threshold && after >= threshold) { self.applierInbox.poke() }
    }
}
