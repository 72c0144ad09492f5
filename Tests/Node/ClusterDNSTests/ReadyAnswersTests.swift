// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import DNSMessages
import Metrics
import Testing

@testable import ClusterDNS

@Suite("ReadyAnswers")
struct ReadyAnswersTests {
    private static func message(
        _ name: String,
        id: UInt8 = 7,
        type: UInt8 = 1,
        extensions: [UInt8] = [],
        wantsRecursion: Bool = true
    ) -> [UInt8] {
        var message: [UInt8] = [0, id, wantsRecursion ? 1 : 0, 0, 0, 1, 0, 0, 0, 0, 0]
        message.append(extensions.isEmpty ? 0 : 1)
        for label in name.split(separator: ".") {
            message.append(UInt8(label.utf8.count))
            message += label.utf8
        }
        return message + [0, 0, type, 0, 1] + extensions
    }

    private static let plainExtensions: [UInt8] = [0, 0, 41, 0x04, 0xD0, 0, 0, 0, 0, 0, 0]
    private static let withCookie: [UInt8] =
        [0, 0, 41, 0x04, 0xD0, 0, 0, 0, 0, 0, 12, 0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8]

    private static func answer(_ message: [UInt8]) throws -> [UInt8] {
        let query = try DNSQuery(parsing: message)
        let record = DNSRecord(query.name, .a([10, 96, 0, 1]), timeToLive: 30)
        return DNSAnswer(.noError, records: [record]).message(to: query, limit: 512)
    }

    private static func look(
        _ answers: inout ReadyAnswers,
        _ message: [UInt8],
        _ generation: UInt64 = 1
    ) -> [UInt8]? {
        message.withUnsafeBytes { bytes in
            ReadyAnswers.question(bytes).flatMap {
                answers.answer(bytes, $0, generation: generation)
            }
        }
    }

    private static func keep(
        _ answers: inout ReadyAnswers,
        _ message: [UInt8],
        _ generation: UInt64 = 1
    ) throws {
        _ = self.look(&answers, message, generation)
        let answer = try self.answer(message)
        message.withUnsafeBytes { bytes in
            if let question = ReadyAnswers.question(bytes) {
                answers.store(answer, bytes, question, generation: generation)
            }
        }
    }

    @Test("is what the zone would answer, byte for byte, with the asker's id and spelling")
    func same() throws {
        var answers = ReadyAnswers()
        try Self.keep(&answers, Self.message("web.default.svc.cluster.local"))
        for message in [
            Self.message("web.default.svc.cluster.local", id: 9),
            Self.message("WEB.Default.svc.CLUSTER.local", id: 10),
            Self.message("web.default.svc.cluster.local", wantsRecursion: false),
        ] {
            let expected = try Self.answer(message)
            let found = Self.look(&answers, message)
            #expect(found == expected)
        }
    }

    @Test("another name, type or kind of question is another answer")
    func other() throws {
        var answers = ReadyAnswers()
        try Self.keep(&answers, Self.message("web.local"))
        for message in [
            Self.message("wec.local"), Self.message("web.local", type: 28),
            Self.message("web.local", extensions: Self.plainExtensions),
            Self.message("we.blocal"),
        ] {
            let found = Self.look(&answers, message)
            #expect(found == nil)
        }
        try Self.keep(&answers, Self.message("web.local", extensions: Self.plainExtensions))
        let cookie = Self.message("web.local", extensions: Self.withCookie)
        let expected = try Self.answer(cookie)
        let found = Self.look(&answers, cookie)
        #expect(found == expected)
    }

    @Test("every answer is forgotten when the cluster changes")
    func changes() throws {
        var answers = ReadyAnswers()
        let message = Self.message("web.local")
        try Self.keep(&answers, message)
        let found = Self.look(&answers, message, 2)
        #expect(found == nil)
        #expect(answers.count == 0)
        // One that was made of what the cluster had before is not kept.
        let answer = try Self.answer(message)
        message.withUnsafeBytes { bytes in
            if let question = ReadyAnswers.question(bytes) {
                answers.store(answer, bytes, question, generation: 1)
            }
        }
        #expect(answers.count == 0)
    }

