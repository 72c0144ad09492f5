// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import NIOCore
import RPCInterface

/// Runs what reads a peer's bytes in this module over arbitrary bytes, for fuzzers and tests.
///
/// The first byte chooses the reader; for messages it also chooses the compression, and the second
/// how the bytes are cut. Whatever the bytes are, nothing traps, and:
///
/// - messages and the error behind them do not depend on how the bytes were cut;
/// - a message, and what it is decompressed to, is within the limit;
/// - no more bytes are given back to flow control than came, and all of them in the end;
/// - what was read comes back from what is written.
public func fuzzRPC(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count >= 2 else { return }
    let input = Array(bytes.dropFirst(2))
    switch bytes[0] % 8 {
    case 0: fuzzText(input)
    case 1: fuzzMetadata(input)
    default:
        let encodings: [RPCCompression] = [.identity, .gzip, .deflate]
        let encoding = encodings[Int(bytes[0] / 8) % encodings.count]
        let whole = readMessages(input, encoding, size: max(input.count, 1))
        let cut = readMessages(input, encoding, size: Int(bytes[1]) + 1)
        precondition(whole == cut, "messages depend on how the bytes were cut")
    }
}

private let fuzzedMessageLimit = 4096

/// What a call would have read.
private struct ReadMessages: Equatable {
    var messages: [[UInt8]] = []
    /// The status code of the error that ended it.
    var code: RPCStatusCode?
}

private func readMessages(
    _ input: [UInt8],
    _ encoding: RPCCompression,
    size: Int
) -> ReadMessages {
    var queue = InboundQueue(maxMessageBytes: fuzzedMessageLimit)
    queue.encoding = encoding
    var result = ReadMessages()
    var givenBack = 0
    func takeAll() throws(RPCError) {
        while true {
            let taken = try queue.take { bytes in
                precondition(bytes.count <= fuzzedMessageLimit, "a message above the limit")
                result.messages.append(Array(bytes))
            }
            givenBack += taken.giveBack
            if taken.step != .message { return }
        }
    }
    do throws(RPCError) {
        for start in stride(from: 0, to: input.count, by: size) {
            let part = input[start..<min(start + size, input.count)]
            // A broken message behind good ones must not hide them: what came before is taken.
            let received = Result { () throws(RPCError) in
                try queue.receive(ByteBuffer(bytes: part))
            }
            if case .success(let count) = received { givenBack += count }
            try takeAll()
            _ = try received.get()
        }
        try queue.end()
        try takeAll()
    } catch {
        result.code = error.code
    }
    givenBack += queue.clear()
    precondition(givenBack == input.count || result.code != nil, "bytes were lost")
    precondition(givenBack <= input.count, "more bytes were given back than came")
    return result
}

private func fuzzText(_ input: [UInt8]) {
    input.withUnsafeBytes { bytes in
        if let nanoseconds = GRPCTimeout.parse(bytes) {
            let again = GRPCTimeout.parse(GRPCTimeout.format(nanoseconds: nanoseconds))
            precondition(again.map { $0 >= nanoseconds } == true, "a shorter timeout")
        }
        let text = StatusMessage.decode(bytes)
        precondition(StatusMessage.decode(StatusMessage.encode(text)) == text, "a changed message")
        let cut = StatusMessage.encode(text, limit: 20)
        precondition(cut.utf8.count <= 20, "a message above its limit")
    }
}

private func fuzzMetadata(_ input: [UInt8]) {
    var fields = HeaderFields()
    for line in input.split(separator: UInt8(ascii: "\n")) {
        let parts = line.split(separator: UInt8(ascii: ":"), maxSplits: 1)
        guard parts.count == 2, let name = HeaderName(String(decoding: parts[0], as: UTF8.self))
        else { continue }
        fields.append(name, String(decoding: parts[1], as: UTF8.self))
    }
    let metadata = MetadataCoding.metadata(from: fields)
    var written = HeaderFields()
    // Names and values that a peer may send and we may not are refused when they are sent on.
    guard (try? MetadataCoding.append(metadata, to: &written)) != nil else { return }
    precondition(MetadataCoding.metadata(from: written) == metadata, "changed metadata")
}
