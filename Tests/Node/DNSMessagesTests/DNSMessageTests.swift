// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import DNSMessages
import Testing

@Suite("DNSQuery")
struct DNSQueryTests {
    /// A question with an OPT record of 4096 bytes.
    static let message: [UInt8] =
        [0x12, 0x34, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 1]
        + [3] + Array("Web".utf8) + [5] + Array("local".utf8) + [0, 0, 1, 0, 1]
        + [0, 0, 41, 0x10, 0x00, 0, 0, 0x80, 0, 0, 0]

    @Test("reads a question and its extensions")
    func read() throws {
        let query = try DNSQuery(parsing: Self.message)
        #expect(query.id == 0x1234)
        #expect(query.recursionDesired)
        #expect(query.name == DNSName("web.local"))
        #expect(query.type == .a)
        #expect(query.recordClass == DNSQuery.internet)
        #expect(query.extensions?.payloadBytes == 4096)
        #expect(query.extensions?.dnssecOK == true)
        #expect(query.payloadLimit(1232) == 1232)
    }

    @Test("a message that is cut anywhere is an error, never a trap")
    func truncation() {
        for count in 0..<Self.message.count {
            let part = Self.message.prefix(count)
            #expect(throws: count < 4 ? DNSQuery.Failure.silent : .malformed(id: 0x1234)) {
                try DNSQuery(parsing: part)
            }
        }
    }

    @Test(
        "refuses what is no question",
        arguments: [
            (2, UInt8(0x81), DNSQuery.Failure.silent),
            (2, 0x09, .notImplemented(id: 0x1234)),
            (5, 2, .malformed(id: 0x1234)),
            (7, 1, .malformed(id: 0x1234)),
            (12, 0x40, .malformed(id: 0x1234)),
            (12, 0xC0, .malformed(id: 0x1234)),
        ]
    )
    func refused(offset: Int, byte: UInt8, expected: DNSQuery.Failure) {
        var message = Self.message
        message[offset] = byte
        #expect(throws: expected) { try DNSQuery(parsing: message) }
    }

    @Test("random bytes are never a trap")
    func random() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            var message = Self.message
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                message[Int.random(in: 0..<message.count, using: &generator)] = .random(in: 0...255)
            }
            _ = try? DNSQuery(parsing: message)
        }
    }
}

@Suite("DNSAnswer")
struct DNSAnswerTests {
    @Test("writes records that point at the question, and an OPT record")
    func write() throws {
        let query = try DNSQuery(parsing: DNSQueryTests.message)
        let answer = DNSAnswer(
            .noError,
            records: [DNSRecord(query.name, .a([10, 0, 0, 1]), timeToLive: 30)]
        )
        let message = answer.message(to: query, limit: 1232)
        #expect(message.prefix(12) == [0x12, 0x34, 0x85, 0x80, 0, 1, 0, 1, 0, 0, 0, 1])
        let record = message.dropFirst(12 + query.question.count).prefix(16)
        #expect(record == [0xC0, 0x0C, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4, 10, 0, 0, 1])
        // The spelling of the question comes back.
        #expect(message[13..<16].elementsEqual("Web".utf8))
    }

    @Test("what does not fit is left out, and the answer says so", arguments: [-1, 0, 1])
    func limit(difference: Int) throws {
        let query = try DNSQuery(parsing: DNSQueryTests.message)
        let records = (0..<10).map {
            DNSRecord(query.name, .a([10, 0, 0, UInt8($0)]), timeToLive: 30)
        }
        let answer = DNSAnswer(.noError, records: records)
        let full = answer.message(to: query, limit: 65_535)
        let message = answer.message(to: query, limit: full.count + difference)
        #expect(message.count <= full.count + difference)
        #expect((message[2] & 0x02 != 0) == (difference < 0))
        #expect(message[7] == (difference < 0 ? 9 : 10))
    }
}
