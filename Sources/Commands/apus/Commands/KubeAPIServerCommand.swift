// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import APIServer
internal import CommandTree
internal import Engine
internal import EtcdClient
internal import Flags
internal import HTTP2Transport
internal import KeyValueStore
internal import NIOPosix
internal import RPC
internal import TLS

extension Command {
    /// `apus kube-apiserver`.
    static let kubeAPIServer = Command(
        "kube-apiserver",
        summary: "Serve the Kubernetes API",
        discussion: """
            Serves the Kubernetes API, and the same over RPC, on one port.

            Objects are stored in etcd (--etcd-servers), or in this process (--etcd-data-dir).
            """,
        isProgram: true,
        flags: KubeAPIServerFlags.all
    ) { invocation in
        try invocation.expectNoArguments()
        let flags = KubeAPIServerFlags(invocation.flags)
        let configuration = try flags.configuration()
        let group = MultiThreadedEventLoopGroup.singleton
        let (store, close) = try flags.openStore(group)
        let server = APIServer(configuration, store: store)
        do {
            try await server.run(group: group)
        } catch {
            invocation.output.writeError("kube-apiserver: \(error)\n")
            try? close()
            return .failure
        }
        try close()
        return .success
    }
}

/// The flags of `kube-apiserver`, upstream's wherever upstream has one.
struct KubeAPIServerFlags {
    private static let bindAddress = Flag(
        "bind-address",
        default: "0.0.0.0",
        help: "the `address` to listen on"
    )
    private static let securePort = Flag(
        "secure-port",
        default: 6443,
        help: "the `port` to listen on"
    )
    private static let advertiseAddress = Flag(
        "advertise-address",
        default: "",
        help: "the `address` that members of the cluster reach the server at"
    )
    private static let certificate = Flag(
        "tls-cert-file",
        default: "",
        help: "`file` with the server's certificate chain"
    )
    private static let privateKey = Flag(
        "tls-private-key-file",
        default: "",
        help: "`file` with its key"
    )
    private static let clientAuthority = Flag(
        "client-ca-file",
        default: "",
        help: "`file` with the authorities of client certificates"
    )
    private static let dataDirectory = Flag(
        "etcd-data-dir",
        default: "",
        help: "store objects in this process, in this `directory`"
    )
    private static let servers = Flag(
        "etcd-servers",
        default: [String](),
        help: "`URLs` of the etcd servers that store objects"
    )
    private static let storeAuthority = Flag(
        "etcd-cafile",
        default: "",
        help: "`file` with the authorities of the etcd servers"
    )
    private static let storeCertificate = Flag(
        "etcd-certfile",
        default: "",
        help: "`file` with the certificate for the etcd servers"
    )
    private static let storeKey = Flag(
        "etcd-keyfile",
        default: "",
        help: "`file` with its key"
    )
    private static let serviceRange = Flag(
        "service-cluster-ip-range",
        default: "10.96.0.0/12",
        help: "the `range` of Service addresses"
    )

    static let all: [any AnyFlag] = [
        bindAddress, securePort, advertiseAddress, certificate, privateKey, clientAuthority,
        dataDirectory, servers, storeAuthority, storeCertificate, storeKey, serviceRange,
    ]

    private let values: ParsedFlags

    init(_ values: ParsedFlags) {
        self.values = values
    }

    func configuration() throws -> APIServer.Configuration {
        var configuration = APIServer.Configuration()
        let address = self.values[Self.bindAddress]
        let port = self.values[Self.securePort]
        configuration.endpoint = .tcp(host: address, port: port)
        configuration.serviceRange = self.values[Self.serviceRange]
        let advertised = self.values[Self.advertiseAddress]
        if !advertised.isEmpty {
            configuration.advertiseAddress = advertised
        } else if address != "0.0.0.0", address != "::" {
            configuration.advertiseAddress = address
        }
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
        configuration.tls = try TLSContextSource(server: tls)
        return configuration
    }

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
        let host = String(parts[1][..<colon])
        var options = RPCClientOptions()
        options.limits.maxInboundMessageBytes = Int(Int32.max)
        return RPCClient(
            to: .tcp(host: host, port: port),
            options: options,
            tls: isSecure ? try self.storeTLS() : nil,
            group: group
        )
    }

    private func storeTLS() throws -> TLSContextSource {
        let authority = self.values[Self.storeAuthority]
        var tls = TLSClientConfiguration(authorityPath: authority.isEmpty ? nil : authority)
        let certificate = self.values[Self.storeCertificate]
        if !certificate.isEmpty {
            tls.identity = .init(
                certificatePath: certificate,
                privateKeyPath: self.values[Self.storeKey]
            )
        }
        return try TLSContextSource(client: tls)
    }
}
