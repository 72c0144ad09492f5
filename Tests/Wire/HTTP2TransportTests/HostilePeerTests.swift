// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import HTTP
import HTTP2Transport
import NIOCore
import Synchronization
import TLS
import Testing

/// Each test is a peer that does not follow the rules, on a real socket, beside one that does.
@Suite("Hostile peers", .blocking, .serialized)
struct HostilePeerTests {
    typealias F = Frames

    /// Another connection is served as if nothing had happened.
    private func expectServed(_ server: TestServer) throws {
        let peer = try RawPeer(port: server.port)
        peer.send("GET /who HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        let answer = String(decoding: peer.receiveAll().bytes, as: UTF8.self)
        #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
    }

    private func goAwayCode(_ bytes: [UInt8]) -> UInt32? {
        Frames.parse(bytes).last { $0.kind == F.Kind.goAway.rawValue }?.code
    }

    // MARK: - HTTP/2

    @Test("rapid reset: the connection ends, every handler is cancelled")
    func rapidReset() async throws {
        let handler = DemoHandler()
        try await withServer(AsyncHTTPServerHandler(handler)) { server in
            let peer = try RawPeer(port: server.port)
            peer.send(F.hello)
            for index in 0..<5000 {
                let stream = UInt32(index * 2 + 1)
                if !peer.send(F.request(stream, path: "/hang") + F.reset(stream)) { break }
            }
            let (bytes, closed) = peer.receiveAll()
            #expect(closed)
            // A peer that goes on writing may see the reset before it reads the reason.
            if let code = self.goAwayCode(bytes) {
                #expect(code == HTTP2ErrorCode.enhanceYourCalm.rawValue)
            }
            #expect(
                await poll {
                    handler.counts.started.load(ordering: .relaxed)
                        == handler.counts.finished.load(ordering: .relaxed)
                }
            )
            #expect(handler.counts.cancelled.load(ordering: .relaxed) > 0)
            try self.expectServed(server)
            #expect(await poll { server.server.connectionCount == 0 })
        }
    }

    @Test("streams above the limit are refused, those below are served")
    func tooManyStreams() async throws {
        var limits = HTTPLimits.patient
        limits.unauthenticatedConcurrentStreams = 10
        try await withServer(limits: limits) { server in
            let peer = try RawPeer(port: server.port)
            // Before the limit is acknowledged: refused one by one.
            let flood = (0..<20).flatMap { F.request(UInt32($0 * 2 + 1), path: "/hang") }
            peer.send(F.preface + F.settings() + flood)
            let (bytes, _) = peer.receiveAll { bytes in
                Frames.parse(bytes).filter { $0.kind == 3 }.count >= 10
            }
            let resets = Frames.parse(bytes).filter { $0.kind == F.Kind.resetStream.rawValue }
            let refused: [UInt32] = (10..<20).map { UInt32($0 * 2 + 1) }
            #expect(resets.allSatisfy { $0.code == 7 })
            #expect(resets.map(\.stream) == refused)
        }
    }

    @Test("a peer that never reads is let go, and its handlers with it")
    func slowReader() async throws {
        var limits = HTTPLimits.patient
        limits.writeTimeout = .milliseconds(500)
        let handler = DemoHandler()
        try await withServer(AsyncHTTPServerHandler(handler), limits: limits) { server in
            let peer = try RawPeer(port: server.port, receiveBuffer: 4096)
            peer.send(
                F.preface + F.settings([(4, 0x7FFF_FFFF)]) + F.settingsAck
                    + F.windowUpdate(0, 0x7000_0000) + F.request(1, path: "/endless")
            )
            #expect(await poll { handler.counts.finished.load(ordering: .relaxed) == 1 })
            // What was written is bounded by the buffers on the way.
            #expect(handler.counts.written.load(ordering: .relaxed) < 16 << 20)
            #expect(await poll { server.server.connectionCount == 0 })
            try self.expectServed(server)
        }
    }

