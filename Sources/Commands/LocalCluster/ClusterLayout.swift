// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc

/// Where a cluster on this machine keeps its files, and which ports it has.
public struct ClusterLayout: Sendable, Hashable {
    /// Everything the cluster writes lies below it.
    public let dataDirectory: String
    /// Added to every port, so that several clusters can live on one machine.
    public let portOffset: Int

    /// - Parameter dataDirectory: an absolute path.
    public init(dataDirectory: String, portOffset: Int = 0) {
        self.dataDirectory = dataDirectory
        self.portOffset = portOffset
    }

    // MARK: - Folders

    public var pki: String { self.path("pki") }
    public var kubeconfigs: String { self.path("kubeconfig") }
    public var etcd: String { self.path("etcd") }
    public var kubelet: String { self.path("kubelet") }
    public var containerd: String { self.path("containerd") }
    public var networks: String { self.path("cni") }
    public var manifests: String { self.path("manifests") }
    public var images: String { self.path("images") }
    /// Data of volumes of the default StorageClass.
    public var volumes: String { self.path("volumes") }
    public var logs: String { self.path("log") }
    public var run: String { self.path("run") }

    /// The folders that are made before anything starts.
    public var folders: [String] {
        [
            self.dataDirectory, self.pki, self.kubeconfigs, self.etcd, self.kubelet,
            self.containerd, self.networks, self.manifests, self.images, self.logs, self.run,
        ]
    }

    // MARK: - Files

    public func certificate(_ name: String) -> String { "\(self.pki)/\(name).crt" }
    public func key(_ name: String) -> String { "\(self.pki)/\(name).key" }
    public func kubeconfig(_ name: String) -> String { "\(self.kubeconfigs)/\(name).conf" }
    public func log(_ component: String) -> String { "\(self.logs)/\(component).log" }
    public var serviceAccountKey: String { "\(self.pki)/sa.key" }
    public var serviceAccountPublicKey: String { "\(self.pki)/sa.pub" }
    public var containerdSocket: String { "\(self.run)/containerd.sock" }
    public var containerdConfiguration: String { "\(self.containerd)/config.toml" }
    public var containerdState: String { "\(self.run)/containerd" }
    /// Where a node that joined keeps its certificates, and the one by which it is known, with its
    /// key.
    public var kubeletCertificates: String { "\(self.kubelet)/pki" }
    public var kubeletCertificate: String {
        "\(self.kubeletCertificates)/kubelet-client-current.pem"
    }
    /// The address of the cluster's DNS, as pods see it.
    public var resolverConfiguration: String { "\(self.kubelet)/resolv.conf" }
    /// What the supervisor knows of its components.
    public var state: String { "\(self.run)/state.json" }
    /// Held by the supervisor as long as it lives.
    public var lock: String { "\(self.run)/supervisor.lock" }

    private func path(_ name: String) -> String { "\(self.dataDirectory)/\(name)" }

    // MARK: - Ports

    public func port(_ port: Port) -> Int { port.rawValue + self.portOffset }

    /// The ports that upstream's components have.
    public enum Port: Int, Sendable, CaseIterable {
        case etcd = 2379
        case etcdMetrics = 2381
        case apiServer = 6443
        case kubeletHealth = 10248
        case kubeProxyMetrics = 10249
        case kubelet = 10250
        case kubeProxyHealth = 10256
        case controllerManager = 10257
        case cloudControllerManager = 10258
        case scheduler = 10259
    }
}

// MARK: - Reading

extension ClusterLayout {
    /// The text of a kubeconfig.
    public func readKubeconfig(_ name: String) throws(FileError) -> String {
        let path = self.kubeconfig(name)
        guard let bytes = try ClusterFile.read(path) else {
            throw FileError(call: "open", path: path, errno: ENOENT)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