    @Test("keeps a bounded number, and short ones alone")
    func bounds() throws {
        var answers = ReadyAnswers()
        for index in 0...ReadyAnswers.maximumEntries {
            try Self.keep(&answers, Self.message("n\(index).local"))
        }
        #expect(answers.count == 1)
        let message = Self.message("web.local")
        let long = try Self.answer(message) + [UInt8](repeating: 0, count: 512)
        message.withUnsafeBytes { bytes in
            if let question = ReadyAnswers.question(bytes) {
                answers.store(long, bytes, question, generation: 1)
            }
        }
        #expect(answers.count == 1)
    }

    static let unusual: [[UInt8]] = {
        let good = message("web.local")
        func with(_ offset: Int, _ byte: UInt8) -> [UInt8] {
            var changed = good
            changed[offset] = byte
            return changed
        }
        var versionOne = plainExtensions
        versionOne[6] = 1
        return [
            with(2, 0x81), with(2, 0x11), with(3, 0x80), with(5, 2), with(7, 1), with(9, 1),
            with(11, 1), with(12, 0xC0), with(12, 64), with(good.count - 1, 3),
            message("web.local", extensions: versionOne),
            message("web.local", extensions: plainExtensions + [0]),
            [],
        ]
    }()

    @Test("a message of another form is left to those who read it with care", arguments: unusual)
    func forms(_ message: [UInt8]) {
        let isNone = message.withUnsafeBytes { ReadyAnswers.question($0) == nil }
        #expect(isNone)
    }

    @Test("nothing is read past the end of a message that is cut anywhere")
    func truncation() {
        let whole = Self.message("web.default.svc", extensions: Self.withCookie)
        for count in whole.indices {
            // In memory of its own, so that a byte too far is found.
            let part = Array(whole.prefix(count))
            let isNone = part.withUnsafeBytes { ReadyAnswers.question($0) == nil }
            #expect(isNone)
        }
    }

    @Test("what it takes for a question the careful parser takes as well: 50,000 changed ones")
    func fuzz() {
        var state: UInt64 = 53
        func next() -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(truncatingIfNeeded: state >> 33)
        }
        let seeds = [
            Self.message("web.default.svc"),
            Self.message("a.b.c.d.e", extensions: Self.plainExtensions),
            Self.message("x", extensions: Self.withCookie),
        ]
        for _ in 0..<50_000 {
            var message = seeds[next() % seeds.count]
            for _ in 0...(next() % 3) {
                message[next() % message.count] = UInt8(truncatingIfNeeded: next())
            }
            let found = message.withUnsafeBytes { ReadyAnswers.question($0)?.byteCount }
            guard let found else { continue }
            let query = try? DNSQuery(parsing: message)
            #expect(query?.question.count == found, "\(message)")
        }
    }

    @Test(
        "metrics have CoreDNS' names",
        arguments: [
            "coredns_dns_requests_total{server=\"dns://:53\",zone=\".\",view=\"\",proto=\"udp\",family=\"1\",type=\"A\"} 1",
            "coredns_dns_requests_total{server=\"dns://:53\",zone=\".\",view=\"\",proto=\"udp\",family=\"1\",type=\"other\"} 2",
            "coredns_dns_responses_total{server=\"dns://:53\",zone=\".\",view=\"\",rcode=\"NXDOMAIN\",plugin=\"kubernetes\"} 3",
            "coredns_dns_request_duration_seconds_count", "coredns_dns_request_size_bytes_count",
            "coredns_dns_response_size_bytes_count", "process_cpu_seconds_total",
        ]
    )
    func metrics(_ line: String) {
        let metrics = DNSMetrics()
        var listener = DNSMetrics.Listener(metrics, transport: "udp", isIPv6: false)
        for type in [DNSType.a, DNSType(rawValue: 4711), DNSType(rawValue: 4712)] {
            listener.count(
                type,
                bytes: 40,
                answer: [0, 0, 0x80, 3],
                from: .zone,
                seconds: 0.001
            )
        }
        #expect(metrics.registry.text().contains("\n\(line)"))
    }
}
