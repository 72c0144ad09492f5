// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import Engine
package import EtcdAPI
internal import KeyValueStore
internal import Protobuf
package import RPCInterface

/// `etcdserverpb.Cluster`, of a cluster that has one member and keeps it.
package struct ClusterServer: Etcd.ClusterService {
    private let store: EmbeddedStore
    private let member: EtcdMember

    package init(store: EmbeddedStore, member: EtcdMember) {
        self.store = store
        self.member = member
    }

    package func memberList(
        _ request: Etcd.MemberListRequest,
        context: ServerContext
    ) async throws -> Etcd.MemberListResponse {
        let status = try await answer { () throws(StoreError) in try await self.store.status() }
        var response = Etcd.MemberListResponse()
        response.header = Etcd.ResponseHeader(status.header)
        var member = Etcd.Member()
        member.id = status.header.memberID
        member.name = self.member.name
        for url in self.member.peerURLs { member.peerURLs.append(url) }
        for url in self.member.clientURLs { member.clientURLs.append(url) }
        response.members.append(member)
        return response
    }

    /// What a store of one node says to those who want more.
    private var single: RPCError {
        RPCError(
            code: .unimplemented,
            message: "apus: this store has one member; for several, use an etcd cluster"
        )
    }

    package func memberAdd(
        _ request: Etcd.MemberAddRequest,
        context: ServerContext
    ) async throws -> Etcd.MemberAddResponse {
        throw self.single
    }

    package func memberRemove(
        _ request: Etcd.MemberRemoveRequest,
        context: ServerContext
    ) async throws -> Etcd.MemberRemoveResponse {
        throw self.single
    }

    package func memberUpdate(
        _ request: Etcd.MemberUpdateRequest,
        context: ServerContext
    ) async throws -> Etcd.MemberUpdateResponse {
        throw self.single
    }

    package func memberPromote(
        _ request: Etcd.MemberPromoteRequest,
        context: ServerContext
    ) async throws -> Etcd.MemberPromoteResponse {
        throw self.single
    }
}
