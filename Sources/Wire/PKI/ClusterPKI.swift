// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// All certificates and keys of a cluster: which there are, as data.
///
/// The layout is kubeadm's (kubernetes/website `docs/setup/best-practices/certificates`), so that
/// upstream's components and tools find every file where they expect it; `clients/` is ours, for
/// the identities that upstream keeps inside kubeconfig files.
///
///     ca.{crt,key}                         etcd/ca.{crt,key}
///     apiserver.{crt,key}                  etcd/server.{crt,key}
///     apiserver-kubelet-client.{crt,key}   etcd/peer.{crt,key}
///     apiserver-etcd-client.{crt,key}      etcd/healthcheck-client.{crt,key}
///     front-proxy-ca.{crt,key}             sa.{key,pub}
///     front-proxy-client.{crt,key}         clients/*.{crt,key}
public struct ClusterPKI: Sendable {
    /// Every entry; an issuer stands before what it issues.
    public let entries: [Entry]
    /// How long before its end a certificate is issued anew.
    public var renewBefore: Duration

    /// One certificate with its key, or one bare key pair.
    public struct Entry: Sendable, Hashable {
        /// The files' path below the folder, without the ending: `etcd/server`.
        public var path: String
        /// What the files are.
        public var content: Content
        /// The kind of key.
        public var keyKind: PrivateKey.Kind

        /// A certificate that its own key signed, one that another entry's key signed, or a key
        /// without a certificate (`.key` and `.pub`).
        public enum Content: Sendable, Hashable {
            case authority(CertificateTemplate)
            case issued(CertificateTemplate, issuer: String)
            case key
        }

        /// The entry that says this.
        public init(path: String, content: Content, keyKind: PrivateKey.Kind = .p256) {
            self.path = path
            self.content = content
            self.keyKind = keyKind
        }
    }

    /// What differs from one cluster to the next.
    public struct Configuration: Sendable {
        /// The name of this node, as in `system:node:NAME`.
        public var nodeName: String
        /// DNS names and IP addresses that reach this machine, beside the node's name and loopback.
        public var hosts: [String]
        /// The first address of the Service range, which is the API server's own Service.
        public var serviceAddresses: [HostAddress]
        /// The cluster's DNS domain.
        public var dnsDomain: String
        /// The kind of all keys.
        public var keyKind: PrivateKey.Kind
        /// Validity of the CAs.
        public var authorityValidity: Duration
        /// Validity of everything else.
        public var validity: Duration

        /// A cluster on this node.
        public init(
            nodeName: String,
            hosts: [String] = [],
            serviceAddresses: [HostAddress] = [],
            dnsDomain: String = "cluster.local",
            keyKind: PrivateKey.Kind = .p256,
            authorityValidity: Duration = CertificateTemplate.defaultAuthorityValidity,
            validity: Duration = CertificateTemplate.defaultValidity
        ) {
            self.nodeName = nodeName
            self.hosts = hosts
            self.serviceAddresses = serviceAddresses
            self.dnsDomain = dnsDomain
            self.keyKind = keyKind
            self.authorityValidity = authorityValidity
            self.validity = validity
        }
    }

    /// A certificate is renewed when a third of a year is left; k3s takes 120 days as well.
    public static let defaultRenewBefore = Duration.seconds(120 * 86_400)

    /// A PKI of these entries.
    public init(entries: [Entry], renewBefore: Duration = ClusterPKI.defaultRenewBefore) {
        self.entries = entries
        self.renewBefore = renewBefore
    }

    /// The PKI of a cluster, as upstream lays it out.
    public init(_ configuration: Configuration) {
        self.init(entries: configuration.entries)
    }
}

// MARK: - The table

extension ClusterPKI.Configuration {
    fileprivate var entries: [ClusterPKI.Entry] {
        self.kubernetesEntries + self.etcdEntries + self.frontProxyEntries + self.clientEntries
    }

