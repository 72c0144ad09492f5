// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import APIServer
internal import Admission
internal import Authentication
internal import CommandTree
internal import Engine
internal import EtcdClient
internal import Flags
internal import HTTP2Transport
internal import KeyValueStore
internal import NIOPosix
internal import PKI
internal import RPC
internal import Registry
internal import ResourceTable
internal import TLS

/// The flags of `kube-apiserver`: upstream's, but for `--etcd-data-dir`.
///
/// Source: upstream `cmd/kube-apiserver/app/options`.
struct KubeAPIServerFlags {
    let values: ParsedFlags

    init(_ values: ParsedFlags) {
        self.values = values
    }

    // MARK: - Listening

    static let bindAddress = Flag(
        "bind-address",
        default: "0.0.0.0",
        help: "the `address` to listen on"
    )
    static let securePort = Flag(
        "secure-port",
        default: 6443,
        help: "the `port` to listen on; 0 lets the system choose"
    )
    static let advertiseAddress = Flag(
        "advertise-address",
        default: "",
        help: "the `address` that members of the cluster reach the server at"
    )
    static let certificate = Flag(
        "tls-cert-file",
        default: "",
        help: "PEM `file` of the server's certificate chain"
    )
    static let privateKey = Flag(
        "tls-private-key-file",
        default: "",
        help: "PEM `file` of its key"
    )
    static let clientAuthority = Flag(
        "client-ca-file",
        default: "",
        help: "PEM `file` of the authorities of client certificates"
    )

    // MARK: - The store

    static let dataDirectory = Flag(
        "etcd-data-dir",
        default: "",
        help: "store objects in this process, in this `directory`"
    )
    static let servers = Flag(
        "etcd-servers",
        default: [String](),
        help: "`URLs` of the etcd servers that store objects"
    )
    static let storeAuthority = Flag(
        "etcd-cafile",
        default: "",
        help: "PEM `file` of the authorities of the etcd servers"
    )
    static let storeCertificate = Flag(
        "etcd-certfile",
        default: "",
        help: "PEM `file` of the certificate for the etcd servers"
    )
    static let storeKey = Flag(
        "etcd-keyfile",
        default: "",
        help: "PEM `file` of its key"
    )
    static let compactionInterval = Flag(
        "etcd-compaction-interval",
        default: Duration.seconds(300),
        help: "how often history is given up; 0 for never"
    )

    // MARK: - Services and nodes

    static let serviceRange = Flag(
        "service-cluster-ip-range",
        default: "10.96.0.0/12",
        help: "the `ranges` of Service addresses: one, or two of different families with a comma"
    )
    static let nodePorts = Flag(
        "service-node-port-range",
        default: "30000-32767",
        help: "the `range` of ports of Services on nodes"
    )
    static let kubeletCertificate = Flag(
        "kubelet-client-certificate",
        default: "",
        help: "PEM `file` of the certificate for kubelets"
    )
    static let kubeletKey = Flag(
        "kubelet-client-key",
        default: "",
        help: "PEM `file` of its key"
    )
    static let kubeletAuthority = Flag(
        "kubelet-certificate-authority",
        default: "",
        help: "PEM `file` of the authorities of kubelets"
    )
    static let kubeletAddresses = Flag(
        "kubelet-preferred-address-types",
        default: ["InternalIP", "Hostname", "InternalDNS", "ExternalIP"],
        help: "which of a node's addresses are taken, best first"
    )

    static let localVolumePath = Flag(
        "local-volume-path",
        default: "",
        help: "where volumes of the default StorageClass lie on nodes; empty for no such class"
    )

    // MARK: - Access