    @Test("a peer without window suspends the writer")
    func zeroWindow() async throws {
        let handler = DemoHandler()
        try await withServer(AsyncHTTPServerHandler(handler)) { server in
            let peer = try RawPeer(port: server.port)
            peer.send(
                F.preface + F.settings([(4, 0)]) + F.settingsAck + F.request(1, path: "/endless")
            )
            #expect(await poll { handler.counts.written.load(ordering: .relaxed) > 0 })
            try await Task.sleep(for: .milliseconds(100))
            let limit = HTTPLimits().streamSendBufferBytes + 10_000
            #expect(handler.counts.written.load(ordering: .relaxed) <= limit)
            peer.send(F.reset(1))
            #expect(await poll { handler.counts.cancelled.load(ordering: .relaxed) == 1 })
        }
    }

    @Test("acks for pings of a peer that does not read are bounded")
    func pingFlood() async throws {
        try await withServer { server in
            let peer = try RawPeer(port: server.port, receiveBuffer: 4096)
            peer.send(F.hello)
            let pings = (0..<1000).flatMap { _ in F.frame(.ping, Array(repeating: 0, count: 8)) }
            for _ in 0..<100 where !peer.send(pings) { break }
            #expect(peer.waitForClose())
            try self.expectServed(server)
        }
    }

    @Test("an endless header block ends the connection")
    func continuation() async throws {
        try await withServer { server in
            let peer = try RawPeer(port: server.port)
            peer.send(F.hello + F.frame(.headers, stream: 1, F.pseudo()))
            let block = F.literal("n", String(repeating: "v", count: 16_000))
            for _ in 0..<1000 where !peer.send(F.frame(.continuation, stream: 1, block)) { break }
            #expect(peer.waitForClose())
            try self.expectServed(server)
        }
    }

    @Test("a connection that says nothing is closed at its handshake time")
    func silentConnection() async throws {
        var limits = HTTPLimits.patient
        limits.handshakeTimeout = .milliseconds(200)
        try await withServer(limits: limits) { server in
            for start: [UInt8] in [[], Array(F.preface.prefix(10)), F.preface] {
                let peer = try RawPeer(port: server.port)
                peer.send(start)
                #expect(peer.waitForClose())
            }
            #expect(await poll { server.server.connectionCount == 0 })
        }
    }

    @Test("half a TLS handshake is closed at its time")
    func halfHandshake() async throws {
        let tools = try Tools()
        defer { tools.remove() }
        try await tools.makeCertificates()
        var limits = HTTPLimits.patient
        limits.handshakeTimeout = .milliseconds(300)
        try await withServer(tls: HTTPServerToolsTests.tls(tools), limits: limits) { server in
            // A record header that promises 512 bytes of ClientHello.
            for start: [UInt8] in [[], [0x16, 0x03, 0x01, 0x02, 0x00, 0x01]] {
                let peer = try RawPeer(port: server.port)
                peer.send(start)
                #expect(peer.waitForClose())
            }
            // Not TLS at all.
            let peer = try RawPeer(port: server.port)
            peer.send("GET / HTTP/1.1\r\n\r\n")
            #expect(peer.waitForClose())
            #expect(await poll { server.server.connectionCount == 0 })
        }
    }

