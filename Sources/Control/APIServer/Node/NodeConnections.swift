// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import HTTP2Transport
import KubernetesAPI
package import NIOCore
import ObjectModel
import RPC
import RPCInterface
import Registry
import ResourceTable
import Synchronization
package import TLS

/// Connections to the kubelets of the cluster, made when somebody asks for a node.
package final class NodeConnections: Sendable {
    /// How a node is reached.
    package struct Configuration: Sendable {
        /// The client's certificate and the authorities of the kubelets; nil for cleartext.
        package var tls: TLSContextSource?
        /// Which of a node's addresses are taken, best first.
        package var addressTypes = ["InternalIP", "Hostname", "InternalDNS", "ExternalIP"]
        package var group: (any EventLoopGroup)?

        package init() {}
    }

    private let registry: Registry
    private let configuration: Configuration
    private let clients = Mutex<[HTTPEndpoint: RPCClient]>([:])

    /// How many nodes are kept connected.
    private static let maximumClients = 1024

    init(registry: Registry, configuration: Configuration) {
        self.registry = registry
        self.configuration = configuration
    }

    /// Where connections run; nil when they are not configured.
    var group: (any EventLoopGroup)? { self.configuration.group }

    /// How kubelets know the server, and it them.
    var tls: TLSContextSource? { self.configuration.tls }

    /// A client of a node's kubelet.
    func client(node name: String) throws(StatusError) -> ApusNode.NodeClient {
        let endpoint = try self.endpoint(of: name)
        guard let group = self.configuration.group else {
            throw .serviceUnavailable("connections to nodes are not configured")
        }
        let client = self.clients.withLock { clients in
            if let known = clients[endpoint] { return known }
            if clients.count >= Self.maximumClients, let oldest = clients.keys.first {
                clients.removeValue(forKey: oldest)?.close()
            }
            let client = RPCClient(to: endpoint, tls: self.configuration.tls, group: group)
            clients[endpoint] = client
            return client
        }
        return ApusNode.NodeClient(channel: client)
    }

    private func endpoint(of name: String) throws(StatusError) -> HTTPEndpoint {
        let nodes = GroupResource(group: "", resource: "nodes")
        guard
            let node = RegistryReader(registry: self.registry)
                .get(nodes, namespace: "", name: name)?.message(as: CoreV1.Node.self)
        else { throw .notFound(nodes, name) }
        return try self.endpoint(of: node)
    }

    /// Where a node's kubelet is.
    func endpoint(of node: CoreV1.Node) throws(StatusError) -> HTTPEndpoint {
        let port = node.status.daemonEndpoints.kubeletEndpoint.port
        for type in self.configuration.addressTypes {
            if let address = node.status.addresses.first(where: { $0.type == type }) {
                return .tcp(host: address.address, port: port > 0 ? Int(port) : 10_250)
            }
        }
        throw .serviceUnavailable(
            "no preferred addresses found; known addresses: "
                + "\(node.status.addresses.map(\.address))"
        )
    }

    /// Closes all connections.
    func close() {
        let clients = self.clients.withLock { clients in
            defer { clients = [:] }
            return Array(clients.values)
        }
        for client in clients { client.close() }
    }
}