    static let authorizationModes = Flag(
        "authorization-mode",
        default: ["Node", "RBAC"],
        help: "who is asked, in this order: Node, RBAC, AlwaysAllow"
    )
    static let anonymous = Flag(
        "anonymous-auth",
        default: false,
        help: "let requests without credentials in everywhere, not for health alone"
    )
    static let tokenFile = Flag(
        "token-auth-file",
        default: "",
        help: "`file` of tokens and their users"
    )
    static let bootstrapTokens = Flag(
        "enable-bootstrap-token-auth",
        default: true,
        help: "take the tokens of Secrets of type bootstrap.kubernetes.io/token"
    )
    static let accountKeys = Flag(
        "service-account-key-file",
        default: [String](),
        help: "PEM `files` of keys that tokens of service accounts are verified with"
    )
    static let accountSigningKey = Flag(
        "service-account-signing-key-file",
        default: "",
        help: "PEM `file` of the key that they are signed with"
    )
    static let accountIssuers = Flag(
        "service-account-issuer",
        default: ["https://kubernetes.default.svc.cluster.local"],
        help: "the `URLs` of the issuer; the first stands in new tokens"
    )
    static let audiences = Flag(
        "api-audiences",
        default: [String](),
        help: "whom tokens must be for; the issuer when there is none"
    )
    static let enabledPlugins = Flag(
        "enable-admission-plugins",
        default: [String](),
        help: "admission plugins beside those that are there by default"
    )
    static let disabledPlugins = Flag(
        "disable-admission-plugins",
        default: [String](),
        help: "admission plugins that are left out"
    )

    static let admissionSettings = Flag(
        "admission-control-config-file",
        default: "",
        help: "`file` with an AdmissionConfiguration: settings of PodSecurity and ResourceQuota"
    )

    // MARK: - Limits

    static let readingLimit = Flag(
        "max-requests-inflight",
        default: 400,
        help: "how many requests that only read may be under way at once"
    )
    static let writingLimit = Flag(
        "max-mutating-requests-inflight",
        default: 200,
        help: "how many requests that write may be under way at once"
    )

    static let requestTimeout = Flag(
        "request-timeout",
        default: Duration.seconds(60),
        help: "how long a request may take, unless it is a watch or the like"
    )
    static let shutdownDelay = Flag(
        "shutdown-delay-duration",
        default: Duration.zero,
        help: "how long the server goes on, without being ready, before it ends"
    )
    static let runtimeConfig = Flag(
        "runtime-config",
        default: [String](),
        help: "versions and resources to serve or not: `KEY=true|false`, KEY being api/all, "
            + "api/ga, api/beta, api/alpha, GROUP/VERSION or GROUP/VERSION/RESOURCE"
    )

    static let all: [any AnyFlag] = [
        bindAddress, securePort, advertiseAddress, certificate, privateKey, clientAuthority,
        dataDirectory, servers, storeAuthority, storeCertificate, storeKey, compactionInterval,
        serviceRange, nodePorts, kubeletCertificate, kubeletKey, kubeletAuthority,
        kubeletAddresses, localVolumePath, authorizationModes, anonymous, tokenFile,
        bootstrapTokens, accountKeys, accountSigningKey, accountIssuers, audiences,
        enabledPlugins, disabledPlugins, admissionSettings, readingLimit,
        writingLimit, requestTimeout, shutdownDelay, runtimeConfig,
    ]
}

// MARK: - Configuration

extension KubeAPIServerFlags {
    func configuration(_ group: MultiThreadedEventLoopGroup) throws -> APIServer.Configuration {
        var configuration = APIServer.Configuration(serviceRanges: try self.serviceRanges())
        let address = self.values[Self.bindAddress]
        configuration.endpoint = .tcp(host: address, port: self.values[Self.securePort])
        let advertised = self.values[Self.advertiseAddress]
        if !advertised.isEmpty {
            configuration.advertiseAddress = advertised
        } else if address != "0.0.0.0", address != "::" {
            configuration.advertiseAddress = address
        }
        configuration.nodePorts = try self.portRange()
        configuration.readingLimit = self.values[Self.readingLimit]
        configuration.writingLimit = self.values[Self.writingLimit]
        configuration.requestTimeout = self.values[Self.requestTimeout]
        guard configuration.requestTimeout > .zero else {
            throw UsageError("--request-timeout: must be greater than 0")
        }
        configuration.shutdownDelay = self.values[Self.shutdownDelay]
        configuration.table = try self.table()
        let authority = self.values[Self.clientAuthority]
        if !authority.isEmpty {
            configuration.clientAuthority = String(
                decoding: try FileContent.read(authority),
                as: UTF8.self
            )
        }
        let interval = self.values[Self.compactionInterval]
        configuration.compactionInterval = interval == .zero ? nil : interval
        configuration.tls = try self.serverTLS()
        let access = try self.access()
        configuration.access = { objects in .standard(access, objects) }
        configuration.nodes.addressTypes = self.values[Self.kubeletAddresses]
        configuration.nodes.group = group
        configuration.localVolumePath = self.values[Self.localVolumePath]
        configuration.nodes.tls = try self.clientTLS(
            authority: Self.kubeletAuthority,
            certificate: Self.kubeletCertificate,
            key: Self.kubeletKey
        )
        return configuration
    }

