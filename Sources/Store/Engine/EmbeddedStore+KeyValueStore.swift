// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Bytes
package import KeyValueStore
internal import Synchronization

// MARK: - KeyValueStore

extension EmbeddedStore: KeyValueStore {
    /// The version of etcd whose behaviour the store has. Clients draw conclusions from it: from
    /// 3.5.13 on, that progress can be asked for.
    package static var etcdVersion: String { "3.6.8" }

    package func range(_ request: RangeRequest) async throws(StoreError) -> RangeResponse {
        try self.readRange(request)
    }

    /// Sends a write to the writer and waits for what `answer` finds in the result.
    private func perform<Response: Sendable>(
        _ request: WriteRequest,
        answer: @escaping @Sendable (WriteResult) -> Response?
    ) async throws(StoreError) -> Response {
        try await self.waiting { self.write(request, then: $0, answer: answer) }
    }

    package func put(_ request: PutRequest) async throws(StoreError) -> PutResponse {
        try await self.waiting { self.put(request, then: $0) }
    }

    package func deleteRange(
        _ request: DeleteRangeRequest
    ) async throws(StoreError) -> DeleteRangeResponse {
        try await self.waiting { self.deleteRange(request, then: $0) }
    }

    package func txn(_ request: TxnRequest) async throws(StoreError) -> TxnResponse {
        try await self.waiting { self.txn(request, then: $0) }
    }

    package func compact(
        _ request: CompactionRequest
    ) async throws(StoreError) -> CompactionResponse {
        try await self.waiting { self.compact(request, then: $0) }
    }

    // MARK: - Watches

    package func openWatchStream() async throws(StoreError) -> any WatchStream {
        EmbeddedWatchStream(
            session: try self.makeSession(),
            compactRevision: { self.state.withLock { $0.compactRevision } },
            onProgressNotify: { self.inbox.poke() }
        )
    }

    // MARK: - Leases

    package func leaseGrant(
        _ request: LeaseGrantRequest
    ) async throws(StoreError) -> LeaseGrantResponse {
        try await self.perform(.leaseGrant(request)) { result in
            if case .leaseGrant(let response) = result { response } else { nil }
        }
    }

    package func leaseRevoke(
        _ request: LeaseRevokeRequest
    ) async throws(StoreError) -> LeaseRevokeResponse {
        try await self.perform(.leaseRevoke(request)) { result in
            if case .leaseRevoke(let response) = result { response } else { nil }
        }
    }

    /// Waits until what was evaluated of leases is durable, so that nothing is told that a crash
    /// could take back.
    private func settleLeases() async throws(StoreError) {
        try self.checkRunning()
        if self.state.withLock({ $0.hasPendingLeases }) {
            try await self.perform(.barrier) { result in
                if case .barrier = result { () } else { nil }
            }
        }
    }

    package func leaseKeepAlive(
        _ request: LeaseKeepAliveRequest
    ) async throws(StoreError) -> LeaseKeepAliveResponse {
        try await self.settleLeases()
        return self.state.withLock { state in
            let ttl = state.leases.keepAlive(request.id, now: self.clock.nanoseconds)
            return LeaseKeepAliveResponse(
                header: state.header(state.committed),
                id: request.id,
                ttl: ttl ?? 0
            )
        }
    }

    package func leaseTimeToLive(
        _ request: LeaseTimeToLiveRequest
    ) async throws(StoreError) -> LeaseTimeToLiveResponse {
        try await self.settleLeases()
        return self.state.withLock { state in
            let now = self.clock.nanoseconds
            var response = LeaseTimeToLiveResponse(
                header: state.header(state.committed),
                id: request.id,
                ttl: -1
            )
            guard let lease = state.leases.lease(request.id), lease.deadline > now else {
                return response
            }
            response.ttl = (lease.deadline - now) / 1_000_000_000
            response.grantedTTL = lease.ttl
            if request.keys { response.keys = lease.keys.sorted() }
            return response
        }
    }

