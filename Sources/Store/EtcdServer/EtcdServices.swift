// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import Engine
internal import KeyValueStore
package import RPCInterface

/// What the members of a cluster know of a member. Here there is one.
package struct EtcdMember: Hashable, Sendable {
    /// The name that people gave it.
    package var name: String
    /// Where other members would reach it.
    package var peerURLs: [String]
    /// Where clients reach it.
    package var clientURLs: [String]

    package init(name: String, peerURLs: [String], clientURLs: [String]) {
        self.name = name
        self.peerURLs = peerURLs
        self.clientURLs = clientURLs
    }
}

/// The services of etcd's API on an embedded store.
///
/// `KV` and `Watch` translate between store and wire directly: a range is copied once, from the
/// table's pages into the response. The handlers run on the connection's event loop; reads finish
/// there without leaving it.
package enum EtcdServices {
    /// All services.
    ///
    /// - Parameters:
    ///   - store: The store.
    ///   - member: What it says of itself.
    package static func all(_ store: EmbeddedStore, member: EtcdMember) -> [any RPCService] {
        [
            KVServer(store: store),
            WatchServer(store: store),
            LeaseServer(store: store),
            MaintenanceServer(store: store),
            ClusterServer(store: store, member: member),
            AuthServer(store: store),
        ]
    }

    /// The version of the cluster: etcd's with the patch 0.
    package static var clusterVersion: String { Self.clusterSeries + ".0" }

    /// The version of the cluster as its metric has it.
    package static var clusterSeries: String {
        EmbeddedStore.etcdVersion.split(separator: ".").prefix(2).joined(separator: ".")
    }

    /// What etcd adds to the size of requests for what the transport puts around them.
    ///
    /// Source: etcd 3.6 `server/etcdserver/api/v3rpc/grpc.go`, `grpcOverheadBytes`.
    package static let overheadBytes = 512 << 10
}

extension RPCError {
    /// The store's error as clients see it.
    init(_ error: StoreError) {
        self.init(
            code: RPCStatusCode(rawValue: error.code.rawValue),
            message: error.message,
            cause: error
        )
    }
}
