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
        HTTPClientConnection.connect(
            to: self.endpoint,
            tls: self.tls,
            serverName: self.serverName,
            version: .http2,
            limits: self.limits,
            on: loop
        )
        .assumeIsolated()
        .map { connection -> any ClientTransport in
            let transport = NetworkTransport(connection)
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

    init(_ connection: HTTPClientConnection) { self.connection = connection }

    var isAcceptingRequests: Bool { self.connection.isAcceptingRequests }

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
