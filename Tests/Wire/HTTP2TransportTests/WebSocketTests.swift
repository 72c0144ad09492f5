// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import HTTP2Transport
import NIOCore
import Testing

/// Sends back what comes, and ends on "bye".
struct WebSocketEcho: HTTPRequestHandler {
    func handle(_ request: HTTPRequest, _ response: HTTPResponseWriter) async throws {
        guard
            let socket = try await response.acceptWebSocket(
                request,
                subprotocols: request.head.path == "/v5" ? ["v5.channel.k8s.io", "v4"] : [],
                maximumMessageBytes: 100_000,
            )
        else {
            try await response.send(HTTPResponseHead(status: .badRequest), body: ByteBuffer())
            return
        }
        while let message = try await socket.receive() {
            if message == .text("bye") {
                socket.close(code: 1001)
                break
            }
            try await socket.send(message)
        }
    }
}

@Suite("WebSocket", .blocking, .serialized)
struct WebSocketTests {
    static func handshake(_ path: String = "/", _ extra: String = "") -> String {
        "GET \(path) HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\(extra)\r\n"
    }

    /// A masked frame, as a client sends it.
    static func frame(_ opcode: UInt8, _ payload: [UInt8], fin: Bool = true) -> [UInt8] {
        let mask: [UInt8] = [1, 2, 3, 4]
        var out: [UInt8] = [(fin ? 0x80 : 0) | opcode]
        if payload.count < 126 {
            out.append(0x80 | UInt8(payload.count))
        } else if payload.count < 65_536 {
            out += [0x80 | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
        } else {
            out.append(0x80 | 127)
            out += (0..<8).map { UInt8(truncatingIfNeeded: payload.count >> (56 - 8 * $0)) }
        }
        return out + mask + payload.enumerated().map { $1 ^ mask[$0 % 4] }
    }

    private func connect(_ server: TestServer, _ request: String) throws -> (RawPeer, String) {
        let peer = try RawPeer(port: server.port)
        peer.send(request)
        let (bytes, _) = peer.receiveAll {
            String(decoding: $0, as: UTF8.self).contains("\r\n\r\n")
        }
        return (peer, String(decoding: bytes, as: UTF8.self))
    }

    @Test("the handshake of RFC 6455 section 1.3, then messages both ways")
    func echo() async throws {
        try await withServer(AsyncHTTPServerHandler(WebSocketEcho())) { server in
            let (peer, head) = try self.connect(server, Self.handshake())
            #expect(head.hasPrefix("HTTP/1.1 101 "))
            #expect(head.contains("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"))
            peer.send(Self.frame(1, Array("Hello".utf8)))
            #expect(peer.receiveAll { $0.count >= 7 }.bytes == [0x81, 5] + Array("Hello".utf8))
            // Fragments with a ping in between.
            peer.send(
                Self.frame(2, [1, 2], fin: false) + Self.frame(9, [9]) + Self.frame(0, [3])
            )
            #expect(peer.receiveAll { $0.count >= 8 }.bytes == [0x8A, 1, 9, 0x82, 3, 1, 2, 3])
            let large = Array(repeating: UInt8(7), count: 70_000)
            peer.send(Self.frame(2, large))
            let (echo, _) = peer.receiveAll { $0.count >= large.count + 10 }
            #expect(Array(echo.dropFirst(10)) == large)
            peer.send(Self.frame(1, Array("bye".utf8)))
            let (end, _) = peer.receiveAll { $0.count >= 4 }
            #expect(end == [0x88, 2, 0x03, 0xE9])
            peer.send(Self.frame(8, [0x03, 0xE9]))
            #expect(peer.waitForClose())
        }
    }

    @Test("the subprotocol is the server's best that the client offers")
    func subprotocol() async throws {
        try await withServer(AsyncHTTPServerHandler(WebSocketEcho())) { server in
            let offer = "Sec-WebSocket-Protocol: v4, v5.channel.k8s.io\r\n"
            let (_, head) = try self.connect(server, Self.handshake("/v5", offer))
            #expect(head.contains("sec-websocket-protocol: v5.channel.k8s.io\r\n"))
            let (_, refused) = try self.connect(server, Self.handshake("/v5"))
            #expect(refused.hasPrefix("HTTP/1.1 400 "))
        }
    }

    struct Violation: Sendable, CustomTestStringConvertible {
        let name: String
        let frames: [UInt8]
        let code: UInt16
        var testDescription: String { self.name }
    }

    static let violations = [
        Violation(name: "no mask", frames: [0x81, 1, 65], code: 1002),
        Violation(name: "a reserved bit", frames: [0xC1, 0x81, 1, 2, 3, 4, 5], code: 1002),
        Violation(name: "an unknown opcode", frames: Self.frame(3, []), code: 1002),
        Violation(name: "a lone continuation", frames: Self.frame(0, [1]), code: 1002),
        Violation(
            name: "a message in a message",
            frames: Self.frame(1, [65], fin: false) + Self.frame(1, [65]),
            code: 1002
        ),
        Violation(name: "text that is not UTF-8", frames: Self.frame(1, [0xFF]), code: 1007),
        Violation(
            name: "a message that is too large",
            frames: Self.frame(2, Array(repeating: 0, count: 60_000), fin: false)
                + Self.frame(0, Array(repeating: 0, count: 60_000)),
            code: 1009
        ),
    ]

    @Test("what breaks the rules ends the connection with a code", arguments: violations)
    func refuses(_ violation: Violation) async throws {
        try await withServer(AsyncHTTPServerHandler(WebSocketEcho())) { server in
            let (peer, _) = try self.connect(server, Self.handshake())
            peer.send(violation.frames)
            let (bytes, closed) = peer.receiveAll()
            #expect(closed)
            #expect(bytes == [0x88, 2, UInt8(violation.code >> 8), UInt8(violation.code & 0xFF)])
        }
    }
}
