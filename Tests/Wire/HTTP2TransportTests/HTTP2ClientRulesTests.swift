// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import NIOCore
import Testing

@testable import HTTP2Transport

/// What a server does wrong, and what a client has to answer.
@Suite("Rules of RFC 9113 that a client enforces")
struct HTTP2ClientRulesTests {
    typealias F = Frames

    /// A response head on the stream of the request.
    private static func response(
        _ fields: [UInt8] = F.literal(":status", "200"),
        endStream: Bool = false,
        stream: UInt32 = 1
    ) -> [UInt8] {
        F.frame(
            .headers,
            flags: F.endHeaders | (endStream ? F.endStream : 0),
            stream: stream,
            fields
        )
    }

    static let ok = F.literal(":status", "200")

    static let frameCases: [RuleCase] = [
        RuleCase(
            "4.2",
            "a frame beyond SETTINGS_MAX_FRAME_SIZE",
            response() + F.data(1, Array(repeating: 0, count: 16_385)),
            .connection(.frameSizeError)
        ),
        RuleCase(
            "4.3",
            "a header block that does not decode",
            response([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]),
            .connection(.compressionError)
        ),
        RuleCase(
            "4.3",
            "another frame inside a header block",
            F.frame(.headers, stream: 1, ok) + F.data(1, [1]),
            .connection(.protocolError)
        ),
        RuleCase("5.1", "DATA on an idle stream", F.data(3, [1]), .connection(.protocolError)),
        RuleCase(
            "5.1",
            "HEADERS on an idle stream",
            response(stream: 3),
            .connection(.protocolError)
        ),
        RuleCase("5.1", "RST_STREAM on an idle stream", F.reset(3), .connection(.protocolError)),
        RuleCase(
            "5.1",
            "WINDOW_UPDATE on an idle stream",
            F.windowUpdate(3, 1),
            .connection(.protocolError)
        ),
        RuleCase(
            "5.1",
            "DATA after the server's own RST_STREAM",
            F.reset(1) + F.data(1, [1]),
            .connection(.streamClosed)
        ),
        RuleCase(
            "5.1.1",
            "a stream that the server opens",
            response(stream: 2),
            .connection(.protocolError)
        ),
        RuleCase(
            "6.5.2",
            "ENABLE_PUSH of 1 from a server",
            F.settings([(2, 1)]),
            .connection(.protocolError)
        ),
        RuleCase(
            "6.6",
            "PUSH_PROMISE though it is off",
            F.frame(.pushPromise, flags: F.endHeaders, stream: 1, F.word(2) + F.pseudo()),
            .connection(.protocolError)
        ),
        RuleCase(
            "6.8",
            "GOAWAY that names a stream of the server",
            F.frame(.goAway, F.word(2) + F.word(0)),
            .connection(.protocolError)
        ),
        RuleCase(
            "6.8",
            "a second GOAWAY that names a later stream",
            F.frame(.goAway, F.word(1) + F.word(0)) + F.frame(.goAway, F.word(3) + F.word(0)),
            .connection(.protocolError)
        ),
    ]

    static let messageCases: [RuleCase] = [
        RuleCase(
            "8.1",
            "DATA before HEADERS",
            F.data(1, [1], endStream: true),
            .refused(1)
        ),
        RuleCase(
            "8.1",
            "an interim response that ends the stream",
            response(F.literal(":status", "100"), endStream: true),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.1",
            "a second head without END_STREAM",
            response() + response(),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.1",
            "pseudo-header fields in trailers",
            response() + response(endStream: true),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.1.1",
            "a content-length that is too long",
            response(ok + F.literal("content-length", "2")) + F.data(1, [1], endStream: true),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.1.1",
            "a content-length that is too short",
            response(ok + F.literal("content-length", "1")) + F.data(1, [1, 2], endStream: true),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.2.1",
            "a name with a capital",
            response(ok + F.literal("Server", "x")),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.2.2",
            "connection",
            response(ok + F.literal("connection", "close")),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.2.2",
            "transfer-encoding",
            response(ok + F.literal("transfer-encoding", "chunked")),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.3",
            "a request's pseudo-header field",
            response(ok + F.literal(":path", "/")),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.3",
            "a pseudo-header field after a regular one",
            response(F.literal("server", "x") + ok),
            .stream(1, .protocolError)
        ),
        RuleCase("8.3", ":status twice", response(ok + ok), .stream(1, .protocolError)),
        RuleCase(
            "8.3.2",
            "no :status",
            response(F.literal("server", "x")),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.3.2",
            "a :status that is no number",
            response(F.literal(":status", "abc")),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.3.2",
            "a :status of two digits",
            response(F.literal(":status", "20")),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.6",
            "101",
            response(F.literal(":status", "101")),
            .stream(1, .protocolError)
        ),
        RuleCase(
            "8.1",
            "interim responses, a body and trailers are allowed",
            response(F.literal(":status", "100")) + response(F.literal(":status", "103"))
                + response() + F.data(1, [1]) + response(F.literal("a", "b"), endStream: true),
            .ignored
        ),
    ]

    @Test("frames", arguments: frameCases) func frames(_ rule: RuleCase) throws {
        try self.check(rule)
    }

    @Test("messages", arguments: messageCases) func messages(_ rule: RuleCase) throws {
        try self.check(rule)
    }

    private func check(_ rule: RuleCase) throws {
        let harness = try #require(SessionHarness(role: .client))
        harness.flush()
        harness.feed(F.settings() + F.settingsAck)
        let request = Self.start(on: harness)
        let answer = harness.feed(rule.bytes)
        try rule.check(answer, isOpen: harness.session.wantsInput)
        guard harness.session.wantsInput else {
            #expect(request.closures.count == 1)
            return
        }
        #expect(request.closures.count == 1)
        // The connection serves another request.
        let next = Self.start(on: harness)
        harness.feed(Self.response(endStream: true, stream: 3))
        #expect(next.statuses == [200])
        #expect(next.closures == [.finished])
    }

    private static func start(on harness: SessionHarness) -> Response {
        let response = Response()
        let stream: HTTP2Stream = harness.session.startRequest(
            HTTPRequestHead(method: .get, authority: "test", path: "/"),
            endStream: true,
            receiver: response
        )
        response.stream = stream
        harness.flush()
        return response
    }

    @Test("a first frame that is not SETTINGS ends the connection")
    func firstFrameIsNotSettings() throws {
        let harness = try #require(SessionHarness(role: .client))
        harness.flush()
        let request = Self.start(on: harness)
        let answer = harness.feed(Self.response())
        #expect(answer.contains { $0.kind == F.Kind.goAway.rawValue && $0.code == 1 })
        #expect(!harness.session.wantsInput)
        #expect(request.closures.count == 1)
    }

    private final class Response: HTTPStreamReceiver {
        var stream: HTTP2Stream?
        var statuses: [Int] = []
        var closures: [HTTPStreamClosure] = []

        func received(head: HTTPResponseHead) { self.statuses.append(Int(head.status.rawValue)) }
        func received(data: ByteBuffer) {}
        func received(trailers: HeaderFields) {}
        func receivedEnd() {}
        func closed(_ reason: HTTPStreamClosure) { self.closures.append(reason) }
    }
}