    @Test("connections above the limit are closed, those below are served")
    func tooManyConnections() async throws {
        var limits = HTTPLimits.patient
        limits.connections = 3
        try await withServer(limits: limits) { server in
            let peers = try (0..<3).map { _ in try RawPeer(port: server.port) }
            #expect(await poll { server.server.connectionCount == 3 })
            #expect(try RawPeer(port: server.port).waitForClose())
            peers[0].send("GET /who HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            #expect(peers[0].receiveAll().bytes.starts(with: "HTTP/1.1 200".utf8))
        }
    }

    @Test("random bytes behind a greeting never hurt the server")
    func noise() async throws {
        try await withServer { server in
            var generator = SystemRandomNumberGenerator()
            for _ in 0..<50 {
                let peer = try RawPeer(port: server.port)
                let bytes = (0..<2000).map { _ in UInt8.random(in: 0...255, using: &generator) }
                peer.send(F.hello + bytes)
            }
            #expect(await poll { server.server.connectionCount == 0 })
            try self.expectServed(server)
        }
    }

    // MARK: - HTTP/1.1

    struct Smuggle: Sendable, CustomTestStringConvertible {
        let name: String
        let request: String
        var status = "400"
        var testDescription: String { self.name }
    }

    static let smuggling: [Smuggle] = [
        Smuggle(
            name: "both lengths",
            request:
                "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        ),
        Smuggle(
            name: "both lengths, the other way",
            request:
                "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"
        ),
        Smuggle(
            name: "two lengths",
            request:
                "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"
        ),
        Smuggle(
            name: "the same length twice",
            request:
                "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello"
        ),
        Smuggle(
            name: "a list of lengths",
            request: "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\nhello"
        ),
        Smuggle(
            name: "a signed length",
            request: "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello"
        ),
        Smuggle(
            name: "a huge length",
            request:
                "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n"
        ),
        Smuggle(
            name: "a hexadecimal length",
            request: "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\nhello"
        ),
        Smuggle(
            name: "chunked twice",
            request:
                "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        ),
        Smuggle(
            name: "chunked not last",
            request:
                "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"
        ),
        Smuggle(
            name: "an unknown coding",
            request:
                "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"
        ),
        Smuggle(
            name: "chunked in HTTP/1.0",
            request: "POST /echo HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        ),
        Smuggle(
            name: "space before the colon",
            request: "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length : 5\r\n\r\nhello"
        ),
        Smuggle(
            name: "obs-fold",
            request: "POST /echo HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n"
        ),
        Smuggle(
            name: "a folded Transfer-Encoding",
            request:
                "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"
        ),
        Smuggle(name: "a bare line feed", request: "GET /who HTTP/1.1\nHost: a\n\n"),
        Smuggle(
            name: "a bare line feed between fields",
            request: "GET /who HTTP/1.1\r\nHost: a\nX: y\r\n\r\n"
        ),
        Smuggle(
            name: "a bare carriage return",
            request: "GET /who HTTP/1.1\r\nHost: a\r\nX: a\rY: b\r\n\r\n"
        ),
        Smuggle(
            name: "a NUL in a value",
            request: "GET /who HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"
        ),
        Smuggle(
            name: "a chunk size that is no number",
            request:
                "POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5x\r\nhello\r\n0\r\n\r\n"
        ),
        Smuggle(
            name: "a chunk size with a sign",
            request:
                "POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n"
        ),
        Smuggle(
            name: "a chunk size that overflows",
            request:
                "POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n"
        ),
        Smuggle(
            name: "a chunk longer than its size",
            request:
                "POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n"
        ),
        Smuggle(
            name: "a bare line feed after a chunk size",
            request:
                "POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n"
        ),
        Smuggle(name: "no Host", request: "GET /who HTTP/1.1\r\n\r\n"),
        Smuggle(name: "two Hosts", request: "GET /who HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
        Smuggle(name: "a Host with a path", request: "GET /who HTTP/1.1\r\nHost: a/b\r\n\r\n"),
        Smuggle(name: "a target without a slash", request: "GET who HTTP/1.1\r\nHost: a\r\n\r\n"),
        Smuggle(
            name: "a target with a fragment",
            request: "GET /who#x HTTP/1.1\r\nHost: a\r\n\r\n"
        ),
        Smuggle(name: "a space in the target", request: "GET /who x HTTP/1.1\r\nHost: a\r\n\r\n"),
        Smuggle(name: "no version", request: "GET /who\r\nHost: a\r\n\r\n"),
        Smuggle(name: "CONNECT", request: "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n"),
        Smuggle(
            name: "a name that is no token",
            request: "GET /who HTTP/1.1\r\nHost: a\r\nX(y): z\r\n\r\n"
        ),
        Smuggle(
            name: "a field without a name",
            request: "GET /who HTTP/1.1\r\nHost: a\r\n: z\r\n\r\n"
        ),
    ]

    @Test(
        "messages that can be read in two ways are refused and the connection closed",
        arguments: smuggling
    )
    func refusesSmuggling(_ attempt: Smuggle) async throws {
        let handler = DemoHandler()
        try await withServer(AsyncHTTPServerHandler(handler)) { server in
            let peer = try RawPeer(port: server.port)
            peer.send(attempt.request)
            // What would be the smuggled request.
            peer.send("GET /who HTTP/1.1\r\nHost: smuggled\r\n\r\n")
            let (bytes, closed) = peer.receiveAll()
            let text = String(decoding: bytes, as: UTF8.self)
            #expect(closed)
            #expect(!text.contains("smuggled"))
            #expect(!text.contains("HTTP/1.1 200"))
            #expect(text.hasPrefix("HTTP/1.1 4") || text.hasPrefix("HTTP/1.1 5") || text.isEmpty)
        }
    }

    @Test("slow headers are answered 408")
    func slowHeaders() async throws {
        var limits = HTTPLimits.patient
        limits.headerTimeout = .milliseconds(300)
        try await withServer(limits: limits) { server in
            let peer = try RawPeer(port: server.port)
            peer.send("GET /who HTTP/1.1\r\nHost: a\r\n")
            let (bytes, closed) = peer.receiveAll()
            #expect(closed)
            #expect(bytes.starts(with: "HTTP/1.1 408 ".utf8))
        }
    }

    @Test("a drip of headers does not extend the time")
    func dripHeaders() async throws {
        var limits = HTTPLimits.patient
        limits.headerTimeout = .milliseconds(400)
        try await withServer(limits: limits) { server in
            let peer = try RawPeer(port: server.port)
            peer.send("GET /who HTTP/1.1\r\nHost: a\r\n")
            let start = ContinuousClock.now
            while ContinuousClock.now - start < .seconds(3), peer.send(Array("X: y\r\n".utf8)) {
                try await Task.sleep(for: .milliseconds(50))
                if server.server.connectionCount == 0 { break }
            }
            #expect(ContinuousClock.now - start < .seconds(2))
        }
    }

    @Test("a body that stops is answered 408")
    func slowBody() async throws {
        var limits = HTTPLimits.patient
        limits.bodyIdleTimeout = .milliseconds(300)
        try await withServer(limits: limits) { server in
            let peer = try RawPeer(port: server.port)
            peer.send("POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello")
            let (bytes, closed) = peer.receiveAll()
            #expect(closed)
            #expect(bytes.starts(with: "HTTP/1.1 408 ".utf8))
        }
    }

    @Test("headers above the limit are answered 431")
    func largeHeaders() async throws {
        try await withServer { server in
            for headers in [
                "X: " + String(repeating: "y", count: 70_000) + "\r\n",
                String(repeating: "X: y\r\n", count: 400),
                String(repeating: "X: \(String(repeating: "y", count: 1000))\r\n", count: 100),
            ] {
                let peer = try RawPeer(port: server.port)
                peer.send("GET /who HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n")
                let (bytes, closed) = peer.receiveAll()
                #expect(closed)
                #expect(bytes.starts(with: "HTTP/1.1 431 ".utf8))
            }
            try self.expectServed(server)
        }
    }

    struct Endless: Sendable, CustomTestStringConvertible {
        let name: String
        let start: String
        let piece: String
        var testDescription: String { self.name }
    }

    private static let chunked =
        "POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

    static let endless = [
        Endless(name: "a target", start: "GET /", piece: "a"),
        Endless(name: "a method", start: "", piece: "A"),
        Endless(name: "a chunk's extension", start: chunked + "5;a=", piece: "b"),
        Endless(name: "the digits of a chunk's size", start: chunked, piece: "0"),
        Endless(name: "trailers", start: chunked + "0\r\n", piece: "X: yyyyyyyy\r\n"),
        Endless(name: "empty lines", start: "", piece: "\r\n"),
    ]

    @Test("a part of a message that never ends is refused and not read", arguments: endless)
    func endlessPart(_ part: Endless) async throws {
        try await withServer(limits: .unhurried) { server in
            let peer = try RawPeer(port: server.port)
            peer.send(part.start)
            let pieces = Array(String(repeating: part.piece, count: 65_536 / part.piece.count).utf8)
            let limit = 64 << 20
            var sent = 0
            while sent < limit, peer.send(pieces) { sent += pieces.count }
            // What the sockets' buffers take is not what the server takes.
            #expect(sent < limit)
            #expect(peer.waitForClose())
            try self.expectServed(server)
        }
    }

    @Test("a part of a message just within the limit is served")
    func longPart() async throws {
        try await withServer(limits: .unhurried) { server in
            let peer = try RawPeer(port: server.port)
            let lines = String(repeating: "\r\n", count: 30_000)
            let digits = String(repeating: "0", count: 60_000)
            peer.send(lines + Self.chunked)
            peer.send(digits + "5;a=" + digits + "\r\nhello\r\n0\r\n\r\n")
            let (bytes, _) = peer.receiveAll {
                String(decoding: $0, as: UTF8.self).contains("\r\n\r\n5\n")
            }
            #expect(bytes.starts(with: "HTTP/1.1 200 ".utf8))
        }
    }

    @Test("pipelined requests are answered in order; one that hangs up is cancelled")
    func pipelining() async throws {
        let handler = DemoHandler()
        try await withServer(AsyncHTTPServerHandler(handler)) { server in
            let peer = try RawPeer(port: server.port)
            peer.send(
                "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
                    + "POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
                    + "GET /who HTTP/1.1\r\nHost: third\r\nConnection: close\r\n\r\n"
            )
            let text = String(decoding: peer.receiveAll().bytes, as: UTF8.self)
            let bodies = text.components("\r\n\r\n").dropFirst().map { $0.prefix { $0 != "\n" } }
            #expect(bodies.map(String.init) == ["5", "3", "http1 GET false - 0 third"])
            do {
                let hanging = try RawPeer(port: server.port)
                hanging.send("GET /hang HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(await poll { handler.counts.started.load(ordering: .relaxed) == 4 })
            }
            #expect(await poll { handler.counts.cancelled.load(ordering: .relaxed) == 1 })
        }
    }

    @Test("an upgrade hands over the bytes, those sent early too")
    func upgrade() async throws {
        try await withServer { server in
            let peer = try RawPeer(port: server.port)
            peer.send(
                "GET /raw HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: raw-echo\r\n\r\nearly "
            )
            let (head, _) = peer.receiveAll {
                String(decoding: $0, as: UTF8.self).contains("early ")
            }
            let text = String(decoding: head, as: UTF8.self)
            #expect(text.hasPrefix("HTTP/1.1 101 Switching Protocols\r\n"))
            #expect(text.hasSuffix("\r\n\r\nearly "))
            let block = Array(repeating: UInt8(7), count: 100_000)
            peer.send(block)
            let (echo, _) = peer.receiveAll { $0.count >= block.count }
            #expect(echo == block)
        }
    }

    @Test("an upgrade that is refused ends the connection, and nothing behind it is served")
    func refusedUpgrade() async throws {
        try await withServer { server in
            let peer = try RawPeer(port: server.port)
            peer.send(
                "GET /who HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"
                    + "GET /who HTTP/1.1\r\nHost: smuggled\r\n\r\n"
            )
            let (bytes, closed) = peer.receiveAll()
            let text = String(decoding: bytes, as: UTF8.self)
            #expect(closed)
            #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(!text.contains("smuggled"))
        }
    }

    @Test("a body that nobody reads is not buffered beyond the window", arguments: [true, false])
    func unreadBody(_ isHTTP2: Bool) async throws {
        var limits = HTTPLimits.patient
        limits.streamWindowBytes = 100_000
        try await withServer(limits: limits) { server in
            let peer = try RawPeer(port: server.port)
            if isHTTP2 {
                peer.send(F.hello + F.request(1, endStream: false, path: "/hang"))
                // Window updates for the stream never come.
                var frames = 0
                for _ in 0..<6 {
                    frames += peer.send(F.data(1, Array(repeating: 1, count: 16_000))) ? 1 : 0
                }
                try await Task.sleep(for: .milliseconds(200))
                let (bytes, _) = peer.receiveAll { _ in true }
                #expect(frames == 6)
                #expect(!Frames.parse(bytes).contains { $0.kind == 8 && $0.stream == 1 })
            } else {
                peer.send("POST /hang HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n")
                let block = Array(repeating: UInt8(1), count: 1 << 20)
                var sent = 0
                // The socket's buffers on both sides take some megabytes, then it blocks.
                while sent < 90, peer.send(block) { sent += 1 }
                #expect(sent < 40)
            }
        }
    }
}

extension String {
    /// The parts between separators.
    func components(_ separator: String) -> [String] {
        var parts: [String] = [""]
        var rest = Substring(self)
        while !rest.isEmpty {
            if rest.hasPrefix(separator) {
                parts.append("")
                rest = rest.dropFirst(separator.count)
            } else {
                parts[parts.count - 1].append(rest.removeFirst())
            }
        }
        return parts
    }
}
