// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import HTTP2Transport
import NIOCore
import TLS

/// Connects to an endpoint over HTTP/2.
struct NetworkConnector: ClientConnector {
    let endpoint: HTTPEndpoint
    let tls: TLSContextSource?
    let serverName: String?
    let limits: HTTPLimits

    var scheme: String { self.tls == nil ? "http" : "https" }
    var authority: String { self.endpoint.authority }

    func connect(
        on loop: any EventLoop,
        lost: @escaping @Sendable (any ClientTransport) -> Void
    ) -> EventLoopFuture<any ClientTransport> {
        // Before the context is taken: files that change meanwhile make it outdated, not current.
        let generation = self.tls?.generation ?? 0
        let tls = self.tls
        return HTTPClientConnection.connect(
            to: self.endpoint,
            tls: self.tls,
            serverName: self.serverName,
            version: .http2,
            limits: self.limits,
            on: loop
        )
        .assumeIsolated()
        .map { connection -> any ClientTransport in
            let transport = NetworkTransport(connection, tls, generation: generation)
            connection.onDraining = { [weak transport] in
                if let transport { lost(transport) }
            }
            return transport
        }
        .nonisolated()
    }
}

/// A connection to a server. On its event loop.
private final class NetworkTransport: ClientTransport {
    private let connection: HTTPClientConnection
    private let tls: TLSContextSource?
    /// Of the files that the connection was made with.
    private let generation: Int

    init(_ connection: HTTPClientConnection, _ tls: TLSContextSource?, generation: Int) {
        self.connection = connection
        self.tls = tls
        self.generation = generation
    }

    var isAcceptingRequests: Bool { self.connection.isAcceptingRequests }

    /// A certificate that is rotated is used for new calls at once: the server judges each call by
    /// the certificate of its connection.
    var isOutdated: Bool {
        guard let tls = self.tls else { return false }
        _ = tls.context()
        return tls.generation != self.generation
    }

    func startRequest(
        _ head: HTTPRequestHead,
        endStream: Bool,
        receiver: any HTTPStreamReceiver
    ) -> HTTPStream {
        self.connection.startRequest(head, endStream: endStream, receiver: receiver)
    }

    func close(gracefully: Bool) {
        if gracefully {
            self.connection.shutdownGracefully()
        } else {
            self.connection.close()
        }
    }
}
