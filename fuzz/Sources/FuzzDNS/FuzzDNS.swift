// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

// Fuzzes what cluster DNS does with a datagram.
//
// Strategy: the input is read as a question and answered with more records than fit.
//
// Invariants:
// - a question that was read has at most 127 labels and is at most 259 bytes;
// - an answer has the question's id, says that it is one and is never longer than the limit;
// - one that has all its records does not say that it was cut.
// Nothing traps.

import DNSMessages

/// Checks one input; libFuzzer calls it.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzDNS(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    guard let query = try? DNSQuery(parsing: bytes) else { return 0 }
    precondition(query.name.labels.count <= 127, "too many labels")
    precondition((5...259).contains(query.question.count), "a question too long")
    var answer = DNSAnswer(.noError)
    for number in UInt8(0)..<40 {
        answer.records.append(DNSRecord(query.name, .a([10, 0, 0, number]), timeToLive: 30))
    }
    for limit in [DNSQuery.plainPayloadBytes, query.payloadLimit(1232), Int(UInt16.max)] {
        let message = answer.message(to: query, limit: limit)
        precondition(message.count <= limit, "longer than the limit")
        precondition(message[0] == bytes[0] && message[1] == bytes[1], "another id")
        precondition(message[2] & 0x80 != 0, "no answer")
        let isCut = message[2] & 0x02 != 0
        precondition(isCut == (message[7] < 40), "cut or not")
    }
    return 0
}
