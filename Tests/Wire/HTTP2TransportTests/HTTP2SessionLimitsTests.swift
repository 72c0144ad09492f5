// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import NIOCore
import Testing

@testable import HTTP2Transport

@Suite("Limits of an HTTP/2 session")
struct HTTP2SessionLimitsTests {
    typealias F = Frames

    /// A flood: the frames that set it up, the frame that is repeated, and the limit it crosses.
    struct Flood: Sendable, CustomTestStringConvertible {
        let name: String
        let limit: HTTPLimit
        let setUp: [UInt8]
        let frame: @Sendable (Int) -> [UInt8]
        var testDescription: String { self.name }
    }

    /// Small rates: ten at once, then one a second.
    static var limits: HTTPLimits {
        var limits = HTTPLimits()
        limits.burstSeconds = 10
        limits.peerResetsPerSecond = 1
        limits.provokedResetsPerSecond = 1
        limits.settingsPerSecond = 1
        limits.pingsPerSecond = 1
        limits.prioritiesPerSecond = 1
        limits.emptyFramesPerSecond = 1
        limits.windowUpdatesPerSecond = 1
        limits.windowUpdateFreeBytes = 1 << 30
        return limits
    }

    static let floods: [Flood] = [
        Flood(name: "rapid reset", limit: .streamResets, setUp: []) {
            F.request(UInt32($0 * 2 + 1), endStream: false) + F.reset(UInt32($0 * 2 + 1))
        },
        Flood(name: "provoked resets (MadeYouReset)", limit: .locallyResetStreams, setUp: []) {
            F.request(UInt32($0 * 2 + 1), endStream: false)
                + F.windowUpdate(UInt32($0 * 2 + 1), 0x7FFF_FFFF)
        },
        Flood(name: "provoked resets by malformed requests", limit: .locallyResetStreams, setUp: [])
        {
            F.request(UInt32($0 * 2 + 1), F.literal("Bad", "x"))
        },
        Flood(name: "SETTINGS", limit: .settings, setUp: []) { _ in F.settings() },
        Flood(name: "PING", limit: .pings, setUp: []) { _ in
            F.frame(.ping, Array(repeating: 0, count: 8))
        },
        Flood(name: "PRIORITY", limit: .priorities, setUp: []) { _ in
            F.frame(.priority, stream: 1, [0, 0, 0, 0, 1])
        },
        Flood(name: "unknown frames", limit: .priorities, setUp: []) { _ in F.frame(.unknown) },
        Flood(name: "empty DATA", limit: .emptyFrames, setUp: F.request(1, endStream: false)) { _ in
            F.data(1, [])
        },
        Flood(
            name: "padded DATA without content",
            limit: .emptyFrames,
            setUp: F.request(1, endStream: false)
        ) { _ in F.frame(.data, flags: F.padded, stream: 1, [3, 0, 0, 0]) },
        Flood(name: "WINDOW_UPDATE", limit: .windowUpdates, setUp: []) { _ in F.windowUpdate(0, 1)
        },
    ]

