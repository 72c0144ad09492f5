// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import GRPCServices
import HTTP
import HTTP2Transport
import NIOCore
import NIOPosix
import Protobuf
import RPC
import RPCInterface
import Testing

/// Our client against grpcio's server, and against our own.
@Suite("Interop: our client", .serialized, .timeLimit(.minutes(10)))
struct InteropClientTests {
    /// A case by its name in gRPC's interoperability test descriptions.
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let run: @Sendable (RPCClient, HTTPEndpoint) async throws -> Void

        init(
            _ name: String,
            _ run: @escaping @Sendable (RPCClient, HTTPEndpoint) async throws -> Void
        ) {
            self.name = name
            self.run = run
        }

        var testDescription: String { self.name }
    }

    @Test("every case passes against grpcio", .enabled(if: Programs.hasGRPCIO))
    func grpcio() async throws {
        let server = try Program("python3", ["interop_server.py"], in: Programs.directory)
        defer { server.stop() }
        let line = try await server.firstLine()
        let port = try #require(line.split(separator: " ").last.flatMap { Int($0) })
        try await self.runAll(.tcp(host: "127.0.0.1", port: port))
    }

    @Test("every case passes against grpcio on a unix socket", .enabled(if: Programs.hasGRPCIO))
    func grpcioUnix() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let path = "\(directory.path)/s"
        let server = try Program(
            "python3",
            ["interop_server.py", "--unix", path],
            in: Programs.directory
        )
        defer { server.stop() }
        _ = try await server.firstLine()
        try await self.runAll(.unix(path: path))
    }

    @Test("every case passes against our own server")
    func ours() async throws {
        let server = try await RPCServer.start(
            on: .tcp(host: "127.0.0.1", port: 0),
            services: InteropServerTests.services(),
            group: MultiThreadedEventLoopGroup.singleton
        )
        try await self.runAll(.tcp(host: "127.0.0.1", port: server.localAddress?.port ?? 0))
        await server.shutdown(drain: .zero)
    }

    private func runAll(_ endpoint: HTTPEndpoint) async throws {
        let client = RPCClient(to: endpoint, group: MultiThreadedEventLoopGroup.singleton)
        for test in InteropCases.all {
            let failure = await failure { try await test.run(client, endpoint) }
            #expect(failure == nil, "\(test.name)")
        }
        client.close()
    }
}
