// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
public import HTTP2Transport
public import NIOCore
public import TLS

/// The small HTTP server of every component: health, metrics and configuration.
///
/// `/healthz`, `/livez` and `/readyz` are open to everybody; the rest asks ``Configuration/access``.
///
/// Source: upstream component-base and apiserver `pkg/server/healthz`.
public struct ComponentServer: Sendable {
    /// A named check; it answers nil when all is well, or what is wrong.
    public struct Check: Sendable {
        public var name: String
        public var isHealthy: @Sendable () -> String?

        public init(_ name: String, _ isHealthy: @escaping @Sendable () -> String?) {
            self.name = name
            self.isHealthy = isHealthy
        }
    }

    /// What a path answers.
    public struct Page: Sendable {
        public var contentType: String
        public var body: @Sendable () -> [UInt8]

        public init(contentType: String, _ body: @escaping @Sendable () -> [UInt8]) {
            self.contentType = contentType
            self.body = body
        }
    }

    public struct Configuration: Sendable {
        public var endpoint: HTTPEndpoint
        /// Nil for cleartext, which belongs on loopback.
        public var tls: TLSContextSource?
        /// Checks of `/healthz` and `/livez`.
        public var healthChecks: [Check] = []
        /// Checks of `/readyz`, beside the health checks.
        public var readyChecks: [Check] = []
        /// Further pages by path, such as `/metrics` and `/configz`.
        public var pages: [String: Page] = [:]
        /// Who may see the pages.
        public var access: any ComponentAccess = OpenAccess()

        public init(endpoint: HTTPEndpoint, tls: TLSContextSource? = nil) {
            self.endpoint = endpoint
            self.tls = tls
        }
    }

    private let configuration: Configuration
    private let group: any EventLoopGroup

    public init(_ configuration: Configuration, group: any EventLoopGroup) {
        self.configuration = configuration
        self.group = group
    }

    /// Serves until the task is cancelled.
    ///
    /// - Parameter started: hears of the address that is listened on.
    /// - Throws: when the address cannot be bound.
    public func run(started: @Sendable (SocketAddress?) -> Void = { _ in }) async throws {
        let server = try await HTTPServer.start(
            on: self.configuration.endpoint,
            tls: self.configuration.tls,
            handler: AsyncHTTPServerHandler(ComponentHandler(self.configuration)),
            group: self.group
        )
        started(server.localAddress)
        let (stream, end) = AsyncStream<Void>.makeStream()
        await withTaskCancellationHandler {
            for await _ in stream {}
        } onCancel: {
            end.finish()
        }
        await server.shutdown(drain: .milliseconds(500))
    }
}