    private static let loopback = ["localhost", "127.0.0.1", "::1"]

    private var kubernetesEntries: [ClusterPKI.Entry] {
        let names = ["kubernetes", "kubernetes.default", "kubernetes.default.svc"]
        let services = names + ["kubernetes.default.svc.\(self.dnsDomain)"]
        let addresses = self.serviceAddresses.map(\.description)
        return [
            self.authority("ca", "kubernetes-ca"),
            self.server("apiserver", "kube-apiserver", "ca", services + addresses),
            self.server("kubelet", "system:node:\(self.nodeName)", "ca", []),
            self.client(
                "apiserver-kubelet-client",
                "kube-apiserver-kubelet-client",
                "ca",
                .masters
            ),
            ClusterPKI.Entry(path: "sa", content: .key, keyKind: self.keyKind),
        ]
    }

    private var etcdEntries: [ClusterPKI.Entry] {
        [
            self.authority("etcd/ca", "etcd-ca"),
            self.server("etcd/server", self.nodeName, "etcd/ca", [], alsoClient: true),
            self.server("etcd/peer", self.nodeName, "etcd/ca", [], alsoClient: true),
            self.client("etcd/healthcheck-client", "kube-etcd-healthcheck-client", "etcd/ca"),
            self.client("apiserver-etcd-client", "kube-apiserver-etcd-client", "etcd/ca"),
        ]
    }

    private var frontProxyEntries: [ClusterPKI.Entry] {
        [
            self.authority("front-proxy-ca", "kubernetes-front-proxy-ca"),
            self.client("front-proxy-client", "front-proxy-client", "front-proxy-ca"),
        ]
    }

    private var clientEntries: [ClusterPKI.Entry] {
        [
            self.client("clients/admin", "kubernetes-admin", "ca", .masters),
            self.client("clients/controller-manager", "system:kube-controller-manager", "ca"),
            self.client("clients/scheduler", "system:kube-scheduler", "ca"),
            self.client("clients/kube-proxy", "system:kube-proxy", "ca"),
            self.client(
                "clients/cloud-controller-manager",
                "system:cloud-controller-manager",
                "ca"
            ),
            self.client("clients/cluster-dns", "system:cluster-dns", "ca"),
            self.client("clients/kubelet", "system:node:\(self.nodeName)", "ca", .nodes),
        ]
    }

    /// Groups that Kubernetes' authorizers know.
    private enum Group: String {
        case masters = "system:masters"
        case nodes = "system:nodes"
    }

    private func authority(_ path: String, _ name: String) -> ClusterPKI.Entry {
        ClusterPKI.Entry(
            path: path,
            content: .authority(.authority(name, validity: self.authorityValidity)),
            keyKind: self.keyKind
        )
    }

    /// A server on this machine; `names` come before the machine's own.
    private func server(
        _ path: String,
        _ name: String,
        _ issuer: String,
        _ names: [String],
        alsoClient: Bool = false
    ) -> ClusterPKI.Entry {
        let hosts = names + [self.nodeName] + ClusterPKI.Configuration.loopback + self.hosts
        var template = CertificateTemplate.server(name, hosts: hosts, validity: self.validity)
        if alsoClient { template.extendedKeyUsages.append(.clientAuthentication) }
        if path == "kubelet" { template.subject.organizations = [Group.nodes.rawValue] }
        return ClusterPKI.Entry(
            path: path,
            content: .issued(template, issuer: issuer),
            keyKind: self.keyKind
        )
    }

    private func client(
        _ path: String,
        _ name: String,
        _ issuer: String,
        _ group: Group? = nil
    ) -> ClusterPKI.Entry {
        let template = CertificateTemplate.client(
            name,
            organizations: group.map { [$0.rawValue] } ?? [],
            validity: self.validity
        )
        return ClusterPKI.Entry(
            path: path,
            content: .issued(template, issuer: issuer),
            keyKind: self.keyKind
        )
    }
}
