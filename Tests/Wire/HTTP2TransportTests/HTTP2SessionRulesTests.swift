// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import Testing

@testable import HTTP2Transport

/// What a peer did wrong, and what a receiver has to answer.
struct RuleCase: Sendable, CustomTestStringConvertible {
    enum Answer: Sendable, Equatable {
        /// GOAWAY with this code, and the connection ends.
        case connection(HTTP2ErrorCode)
        /// GOAWAY with one of these: the RFC leaves the choice.
        case connectionAny([HTTP2ErrorCode])
        /// RST_STREAM with this code on this stream; the connection lives.
        case stream(UInt32, HTTP2ErrorCode)
        /// The message does not stand: its stream is reset or the connection ends, which a receiver
        /// may do for any error of a stream (section 5.4).
        case refused(UInt32)
        /// Nothing: it is allowed, or has to be ignored.
        case ignored
    }

    let section: String
    let what: String
    let bytes: [UInt8]
    let answer: Answer
    var testDescription: String { "\(self.section): \(self.what)" }

    init(_ section: String, _ what: String, _ bytes: [UInt8], _ answer: Answer) {
        self.section = section
        self.what = what
        self.bytes = bytes
        self.answer = answer
    }
}

extension RuleCase {
    /// What a receiver sent in answer, and whether the connection is still open, is as it should be.
    func check(_ answer: [Frames.Read], isOpen: Bool) throws {
        let goAways = answer.filter { $0.kind == Frames.Kind.goAway.rawValue }
        let resets = answer.filter { $0.kind == Frames.Kind.resetStream.rawValue }
        switch self.answer {
        case .connection(let code):
            // A peer that says goodbye first is answered likewise, then with the error.
            #expect(goAways.last?.code == code.rawValue)
            #expect(!isOpen)
        case .connectionAny(let codes):
            #expect(goAways.count == 1)
            #expect(codes.contains { $0.rawValue == goAways.first?.code })
            #expect(!isOpen)
        case .stream(let id, let code):
            #expect(goAways.isEmpty)
            #expect(resets.map(\.stream) == [id])
            #expect(resets.map(\.code) == [code.rawValue])
            #expect(isOpen)
        case .refused(let id):
            #expect(isOpen ? resets.map(\.stream) == [id] : goAways.last?.code != 0)
        case .ignored:
            #expect(goAways.isEmpty)
            #expect(resets.filter { $0.code != 0 }.isEmpty)
            #expect(isOpen)
        }
    }
}

@Suite("Rules of RFC 9113 and RFC 7541 that a server enforces")
struct HTTP2SessionRulesTests {
    typealias F = Frames

    static let open = Frames.request(1, endStream: false)
    static let done = Frames.request(1, endStream: true)

