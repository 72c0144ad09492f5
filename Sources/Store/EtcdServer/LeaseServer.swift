// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import Engine
package import EtcdAPI
internal import KeyValueStore
internal import Protobuf
package import RPCInterface

/// `etcdserverpb.Lease`.
package struct LeaseServer: Etcd.LeaseService {
    private let store: EmbeddedStore

    package init(store: EmbeddedStore) {
        self.store = store
    }

    package func leaseGrant(
        _ request: Etcd.LeaseGrantRequest,
        context: ServerContext
    ) async throws -> Etcd.LeaseGrantResponse {
        let granted = try await answer { () throws(StoreError) in
            try await self.store.leaseGrant(LeaseGrantRequest(ttl: request.ttl, id: request.id))
        }
        var response = Etcd.LeaseGrantResponse()
        response.header = Etcd.ResponseHeader(granted.header)
        response.id = granted.id
        response.ttl = granted.ttl
        return response
    }

    package func leaseRevoke(
        _ request: Etcd.LeaseRevokeRequest,
        context: ServerContext
    ) async throws -> Etcd.LeaseRevokeResponse {
        let revoked = try await answer { () throws(StoreError) in
            try await self.store.leaseRevoke(LeaseRevokeRequest(id: request.id))
        }
        var response = Etcd.LeaseRevokeResponse()
        response.header = Etcd.ResponseHeader(revoked.header)
        return response
    }

    package func leaseKeepAlive(
        _ requests: RPCRequestStream<Etcd.LeaseKeepAliveRequest>,
        responses: RPCWriter<Etcd.LeaseKeepAliveResponse>,
        context: ServerContext
    ) async throws {
        while let request = try await requests.next() {
            let kept = try await answer { () throws(StoreError) in
                try await self.store.leaseKeepAlive(LeaseKeepAliveRequest(id: request.id))
            }
            var response = Etcd.LeaseKeepAliveResponse()
            response.header = Etcd.ResponseHeader(kept.header)
            response.id = kept.id
            response.ttl = kept.ttl
            try await responses.write(response)
        }
    }

    package func leaseTimeToLive(
        _ request: Etcd.LeaseTimeToLiveRequest,
        context: ServerContext
    ) async throws -> Etcd.LeaseTimeToLiveResponse {
        let left = try await answer { () throws(StoreError) in
            try await self.store.leaseTimeToLive(
                LeaseTimeToLiveRequest(id: request.id, keys: request.keys)
            )
        }
        var response = Etcd.LeaseTimeToLiveResponse()
        response.header = Etcd.ResponseHeader(left.header)
        response.id = left.id
        response.ttl = left.ttl
        response.grantedTTL = left.grantedTTL
        for key in left.keys { response.keys.append(key) }
        return response
    }

    package func leaseLeases(
        _ request: Etcd.LeaseLeasesRequest,
        context: ServerContext
    ) async throws -> Etcd.LeaseLeasesResponse {
        let all = try await answer { () throws(StoreError) in
            try await self.store.leaseLeases()
        }
        var response = Etcd.LeaseLeasesResponse()
        response.header = Etcd.ResponseHeader(all.header)
        for id in all.leases {
            var status = Etcd.LeaseStatus()
            status.id = id
            response.leases.append(status)
        }
        return response
    }
}

/// Runs `body` and gives the store's errors to the client.
func answer<Value>(
    _ body: () async throws(StoreError) -> Value
) async throws(RPCError) -> Value {
    do throws(StoreError) {
        return try await body()
    } catch {
        throw RPCError(error)
    }
}

extension Etcd.ResponseHeader {
    init(_ header: ResponseHeader) {
        self.init()
        self.clusterId = header.clusterID
        self.memberId = header.memberID
        self.revision = header.revision
        self.raftTerm = header.raftTerm
    }
}
