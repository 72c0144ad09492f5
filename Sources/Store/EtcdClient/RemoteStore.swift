// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Bytes
internal import EtcdAPI
internal import EtcdCodec
package import KeyValueStore
internal import Protobuf
package import RPCInterface

/// A store somewhere else, reached over etcd's API: `apus etcd`, or the members of an etcd cluster.
///
/// It adds nothing to what the server promises. Calls go to one member until it cannot be reached or
/// has no leader, then to the next. Reads are tried again there; a write only if it was not sent:
/// otherwise it ends with `unavailable`, and whether it was done is not known.
package struct RemoteStore: KeyValueStore {
    private let members: Members
    private let timeout: Duration?

    /// - Parameters:
    ///   - channels: Connections to the members, at least one.
    ///   - timeout: How long a call other than a stream may take; nil for as long as it likes.
    package init(channels: [any RPCChannel], timeout: Duration? = nil) {
        self.members = Members(channels)
        self.timeout = timeout
    }

    /// - Parameter channel: A connection to the only member.
    package init(channel: any RPCChannel, timeout: Duration? = nil) {
        self.init(channels: [channel], timeout: timeout)
    }

    private var options: CallOptions {
        CallOptions(timeout: self.timeout, maxResponseMessageBytes: Int(Int32.max))
    }

    /// Options of streams: the server ends them when it has lost its cluster.
    ///
    /// Source: etcd 3.6 `client/v3/ctx.go`, `WithRequireLeader`.
    private var streamOptions: CallOptions {
        CallOptions(
            metadata: ["hasleader": "true"],
            maxResponseMessageBytes: Int(Int32.max)
        )
    }

    /// Makes a call, on another member if need be.
    ///
    /// - Parameter isRead: Whether doing it twice is doing it once.
    private func unary<Request: RPCMessage, Response: RPCMessage>(
        _ method: RPCMethod,
        _ request: Request,
        isRead: Bool = false
    ) async throws(StoreError) -> Response {
        var attempt = 1
        while true {
            let member = self.members.current
            do throws(RPCError) {
                return try await member.channel.unary(method, request, options: self.options)
            } catch {
                let isLost = self.members.hasFailed(member, error)
                guard isLost, isRead || error.wasNotSent, attempt < self.members.attempts else {
                    throw StoreError(error)
                }
                attempt += 1
                await self.members.pause(beforeAttempt: attempt)
            }
        }
    }

    // MARK: - Keys

    package func range(_ request: RangeRequest) async throws(StoreError) -> RangeResponse {
        try await self.unary(Etcd.KVMethods.range, request, isRead: true)
    }

    package func put(_ request: PutRequest) async throws(StoreError) -> PutResponse {
        try await self.unary(Etcd.KVMethods.put, request)
    }

    package func deleteRange(
        _ request: DeleteRangeRequest
    ) async throws(StoreError) -> DeleteRangeResponse {
        try await self.unary(Etcd.KVMethods.deleteRange, request)
    }

    package func txn(_ request: TxnRequest) async throws(StoreError) -> TxnResponse {
        try await self.unary(Etcd.KVMethods.txn, request)
    }

    package func compact(
        _ request: CompactionRequest
    ) async throws(StoreError) -> CompactionResponse {
        try await self.unary(Etcd.KVMethods.compact, request)
    }

    // MARK: - Streams

    package func openWatchStream() async throws(StoreError) -> any WatchStream {
        do throws(RPCError) {
            let member = self.members.current
            let call = try await member.channel.start(
                Etcd.WatchMethods.watch,
                options: self.streamOptions
            )
            return RemoteWatchStream(call) { error in
                _ = self.members.hasFailed(member, error)
            }
        } catch {
            throw StoreError(error)
        }
    }

    package func openSnapshot() async throws(StoreError) -> any SnapshotStream {
        do throws(RPCError) {
            let stream: RPCResponseStream<Etcd.SnapshotResponse> =
                try await self.members.current.channel.serverStreaming(
                    Etcd.MaintenanceMethods.snapshot,
                    Etcd.SnapshotRequest(),
                    options: self.streamOptions
                )
            let first = try await stream.next()
            return RemoteSnapshotStream(stream, first: first)
        } catch {
            throw StoreError(error)
        }
    }

    // MARK: - Leases

    package func leaseGrant(
        _ request: LeaseGrantRequest
    ) async throws(StoreError) -> LeaseGrantResponse {
        var message = Etcd.LeaseGrantRequest()
        message.ttl = request.ttl
        message.id = request.id
        let answer: Etcd.LeaseGrantResponse =
            try await self.unary(Etcd.LeaseMethods.leaseGrant, message)
        return LeaseGrantResponse(
            header: ResponseHeader(answer.header),
            id: answer.id,
            ttl: answer.ttl
        )
    }

    package func leaseRevoke(
        _ request: LeaseRevokeRequest
    ) async throws(StoreError) -> LeaseRevokeResponse {
        var message = Etcd.LeaseRevokeRequest()
        message.id = request.id
        let answer: Etcd.LeaseRevokeResponse =
            try await self.unary(Etcd.LeaseMethods.leaseRevoke, message)
        return LeaseRevokeResponse(header: ResponseHeader(answer.header))
    }

    package func leaseKeepAlive(
        _ request: LeaseKeepAliveRequest
    ) async throws(StoreError) -> LeaseKeepAliveResponse {
        var message = Etcd.LeaseKeepAliveRequest()
        message.id = request.id
        let member = self.members.current
        do throws(RPCError) {
            let call:
                RPCBidirectionalCall<
                    Etcd.LeaseKeepAliveRequest, Etcd.LeaseKeepAliveResponse
                > = try await member.channel.bidirectional(
                    Etcd.LeaseMethods.leaseKeepAlive,
                    options: self.options
                )
            try await call.write(message)
            guard let answer = try await call.responses.next() else {
                throw RPCError(code: .unavailable, message: "the stream ended without an answer")
            }
            call.finishRequests()
            return LeaseKeepAliveResponse(
                header: ResponseHeader(answer.header),
                id: answer.id,
                ttl: answer.ttl
            )
        } catch {
            _ = self.members.hasFailed(member, error)
            throw StoreError(error)
        }
    }

    package func leaseTimeToLive(
        _ request: LeaseTimeToLiveRequest
    ) async throws(StoreError) -> LeaseTimeToLiveResponse {
        var message = Etcd.LeaseTimeToLiveRequest()
        message.id = request.id
        message.keys = request.keys
        let answer: Etcd.LeaseTimeToLiveResponse =
            try await self.unary(Etcd.LeaseMethods.leaseTimeToLive, message, isRead: true)
        return LeaseTimeToLiveResponse(
            header: ResponseHeader(answer.header),
            id: answer.id,
            ttl: answer.ttl,
            grantedTTL: answer.grantedTTL,
            keys: answer.keys.map { $0.detached() }
        )
    }

    package func leaseLeases() async throws(StoreError) -> LeaseLeasesResponse {
        let answer: Etcd.LeaseLeasesResponse =
            try await self.unary(
                Etcd.LeaseMethods.leaseLeases,
                Etcd.LeaseLeasesRequest(),
                isRead: true
            )
        return LeaseLeasesResponse(
            header: ResponseHeader(answer.header),
            leases: answer.leases.map(\.id)
        )
    }

    // MARK: - Maintenance

    package func status() async throws(StoreError) -> StatusResponse {
        let answer: Etcd.StatusResponse =
            try await self.unary(Etcd.MaintenanceMethods.status, Etcd.StatusRequest(), isRead: true)
        return StatusResponse(
            header: ResponseHeader(answer.header),
            version: answer.version,
            databaseBytes: answer.dbSize,
            databaseBytesInUse: answer.dbSizeInUse,
            databaseQuotaBytes: answer.dbSizeQuota,
            leader: answer.leader,
            raftIndex: answer.raftIndex,
            raftTerm: answer.raftTerm,
            raftAppliedIndex: answer.raftAppliedIndex,
            errors: Array(answer.errors),
            isLearner: answer.isLearner,
            storageVersion: answer.storageVersion
        )
    }

    package func hash() async throws(StoreError) -> HashResponse {
        let answer: Etcd.HashResponse =
            try await self.unary(Etcd.MaintenanceMethods.hash, Etcd.HashRequest(), isRead: true)
        return HashResponse(header: ResponseHeader(answer.header), hash: answer.hash_)
    }

    package func hashKV(revision: Int64) async throws(StoreError) -> HashKVResponse {
        var message = Etcd.HashKVRequest()
        message.revision = revision
        let answer: Etcd.HashKVResponse =
            try await self.unary(Etcd.MaintenanceMethods.hashKV, message, isRead: true)
        return HashKVResponse(
            header: ResponseHeader(answer.header),
            hash: answer.hash_,
            compactRevision: answer.compactRevision,
            hashRevision: answer.hashRevision
        )
    }

    package func alarm(_ request: AlarmRequest) async throws(StoreError) -> AlarmResponse {
        var message = Etcd.AlarmRequest()
        message.action = Etcd.AlarmRequest.AlarmAction(rawValue: request.action.rawValue)
        message.memberID = request.memberID
        message.alarm = Etcd.AlarmType(rawValue: request.alarm.rawValue)
        let answer: Etcd.AlarmResponse =
            try await self.unary(Etcd.MaintenanceMethods.alarm, message)
        return AlarmResponse(
            header: ResponseHeader(answer.header),
            alarms: answer.alarms.map { alarm in
                AlarmMember(
                    memberID: alarm.memberID,
                    alarm: AlarmType(rawValue: alarm.alarm.rawValue) ?? .none
                )
            }
        )
    }

    package func defragment() async throws(StoreError) -> DefragmentResponse {
        let answer: Etcd.DefragmentResponse =
            try await self.unary(Etcd.MaintenanceMethods.defragment, Etcd.DefragmentRequest())
        return DefragmentResponse(header: ResponseHeader(answer.header), performed: true)
    }
}

extension StoreError {
    /// What a server answered, or why it did not.
    init(_ error: RPCError) {
        self.init(
            Code(rawValue: error.code.rawValue),
            error.message,
            cause: error.cause.map { "\($0)" }
        )
    }
}

extension ResponseHeader {
    init(_ header: Etcd.ResponseHeader?) {
        self.init(
            clusterID: header?.clusterId ?? 0,
            memberID: header?.memberId ?? 0,
            revision: header?.revision ?? 0,
            raftTerm: header?.raftTerm ?? 0
        )
    }
}