    static let frameCases: [RuleCase] = [
        RuleCase(
            "4.1",
            "an unknown frame type is ignored",
            F.frame(.unknown, flags: 0xFF, stream: 1, [1, 2, 3]),
            .ignored
        ),
        RuleCase(
            "4.1",
            "undefined flags are ignored",
            F.frame(.ping, flags: 0xF0, Array(repeating: 0, count: 8)),
            .ignored
        ),
        RuleCase(
            "4.1",
            "the reserved bit of a stream identifier is ignored",
            F.frame(.headers, flags: F.endHeaders | F.endStream, stream: 0x8000_0001, F.pseudo()),
            .ignored
        ),
        RuleCase(
            "4.2",
            "DATA beyond SETTINGS_MAX_FRAME_SIZE",
            Self.open + F.data(1, Array(repeating: 0, count: 16_385)),
            .connection(.frameSizeError)
        ),
        RuleCase(
            "4.2",
            "HEADERS beyond SETTINGS_MAX_FRAME_SIZE",
            F.frame(.headers, flags: F.endHeaders, stream: 1, Array(repeating: 0, count: 16_385)),
            .connection(.frameSizeError)
        ),
        RuleCase(
            "4.3",
            "a header block that does not decode",
            F.frame(
                .headers,
                flags: F.endHeaders | F.endStream,
                stream: 1,
                [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]
            ),
            .connection(.compressionError)
        ),
        RuleCase(
            "4.3",
            "another frame between HEADERS and CONTINUATION",
            F.frame(.headers, stream: 1, F.pseudo()) + F.data(1, [1]),
            .connection(.protocolError)
        ),
        RuleCase(
            "4.3",
            "another stream's frame between HEADERS and CONTINUATION",
            F.frame(.headers, stream: 1, F.pseudo()) + F.request(3),
            .connection(.protocolError)
        ),
        RuleCase(
            "4.3",
            "an unknown frame inside a header block",
            F.frame(.headers, stream: 1, F.pseudo()) + F.frame(.unknown, stream: 1),
            .connection(.protocolError)
        ),
        RuleCase("6.1", "DATA on stream 0", F.data(0, [1]), .connection(.protocolError)),
        RuleCase(
            "6.1",
            "DATA with more padding than payload",
            Self.open + F.frame(.data, flags: F.padded, stream: 1, [5, 1, 2]),
            .connection(.protocolError)
        ),
        RuleCase(
            "6.1",
            "padded DATA without a pad length",
            Self.open + F.frame(.data, flags: F.padded, stream: 1, []),
            .connectionAny([.frameSizeError, .protocolError])
        ),
        RuleCase(
            "6.2",
            "HEADERS on stream 0",
            F.frame(.headers, flags: F.endHeaders, stream: 0, F.pseudo()),
            .connection(.protocolError)
        ),
        RuleCase(
            "6.2",
            "HEADERS with more padding than payload",
            F.frame(.headers, flags: F.endHeaders | F.padded, stream: 1, [200, 0x82]),
            .connection(.protocolError)
        ),
        RuleCase(
            "6.2",
            "HEADERS too short for its priority fields",
            F.frame(.headers, flags: F.endHeaders | F.priorityFlag, stream: 1, [0, 0]),
            .connectionAny([.frameSizeError, .protocolError])
        ),
        RuleCase(
            "6.3",
            "PRIORITY on stream 0",
            F.frame(.priority, stream: 0, [0, 0, 0, 0, 1]),
            .connection(.protocolError)
        ),
        RuleCase(
            "6.3",
            "PRIORITY on an idle stream is allowed",
            F.frame(.priority, stream: 5, [0, 0, 0, 0, 1]),
            .ignored
        ),
        RuleCase(
            "6.3",
            "PRIORITY of a wrong length",
            F.frame(.priority, stream: 1, [0, 0, 0, 0]),
            .connectionAny([.frameSizeError])
        ),
        RuleCase("6.4", "RST_STREAM on stream 0", F.reset(0), .connection(.protocolError)),
        RuleCase("6.4", "RST_STREAM on an idle stream", F.reset(1), .connection(.protocolError)),
        RuleCase(
            "6.4",
            "RST_STREAM of a wrong length",
            Self.open + F.frame(.resetStream, stream: 1, [0, 0, 0]),
            .connection(.frameSizeError)
        ),
        RuleCase(
            "6.5",
            "a SETTINGS ack with a payload",
            F.frame(.settings, flags: F.ack, [0, 1, 0, 0, 0, 0]),
            .connection(.frameSizeError)
        ),
        RuleCase(
            "6.5",
            "SETTINGS on a stream",
            F.frame(.settings, stream: 1, []),
            .connection(.protocolError)
        ),
        RuleCase(
            "6.5",
            "SETTINGS whose length is no multiple of 6",
            F.frame(.settings, [0, 1, 0]),
            .connection(.frameSizeError)
        ),
        RuleCase("6.5.2", "ENABLE_PUSH of 2", F.settings([(2, 2)]), .connection(.protocolError)),
        RuleCase(
            "6.5.2",
            "INITIAL_WINDOW_SIZE above 2^31-1",
            F.settings([(4, 0x8000_0000)]),
            .connection(.flowControlError)
        ),
        RuleCase(
            "6.5.2",
            "MAX_FRAME_SIZE below 16384",
            F.settings([(5, 16_383)]),
            .connection(.protocolError)
        ),
        RuleCase(
            "6.5.2",
            "MAX_FRAME_SIZE above 2^24-1",
            F.settings([(5, 1 << 24)]),
            .connection(.protocolError)
        ),
        RuleCase("6.5.2", "an unknown setting is ignored", F.settings([(0xABCD, 7)]), .ignored),
        RuleCase(
            "6.6",
            "PUSH_PROMISE from a client",
            Self.open
                + F.frame(.pushPromise, flags: F.endHeaders, stream: 1, F.word(2) + F.pseudo()),
            .connection(.protocolError)
        ),
        RuleCase(
            "6.7",
            "PING on a stream",
            F.frame(.ping, stream: 1, Array(repeating: 0, count: 8)),
            .connection(.protocolError)
        ),
        RuleCase(
            "6.7",
            "PING of 7 bytes",
            F.frame(.ping, Array(repeating: 0, count: 7)),
            .connection(.frameSizeError)
        ),
        RuleCase(
            "6.8",
            "GOAWAY that is too short",
            F.frame(.goAway, [0, 0, 0, 0]),
            .connection(.frameSizeError)
        ),
        RuleCase(
            "6.8",
            "GOAWAY on a stream",
            F.frame(.goAway, stream: 1, Array(repeating: 0, count: 8)),
            .connection(.protocolError)
        ),
        RuleCase(
            "6.9",
            "a connection window update of 0",
            F.windowUpdate(0, 0),
            .connection(.protocolError)
        ),
        RuleCase(
            "6.9",
            "a stream window update of 0",
            Self.open + F.windowUpdate(1, 0),
            .connection(.protocolError)
        ),
        RuleCase(
            "6.9",
            "WINDOW_UPDATE of a wrong length",
            F.frame(.windowUpdate, [0, 0, 1]),
            .connection(.frameSizeError)
        ),
        RuleCase(
            "6.9",
            "WINDOW_UPDATE on an idle stream",
            F.windowUpdate(1, 1),
            .connection(.protocolError)
        ),
        RuleCase(
            "6.9.1",
            "a connection window above 2^31-1",
            F.windowUpdate(0, 0x7FFF_FFFF),
            .connection(.flowControlError)
        ),
        RuleCase(
            "6.9.1",
            "a stream window above 2^31-1",
            Self.open + F.windowUpdate(1, 0x7FFF_FFFF),
            .stream(1, .flowControlError)
        ),
        RuleCase(
            "6.9.2",
            "a setting that takes a stream window above 2^31-1",
            Self.open + F.windowUpdate(1, 100) + F.settings([(4, 0x7FFF_FFFF)]),
            .connectionAny([.flowControlError])
        ),
        RuleCase(
            "6.10",
            "CONTINUATION without HEADERS",
            F.frame(.continuation, flags: F.endHeaders, stream: 1, F.pseudo()),
            .connection(.protocolError)
        ),
        RuleCase(
            "6.10",
            "CONTINUATION on stream 0",
            F.frame(.headers, stream: 1, F.pseudo())
                + F.frame(.continuation, flags: F.endHeaders, stream: 0, []),
            .connection(.protocolError)
        ),
        RuleCase(
            "6.10",
            "CONTINUATION after END_HEADERS",
            Self.open + F.frame(.continuation, flags: F.endHeaders, stream: 1, []),
            .connection(.protocolError)
        ),
    ]

