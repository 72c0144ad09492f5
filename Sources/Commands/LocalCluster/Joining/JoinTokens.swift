// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Kubeconfig
import KubernetesAPI
import NIOPosix
public import ObjectModel
import Protobuf
import RPC
import ResourceClient

/// The tokens of a cluster, as somebody with rights on Secrets and the cluster's description has them.
public struct JoinTokens: Sendable {
    private let client: RPCClient

    /// - Parameter kubeconfig: the path of the file that says how to reach the API server.
    public init(kubeconfig: String) throws(KubeconfigError) {
        self.client = try Kubeconfig(path: kubeconfig).connection()
            .makeClient(group: MultiThreadedEventLoopGroup.singleton, userAgent: "apus")
    }

    public func close() { self.client.close(gracefully: false) }

    private var secrets: Client<CoreV1.Secret> { Client(self.client) }

    public func create(_ record: JoinTokenRecord) async throws(StatusError) {
        _ = try await self.secrets.create(record.secret)
    }

    /// All that can be understood, by their names.
    public func list() async throws(StatusError) -> [JoinTokenRecord] {
        let secrets = try await self.secrets.list(in: JoinTokenRecord.namespace).items
        return secrets.compactMap { JoinTokenRecord($0) }.sorted { $0.token.id < $1.token.id }
    }

    public func delete(_ id: String) async throws(StatusError) {
        try await self.secrets.delete(
            JoinTokenRecord.secretName(id),
            in: JoinTokenRecord.namespace
        )
    }

    /// The command by which a machine joins.
    public func joinCommand(_ token: JoinToken) async throws -> String {
        let map = try await Client<CoreV1.ConfigMap>(self.client)
            .get(ClusterInfo.name, in: ClusterInfo.namespace)
        let kubeconfig = try Kubeconfig(yaml: Array((map.data["kubeconfig"] ?? "").utf8))
        guard let cluster = kubeconfig.clusters.values.first,
            case .embedded(let authority) = cluster.authority
        else { throw KubeconfigError.missing(kind: "cluster", name: ClusterInfo.name) }
        let info = ClusterInfo(server: cluster.server, authority: authority)
        let pins = try info.pins().map { "--discovery-token-ca-cert-hash \($0)" }
        return (["apus join \(info.address) --token \(token)"] + pins).joined(separator: " ")
    }
}
