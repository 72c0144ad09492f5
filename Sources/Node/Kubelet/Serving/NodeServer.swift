// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import HTTP
import HTTP2Transport
import Logging
import NIOCore
import NIOPosix
import PodLifecycle
import RPC
import TLS

/// Serves the kubelet's port, RPC and pages on one, and its health on another.
struct NodeServer: Sendable {
    let services: PodServices
    let fleet: PodFleet
    let access: NodeAccess
    /// The serving certificate that the cluster issues; nil for one from files.
    let certificate: CertificateManager?
    let logger: Logger

    /// Serves until the task is cancelled.
    func run() async throws {
        let settings = self.services.settings
        let group = MultiThreadedEventLoopGroup.singleton
        var servers: [HTTPServer] = []
        if settings.healthzPort > 0 {
            servers.append(
                try await HTTPServer.start(
                    on: .tcp(host: settings.healthzAddress, port: settings.healthzPort),
                    handler: AsyncHTTPServerHandler(HealthHandler()),
                    group: group
                )
            )
        }
        if settings.port > 0 {
            servers.append(try await self.start(group))
        }
        while !Task.isCancelled { try? await Task.sleep(for: .seconds(3600)) }
        for server in servers { await server.shutdown(drain: .seconds(1)) }
    }

    /// The certificate to serve with, as soon as there is one; nil for none.
    private func identity() async -> TLSServerConfiguration.Identity? {
        if let certificate = self.certificate {
            await certificate.waitForCertificate()
            let path = certificate.store.currentPath
            return .init(certificatePath: path, privateKeyPath: path)
        }
        let settings = self.services.settings
        guard !settings.certificateFile.isEmpty else { return nil }
        return .init(
            certificatePath: settings.certificateFile,
            privateKeyPath: settings.privateKeyFile
        )
    }

    private func start(_ group: any EventLoopGroup) async throws -> HTTPServer {
        let settings = self.services.settings
        var tls: TLSContextSource?
        if let identity = await self.identity() {
            var configuration = TLSServerConfiguration(identity: identity)
            if !settings.clientCAFile.isEmpty {
                configuration.clientAuthorityPath = settings.clientCAFile
                configuration.clientCertificates = .optional
            }
            tls = try TLSContextSource(server: configuration)
        }
        let stats = StatsProvider(services: self.services, fleet: self.fleet)
        let rpc = NodeRPCService(services: self.services, fleet: self.fleet, stats: stats)
        let pages = NodeHTTPHandler(
            services: self.services,
            fleet: self.fleet,
            stats: stats,
            access: self.access,
            metrics: KubeletMetrics(nodeName: settings.nodeName),
            node: ApusNode.NodeClient(channel: InProcessChannel(services: [rpc]))
        )
        var options = RPCServerOptions()
        options.interceptors = [NodeAccessInterceptor(access: self.access)]
        return try await HTTPServer.start(
            // Without a certificate only this machine is served.
            on: .tcp(host: tls == nil ? "127.0.0.1" : settings.address, port: settings.port),
            tls: tls,
            handler: RPCHTTPHandler(
                services: [rpc],
                options: options,
                other: AsyncHTTPServerHandler(pages)
            ),
            group: group
        )
    }
}

/// Whether the kubelet lives.
struct HealthHandler: HTTPRequestHandler {
    func handle(_ request: HTTPRequest, _ response: HTTPResponseWriter) async throws {
        let isKnown = request.head.path.hasPrefix("/healthz")
        let text = isKnown ? "ok" : "404 page not found\n"
        let fields: HeaderFields = [
            .contentType: "text/plain; charset=utf-8", .contentLength: String(text.utf8.count),
        ]
        try await response.send(
            HTTPResponseHead(status: isKnown ? .ok : .notFound, fields: fields),
            body: ByteBuffer(string: text)
        )
    }
}