    /// What is served.
    private func table() throws -> ResourceTable {
        do throws(ResourceTable.RuntimeConfigError) {
            return try ResourceTable.served(runtimeConfig: self.values[Self.runtimeConfig])
        } catch {
            switch error {
            case .invalidValue(let setting):
                throw UsageError("--runtime-config: '\(setting)' is neither true nor false")
            case .unknown(let key):
                throw UsageError("--runtime-config: there is no '\(key)'")
            }
        }
    }

    private func serviceRanges() throws(UsageError) -> [AddressRange] {
        let parts = self.values[Self.serviceRange].split(
            separator: ",",
            omittingEmptySubsequences: false
        )
        var ranges: [AddressRange] = []
        for part in parts {
            guard let range = AddressRange(String(part)) else {
                throw UsageError(
                    "--service-cluster-ip-range: '\(part)' is no range of 4 to 2^24 IPv4 or 2^64 "
                        + "IPv6 addresses"
                )
            }
            ranges.append(range)
        }
        guard ranges.count <= 2 else {
            throw UsageError("--service-cluster-ip-range: must not contain more than two entries")
        }
        guard ranges.count == 1 || ranges[0].family != ranges[1].family else {
            throw UsageError(
                "--service-cluster-ip-range: the two ranges must be of different IP families"
            )
        }
        return ranges
    }

    private func portRange() throws -> ClosedRange<Int32> {
        let text = self.values[Self.nodePorts]
        let parts = text.split(separator: "-").compactMap { Int32($0) }
        guard parts.count == 2, parts[0] > 0, parts[0] <= parts[1], parts[1] <= 65_535 else {
            throw UsageError("--service-node-port-range: '\(text)' is no range of ports")
        }
        return parts[0]...parts[1]
    }

    private func serverTLS() throws -> TLSContextSource {
        let certificate = self.values[Self.certificate]
        let key = self.values[Self.privateKey]
        guard !certificate.isEmpty, !key.isEmpty else {
            throw UsageError("--tls-cert-file and --tls-private-key-file are required")
        }
        var tls = TLSServerConfiguration(
            identity: .init(certificatePath: certificate, privateKeyPath: key)
        )
        let authority = self.values[Self.clientAuthority]
        if !authority.isEmpty {
            tls.clientAuthorityPath = authority
            tls.clientCertificates = .optional
        }
        return try TLSContextSource(server: tls)
    }

    private func clientTLS(
        authority: Flag<String>,
        certificate: Flag<String>,
        key: Flag<String>
    ) throws -> TLSContextSource {
        let trusted = self.values[authority]
        var tls = TLSClientConfiguration(authorityPath: trusted.isEmpty ? nil : trusted)
        let identity = self.values[certificate]
        if !identity.isEmpty {
            tls.identity = .init(certificatePath: identity, privateKeyPath: self.values[key])
        }
        return try TLSContextSource(client: tls)
    }
}

// MARK: - Access

