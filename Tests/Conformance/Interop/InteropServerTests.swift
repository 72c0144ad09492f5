// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import GRPCServices
import HTTP
import HTTP2Transport
import NIOCore
import NIOPosix
import RPC
import RPCInterface
import RPCServices
import Testing

/// Our server against grpcio's client.
@Suite(
    "Interop: our server",
    .enabled(if: Programs.hasGRPCIO),
    .serialized,
    .timeLimit(.minutes(10))
)
struct InteropServerTests {
    /// All that the program's own list of cases has.
    static let cases = [
        "empty_unary", "large_unary", "client_compressed_unary", "server_compressed_unary",
        "client_streaming", "client_compressed_streaming", "server_streaming",
        "server_compressed_streaming", "ping_pong", "half_duplex", "empty_stream",
        "custom_metadata", "status_code_and_message", "special_status_message",
        "unimplemented_method", "unimplemented_service", "cancel_after_begin",
        "cancel_after_first_response", "timeout_on_sleeping_server", "rpc_soak", "channel_soak",
        "concurrent_large_unary", "large_metadata", "max_message_size", "health_check",
        "reflection", "reflection_client",
    ]

    static func services() -> [any RPCService] {
        StandardServices([InteropService()], files: [InteropProto.file]).all
    }

    @Test("grpcio's client passes every case over TCP")
    func tcp() async throws {
        let server = try await RPCServer.start(
            on: .tcp(host: "127.0.0.1", port: 0),
            services: Self.services(),
            group: MultiThreadedEventLoopGroup.singleton
        )
        try await self.run("127.0.0.1:\(server.localAddress?.port ?? 0)")
        await server.shutdown(drain: .zero)
    }

    @Test("grpcio's client passes every case over a unix socket")
    func unix() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let path = "\(directory.path)/s"
        let server = try await RPCServer.start(
            on: .unix(path: path),
            services: Self.services(),
            group: MultiThreadedEventLoopGroup.singleton
        )
        try await self.run("unix:\(path)")
        await server.shutdown(drain: .zero)
    }

    private func run(_ target: String) async throws {
        let program = try Program(
            "python3",
            ["interop_client.py", "--target", target],
            in: Programs.directory
        )
        defer { program.stop() }
        let lines = try await program.allOutput().split(separator: "\n").map(String.init)
        for name in Self.cases {
            let line = lines.first { $0 == "ok \(name)" || $0.hasPrefix("failed \(name):") }
            #expect(line == "ok \(name)")
        }
        #expect(lines.count == Self.cases.count)
    }
}
