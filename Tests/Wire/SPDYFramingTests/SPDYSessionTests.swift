// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Testing

@testable import SPDYFraming

@Suite("SPDYSession")
struct SPDYSessionTests {
    private typealias Header = SPDYSession.Header

    @Test("has the dictionary of the specification")
    func dictionary() {
        // Length and Adler-32 checksum as every implementation knows them.
        #expect(HeaderDictionary.bytes.count == 1423)
        var low: UInt32 = 1
        var high: UInt32 = 0
        for byte in HeaderDictionary.bytes {
            low = (low + UInt32(byte)) % 65_521
            high = (high + low) % 65_521
        }
        #expect(high << 16 | low == 0xe3c6_a7c2)
    }

    @Test("joins data that follow one another on a stream, up to its end")
    func joins() {
        typealias Event = SPDYSession.Event
        let reply = Event.replied(stream: 1, headers: [], isEnd: false)
        let cases: [([Event], [Event])] = [
            ([], []),
            ([reply], [reply]),
            (
                [
                    .data(stream: 1, [1, 2], isEnd: false), .data(stream: 1, [], isEnd: false),
                    .data(stream: 1, [3], isEnd: true),
                ],
                [.data(stream: 1, [1, 2, 3], isEnd: true)]
            ),
            (
                [
                    .data(stream: 1, [1], isEnd: false), .data(stream: 3, [2], isEnd: false),
                    .data(stream: 1, [3], isEnd: false),
                ],
                [
                    .data(stream: 1, [1], isEnd: false), .data(stream: 3, [2], isEnd: false),
                    .data(stream: 1, [3], isEnd: false),
                ]
            ),
            (
                [
                    .data(stream: 1, [1], isEnd: false), reply,
                    .data(stream: 1, [2], isEnd: false), .data(stream: 1, [3], isEnd: false),
                    .reset(stream: 1, status: 5),
                ],
                [
                    .data(stream: 1, [1], isEnd: false), reply,
                    .data(stream: 1, [2, 3], isEnd: false), .reset(stream: 1, status: 5),
                ]
            ),
        ]
        for (events, joined) in cases { #expect(Event.joined(events) == joined) }
    }

    @Test("carries streams both ways")
    func streams() throws {
        var client = SPDYSession(role: .client)
        var server = SPDYSession(role: .server)
        let stream = try client.open([Header("StreamType", "stdin"), Header("x", "1")])
        #expect(stream == 1)
        let opened = try server.receive(client.takeOutput())
        #expect(
            opened == [
                .opened(
                    stream: 1,
                    headers: [Header("streamtype", "stdin"), Header("x", "1")],
                    isEnd: false
                )
            ]
        )
        try server.reply(to: 1)
        #expect(
            try client.receive(server.takeOutput()) == [
                .replied(stream: 1, headers: [], isEnd: false)
            ]
        )
        client.send([1, 2, 3], on: 1, isEnd: true)
        #expect(
            try server.receive(client.takeOutput()) == [.data(stream: 1, [1, 2, 3], isEnd: true)]
        )
        server.send([UInt8](), on: 1, isEnd: true)
        #expect(try client.receive(server.takeOutput()) == [.data(stream: 1, [], isEnd: true)])
        #expect(client.openStreams == 0)
        #expect(server.openStreams == 0)
    }

    @Test("splits data into frames", arguments: [0, 1, 65_535, 65_536, 65_537, 200_000])
    func frames(count: Int) throws {
        var client = SPDYSession(role: .client)
        var server = SPDYSession(role: .server)
        let stream = try client.open([])
        _ = try server.receive(client.takeOutput())
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        client.send(bytes, on: stream, isEnd: true)
        var received: [UInt8] = []
        var ended = false
        for event in try server.receive(client.takeOutput()) {
            guard case .data(_, let part, let isEnd) = event else { continue }
            received += part
            ended = isEnd
        }
        #expect(received == bytes)
        #expect(ended)
    }

    @Test("takes bytes one at a time")
    func pieces() throws {
        var client = SPDYSession(role: .client)
        var server = SPDYSession(role: .server)
        let stream = try client.open([Header("port", "80")])
        client.send(Array("hello".utf8), on: stream)
        client.reset(stream)
        client.goAway()
        var events: [SPDYSession.Event] = []
        for byte in client.takeOutput() { events += try server.receive([byte]) }
        #expect(
            events == [
                .opened(stream: 1, headers: [Header("port", "80")], isEnd: false),
                .data(stream: 1, ArraySlice("hello".utf8), isEnd: false),
                .reset(stream: 1, status: SPDYSession.Status.cancel),
                .goAway(lastStream: 0),
            ]
        )
    }

    @Test("answers a ping of the other side")
    func ping() throws {
        var client = SPDYSession(role: .client)
        var server = SPDYSession(role: .server)
        client.ping()
        let ping = client.takeOutput()
        _ = try server.receive(ping)
        #expect(server.takeOutput() == ping)
        _ = try client.receive(ping)
        #expect(client.takeOutput().isEmpty)
    }

    @Test(
        "refuses what breaks the protocol",
        arguments: [
            // A frame that is too large.
            ([0x80, 3, 0, 1, 0, 0xff, 0xff, 0xff] as [UInt8], SPDYError.frameTooLarge),
            // Another version.
            ([0x80, 2, 0, 6, 0, 0, 0, 4, 0, 0, 0, 1], .version(2)),
            // A stream that does not say its number.
            ([0x80, 3, 0, 1, 0, 0, 0, 2, 0, 0], .malformed("SYN_STREAM is too short")),
            // Data on a stream that was never opened.
            ([0, 0, 0, 9, 0, 0, 0, 0], .malformed("data on stream 9, which is not open")),
            // Headers that are no zlib.
            (
                [0x80, 3, 0, 1, 0, 0, 0, 14, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4],
                .compression
            ),
        ]
    )
    func refuses(bytes: [UInt8], error: SPDYError) {
        var server = SPDYSession(role: .server)
        #expect(throws: error) { try server.receive(bytes) }
    }

    @Test("limits streams and headers")
    func limits() throws {
        var limits = SPDYLimits()
        limits.streams = 2
        limits.headerBytes = 64
        var client = SPDYSession(role: .client)
        var server = SPDYSession(role: .server, limits: limits)
        _ = try client.open([])
        _ = try client.open([])
        #expect(try server.receive(client.takeOutput()).count == 2)
        _ = try client.open([])
        #expect(throws: SPDYError.tooManyStreams) { try server.receive(client.takeOutput()) }
        var other = SPDYSession(role: .server, limits: limits)
        var sender = SPDYSession(role: .client)
        _ = try sender.open([Header("a", String(repeating: "x", count: 100))])
        #expect(throws: SPDYError.headersTooLarge) { try other.receive(sender.takeOutput()) }
    }

    @Test("never traps on a session that is cut off or damaged")
    func damaged() throws {
        var client = SPDYSession(role: .client)
        let stream = try client.open([Header("streamtype", "stdout")])
        client.send([1, 2, 3, 4], on: stream)
        let good = client.takeOutput()
        for cut in 0..<good.count {
            var server = SPDYSession(role: .server)
            _ = try? server.receive(good[..<cut])
            var damaged = good
            damaged[cut] ^= 0x55
            var other = SPDYSession(role: .server)
            _ = try? other.receive(damaged)
        }
    }
}
