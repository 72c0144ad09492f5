// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import HTTP2Transport
import NIOCore
import TLS
import Testing

/// What kubectl does for exec and port-forward: HTTP/1.1 by ALPN on the port that also speaks
/// HTTP/2, then an upgrade inside TLS.
@Suite("Upgrades over TLS", .enabled(if: Tools.has("openssl")))
struct TLSUpgradeTests {
    private func withPeer(
        _ handler: any HTTPServerHandler,
        _ body: (TLSPeer) async throws -> Void,
    ) async throws {
        let tools = try Tools()
        defer { tools.remove() }
        try await tools.makeCertificates()
        try await withServer(handler, tls: HTTPServerToolsTests.tls(tools)) { server in
            let peer = try await TLSPeer(
                port: server.port,
                authorityPath: tools.path("ca.crt"),
                protocols: ["http/1.1"]
            )
            try await body(peer)
            await peer.close()
            #expect(await poll { server.server.connectionCount == 0 })
        }
    }

    private static func hasHead(_ bytes: [UInt8]) -> Bool {
        String(decoding: bytes, as: UTF8.self).contains("\r\n\r\n")
    }

    @Test("a WebSocket carries messages both ways")
    func webSocket() async throws {
        try await self.withPeer(AsyncHTTPServerHandler(WebSocketEcho())) { peer in
            try await peer.send(Array(WebSocketTests.handshake().utf8))
            let head = try #require(try await peer.take(Self.hasHead))
            #expect(head.starts(with: "HTTP/1.1 101 ".utf8))
            let large = Array(repeating: UInt8(7), count: 70_000)
            try await peer.send(WebSocketTests.frame(2, large))
            let echo = try #require(try await peer.take { $0.count >= large.count + 10 })
            #expect(Array(echo.dropFirst(10)) == large)
            try await peer.send(WebSocketTests.frame(8, [0x03, 0xE8]))
            #expect(await peer.waitForClose())
        }
    }

    @Test("a raw upgrade hands the bytes over, early ones too")
    func raw() async throws {
        try await self.withPeer(AsyncHTTPServerHandler(DemoHandler())) { peer in
            try await peer.send(
                Array(
                    ("POST /raw HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"
                        + "Upgrade: raw-echo\r\nContent-Length: 0\r\n\r\nearly ").utf8
                )
            )
            let head = try #require(
                try await peer.take { String(decoding: $0, as: UTF8.self).contains("early ") }
            )
            #expect(head.starts(with: "HTTP/1.1 101 ".utf8))
            let block = Array(repeating: UInt8(7), count: 1_000_000)
            try await peer.send(block)
            let echo = try #require(try await peer.take { $0.count >= block.count })
            #expect(echo == block)
        }
    }
}
