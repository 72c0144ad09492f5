// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
public import PKI

/// Makes everything that the processes of a cluster find when they start: folders, certificates,
/// kubeconfigs, configuration. Safe to call at every start.
public struct ClusterPreparation: Sendable {
    private let options: ClusterOptions

    public init(_ options: ClusterOptions) {
        self.options = options
    }

    /// Why a cluster cannot be prepared.
    public enum Failure: Error, CustomStringConvertible {
        case file(FileError)
        case certificates(PKIError)
        /// A program or a folder that has to be there is not.
        case missing(String)

        public var description: String {
            switch self {
            case .file(let error): error.description
            case .certificates(let error): "\(error)"
            case .missing(let what): "not found: \(what)"
            }
        }
    }

    private var layout: ClusterLayout { self.options.layout }

    /// The identities of clients: the name of the kubeconfig, and of the certificate in `clients/`.
    static let clients = [
        "admin", "controller-manager", "scheduler", "kube-proxy", "kubelet",
        "cloud-controller-manager", "cluster-dns",
    ]

    public func run(at now: CertificateTime) throws(Failure) {
        try self.makeFolders()
        do throws(PKIError) {
            _ = try self.certificates.ensure(in: self.layout.pki, at: now)
        } catch {
            throw .certificates(error)
        }
        do throws(FileError) {
            for client in Self.clients { try self.writeKubeconfig(client) }
        } catch {
            throw .file(error)
        }
        if !self.options.controlPlaneOnly { try self.writeContainerd() }
    }

    private func makeFolders() throws(Failure) {
        do throws(FileError) {
            for folder in self.layout.folders {
                // Stored Secrets lie in the store's folder.
                let mode: mode_t = folder == self.layout.etcd ? 0o700 : 0o755
                try ClusterFile.makeFolder(folder, mode: mode)
            }
            try ClusterFile.makeFolder("\(self.layout.kubelet)/manifests")
        } catch {
            throw .file(error)
        }
    }

    /// Makes what the processes of a node find that joins a cluster elsewhere.
    ///
    /// - Parameter token: lets the kubelet ask for its first certificate.
    public func join(_ info: ClusterInfo, token: JoinToken) throws(Failure) {
        try self.makeFolders()
        do throws(FileError) {
            try ClusterFile.update(info.authority, at: self.layout.certificate("ca"), mode: 0o644)
            let own = KubeconfigText.Credentials.file(self.layout.kubeletCertificate)
            let files: [(String, KubeconfigText.Credentials)] = [
                ("bootstrap-kubelet", .token(token.description)), ("kube-proxy", own),
                ("cluster-dns", own),
            ]
            for (user, credentials) in files {
                let text = KubeconfigText(
                    cluster: "apus",
                    server: info.server,
                    authority: info.authority,
                    user: user,
                    credentials: credentials
                )
                try ClusterFile.update(
                    Array(text.text.utf8),
                    at: self.layout.kubeconfig(user),
                    mode: 0o600
                )
            }
            // From here on this is a node that joined, which starts again by itself.
            try ClusterFile.update(
                JoinedNode.json(self.options),
                at: JoinedNode.path(self.layout),
                mode: 0o644
            )
        } catch {
            throw .file(error)
        }
        try self.prepareRuntime()
    }

    /// Makes again what may have changed with the machine.
    public func prepareRuntime() throws(Failure) { try self.writeContainerd() }

    private var certificates: ClusterPKI {
        ClusterPKI(
            .init(
                nodeName: self.options.nodeName,
                hosts: [self.options.nodeAddress],
                serviceAddresses: [
                    HostAddress(self.options.serviceRange.address(1))
                ].compactMap(\.self),
                dnsDomain: self.options.clusterDomain
            )
        )
    }

    private func writeKubeconfig(_ client: String) throws(FileError) {
        let text = KubeconfigText(
            cluster: "apus",
            server: "https://127.0.0.1:\(self.layout.port(.apiServer))",
            authority: try self.contents(self.layout.certificate("ca")),
            user: client,
            credentials: .embedded(
                try self.contents(self.layout.certificate("clients/\(client)")),
                key: try self.contents(self.layout.key("clients/\(client)"))
            )
        )
        try ClusterFile.update(
            Array(text.text.utf8),
            at: self.layout.kubeconfig(client),
            mode: 0o600
        )
    }

    private func contents(_ path: String) throws(FileError) -> [UInt8] {
        guard let bytes = try ClusterFile.read(path) else {
            throw FileError(call: "open", path: path, errno: ENOENT)
        }
        return bytes
    }

    private func writeContainerd() throws(Failure) {
        let folders = ContainerdConfiguration.pluginFolders
        guard let plugins = folders.first(where: { access("\($0)/bridge", X_OK) == 0 }) else {
            throw .missing("the CNI plugin 'bridge' in \(folders.joined(separator: " or "))")
        }
        let configuration = ContainerdConfiguration(
            layout: self.layout,
            pluginFolder: plugins,
            sandboxImage: "apus.local/pause:1"
        )
        do throws(FileError) {
            try ClusterFile.update(
                Array(configuration.text.utf8),
                at: self.layout.containerdConfiguration,
                mode: 0o644
            )
        } catch {
            throw .file(error)
        }
    }
}
