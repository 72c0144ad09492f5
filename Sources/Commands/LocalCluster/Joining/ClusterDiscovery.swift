// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Kubeconfig
import KubernetesAPI
import NIOPosix
public import ObjectModel
import Protobuf
import RPC
import RPCInterface
import ResourceClient

/// Finds out about a cluster, knowing its address, a token, and a hash of its authority's key.
///
/// The token is sent to nobody who has not proved to know it, and to be who the hash says.
public struct ClusterDiscovery: Sendable {
    private let address: String
    private let token: JoinToken
    private let pins: [String]

    private static let pause = Duration.milliseconds(500)

    /// - Parameters:
    ///   - address: `host:port` of an API server.
    ///   - pins: of authorities that are trusted; empty to trust who knows the token.
    public init(address: String, token: JoinToken, pins: [String]) {
        self.address = address
        self.token = token
        self.pins = pins
    }

    /// Why a cluster cannot be joined.
    public enum Failure: Error, Sendable, CustomStringConvertible {
        /// What the server says of itself is not believed.
        case doubt(ClusterInfo.Doubt)
        case kubeconfig(KubeconfigError)
        /// The API server did not do what it was asked.
        case server(String, StatusError)
        /// The cluster does not say what a node has to know.
        case incomplete(String)
        case nodeExists(String)
        case interrupted

        public var description: String {
            switch self {
            case .doubt(let doubt): doubt.description
            case .kubeconfig(let error): error.description
            case .server(let address, let error): "\(address): \(error.message)"
            case .incomplete(let what):
                "the cluster does not say its \(what): was it made by apus up?"
            case .nodeExists(let name):
                "a Node with name \"\(name)\" and status \"Ready\" already exists in the cluster. "
                    + "You must delete the existing Node or change the name of this new joining Node"
            case .interrupted: "interrupted"
            }
        }
    }

    /// What is known of a cluster.
    public struct Cluster: Sendable {
        public var info: ClusterInfo
        public var serviceRange: IPv4Range
        public var podRange: IPv4Range
        public var domain: String
    }

    /// Asks until the cluster has answered, or the time is over.
    public func run(timeout: Duration) async throws(Failure) -> Cluster {
        let deadline = ContinuousClock.now + timeout
        while true {
            do throws(Failure) {
                let info = try await self.info()
                return try await self.settings(of: info)
            } catch {
                switch error {
                // A token that was made a moment ago, or a server that is starting.
                case .doubt(.unsigned), .server: break
                case .doubt, .kubeconfig, .incomplete, .nodeExists, .interrupted: throw error
                }
                guard ContinuousClock.now < deadline else { throw error }
            }
            guard (try? await Task.sleep(for: Self.pause)) != nil else { throw .interrupted }
        }
    }

    /// Throws `nodeExists` when another machine has the name.
    public func check(nodeName: String, in cluster: Cluster) async throws(Failure) {
        let node = try await self.ask(cluster.info) { channel async throws(StatusError) in
            do throws(StatusError) {
                return try await Client<CoreV1.Node>(channel).get(nodeName)
            } catch {
                guard error.isNotFound else { throw error }
                return CoreV1.Node()
            }
        }
        let isReady = node.status.conditions.contains { $0.type == "Ready" && $0.status == "True" }
        guard !isReady else { throw .nodeExists(nodeName) }
    }

    // MARK: -

    private func info() async throws(Failure) -> ClusterInfo {
        let unknown = Kubeconfig.Cluster(server: "https://\(self.address)", verifiesServer: false)
        let map = try await self.ask(unknown, Kubeconfig.User()) {
            channel async throws(StatusError) in
            try await Client<CoreV1.ConfigMap>(channel)
                .get(ClusterInfo.name, in: ClusterInfo.namespace)
        }
        do throws(ClusterInfo.Doubt) {
            return try ClusterInfo(map, token: self.token, pins: self.pins)
        } catch {
            throw .doubt(error)
        }
    }

    private func settings(of info: ClusterInfo) async throws(Failure) -> Cluster {
        let map = try await self.ask(info) { channel async throws(StatusError) in
            try await Client<CoreV1.ConfigMap>(channel)
                .get(ClusterObjects.configuration, in: "kube-system")
        }
        guard let services = map.data["serviceRange"].flatMap({ IPv4Range($0) }) else {
            throw .incomplete("range of Services")
        }
        guard let pods = map.data["podRange"].flatMap({ IPv4Range($0) }) else {
            throw .incomplete("range of pods")
        }
        guard let domain = map.data["clusterDomain"], !domain.isEmpty else {
            throw .incomplete("domain")
        }
        return Cluster(info: info, serviceRange: services, podRange: pods, domain: domain)
    }

    /// A call with the token to a server that is known.
    private func ask<Answer: Sendable>(
        _ info: ClusterInfo,
        _ body: (RPCClient) async throws(StatusError) -> Answer
    ) async throws(Failure) -> Answer {
        try await self.ask(
            Kubeconfig.Cluster(server: info.server, authority: .embedded(info.authority)),
            Kubeconfig.User(token: self.token.description),
            body
        )
    }

    private func ask<Answer: Sendable>(
        _ cluster: Kubeconfig.Cluster,
        _ user: Kubeconfig.User,
        _ body: (RPCClient) async throws(StatusError) -> Answer
    ) async throws(Failure) -> Answer {
        let client: RPCClient
        do throws(KubeconfigError) {
            client = try ClusterConnection(cluster: cluster, user: user)
                .makeClient(group: MultiThreadedEventLoopGroup.singleton, userAgent: "apus")
        } catch {
            throw .kubeconfig(error)
        }
        defer { client.close(gracefully: false) }
        do throws(StatusError) {
            return try await body(client)
        } catch {
            throw .server(cluster.server, error)
        }
    }
}
