// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import NIOCore
import NIOEmbedded
import Testing

@testable import HTTP2Transport

/// nghttp2 asserts in places that only a terminated session reaches (CVE-2026-27135): once a session
/// has ended, whatever ended it, nothing is fed to it any more.
@Suite("A session that has ended")
struct EndedSessionTests {
    typealias F = Frames

    struct End: Sendable, CustomTestStringConvertible {
        let name: String
        /// Ends the session; what it returns was fed in the same read as what follows.
        let end: @Sendable (SessionHarness) -> [UInt8]
        var testDescription: String { self.name }
    }

    static let ends: [End] = [
        End(name: "no greeting") { _ in Array("GET / HTTP/1.1\r\n\r\n".utf8) },
        End(name: "DATA on an idle stream") { _ in F.hello + F.data(1, [0]) },
        End(name: "HEADERS on stream 0") { _ in F.hello + F.frame(.headers, stream: 0, [0x82]) },
        End(name: "a frame of another stream inside a header block") { _ in
            F.hello + F.frame(.headers, stream: 1, [0x82]) + F.windowUpdate(0, 1)
        },
        End(name: "a header block that is no HPACK") { _ in
            F.hello + F.frame(.headers, flags: F.endHeaders, stream: 1, [0xFF, 0xFF, 0xFF, 0xFF])
        },
        End(name: "a frame above the limit") { _ in
            F.hello + F.frame(.data, stream: 1, Array(repeating: 0, count: 17_000))
        },
        End(name: "an even stream") { _ in F.hello + F.request(2) },
        End(name: "a window of more than 2^31") { _ in F.hello + F.windowUpdate(0, 0x7FFF_FFFF) },
        // Frames are counted when a read is over.
        End(name: "a flood") { harness in
            let ping = F.frame(.ping, Array(repeating: 0, count: 8))
            harness.feed(F.hello + (0..<600).flatMap { _ in ping })
            return []
        },
        End(name: "GOAWAY that is too short") { _ in F.hello + F.frame(.goAway, [0]) },
        End(name: "SETTINGS that are never acknowledged") { harness in
            harness.feed(F.preface + F.settings())
            _ = harness.tick(after: 20_000_000_000)
            return []
        },
        End(name: "a close") { harness in
            harness.feed(F.hello + F.request(1, endStream: false))
            harness.session.close(.shuttingDown)
            return []
        },
    ]

    /// One of every kind, in the middle of nothing and of each other.
    static let after: [[UInt8]] = [
        F.request(101), F.hello, F.data(1, [1, 2, 3]), F.frame(.headers, stream: 103, [0x82]),
        F.frame(.continuation, stream: 103, [0x84]),
        F.frame(.priority, stream: 1, [0, 0, 0, 0, 1]),
        F.reset(1), F.settings([(4, 0x7FFF_FFFF)]), F.settingsAck,
        F.frame(.pushPromise, stream: 1, [0, 0, 0, 2]),
        F.frame(.ping, Array(repeating: 0, count: 8)), F.frame(.goAway, F.word(0) + F.word(0)),
        F.windowUpdate(0, 1), F.frame(.unknown, [0]), [0xFF, 0xFF, 0xFF],
    ]

    @Test("reads nothing more and starts nothing", arguments: ends)
    func inert(_ row: End) throws {
        let harness = try #require(SessionHarness(behaviour: .silent))
        // The rest of the read that ended it goes the way of all that follows.
        harness.feed(row.end(harness) + F.request(99))
        harness.flush()
        #expect(!harness.session.wantsInput)
        let started = harness.handler.streams.count
        #expect(harness.handler.streams.allSatisfy { $0.closures.count == 1 })
        #expect(!harness.handler.streams.contains { $0.stream.id == 99 })
        for bytes in Self.after + [Self.after.flatMap(\.self)] {
            #expect(harness.feed(bytes).isEmpty)
            #expect(harness.tick(after: 1_000_000_000).isEmpty)
        }
        #expect(harness.handler.streams.count == started)
        harness.session.close(.closed("test"))
        #expect(harness.feed(F.request(105)).isEmpty)
        #expect(harness.handler.connectionsClosed == 1)
    }

    /// Found by fuzzing (`request-after-the-end`): a request on a closed session heard nothing for ever.
    @Test("says of a request that it was not processed", arguments: [false, true])
    func lateRequest(isClosed: Bool) throws {
        let harness = try #require(SessionHarness(role: .client))
        harness.flush()
        harness.feed(F.settings() + F.frame(.ping, [0]))
        #expect(!harness.session.wantsInput)
        if isClosed { harness.session.close(.closed("test")) }
        let receiver = LateReceiver()
        let stream: HTTP2Stream = harness.session.startRequest(
            HTTPRequestHead(method: .get, authority: "test", path: "/"),
            endStream: true,
            receiver: receiver
        )
        #expect(receiver.closures.isEmpty)
        harness.flush()
        harness.loop.run()
        #expect(receiver.closures == [.notProcessed])
        #expect(!stream.isWritable)
    }

    private final class LateReceiver: HTTPStreamReceiver {
        var closures: [HTTPStreamClosure] = []

        func received(data: ByteBuffer) {}
        func received(trailers: HeaderFields) {}
        func receivedEnd() {}
        func closed(_ reason: HTTPStreamClosure) { self.closures.append(reason) }
    }
}
