// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import SPDYFraming
import Testing

@testable import SPDY

/// The client's bytes, and what the server has written.
private final class Wire: SPDYTransport {
    let incoming = BytePipe()
    let outgoing = BytePipe(limit: 1 << 30)

    func read() async throws -> [UInt8]? { await self.incoming.read() }
    func write(_ bytes: [UInt8]) async throws { await self.outgoing.write(bytes) }
}

@Suite("SPDYConnection")
struct SPDYConnectionTests {
    private static func headers(_ type: String) -> [SPDYSession.Header] {
        [.init("streamtype", type), .init("port", "80")]
    }

    private static func pieces(_ bytes: [UInt8], of count: Int) -> [[UInt8]] {
        stride(from: 0, to: bytes.count, by: count).map {
            Array(bytes[$0..<min($0 + count, bytes.count)])
        }
    }

    @Test("opens streams and carries data both ways", arguments: [1, 3, 10_000])
    func echo(pieceBytes: Int) async throws {
        let wire = Wire()
        let connection = SPDYConnection(wire)
        var client = SPDYSession(role: .client)
        #expect(try client.open(Self.headers("data")) == 1)
        #expect(try client.open(Self.headers("error")) == 3)
        client.send(Array("hello".utf8), on: 1)
        client.send(Array(" world".utf8), on: 1, isEnd: true)
        client.ping()
        let (streams, continuation) = AsyncStream.makeStream(of: SPDYStream.self)
        async let running: Void = connection.run { continuation.yield($0) }
        for piece in Self.pieces(client.takeOutput(), of: pieceBytes) {
            await wire.incoming.write(piece)
        }
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
        let large = [UInt8](repeating: 7, count: 1_000_000)
        try await data.write(large)
        try await data.finish()
        try await error.reset()
        // What is over takes nothing more.
        try await data.write([1])
        wire.incoming.finish()
        try await running
        wire.outgoing.finish()
        var body: [UInt8] = []
        var others: [SPDYSession.Event] = []
        var ended = 0
        while let chunk = await wire.outgoing.read() {
            for event in try client.receive(chunk) {
                guard case .data(1, let bytes, let isEnd) = event else {
                    others.append(event)
                    continue
                }
                body += bytes
                ended += isEnd ? 1 : 0
            }
        }
        #expect(body == large)
        #expect(ended == 1)
        #expect(
            others == [
                .replied(stream: 1, headers: [], isEnd: false),
                .replied(stream: 3, headers: [], isEnd: false),
                .reset(stream: 3, status: SPDYSession.Status.cancel),
            ]
        )
    }

    @Test("streams that have ended make room for others")
    func many() async throws {
        let wire = Wire()
        let connection = SPDYConnection(wire)
        var client = SPDYSession(role: .client)
        let count = SPDYLimits().streams * 2
        let (streams, continuation) = AsyncStream.makeStream(of: SPDYStream.self)
        async let running: Void = connection.run { continuation.yield($0) }
        var iterator = streams.makeAsyncIterator()
        for _ in 0..<count {
            _ = try client.open(Self.headers("data"), isEnd: true)
            await wire.incoming.write(client.takeOutput())
            let stream = try #require(await iterator.next())
            #expect(await stream.read() == nil)
            try await stream.finish()
            let answer = try #require(await wire.outgoing.read())
            _ = try client.receive(answer)
        }
        wire.incoming.finish()
        try await running
    }

    @Test("a stream whose client hangs up ends")
    func hangUp() async throws {
        let wire = Wire()
        let connection = SPDYConnection(wire)
        var client = SPDYSession(role: .client)
        _ = try client.open(Self.headers("data"))
        let (streams, continuation) = AsyncStream.makeStream(of: SPDYStream.self)
        async let running: Void = connection.run { continuation.yield($0) }
        await wire.incoming.write(client.takeOutput())
        var iterator = streams.makeAsyncIterator()
        let stream = try #require(await iterator.next())
        wire.incoming.finish()
        try await running
        #expect(await stream.read() == nil)
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
        let connection = SPDYConnection(wire)
        await wire.incoming.write(bytes)
        wire.incoming.finish()
        await #expect(throws: SPDYError.self) { try await connection.run { _ in } }
    }
}
