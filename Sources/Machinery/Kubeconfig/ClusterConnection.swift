// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
public import HTTP2Transport
public import NIOCore
public import RPC
import RPCInterface
package import TLS

/// A cluster and who one is to it.
public struct ClusterConnection: Sendable, Equatable {
    public var cluster: Kubeconfig.Cluster
    public var user: Kubeconfig.User
    /// Of the context; empty is `default`.
    public var namespace: String

    public init(cluster: Kubeconfig.Cluster, user: Kubeconfig.User, namespace: String = "") {
        self.cluster = cluster
        self.user = user
        self.namespace = namespace
    }

    /// Where the server is, and whether it speaks TLS.
    public func endpoint() throws(KubeconfigError) -> (endpoint: HTTPEndpoint, usesTLS: Bool) {
        let server = self.cluster.server
        let usesTLS = !server.hasPrefix("http://")
        var rest = server[...]
        for scheme in ["https://", "http://"] where rest.hasPrefix(scheme) {
            rest = rest.dropFirst(scheme.count)
        }
        rest = rest.prefix { $0 != "/" }
        var port = usesTLS ? 443 : 80
        // The colon after the host, which in brackets may have colons itself.
        let afterHost = rest.lastIndex(of: "]").map { rest.index(after: $0) } ?? rest.startIndex
        if let colon = rest[afterHost...].lastIndex(of: ":") {
            guard let number = UInt16(rest[rest.index(after: colon)...]) else {
                throw .malformed("server \"\(server)\"")
            }
            port = Int(number)
            rest = rest[..<colon]
        }
        if rest.hasPrefix("["), rest.hasSuffix("]") { rest = rest.dropFirst().dropLast() }
        guard !rest.isEmpty else { throw .malformed("server \"\(server)\"") }
        return (.tcp(host: String(rest), port: port), usesTLS)
    }

    /// A client of the API server's RPC services; nothing is connected before the first call.
    ///
    /// The connection is made again when it is lost, with certificates from files as they are then.
    ///
    /// - Parameter token: replaces the user's credentials by a bearer token, as a service account.
    public func makeClient(
        group: any EventLoopGroup,
        userAgent: String,
        token: String? = nil
    ) throws(KubeconfigError) -> RPCClient {
        let endpoint = try self.endpoint().endpoint
        var options = RPCClientOptions()
        options.userAgent = userAgent
        options.backoff = Self.backoff
        // A list of a large cluster comes in chunks; an object may be as large as etcd takes it.
        options.limits.maxInboundMessageBytes = Self.maximumMessageBytes
        options.limits.maxOutboundMessageBytes = Self.maximumMessageBytes
        let (tls, credentials) = try self.access(token: token, protocols: ["h2"])
        options.interceptors.append(CredentialsInterceptor(credentials))
        return RPCClient(
            to: endpoint,
            options: options,
            tls: tls,
            serverName: self.cluster.tlsServerName,
            httpLimits: Self.limits(endpoint),
            group: group
        )
    }

    /// How one is let in: TLS with the user's certificate, nil without TLS, and the bearer token.
    ///
    /// - Parameters:
    ///   - token: replaces the user's credentials.
    ///   - protocols: for ALPN.
    package func access(
        token: String? = nil,
        protocols: [String]
    ) throws(KubeconfigError) -> (tls: TLSContextSource?, token: BearerToken) {
        var files: [MemoryFile] = []
        var tls: TLSContextSource?
        if try self.endpoint().usesTLS {
            var configuration = TLSClientConfiguration()
            configuration.authorityPath = try Self.path(
                self.cluster.authority,
                "certificate-authority",
                &files
            )
            configuration.verifiesServer = self.cluster.verifiesServer
            configuration.applicationProtocols = protocols
            if token == nil,
                let certificate = try Self.path(
                    self.user.certificate,
                    "client-certificate",
                    &files
                ),
                let key = try Self.path(self.user.key, "client-key", &files)
            {
                configuration.identity = .init(certificatePath: certificate, privateKeyPath: key)
            }
            do throws(TLSConfigurationError) {
                tls = try TLSContextSource(client: configuration)
            } catch {
                throw .tls(String(describing: error))
            }
        }
        let credentials = BearerToken(
            token: token ?? self.user.token,
            path: token == nil ? self.user.tokenPath : nil,
            files: files
        )
        return (tls, credentials)
    }

    /// A machine that is gone, or an address that was taken from this one, closes no connection: it
    /// is found out by asking. Times are client-go's (`HTTP2_READ_IDLE_TIMEOUT_SECONDS` and
    /// `HTTP2_PING_TIMEOUT_SECONDS`). On loopback the kernel tells.
    private static func limits(_ endpoint: HTTPEndpoint) -> HTTPLimits {
        var limits = RPCClient.defaultLimits
        if case .tcp(let host, _) = endpoint,
            !host.hasPrefix("127."), host != "localhost", host != "::1"
        {
            limits.keepaliveInterval = .seconds(30)
            limits.keepaliveTimeout = .seconds(15)
        }
        return limits
    }

    /// The largest message either way in bytes.
    public static let maximumMessageBytes = 64 << 20

    /// A component shall be back soon after the API server is.
    private static let backoff = RPCBackoff(
        initial: .milliseconds(100),
        multiplier: 1.6,
        jitter: 0.2,
        maximum: .seconds(3)
    )

    private static func path(
        _ material: Kubeconfig.Material?,
        _ name: String,
        _ files: inout [MemoryFile]
    ) throws(KubeconfigError) -> String? {
        switch material {
        case nil: return nil
        case .file(let path): return path
        case .embedded(let bytes):
            let file = try MemoryFile(bytes, name: name)
            files.append(file)
            return file.path
        }
    }
}
