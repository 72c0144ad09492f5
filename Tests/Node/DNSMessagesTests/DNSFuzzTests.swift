// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Testing

@testable import DNSMessages

/// Reads whatever bytes come as a question, and answers it: what a name server does with the network.
///
/// Invariants: a question that was read has a name that fits a message; every answer begins with its
/// id and says that it is one; none is longer than the limit, however much there is to say.
func fuzzDNS(_ bytes: [UInt8]) {
    guard let query = try? DNSQuery(parsing: bytes) else { return }
    precondition(query.name.labels.count <= 127)
    precondition(query.question.count >= 5 && query.question.count <= 259)
    precondition(query.id == UInt16(bytes[0]) << 8 | UInt16(bytes[1]))
    var answer = DNSAnswer(.noError)
    for number in UInt8(0)..<40 {
        answer.records.append(DNSRecord(query.name, .a([10, 0, 0, number]), timeToLive: 30))
    }
    answer.additionals.append(
        DNSRecord(
            query.name,
            .srv(priority: 0, weight: 1, port: 2, target: query.name),
            timeToLive: 1
        )
    )
    for limit in [512, query.payloadLimit(1232)] {
        let message = answer.message(to: query, limit: limit)
        precondition(message.count <= limit)
        precondition(message[0] == bytes[0] && message[1] == bytes[1] && message[2] & 0x80 != 0)
    }
}

@Suite("Whatever bytes come")
struct DNSFuzzTests {
    /// A generator that gives the same numbers in every run.
    private struct Numbers {
        var state: UInt64

        mutating func next(below limit: Int) -> Int {
            self.state = self.state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(truncatingIfNeeded: self.state >> 33) % limit
        }
    }

    @Test("changed questions: 20,000", arguments: [1, 2, 3] as [UInt64])
    func changed(seed: UInt64) {
        var numbers = Numbers(state: seed)
        for _ in 0..<20_000 {
            var message = DNSQueryTests.message
            for _ in 0...numbers.next(below: 6) {
                switch numbers.next(below: 4) {
                case 0:
                    message[numbers.next(below: message.count)] = UInt8(numbers.next(below: 256))
                case 1: message.append(UInt8(numbers.next(below: 256)))
                case 2 where message.count > 1: message.removeLast()
                default:
                    message.insert(
                        UInt8(numbers.next(below: 256)),
                        at: numbers.next(below: message.count)
                    )
                }
                if message.isEmpty { break }
            }
            fuzzDNS(message)
        }
    }

    /// Messages that once were, or might be, trouble: names and counts at their limits.
    static let corpus: [[UInt8]] = {
        let header: [UInt8] = [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]
        let tail: [UInt8] = [0, 0, 1, 0, 1]
        func labels(_ lengths: [Int]) -> [UInt8] {
            lengths.flatMap { [UInt8($0)] + [UInt8](repeating: 0x61, count: $0) }
        }
        var many = header
        many[10] = 0xFF
        many[11] = 0xFF
        let pointer: [UInt8] = [0xC0, 0x0C]
        return [
            [], [0], [UInt8](repeating: 0, count: 12), [UInt8](repeating: 0xFF, count: 600),
            header + tail,
            header + labels([63, 63, 63, 61]) + tail,
            header + labels([63, 63, 63, 62]) + tail,
            header + labels([63, 63, 63, 63]) + tail,
            header + labels([64]) + tail,
            header + labels(Array(repeating: 1, count: 126)) + tail,
            header + labels(Array(repeating: 1, count: 127)) + tail,
            header + pointer + tail,
            header + [1, 0xFF] + tail,
            header + [4, 0, 0x2E, 0x5C, 0x20] + tail,
            many + tail,
            many + tail + [UInt8](repeating: 0, count: 11 * 70),
            header + tail + [0, 0, 41, 0xFF, 0xFF, 0, 0, 0, 0, 0xFF, 0xFF],
        ]
    }()

    @Test("names and counts at their limits", arguments: Self.corpus.indices)
    func limits(_ index: Int) { fuzzDNS(Self.corpus[index]) }

    @Test("a name may have 255 bytes on the wire, and no more")
    func longest() {
        #expect((try? DNSQuery(parsing: Self.corpus[5])) != nil)
        #expect((try? DNSQuery(parsing: Self.corpus[6])) == nil)
    }
}