    package func leaseLeases() async throws(StoreError) -> LeaseLeasesResponse {
        try await self.settleLeases()
        return self.state.withLock { state in
            LeaseLeasesResponse(header: state.header(state.committed), leases: state.leases.ids)
        }
    }

    // MARK: - Maintenance

    package func status() async throws(StoreError) -> StatusResponse {
        try self.checkRunning()
        let usage = self.backend.usage
        return self.state.withLock { state in
            let usedBytes = usage.usedBytes + Int64(state.tail.bytes)
            return StatusResponse(
                header: state.header(state.committed),
                version: Self.etcdVersion,
                databaseBytes: max(usage.allocatedBytes, usedBytes),
                databaseBytesInUse: usedBytes,
                databaseQuotaBytes: self.options.limits.quotaBytes,
                leader: state.memberID,
                raftIndex: state.requestIndex,
                raftTerm: state.term,
                raftAppliedIndex: state.requestIndex,
                errors: state.raised.map {
                    "memberID:\($0.memberID) alarm:\($0.alarm == .noSpace ? "NOSPACE" : "CORRUPT") "
                },
                isLearner: false,
                storageVersion: "3.6.0"
            )
        }
    }

    package func alarm(_ request: AlarmRequest) async throws(StoreError) -> AlarmResponse {
        try await self.perform(.alarm(request)) { result in
            if case .alarm(let response) = result { response } else { nil }
        }
    }

    package func defragment() async throws(StoreError) -> DefragmentResponse {
        try self.checkRunning()
        return DefragmentResponse(header: self.state.withLock { $0.header($0.committed) })
    }

    package func hash() async throws(StoreError) -> HashResponse {
        let hashed = try await self.hashKV(revision: 0)
        return HashResponse(header: hashed.header, hash: hashed.hash)
    }

    package func hashKV(revision: Int64) async throws(StoreError) -> HashKVResponse {
        try self.checkRunning()
        return try await self.onOwnThread("store-hash") { () throws(StoreError) in
            try self.computeHash(revision)
        }
    }

    package func openSnapshot() async throws(StoreError) -> any SnapshotStream {
        try await self.settleLeases()
        return try await self.onOwnThread("store-snapshot") { () throws(StoreError) in
            try self.makeSnapshot()
        }
    }

    /// Runs what goes through the whole store: that is nothing for a thread that others wait for.
    private func onOwnThread<Value: Sendable>(
        _ name: String,
        _ body: @escaping @Sendable () throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        let result = await withUnsafeContinuation {
            (continuation: UnsafeContinuation<Result<Value, StoreError>, Never>) in
            EngineThread.start(name: name) {
                continuation.resume(returning: Result { () throws(StoreError) in try body() })
            }.detach()
        }
        return try result.get()
    }
}

/// A stream as callers hold it: letting go of it ends it.
package final class EmbeddedWatchStream: WatchStream {
    let session: WatchSession
    private let compactRevision: @Sendable () -> Int64
    private let onProgressNotify: @Sendable () -> Void

    init(
        session: WatchSession,
        compactRevision: @escaping @Sendable () -> Int64,
        onProgressNotify: @escaping @Sendable () -> Void
    ) {
        self.session = session
        self.compactRevision = compactRevision
        self.onProgressNotify = onProgressNotify
    }

    deinit {
        self.session.close()
    }

    package func create(_ request: WatchCreateRequest) async throws(StoreError) {
        try self.session.create(request, compactRevision: self.compactRevision())
        if request.progressNotify { self.onProgressNotify() }
    }

    package func cancel(_ watchID: Int64) async throws(StoreError) {
        self.session.cancel(watchID)
    }

    package func requestProgress() async throws(StoreError) {
        self.session.requestProgress()
    }

    package func next() async throws(StoreError) -> WatchResponse? {
        while true {
            switch try self.session.take() {
            case .response(let response): return response
            case .closed: return nil
            case .nothing: await self.session.wait()
            }
        }
    }

    package func close() {
        self.session.close()
    }
}
