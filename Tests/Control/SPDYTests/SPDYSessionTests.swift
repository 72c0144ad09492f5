// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Testing

@testable import SPDY

/// The client's bytes, and what the server has written.
private final class Wire: SPDYTransport {
    let incoming = BytePipe()
    let outgoing = BytePipe(limit: 1 << 30)

    func read() async throws -> [UInt8]? { await self.incoming.read() }
    func write(_ bytes: [UInt8]) async throws { await self.outgoing.write(bytes) }
}

@Suite("SPDYSession")
struct SPDYSessionTests {
    private static func number(_ value: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> UInt32($0)) }
    }

    private static func open(
        _ id: UInt32,
        _ headers: [(String, String)],
        _ compression: HeaderCompression
    ) throws -> [UInt8] {
        let block = try compression.compress(headers)
        let payload = Self.number(id) + Self.number(0) + [0, 0] + block
        return Self.number(0x8003_0001) + Self.number(UInt32(payload.count)) + payload
    }

    private static func data(_ id: UInt32, _ text: String, isLast: Bool = false) -> [UInt8] {
        Self.number(id) + Self.number((isLast ? 1 << 24 : 0) | UInt32(text.utf8.count))
            + Array(text.utf8)
    }

    @Test("opens streams and carries data both ways", arguments: [1, 3, 10_000])
    func echo(pieceBytes: Int) async throws {
        let wire = Wire()
        let session = try SPDYSession(wire)
        let compression = try HeaderCompression()
        var bytes = try Self.open(1, [("streamtype", "data"), ("port", "80")], compression)
        bytes += try Self.open(3, [("streamtype", "error"), ("port", "80")], compression)
        bytes += Self.data(1, "hello") + Self.data(1, " world", isLast: true)
        let pieces = stride(from: 0, to: bytes.count, by: pieceBytes).map {
            Array(bytes[$0..<min($0 + pieceBytes, bytes.count)])
        }
        let (streams, continuation) = AsyncStream.makeStream(of: SPDYStream.self)
        async let running: Void = session.run { continuation.yield($0) }
        for piece in pieces { await wire.incoming.write(piece) }
        var iterator = streams.makeAsyncIterator()
        let first = await iterator.next()
        let second = await iterator.next()
        let data = try #require(first)
        let error = try #require(second)
        #expect(data.header("streamType") == "data")
        #expect(error.header("Port") == "80")
        var text: [UInt8] = []
        while let chunk = await data.read() { text += chunk }
        #expect(String(decoding: text, as: UTF8.self) == "hello world")
        try await data.write(Array("bye".utf8))
        try await data.finish()
        wire.incoming.finish()
        try await running
        wire.outgoing.finish()
        var out: [UInt8] = []
        while let chunk = await wire.outgoing.read() { out += chunk }
        #expect(out.starts(with: Self.number(0x8003_0002)))
        let end = Self.data(1, "bye") + Self.data(1, "", isLast: true)
        #expect(Array(out.suffix(end.count)) == end)
    }

    @Test(
        "refuses what is no frame",
        arguments: [
            [0x80, 0x02, 0, 1, 0, 0, 0, 0], [0, 0, 0, 1, 0, 0xFF, 0xFF, 0xFF],
            [0x80, 3, 0, 1, 0, 0, 0, 2, 0, 0], [0x80, 3, 0, 6, 0, 0, 0, 1, 0],
            [0x80, 3, 0, 1, 0, 0, 0, 12, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 2],
        ] as [[UInt8]]
    )
    func bad(bytes: [UInt8]) async throws {
        let wire = Wire()
        let session = try SPDYSession(wire)
        await wire.incoming.write(bytes)
        wire.incoming.finish()
        await #expect(throws: SPDYError.self) { try await session.run { _ in } }
    }

    @Test("knows the dictionary that clients know")
    func dictionary() throws {
        // What zlib writes first when the dictionary's checksum is the protocol's.
        let bytes = try HeaderCompression().compress([("a", "b")])
        #expect(Array(bytes[2..<6]) == [0xE3, 0xC6, 0xA7, 0xC2])
    }
}
