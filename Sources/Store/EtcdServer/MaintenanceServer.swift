// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Bytes
package import Engine
package import EtcdAPI
internal import KeyValueStore
internal import Protobuf
package import RPCInterface

/// `etcdserverpb.Maintenance`.
package struct MaintenanceServer: Etcd.MaintenanceService {
    private let store: EmbeddedStore

    package init(store: EmbeddedStore) {
        self.store = store
    }

    package func alarm(
        _ request: Etcd.AlarmRequest,
        context: ServerContext
    ) async throws -> Etcd.AlarmResponse {
        guard let action = AlarmRequest.Action(rawValue: request.action.rawValue),
            let type = AlarmType(rawValue: request.alarm.rawValue)
        else { throw RPCError(code: .invalidArgument, message: "unknown alarm or action") }
        let answered = try await answer { () throws(StoreError) in
            try await self.store.alarm(
                AlarmRequest(action: action, memberID: request.memberID, alarm: type)
            )
        }
        var response = Etcd.AlarmResponse()
        response.header = Etcd.ResponseHeader(answered.header)
        for alarm in answered.alarms {
            var member = Etcd.AlarmMember()
            member.memberID = alarm.memberID
            member.alarm = Etcd.AlarmType(rawValue: alarm.alarm.rawValue)
            response.alarms.append(member)
        }
        return response
    }

    package func status(
        _ request: Etcd.StatusRequest,
        context: ServerContext
    ) async throws -> Etcd.StatusResponse {
        let status = try await answer { () throws(StoreError) in try await self.store.status() }
        var response = Etcd.StatusResponse()
        response.header = Etcd.ResponseHeader(status.header)
        response.version = status.version
        response.dbSize = status.databaseBytes
        response.dbSizeInUse = status.databaseBytesInUse
        response.dbSizeQuota = status.databaseQuotaBytes
        response.leader = status.leader
        response.raftIndex = status.raftIndex
        response.raftTerm = status.raftTerm
        response.raftAppliedIndex = status.raftAppliedIndex
        for error in status.errors { response.errors.append(error) }
        response.isLearner = status.isLearner
        response.storageVersion = status.storageVersion
        return response
    }

    /// There is nothing to do: free pages are used again. It answers as if it had been done, since
    /// tools do it to each member after a compaction.
    package func defragment(
        _ request: Etcd.DefragmentRequest,
        context: ServerContext
    ) async throws -> Etcd.DefragmentResponse {
        let done = try await answer { () throws(StoreError) in
            try await self.store.defragment()
        }
        var response = Etcd.DefragmentResponse()
        response.header = Etcd.ResponseHeader(done.header)
        return response
    }

    package func hash(
        _ request: Etcd.HashRequest,
        context: ServerContext
    ) async throws -> Etcd.HashResponse {
        let hashed = try await answer { () throws(StoreError) in try await self.store.hash() }
        var response = Etcd.HashResponse()
        response.header = Etcd.ResponseHeader(hashed.header)
        response.hash_ = hashed.hash
        return response
    }

    package func hashKV(
        _ request: Etcd.HashKVRequest,
        context: ServerContext
    ) async throws -> Etcd.HashKVResponse {
        let hashed = try await answer { () throws(StoreError) in
            try await self.store.hashKV(revision: request.revision)
        }
        var response = Etcd.HashKVResponse()
        response.header = Etcd.ResponseHeader(hashed.header)
        response.hash_ = hashed.hash
        response.compactRevision = hashed.compactRevision
        response.hashRevision = hashed.hashRevision
        return response
    }

    /// Etcd's tools take the last 32 bytes for the SHA-256 of the rest and keep them in the file.
    package func snapshot(
        _ request: Etcd.SnapshotRequest,
        responses: RPCWriter<Etcd.SnapshotResponse>,
        context: ServerContext
    ) async throws {
        let snapshot = try await answer { () throws(StoreError) in
            try await self.store.openSnapshot()
        }
        defer { snapshot.close() }
        var left = snapshot.totalBytes
        while true {
            let part = try await answer { () throws(StoreError) in try await snapshot.next() }
            guard let part else { return }
            left -= UInt64(part.count)
            var response = Etcd.SnapshotResponse()
            response.remainingBytes = left
            response.blob = part
            response.version = EtcdServices.clusterVersion
            try await responses.write(response)
        }
    }

    package func moveLeader(
        _ request: Etcd.MoveLeaderRequest,
        context: ServerContext
    ) async throws -> Etcd.MoveLeaderResponse {
        throw RPCError(
            code: .failedPrecondition,
            message: "etcdserver: bad leader transferee"
        )
    }

    package func downgrade(
        _ request: Etcd.DowngradeRequest,
        context: ServerContext
    ) async throws -> Etcd.DowngradeResponse {
        throw RPCError(
            code: .unimplemented,
            message: "apus: the store has one format and no older one to go back to"
        )
    }
}