    static let streamCases: [RuleCase] = [
        RuleCase("5.1", "DATA on an idle stream", F.data(1, [1]), .connection(.protocolError)),
        RuleCase(
            "5.1",
            "DATA after END_STREAM",
            Self.done + F.data(1, [1]),
            .connectionAny([.streamClosed])
        ),
        RuleCase(
            "5.1",
            "HEADERS after END_STREAM",
            Self.done + F.request(1),
            .connectionAny([.streamClosed, .protocolError])
        ),
        RuleCase(
            "5.1",
            "WINDOW_UPDATE on a closed stream is allowed",
            Self.done + F.windowUpdate(1, 1),
            .ignored
        ),
        RuleCase(
            "5.1",
            "DATA after the peer's own RST_STREAM",
            Self.open + F.reset(1) + F.data(1, [1]),
            .connectionAny([.streamClosed])
        ),
        RuleCase(
            "5.1.1",
            "an even stream from a client",
            F.request(2),
            .connection(.protocolError)
        ),
        RuleCase(
            "5.1.1",
            "a stream below one that was opened",
            F.request(5) + F.request(3),
            .connectionAny([.protocolError, .streamClosed])
        ),
        // RFC 9113 section 5.4.1 lets a stream error be a connection error; nghttp2 does that here.
        RuleCase(
            "5.1.2",
            "a stream above the limit that was acknowledged",
            (0..<3).flatMap { F.request(UInt32($0 * 2 + 1), endStream: false) },
            .connection(.protocolError)
        ),
    ]

