// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import JSON
import YAML

/// Clusters, who one is to them, and which of them is meant: the file that `--kubeconfig` names.
///
/// Source: upstream client-go `tools/clientcmd/api/v1/types.go`.
public struct Kubeconfig: Sendable, Equatable {
    /// Bytes in the file itself, or in another.
    public enum Material: Sendable, Equatable {
        case embedded([UInt8])
        case file(String)
    }

    public struct Cluster: Sendable, Equatable {
        public var server: String
        /// The authorities to trust; nil for the system's.
        public var authority: Material?
        public var verifiesServer = true
        /// The name to verify instead of the server's.
        public var tlsServerName: String?

        public init(
            server: String,
            authority: Material? = nil,
            verifiesServer: Bool = true,
            tlsServerName: String? = nil
        ) {
            self.server = server
            self.authority = authority
            self.verifiesServer = verifiesServer
            self.tlsServerName = tlsServerName
        }
    }

    public struct User: Sendable, Equatable {
        public var certificate: Material?
        public var key: Material?
        public var token: String?
        /// A token that may change; it wins over `token`.
        public var tokenPath: String?

        public init(
            certificate: Material? = nil,
            key: Material? = nil,
            token: String? = nil,
            tokenPath: String? = nil
        ) {
            self.certificate = certificate
            self.key = key
            self.token = token
            self.tokenPath = tokenPath
        }
    }

    public struct Context: Sendable, Equatable {
        public var cluster: String
        public var user: String
        public var namespace: String
    }

    public var clusters: [String: Cluster] = [:]
    public var users: [String: User] = [:]
    public var contexts: [String: Context] = [:]
    public var currentContext = ""

    /// Reads the file at `path`; relative paths in it are relative to its folder.
    public init(path: String) throws(KubeconfigError) {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        try self.init(yaml: try ConfigFile.read(path), folder: folder)
    }

    /// Reads a text.
    ///
    /// - Parameter folder: what relative paths are relative to.
    public init(yaml text: [UInt8], folder: String = ".") throws(KubeconfigError) {
        let tree: DynamicValue
        do {
            tree = try DynamicValue(json: try YAML.json(from: text))
        } catch {
            throw .malformed(String(describing: error))
        }
        let reader = KubeconfigReader(folder: folder)
        self.currentContext = tree["current-context"]?.string ?? ""
        for (name, value) in try reader.entries(tree, "clusters", "cluster") {
            self.clusters[name] = try reader.cluster(value)
        }
        for (name, value) in try reader.entries(tree, "users", "user") {
            self.users[name] = try reader.user(value)
        }
        for (name, value) in try reader.entries(tree, "contexts", "context") {
            self.contexts[name] = Context(
                cluster: value["cluster"]?.string ?? "",
                user: value["user"]?.string ?? "",
                namespace: value["namespace"]?.string ?? ""
            )
        }
    }

    /// The cluster and user of a context.
    ///
    /// - Parameter context: nil for the current one.
    public func connection(
        context: String? = nil
    ) throws(KubeconfigError) -> ClusterConnection {
        let name = context ?? self.currentContext
        guard let chosen = self.contexts[name] else {
            throw .missing(kind: "context", name: name)
        }
        guard let cluster = self.clusters[chosen.cluster] else {
            throw .missing(kind: "cluster", name: chosen.cluster)
        }
        let user = chosen.user.isEmpty ? User() : self.users[chosen.user]
        guard let user else { throw .missing(kind: "user", name: chosen.user) }
        return ClusterConnection(cluster: cluster, user: user, namespace: chosen.namespace)
    }
}