    @Test("a flood ends the connection with ENHANCE_YOUR_CALM", arguments: floods)
    func flood(_ flood: Flood) throws {
        let harness = try #require(SessionHarness(limits: Self.limits, behaviour: .silent))
        harness.feed(F.hello + flood.setUp)
        // The greeting's own SETTINGS frame has taken one of the ten.
        let allowed = flood.limit == .settings ? 9 : 10
        for index in 0..<allowed {
            harness.feed(flood.frame(index))
            #expect(harness.session.phase == .open, "after \(index + 1)")
        }
        let answer = harness.feed(flood.frame(allowed))
        let goAway = try #require(
            (answer + harness.flush()).first { $0.kind == F.Kind.goAway.rawValue }
        )
        #expect(goAway.code == HTTP2ErrorCode.enhanceYourCalm.rawValue)
        #expect(harness.session.phase == .closing(.limitExceeded(flood.limit)))
        #expect(harness.handler.streams.allSatisfy { $0.closures.count == 1 })
    }

    @Test("the same frames at a lawful pace are served", arguments: floods)
    func slowFlood(_ flood: Flood) throws {
        let harness = try #require(SessionHarness(limits: Self.limits, behaviour: .silent))
        harness.feed(F.hello + flood.setUp)
        for index in 0..<40 {
            harness.feed(flood.frame(index), advancing: 1_000_000_000)
            #expect(harness.session.phase == .open, "after \(index + 1)")
        }
    }

    @Test("a reset cancels its handler")
    func resetCancels() throws {
        let harness = try #require(SessionHarness(behaviour: .silent))
        harness.feed(F.hello + F.request(1, endStream: false))
        harness.feed(F.reset(1))
        #expect(harness.handler.streams.first?.closures == [.resetByPeer(.cancel)])
        #expect(harness.session.streamCount == 0)
    }

    @Test("a header list above its limit is answered 431, and the connection lives")
    func headerList() throws {
        var limits = HTTPLimits()
        limits.headerListBytes = 1000
        let harness = try #require(SessionHarness(limits: limits))
        harness.feed(F.hello)
        let big = F.literal("big", String(repeating: "x", count: 1200))
        let answer = harness.feed(F.request(1, big))
        #expect(answer.contains { $0.kind == F.Kind.headers.rawValue && $0.stream == 1 })
        #expect(harness.handler.streams.isEmpty)
        harness.feed(F.request(3))
        #expect(harness.handler.streams.first?.closures == [.finished])
    }

    @Test(
        "the number of header fields has a limit",
        arguments: [(255, true), (256, true), (257, false)]
    )
    func headerCount(_ count: Int, _ isServed: Bool) throws {
        let harness = try #require(SessionHarness())
        harness.feed(F.hello)
        // Four fields are the pseudo-header fields.
        harness.feed(F.request(1, (4..<count).flatMap { F.literal("n\($0)", "") }))
        #expect(harness.handler.streams.count == (isServed ? 1 : 0))
        #expect(harness.session.phase == .open)
    }

    @Test("an HPACK bomb ends the connection before it is unpacked")
    func hpackBomb() throws {
        let harness = try #require(SessionHarness())
        harness.feed(F.hello)
        // One field of 4,000 bytes in the table, then references of one byte to it.
        let entry = F.indexedLiteral("bomb", String(repeating: "x", count: 4000))
        let block = F.pseudo() + entry + Array(repeating: 0xBE, count: 10_000)
        let answer = harness.feed(
            F.frame(.headers, flags: F.endHeaders | F.endStream, stream: 1, block)
        )
        #expect(answer.first { $0.kind == F.Kind.goAway.rawValue }?.code == 11)
        #expect(harness.session.phase == .closing(.limitExceeded(.headerList)))
        #expect(harness.handler.streams.isEmpty)
    }

    @Test("a CONTINUATION flood ends the connection")
    func continuationFlood() throws {
        let harness = try #require(SessionHarness())
        harness.feed(F.hello + F.frame(.headers, stream: 1, F.pseudo()))
        var frames = 0
        while harness.session.wantsInput, frames < 100 {
            harness.feed(F.frame(.continuation, stream: 1, F.literal("a", "b")))
            frames += 1
        }
        #expect(frames == HTTPLimits().continuationFrames + 1)
        #expect(harness.session.phase == .closing(.limitExceeded(.continuations)))
        #expect(Frames.parse(harness.sent).contains { $0.kind == 7 && $0.code == 11 })
    }

    @Test("acks for a peer that does not read are bounded")
    func ackFlood() throws {
        var limits = HTTPLimits()
        limits.pingsPerSecond = 1_000_000
        limits.outboundControlFrames = 50
        let harness = try #require(SessionHarness(limits: limits))
        harness.feed(F.hello)
        let ping = F.frame(.ping, Array(repeating: 0, count: 8))
        // The shell writes nothing while the socket takes nothing.
        for _ in 0..<60 { harness.session.receive(ByteBuffer(bytes: ping), now: harness.now) }
        #expect(!harness.session.wantsInput)
    }

    @Test("an unread body is not buffered beyond the window")
    func unreadBody() throws {
        var limits = HTTPLimits()
        limits.streamWindowBytes = 1000
        let harness = try #require(SessionHarness(limits: limits, behaviour: .greedy))
        harness.feed(F.hello + F.request(1, endStream: false))
        let answer = harness.feed(F.data(1, Array(repeating: 1, count: 1000)))
        #expect(!answer.contains { $0.kind == F.Kind.windowUpdate.rawValue && $0.stream == 1 })
        let receiver = try #require(harness.handler.streams.first)
        receiver.stream.consume(1000)
        #expect(
            harness.flush().contains { $0.kind == F.Kind.windowUpdate.rawValue && $0.stream == 1 }
        )
    }

    @Test("what a closed stream did not consume goes back to the connection")
    func connectionWindow() throws {
        var limits = HTTPLimits()
        limits.streamWindowBytes = 40_000
        limits.connectionWindowBytes = 70_000
        let harness = try #require(SessionHarness(limits: limits, behaviour: .greedy))
        harness.feed(F.hello)
        for index in 0..<20 {
            let stream = UInt32(index * 2 + 1)
            harness.feed(
                F.request(stream, endStream: false)
                    + F.data(stream, Array(repeating: 1, count: 16_000))
                    + F.data(stream, Array(repeating: 1, count: 16_000)) + F.reset(stream)
            )
            #expect(harness.session.phase == .open)
        }
        #expect(harness.handler.streams.count == 20)
    }

    @Test("a writer sees when its peer's window is shut, and when it opens")
    func writability() throws {
        var limits = HTTPLimits()
        limits.streamSendBufferBytes = 1000
        let harness = try #require(SessionHarness(limits: limits, behaviour: .silent))
        // The client gives no window at all.
        harness.feed(F.preface + F.settings([(4, 0)]) + F.settingsAck + F.request(1))
        let receiver = try #require(harness.handler.streams.first)
        receiver.stream.send(HTTPResponseHead(status: .ok))
        receiver.stream.send(ByteBuffer(repeating: 1, count: 999))
        #expect(receiver.stream.isWritable)
        receiver.stream.send(ByteBuffer(repeating: 1, count: 1))
        #expect(!receiver.stream.isWritable)
        #expect(!harness.flush().contains { $0.kind == F.Kind.data.rawValue })
        harness.feed(F.windowUpdate(1, 400))
        #expect(receiver.writability.isEmpty)
        #expect(receiver.stream.queuedByteCount == 600)
        harness.feed(F.windowUpdate(1, 100))
        #expect(receiver.writability == [true])
        #expect(receiver.stream.isWritable)
    }

    @Test("streams that wait for a window for too long are reset; others are not")
    func stall() throws {
        var limits = HTTPLimits()
        limits.flowStallTimeout = .seconds(10)
        let harness = try #require(SessionHarness(limits: limits, behaviour: .silent))
        harness.feed(F.preface + F.settings([(4, 0)]) + F.settingsAck + F.request(1) + F.request(3))
        let stalled = harness.handler.streams[0]
        stalled.stream.send(HTTPResponseHead(status: .ok))
        stalled.stream.send(ByteBuffer(repeating: 1, count: 10))
        harness.flush()
        #expect(harness.tick(after: 9_000_000_000).isEmpty)
        let answer = harness.tick(after: 2_000_000_000)
        #expect(answer.map(\.kind) == [F.Kind.resetStream.rawValue])
        #expect(stalled.closures == [.resetLocally(.cancel)])
        #expect(harness.handler.streams[1].closures.isEmpty)
    }

    @Test("a body that stops coming is given up")
    func bodyIdle() throws {
        var limits = HTTPLimits()
        limits.bodyIdleTimeout = .seconds(10)
        let harness = try #require(SessionHarness(limits: limits, behaviour: .silent))
        harness.feed(F.hello + F.request(1, endStream: false) + F.request(3, endStream: true))
        _ = harness.tick(after: 6_000_000_000)
        harness.feed(F.data(1, [1]))
        #expect(harness.tick(after: 6_000_000_000).isEmpty)
        let answer = harness.tick(after: 6_000_000_000)
        #expect(answer.map(\.stream) == [1])
        #expect(harness.handler.streams[0].closures == [.resetLocally(.cancel)])
        #expect(harness.handler.streams[1].closures.isEmpty)
    }

    @Test("a connection without streams is drained after its idle time")
    func idle() throws {
        var limits = HTTPLimits()
        limits.idleTimeout = .seconds(10)
        let harness = try #require(SessionHarness(limits: limits))
        harness.feed(F.hello + F.request(1))
        #expect(harness.session.nextDeadline == harness.now + 10_000_000_000)
        #expect(harness.tick(after: 9_999_999_999).isEmpty)
        let answer = harness.tick(after: 1)
        #expect(answer.contains { $0.kind == F.Kind.goAway.rawValue && $0.code == 0 })
    }

    @Test("a peer that never sends SETTINGS is let go")
    func handshake() throws {
        let harness = try #require(SessionHarness())
        harness.feed(F.preface)
        let answer = harness.tick(after: 10_000_000_000)
        #expect(answer.contains { $0.kind == F.Kind.goAway.rawValue })
        #expect(harness.session.phase == .closing(.timedOut(.handshake)))
    }

    @Test("SETTINGS that are never acknowledged end the connection")
    func settingsTimeout() throws {
        let harness = try #require(SessionHarness())
        harness.feed(F.preface + F.settings())
        let answer = harness.tick(after: 10_000_000_000)
        #expect(answer.first { $0.kind == F.Kind.goAway.rawValue }?.code == 4)
    }

    @Test("a silent peer is asked by PING and let go when it does not answer")
    func keepalive() throws {
        var limits = HTTPLimits()
        limits.keepaliveInterval = .seconds(10)
        limits.keepaliveTimeout = .seconds(5)
        let harness = try #require(SessionHarness(limits: limits, behaviour: .silent))
        harness.feed(F.hello + F.request(1, endStream: false))
        let ping = harness.tick(after: 10_000_000_000)
        #expect(ping.map(\.kind) == [F.Kind.ping.rawValue])
        harness.feed(F.frame(.ping, flags: F.ack, ping[0].payload), advancing: 1_000_000_000)
        #expect(harness.tick(after: 4_000_000_000).isEmpty)
        #expect(harness.tick(after: 6_000_000_000).map(\.kind) == [F.Kind.ping.rawValue])
        _ = harness.tick(after: 5_000_000_000)
        #expect(harness.session.phase == .closing(.timedOut(.keepalive)))
        #expect(harness.handler.streams[0].closures == [.connectionLost(.timedOut(.keepalive))])
    }

    @Test(
        "a connection that has reached its age is drained",
        arguments: [(-1, 90), (0, 100), (1, 110)] as [(Double, Int64)]
    )
    func connectionAge(_ jitter: Double, _ seconds: Int64) throws {
        var limits = HTTPLimits()
        limits.connectionAge = .seconds(100)
        let harness = try #require(
            SessionHarness(limits: limits, behaviour: .silent, ageJitter: jitter)
        )
        harness.feed(F.hello + F.request(1))
        #expect(harness.tick(after: seconds * 1_000_000_000 - 1).isEmpty)
        let answer = harness.tick(after: 1)
        #expect(Set(answer.map(\.kind)) == [F.Kind.goAway.rawValue, F.Kind.ping.rawValue])
        #expect(answer.first { $0.kind == F.Kind.goAway.rawValue }?.code == 0)
        // What runs may finish.
        let receiver = try #require(harness.handler.streams.first)
        #expect(receiver.closures.isEmpty)
        receiver.stream.send(HTTPResponseHead(status: .ok), endStream: true)
        harness.flush()
        #expect(receiver.closures == [.finished])
    }

    @Test("frames have a limit", arguments: [(20_000, true), (20_001, false)])
    func frameBytes(_ count: Int, _ isTaken: Bool) throws {
        var limits = HTTPLimits()
        limits.frameBytes = 20_000
        let harness = try #require(SessionHarness(limits: limits))
        harness.feed(F.hello + F.request(1, endStream: false))
        let answer = harness.feed(F.data(1, Array(repeating: 1, count: count)))
        #expect(harness.handler.streams.first?.body.count == (isTaken ? count : 0))
        #expect((harness.session.phase == .open) == isTaken)
        #expect(answer.contains { $0.code == HTTP2ErrorCode.frameSizeError.rawValue } == !isTaken)
    }

    @Test("the table of HPACK has a limit", arguments: [(1024, true), (1025, false)])
    func headerTable(_ size: Int, _ isTaken: Bool) throws {
        var limits = HTTPLimits()
        limits.headerTableBytes = 1024
        let harness = try #require(SessionHarness(limits: limits))
        let settings = try #require(harness.feed(F.hello).first).payload
        let entries = stride(from: 0, to: settings.count, by: 6).map { settings[$0..<($0 + 6)] }
        #expect(entries.contains([0, 1, 0, 0, 4, 0]))
        // A change of the table's size (RFC 7541 section 6.3) before the fields.
        let block = F.integer(size, prefix: 5, first: 0x20) + F.pseudo()
        let answer = harness.feed(
            F.frame(.headers, flags: F.endHeaders | F.endStream, stream: 1, block)
        )
        #expect(harness.handler.streams.count == (isTaken ? 1 : 0))
        let goAway = answer.first { $0.kind == F.Kind.goAway.rawValue }
        #expect(goAway?.code == (isTaken ? nil : HTTP2ErrorCode.compressionError.rawValue))
    }

    @Test("what is made ready at once has a limit")
    func sendBuffer() throws {
        var limits = HTTPLimits()
        limits.connectionSendBufferBytes = 10_000
        let harness = try #require(SessionHarness(limits: limits, behaviour: .silent))
        harness.feed(F.hello + F.request(1) + F.request(3))
        for receiver in harness.handler.streams {
            receiver.stream.send(HTTPResponseHead(status: .ok))
            receiver.stream.send(ByteBuffer(repeating: 1, count: 30_000), endStream: true)
        }
        var total = 0
        var isMore = true
        while isMore {
            isMore = harness.session.produce(now: harness.now)
            // The frame that reaches the limit is whole.
            #expect(harness.session.output.byteCount < 10_000 + 9 + 16_384)
            total += harness.session.output.byteCount
            harness.session.output.drain { _ in }
        }
        #expect(total > 60_000)
        #expect(harness.handler.streams.allSatisfy { $0.closures == [.finished] })
    }

    @Test("a graceful end has two steps and lets streams finish")
    func gracefulEnd() throws {
        let harness = try #require(SessionHarness(behaviour: .silent))
        harness.feed(F.hello + F.request(1))
        harness.session.shutdownGracefully(now: harness.now)
        let first = harness.flush()
        let notice = try #require(first.first { $0.kind == F.Kind.goAway.rawValue })
        #expect(notice.payload.prefix(4) == [0x7F, 0xFF, 0xFF, 0xFF])
        let ping = try #require(first.first { $0.kind == F.Kind.ping.rawValue })
        // A request that crossed the notice is still served.
        harness.feed(F.request(3))
        #expect(harness.handler.streams.count == 2)
        let second = harness.feed(F.frame(.ping, flags: F.ack, ping.payload))
        let goAway = try #require(second.first { $0.kind == F.Kind.goAway.rawValue })
        #expect(goAway.payload.prefix(4) == [0, 0, 0, 3])
        harness.feed(F.request(5))
        #expect(harness.handler.streams.count == 2)
        #expect(!harness.session.isFinished)
        for receiver in harness.handler.streams {
            receiver.stream.send(HTTPResponseHead(status: .ok), endStream: true)
        }
        harness.flush()
        #expect(harness.handler.streams.allSatisfy { $0.closures.count == 1 })
        #expect(harness.session.isFinished)
    }

    @Test("a drain that takes too long is cut off")
    func drainTimeout() throws {
        var limits = HTTPLimits()
        limits.drainTimeout = .seconds(5)
        let harness = try #require(SessionHarness(limits: limits, behaviour: .silent))
        harness.feed(F.hello + F.request(1, endStream: false))
        harness.session.shutdownGracefully(now: harness.now)
        harness.flush()
        _ = harness.tick(after: 5_000_000_000)
        #expect(harness.handler.streams[0].closures == [.connectionLost(.shuttingDown)])
    }

    @Test("a server that ends early tells the client to stop")
    func earlyEnd() throws {
        let harness = try #require(SessionHarness(behaviour: .silent))
        harness.feed(F.hello + F.request(1, endStream: false))
        harness.handler.streams[0].stream.send(
            HTTPResponseHead(status: .contentTooLarge),
            endStream: true
        )
        #expect(harness.flush().map(\.kind) == [F.Kind.headers.rawValue])
        #expect(harness.handler.streams[0].closures == [.finished])
        // What still comes is dropped and does not open the stream's window again.
        let answer = harness.feed(F.data(1, Array(repeating: 1, count: 16_000)))
        #expect(!answer.contains { $0.stream == 1 })
        #expect(harness.handler.streams[0].body.isEmpty)
        let reset = harness.tick(after: 1_000_000_000)
        #expect(reset.map(\.kind) == [F.Kind.resetStream.rawValue])
        #expect(reset.first?.code == 0)
        #expect(harness.session.streamCount == 0)
    }

    @Test("giving up a request that was answered is no rapid reset")
    func resetAfterResponse() throws {
        let harness = try #require(SessionHarness(limits: Self.limits, behaviour: .silent))
        harness.feed(F.hello)
        for index in 0..<100 {
            let id = UInt32(index * 2 + 1)
            harness.feed(F.request(id, endStream: false))
            harness.handler.streams[index].stream.send(
                HTTPResponseHead(status: .ok),
                endStream: true
            )
            harness.flush()
            harness.feed(F.reset(id))
        }
        #expect(harness.session.phase == .open)
        #expect(harness.session.streamCount == 0)
    }

    @Test("trailers follow the body, and are alone without one", arguments: [0, 1, 40_000])
    func trailers(_ count: Int) throws {
        let harness = try #require(SessionHarness(behaviour: .silent))
        harness.feed(F.hello + F.request(1))
        let stream = harness.handler.streams[0].stream
        stream.send(HTTPResponseHead(status: .ok))
        if count > 0 { stream.send(ByteBuffer(repeating: 7, count: count)) }
        stream.send(trailers: [.grpcStatus: "0"])
        let answer = harness.flush()
        #expect(answer.first?.kind == F.Kind.headers.rawValue)
        #expect(answer.last?.kind == F.Kind.headers.rawValue)
        #expect(answer.last?.flags == F.endHeaders | F.endStream)
        let data = answer.filter { $0.kind == F.Kind.data.rawValue }
        #expect(data.reduce(0) { $0 + $1.payload.count } == count)
        #expect(data.allSatisfy { $0.flags == 0 })
        #expect(harness.handler.streams[0].closures == [.finished])
    }

    @Test("a repeated header block is recognised, a changed one is not")
    func headerCache() throws {
        let harness = try #require(SessionHarness(behaviour: .silent))
        harness.feed(F.hello)
        let block =
            F.indexedLiteral(":method", "POST") + F.indexedLiteral(":scheme", "http")
            + F.indexedLiteral(":path", "/same") + F.indexedLiteral(":authority", "x")
            + F.indexedLiteral("k", "v")
        // The five entries of the table, oldest first.
        let again: [UInt8] = [0xC2, 0xC1, 0xC0, 0xBF, 0xBE]
        func head(_ stream: UInt32, _ block: [UInt8]) -> [UInt8] {
            F.frame(.headers, flags: F.endHeaders | F.endStream, stream: stream, block)
        }
        harness.feed(head(1, block) + head(3, again) + head(5, again + F.literal("a", "b")))
        harness.feed(head(7, Array(again.dropLast())) + head(9, Array(again.dropLast())))
        let heads = harness.handler.streams.map(\.head)
        try #require(heads.count == 5)
        #expect(heads[0].isIdentical(to: heads[1]))
        #expect(heads.allSatisfy { $0.path == "/same" && $0.authority == "x" })
        #expect(!heads[2].isIdentical(to: heads[1]))
        #expect(heads[2].fields.map(\.name.text) == ["k", "a"])
        #expect(heads[3].fields.isEmpty)
        #expect(heads[3].isIdentical(to: heads[4]))
        #expect(heads[0].fields.map(\.value) == ["v"])
    }
}