    static func request(_ block: [UInt8], endStream: Bool = true) -> [UInt8] {
        F.frame(.headers, flags: F.endHeaders | (endStream ? F.endStream : 0), stream: 1, block)
    }

    static let messageCases: [RuleCase] = [
        RuleCase(
            "8.1",
            "trailers without END_STREAM",
            Self.open + F.frame(.headers, flags: F.endHeaders, stream: 1, F.literal("a", "b")),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.1",
            "pseudo-header fields in trailers",
            Self.open
                + F.frame(
                    .headers,
                    flags: F.endHeaders | F.endStream,
                    stream: 1,
                    F.literal(":path", "/")
                ),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.1.1",
            "a content-length that is too long",
            Self.request(F.pseudo() + F.literal("content-length", "10"), endStream: false)
                + F.data(1, [1], endStream: true),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.1.1",
            "a content-length that is too short",
            Self.request(F.pseudo() + F.literal("content-length", "1"), endStream: false)
                + F.data(1, [1, 2, 3], endStream: true),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.1.1",
            "two content-lengths",
            Self.request(
                F.pseudo() + F.literal("content-length", "1") + F.literal("content-length", "1"),
                endStream: false
            ),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.1.1",
            "a content-length that is no number",
            Self.request(F.pseudo() + F.literal("content-length", "+1"), endStream: false),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.2.1",
            "a name with a capital",
            Self.request(F.pseudo() + F.literal("Accept", "x")),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.2.1",
            "a name with a space",
            Self.request(F.pseudo() + F.literal("a b", "x")),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.2.1",
            "a name with a colon",
            Self.request(F.pseudo() + F.literal("a:b", "x")),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.2.1",
            "an empty name",
            Self.request(F.pseudo() + F.literal("", "x")),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.2.1",
            "a value with a line feed",
            Self.request(F.pseudo() + F.literal("a", "x\ny")),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.2.1",
            "a value with a carriage return",
            Self.request(F.pseudo() + F.literal("a", "x\ry")),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.2.1",
            "a value with a NUL",
            Self.request(F.pseudo() + F.literal("a", "x\0y")),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.2.1",
            "a name that is not ASCII",
            Self.request(F.pseudo() + F.literal("n\u{E4}me", "x")),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.2.1",
            "a name with DEL",
            Self.request(F.pseudo() + F.literal("a\u{7F}", "x")),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.2.1",
            "a value that ends with a space",
            Self.request(F.pseudo() + F.literal("a", "x ")),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.2.1",
            "a value that starts with a tab",
            Self.request(F.pseudo() + F.literal("a", "\tx")),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.2.1",
            "a value that starts with a space",
            Self.request(F.pseudo() + F.literal("a", " x")),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.2.2",
            "connection",
            Self.request(F.pseudo() + F.literal("connection", "close")),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.2.2",
            "keep-alive",
            Self.request(F.pseudo() + F.literal("keep-alive", "1")),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.2.2",
            "proxy-connection",
            Self.request(F.pseudo() + F.literal("proxy-connection", "close")),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.2.2",
            "transfer-encoding",
            Self.request(F.pseudo() + F.literal("transfer-encoding", "chunked")),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.2.2",
            "upgrade",
            Self.request(F.pseudo() + F.literal("upgrade", "x")),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.2.2",
            "te other than trailers",
            Self.request(F.pseudo() + F.literal("te", "gzip")),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.2.2",
            "te: trailers is allowed",
            Self.request(F.pseudo() + F.literal("te", "trailers")),
            .ignored
        ),
        RuleCase(
            "8.3",
            "an unknown pseudo-header field",
            Self.request(F.pseudo() + F.literal(":x", "y")),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.3",
            "a response's pseudo-header field",
            Self.request(F.pseudo() + F.literal(":status", "200")),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.3",
            "a pseudo-header field after a regular one",
            Self.request(F.literal("a", "b") + F.pseudo()),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.3",
            "a pseudo-header field twice",
            Self.request(F.pseudo() + F.literal(":path", "/b")),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.3.1",
            "no :method",
            Self.request(
                F.literal(":scheme", "http") + F.literal(":path", "/")
                    + F.literal(":authority", "x")
            ),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.3.1",
            "no :scheme",
            Self.request(
                F.literal(":method", "GET") + F.literal(":path", "/") + F.literal(":authority", "x")
            ),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.3.1",
            "no :path",
            Self.request(
                F.literal(":method", "GET") + F.literal(":scheme", "http")
                    + F.literal(":authority", "x")
            ),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.3.1",
            "an empty :path",
            Self.request(F.pseudo(path: "")),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.3.1",
            "a :path without a slash",
            Self.request(F.pseudo(path: "echo")),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.3.1",
            "a :path without a slash under another scheme",
            Self.request(F.pseudo(scheme: "ftp", path: "echo")),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.3.1",
            "* with a method other than OPTIONS",
            Self.request(F.pseudo(path: "*")),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.5",
            "CONNECT with a :path",
            Self.request(F.pseudo(method: "CONNECT")),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.5",
            "CONNECT with a :scheme",
            Self.request(
                F.literal(":method", "CONNECT") + F.literal(":scheme", "http")
                    + F.literal(":authority", "test")
            ),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.5",
            "CONNECT without :authority",
            Self.request(F.literal(":method", "CONNECT")),
            .stream(1, .protocolError)
        ),
    ]

