// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import HTTP2Transport
import NIOCore
import NIOPosix
import RPCInterface
import TLS
import Testing

@testable import RPC

/// The transports that the behaviour suite runs on.
enum Transport: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case inProcess
    case memoryHTTP
    case tcp
    case unix
    case tls

    var testDescription: String { self.rawValue }

    /// How the address of a client begins.
    var peerPrefix: String {
        switch self {
        case .inProcess: "inprocess"
        case .memoryHTTP, .unix: "unix:"
        case .tcp, .tls: "ipv4:127.0.0.1:"
        }
    }

    /// Runs `body` with a client of `service`.
    func withEcho<R: Sendable>(
        _ service: TestEcho = TestEcho(),
        server: RPCServerOptions = RPCServerOptions(),
        client: RPCClientOptions = RPCClientOptions(),
        _ body: (EchoClient) async throws -> R
    ) async throws -> R {
        switch self {
        case .inProcess:
            return try await body(
                EchoClient(
                    channel: InProcessChannel(services: [service], server: server, client: client)
                )
            )
        case .memoryHTTP:
            return try await MemoryConnection.with(
                [service],
                server: server,
                client: client
            ) { channel, _ in
                try await body(EchoClient(channel: channel))
            }
        case .tcp:
            return try await NetworkConnection.with([service], server: server, client: client) {
                try await body(EchoClient(channel: $0))
            }
        case .unix:
            let path = "/tmp/apus-rpc-\(UInt64.random(in: 0 ... .max)).sock"
            return try await NetworkConnection.with(
                [service],
                on: .unix(path: path),
                server: server,
                client: client
            ) {
                try await body(EchoClient(channel: $0))
            }
        case .tls:
            let certificates = try TestCertificates()
            defer { certificates.remove() }
            return try await NetworkConnection.with(
                [service],
                server: server,
                client: client,
                serverTLS: try certificates.serverContext(),
                clientTLS: try certificates.clientContext()
            ) {
                try await body(EchoClient(channel: $0))
            }
        }
    }
}

/// A client on ``MemoryTransport``.
enum MemoryConnection {
    static func with<R: Sendable>(
        _ services: [any RPCService],
        server: RPCServerOptions = RPCServerOptions(),
        client: RPCClientOptions = RPCClientOptions(),
        _ body: (RPCClient, MemoryConnector) async throws -> R
    ) async throws -> R {
        let connector = MemoryConnector(
            handler: RPCHTTPHandler(services: services, options: server),
            faults: MemoryTransport.Faults()
        )
        let channel = RPCClient(
            connector: connector,
            options: client,
            group: MultiThreadedEventLoopGroup.singleton
        )
        defer { channel.close() }
        return try await body(channel, connector)
    }
}

/// A client and a server with a socket between them.
enum NetworkConnection {
    static func with<R: Sendable>(
        _ services: [any RPCService],
        on endpoint: HTTPEndpoint = .tcp(host: "127.0.0.1", port: 0),
        server: RPCServerOptions = RPCServerOptions(),
        client: RPCClientOptions = RPCClientOptions(),
        serverTLS: TLSContextSource? = nil,
        clientTLS: TLSContextSource? = nil,
        serverLimits: HTTPLimits = HTTPLimits(),
        _ body: (RPCClient) async throws -> R
    ) async throws -> R {
        let group = MultiThreadedEventLoopGroup.singleton
        let rpcServer = try await RPCServer.start(
            on: endpoint,
            services: services,
            options: server,
            tls: serverTLS,
            httpLimits: serverLimits,
            group: group
        )
        var target = endpoint
        if case .tcp = endpoint {
            target = .tcp(host: "127.0.0.1", port: rpcServer.localAddress?.port ?? 0)
        }
        let rpcClient = RPCClient(to: target, options: client, tls: clientTLS, group: group)
        do {
            let result = try await body(rpcClient)
            rpcClient.close(gracefully: false)
            await rpcServer.shutdown(drain: .zero)
            return result
        } catch {
            rpcClient.close(gracefully: false)
            await rpcServer.shutdown(drain: .zero)
            throw error
        }
    }
}