extension KubeAPIServerFlags {
    private func access() throws -> AccessParts.Options {
        var options = AccessParts.Options()
        let authority = self.values[Self.clientAuthority]
        if !authority.isEmpty {
            options.authorities = try Self.read(Self.clientAuthority, authority) {
                try Certificate.all(pem: $0)
            }
        }
        options.authorizationModes = self.values[Self.authorizationModes]
        for mode in options.authorizationModes
        where !["Node", "RBAC", "AlwaysAllow"].contains(mode) {
            throw UsageError("--authorization-mode: '\(mode)' is none of Node, RBAC, AlwaysAllow")
        }
        if self.values[Self.anonymous] { options.anonymous = .everybody }
        options.allowsBootstrapTokens = self.values[Self.bootstrapTokens]
        options.enabledPlugins = try self.plugins(Self.enabledPlugins)
        options.disabledPlugins = try self.plugins(Self.disabledPlugins)
        let settings = self.values[Self.admissionSettings]
        if !settings.isEmpty {
            // Files that it names lie beside it.
            let folder = settings.lastIndex(of: "/").map { String(settings[...$0]) } ?? ""
            options.admission = try Self.read(Self.admissionSettings, settings) { content in
                try AdmissionSettings(parsing: content) { path in
                    try FileContent.read(path.hasPrefix("/") ? path : folder + path)
                }
            }
        }
        let tokens = self.values[Self.tokenFile]
        if !tokens.isEmpty {
            options.tokens = try Self.read(Self.tokenFile, tokens) {
                try TokenFileAuthenticator(parsing: String(decoding: $0, as: UTF8.self))
            }
        }
        let signingKey = self.values[Self.accountSigningKey]
        let keys = self.values[Self.accountKeys]
        if !signingKey.isEmpty || !keys.isEmpty {
            options.issuer = ServiceAccountIssuer(
                issuers: self.values[Self.accountIssuers],
                audiences: self.values[Self.audiences],
                signingKey: signingKey.isEmpty
                    ? nil
                    : try Self.read(Self.accountSigningKey, signingKey) { try PrivateKey(pem: $0) },
                verificationKeys: try keys.map(Self.publicKey)
            )
        }
        return options
    }

    private func plugins(_ flag: Flag<[String]>) throws(UsageError) -> Set<String> {
        let names = self.values[flag]
        for name in names where !AccessParts.hasPlugin(name) {
            throw UsageError("--\(flag.name): there is no admission plugin '\(name)'")
        }
        return Set(names)
    }

    /// A public key, or the public half of a private one, as upstream takes both.
    private static func publicKey(_ path: String) throws -> PublicKey {
        try self.read(self.accountKeys, path) { content in
            if let key = try? PrivateKey(pem: content) { return key.publicKey }
            return try PublicKey(pem: content)
        }
    }

    /// Reads the file that a flag names; what is wrong with it is said with its path.
    private static func read<Value, Content>(
        _ flag: Flag<Value>,
        _ path: String,
        _ parse: ([UInt8]) throws -> Content
    ) throws -> Content {
        let bytes = try FileContent.read(path)
        do {
            return try parse(bytes)
        } catch {
            throw UsageError("--\(flag.name): \(path): \(error)")
        }
    }
}

// MARK: - The store

extension KubeAPIServerFlags {
    /// The store, and what closes it.
    func openStore(
        _ group: MultiThreadedEventLoopGroup
    ) throws -> (any KeyValueStore, () throws -> Void) {
        let directory = self.values[Self.dataDirectory]
        let servers = self.values[Self.servers]
        switch (directory.isEmpty, servers.first) {
        case (true, _?):
            let clients = try servers.map { server in try self.client(of: server, group) }
            let store = RemoteStore(channels: clients, timeout: .seconds(10))
            return (store, { for client in clients { client.close() } })
        case (false, nil):
            let store = try EmbeddedStore(
                backend: DirectoryBackend(opening: directory) {
                    TableState(
                        clusterID: UInt64.random(in: 1...UInt64.max),
                        memberID: UInt64.random(in: 1...UInt64.max)
                    )
                }
            )
            return (store, { try store.close() })
        default:
            throw UsageError("one of --etcd-servers and --etcd-data-dir is required")
        }
    }

    /// A client of an etcd server at `https://host:port`.
    private func client(
        of server: String,
        _ group: MultiThreadedEventLoopGroup
    ) throws -> RPCClient {
        let parts = server.split(separator: "/", omittingEmptySubsequences: true)
        let isSecure = server.hasPrefix("https://")
        guard isSecure || server.hasPrefix("http://"), parts.count == 2,
            let colon = parts[1].lastIndex(of: ":"),
            let port = Int(parts[1][parts[1].index(after: colon)...])
        else { throw UsageError("--etcd-servers: '\(server)' is no http or https URL") }
        var options = RPCClientOptions()
        options.limits.maxInboundMessageBytes = Int(Int32.max)
        return RPCClient(
            to: .tcp(host: String(parts[1][..<colon]), port: port),
            options: options,
            tls: isSecure
                ? try self.clientTLS(
                    authority: Self.storeAuthority,
                    certificate: Self.storeCertificate,
                    key: Self.storeKey
                ) : nil,
            group: group
        )
    }
}