    static let hpackCases: [RuleCase] = [
        RuleCase("7541 6.1", "index 0", Self.request([0x80]), .connection(.compressionError)),
        RuleCase(
            "7541 2.3.3",
            "an index beyond both tables",
            Self.request([0xFF, 0x20]),
            .connection(.compressionError)
        ),
        RuleCase(
            "7541 5.1",
            "an integer that overflows",
            Self.request([0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]),
            .connection(.compressionError)
        ),
        RuleCase(
            "7541 5.2",
            "a string longer than the block",
            Self.request([0x00, 0x7E, 0x61]),
            .connection(.compressionError)
        ),
        RuleCase(
            "7541 5.2",
            "Huffman padding of more than 7 bits",
            Self.request(F.pseudo() + [0x00, 0x01, 0x61, 0x82, 0x1F, 0xFF]),
            .connection(.compressionError)
        ),
        RuleCase(
            "7541 5.2",
            "Huffman padding that is not EOS",
            Self.request(F.pseudo() + [0x00, 0x01, 0x61, 0x81, 0x18]),
            .connection(.compressionError)
        ),
        RuleCase(
            "7541 5.2",
            "Huffman EOS",
            Self.request(F.pseudo() + [0x00, 0x01, 0x61, 0x84, 0xFF, 0xFF, 0xFF, 0xFF]),
            .connection(.compressionError)
        ),
        RuleCase(
            "7541 6.3",
            "a table size update above the limit",
            Self.request([0x3F, 0xE2, 0x1F] + F.pseudo()),
            .connection(.compressionError)
        ),
        RuleCase(
            "7541 4.2",
            "a table size update after a field",
            Self.request(F.pseudo() + [0x20]),
            .connection(.compressionError)
        ),
        RuleCase(
            "7541 4.2",
            "a table size update in front is allowed",
            Self.request([0x20] + F.pseudo()),
            .ignored
        ),
    ]

    private func check(_ rule: RuleCase) throws {
        var limits = HTTPLimits()
        limits.concurrentStreams = 2
        limits.unauthenticatedConcurrentStreams = 2
        let harness = try #require(SessionHarness(limits: limits))
        harness.feed(Frames.hello)
        let answer = harness.feed(rule.bytes)
        try rule.check(answer, isOpen: harness.session.wantsInput)
        if harness.session.wantsInput { try self.expectAlive(harness) }
        if !harness.session.wantsInput {
            #expect(harness.handler.streams.allSatisfy { $0.closures.count == 1 })
        }
    }

    /// The connection serves another request.
    private func expectAlive(_ harness: SessionHarness) throws {
        let before = harness.handler.streams.count
        let answer = harness.feed(Frames.request(101, path: "/alive"))
        #expect(harness.handler.streams.count == before + 1)
        let stream = try #require(harness.handler.streams.last)
        #expect(stream.head.path == "/alive")
        #expect(stream.closures == [.finished])
        #expect(answer.contains { $0.stream == 101 })
    }

    @Test("frames", arguments: frameCases) func frames(_ rule: RuleCase) throws {
        try self.check(rule)
    }
    @Test("streams", arguments: streamCases) func streams(_ rule: RuleCase) throws {
        try self.check(rule)
    }
    @Test("messages", arguments: messageCases) func messages(_ rule: RuleCase) throws {
        try self.check(rule)
    }
    @Test("HPACK", arguments: hpackCases) func hpack(_ rule: RuleCase) throws {
        try self.check(rule)
    }

    @Test("a wrong preface ends the connection")
    func wrongPreface() throws {
        let harness = try #require(SessionHarness())
        harness.feed(Array("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n".utf8))
        #expect(!harness.session.wantsInput)
    }

    @Test("a first frame that is not SETTINGS ends the connection")
    func firstFrameIsNotSettings() throws {
        let harness = try #require(SessionHarness())
        let answer = harness.feed(Frames.preface + Frames.request(1))
        #expect(answer.contains { $0.kind == Frames.Kind.goAway.rawValue && $0.code == 1 })
        #expect(!harness.session.wantsInput)
        #expect(harness.handler.streams.isEmpty)
    }

    @Test("SETTINGS and PING are answered, and their answers are not")
    func answers() throws {
        let harness = try #require(SessionHarness())
        harness.feed(Frames.hello)
        let number: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]
        let answer = harness.feed(
            Frames.settings() + Frames.frame(.ping, number)
                + Frames.frame(.ping, flags: Frames.ack, [9, 9, 9, 9, 9, 9, 9, 9])
        )
        let isAck = answer.allSatisfy { $0.flags == Frames.ack && $0.stream == 0 }
        #expect(isAck)
        #expect(answer.filter { $0.kind == Frames.Kind.settings.rawValue }.map(\.payload) == [[]])
        #expect(answer.filter { $0.kind == Frames.Kind.ping.rawValue }.map(\.payload) == [number])
        #expect(answer.count == 2)
    }

    @Test("the header table follows the blocks of streams that are refused, too")
    func refusedBlocks() throws {
        var limits = HTTPLimits()
        limits.concurrentStreams = 1
        let harness = try #require(SessionHarness(limits: limits, behaviour: .silent))
        // While the limit is not acknowledged, streams above it are refused one by one.
        harness.feed(Frames.preface + Frames.settings() + Frames.request(1, endStream: false))
        let answer = harness.feed(Frames.request(3, Frames.indexedLiteral("x-kept", "yes")))
        #expect(answer.map(\.code) == [HTTP2ErrorCode.refusedStream.rawValue])
        #expect(harness.handler.streams.count == 1)
        // The first entry of the dynamic table is number 62.
        harness.feed(Frames.reset(1) + Frames.request(5, [0xBE]))
        #expect(harness.handler.streams.count == 2)
        let fields = try #require(harness.handler.streams.last).head.fields
        let name = try #require(HeaderName("x-kept"))
        #expect(fields[name] == "yes")
    }

    @Test("DATA beyond the connection's window is a flow control error")
    func connectionWindow() throws {
        var limits = HTTPLimits()
        limits.connectionWindowBytes = 65_535
        limits.streamWindowBytes = 1 << 20
        let harness = try #require(SessionHarness(limits: limits, behaviour: .greedy))
        harness.feed(Frames.hello)
        let data = Frames.data(1, Array(repeating: 1, count: 16_384))
        let answer = harness.feed(
            Frames.request(1, endStream: false) + data + data + data + data
        )
        let goAways = answer.filter { $0.kind == Frames.Kind.goAway.rawValue }
        #expect(goAways.map(\.code) == [HTTP2ErrorCode.flowControlError.rawValue])
        #expect(harness.handler.streams.first?.closures.count == 1)
    }

    @Test("DATA beyond the stream's window is a flow control error")
    func streamWindow() throws {
        var limits = HTTPLimits()
        limits.streamWindowBytes = 100
        let harness = try #require(SessionHarness(limits: limits, behaviour: .greedy))
        harness.feed(Frames.hello)
        let answer = harness.feed(
            Frames.request(1, endStream: false)
                + Frames.data(1, Array(repeating: 1, count: 100))
                + Frames.data(1, [1])
        )
        #expect(
            answer.contains {
                $0.kind == Frames.Kind.resetStream.rawValue
                    && $0.code == HTTP2ErrorCode.flowControlError.rawValue
            }
        )
        #expect(harness.handler.streams.first?.closures == [.resetLocally(.flowControlError)])
    }
}
