// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import NIOCore
import RPCInterface
import Testing

@testable import RPC

@Suite("Message framing")
struct MessageFramingTests {
    static func frame(_ body: [UInt8], flag: UInt8 = 0) -> [UInt8] {
        let count = UInt32(body.count)
        return [
            flag, UInt8(count >> 24), UInt8(count >> 16 & 255), UInt8(count >> 8 & 255),
            UInt8(count & 255),
        ] + body
    }

    static func takeAll(_ queue: inout InboundQueue) throws -> [[UInt8]] {
        var messages: [[UInt8]] = []
        while try queue.take({ messages.append([UInt8]($0)) }).step == .message {}
        return messages
    }

    @Test("reads messages however the bytes are cut", arguments: 1...17)
    func cuts(_ size: Int) throws {
        let messages: [[UInt8]] = [[], [1], [2, 3], Array(0...200), [], [9, 9, 9]]
        let bytes = messages.flatMap { Self.frame($0) }
        var queue = InboundQueue(maxMessageBytes: 1000)
        var found: [[UInt8]] = []
        var given = 0
        for start in stride(from: 0, to: bytes.count, by: size) {
            let part = bytes[start..<min(start + size, bytes.count)]
            given += try queue.receive(ByteBuffer(bytes: part))
            while true {
                let taken = try queue.take { found.append([UInt8]($0)) }
                given += taken.giveBack
                guard taken.step == .message else { break }
            }
        }
        try queue.end()
        #expect(found == messages)
        #expect(given == bytes.count)
        #expect(try queue.take { _ in }.step == .end)
    }

    @Test(
        "holds messages to the limit",
        arguments: [(99, true), (100, true), (101, false)]
    )
    func limit(_ size: Int, _ isAccepted: Bool) throws {
        var queue = InboundQueue(maxMessageBytes: 100)
        let bytes = ByteBuffer(bytes: Self.frame([UInt8](repeating: 1, count: size)))
        if isAccepted {
            _ = try queue.receive(bytes)
            #expect(try Self.takeAll(&queue).count == 1)
        } else {
            let error = #expect(throws: RPCError.self) { _ = try queue.receive(bytes) }
            #expect(error?.code == .resourceExhausted)
        }
    }

    @Test("refuses a prefix of 4 GiB as soon as it is there")
    func hugePrefix() {
        var queue = InboundQueue(maxMessageBytes: 4 << 20)
        let error = #expect(throws: RPCError.self) {
            _ = try queue.receive(ByteBuffer(bytes: [0, 0xff, 0xff, 0xff, 0xff]))
        }
        #expect(error?.code == .resourceExhausted)
        // With the largest limit there is, too: memory is bounded by 2 GiB a message.
        var largest = InboundQueue(maxMessageBytes: .max)
        #expect(throws: RPCError.self) {
            _ = try largest.receive(ByteBuffer(bytes: [0, 0xff, 0xff, 0xff, 0xff]))
        }
    }

    @Test("refuses flags that are neither 0 nor 1", arguments: [2, 3, 0x80, 0xff] as [UInt8])
    func flags(_ flag: UInt8) {
        var queue = InboundQueue(maxMessageBytes: 100)
        let error = #expect(throws: RPCError.self) {
            _ = try queue.receive(ByteBuffer(bytes: Self.frame([1], flag: flag)))
        }
        #expect(error?.code == .internalError)
    }

    @Test("refuses a compressed message when no encoding was agreed")
    func unexpectedCompression() throws {
        var queue = InboundQueue(maxMessageBytes: 100)
        _ = try queue.receive(ByteBuffer(bytes: Self.frame([1], flag: 1)))
        let error = #expect(throws: RPCError.self) { _ = try queue.take { _ in } }
        #expect(error?.code == .internalError)
    }

    @Test("tells a truncated message from an end", arguments: 1...8)
    func truncated(_ size: Int) throws {
        var queue = InboundQueue(maxMessageBytes: 100)
        let whole = Self.frame([1, 2, 3, 4])
        _ = try queue.receive(ByteBuffer(bytes: whole[..<size]))
        let error = #expect(throws: RPCError.self) { try queue.end() }
        #expect(error?.code == .internalError)
    }

    @Test("gives bytes back to flow control when their message is taken, and no others")
    func flowControl() throws {
        var queue = InboundQueue(maxMessageBytes: 100)
        let frame = Self.frame([1, 2, 3])
        // Half a message: given back at once, or the rest could not come.
        #expect(try queue.receive(ByteBuffer(bytes: frame[..<6])) == 6)
        // Whole: only when taken.
        #expect(try queue.receive(ByteBuffer(bytes: Array(frame[6...]) + frame)) == 0)
        #expect(try queue.take { _ in }.giveBack == 8)
        #expect(try queue.take { _ in }.giveBack == 2)
        #expect(queue.clear() == 0)
    }

    @Test("turns a decoder's error into INTERNAL")
    func decoderError() throws {
        struct Wrong: Error {}
        var queue = InboundQueue(maxMessageBytes: 100)
        _ = try queue.receive(ByteBuffer(bytes: Self.frame([1])))
        let error = #expect(throws: RPCError.self) { _ = try queue.take { _ in throw Wrong() } }
        #expect(error?.code == .internalError)
        #expect(error?.cause is Wrong)
    }

    @Test(
        "writes what it reads",
        arguments: RPCCompression.allCases,
        [0, 1, 255, 100_000]
    )
    func roundTrip(_ compression: RPCCompression, _ size: Int) throws {
        var outbound = OutboundQueue(maxMessageBytes: 1 << 20)
        outbound.encoding = compression
        let body = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 3) }
        for _ in 0..<3 { try outbound.append { $0.append(contentsOf: body) } }
        #expect(outbound.byteCount > 0)
        var queue = InboundQueue(maxMessageBytes: 1 << 20)
        queue.encoding = compression
        _ = try queue.receive(outbound.drain())
        #expect(outbound.byteCount == 0)
        #expect(try Self.takeAll(&queue) == [body, body, body])
    }

    @Test(
        "what was taken stays as it is when the queue goes on",
        arguments: [1, 16_378, 16_379, 16_380, 100_000]
    )
    func takenBytes(_ size: Int) throws {
        var outbound = OutboundQueue(maxMessageBytes: 1 << 20)
        var taken: [ByteBuffer] = []
        for byte in UInt8(0)..<3 {
            try outbound.append { $0.append(contentsOf: [UInt8](repeating: byte, count: size)) }
            taken.append(outbound.drain())
            #expect(outbound.byteCount == 0)
        }
        for (byte, buffer) in zip(UInt8(0)..., taken) {
            let body = [UInt8](repeating: byte, count: size)
            #expect(Array(buffer.readableBytesView) == Self.frame(body))
        }
    }

    @Test("an encoder's error leaves the queue as it was")
    func encoderError() throws {
        struct Wrong: Error {}
        var outbound = OutboundQueue(maxMessageBytes: 10)
        try outbound.append { $0.append(7) }
        let before = outbound.byteCount
        let error = #expect(throws: RPCError.self) {
            try outbound.append { sink in
                sink.append(1)
                throw Wrong()
            }
        }
        #expect(error?.code == .internalError)
        let tooLarge = #expect(throws: RPCError.self) {
            try outbound.append { $0.append(contentsOf: [UInt8](repeating: 0, count: 11)) }
        }
        #expect(tooLarge?.code == .resourceExhausted)
        #expect(outbound.byteCount == before)
    }

    @Test("survives any bytes", arguments: 0..<200 as Range<UInt64>)
    func random(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var queue = InboundQueue(maxMessageBytes: 64)
        queue.encoding = seed % 2 == 0 ? .gzip : .identity
        do {
            for _ in 0..<50 {
                let count = Int.random(in: 0...20, using: &generator)
                let bytes = (0..<count).map { _ in
                    Bool.random(using: &generator) ? 0 : UInt8.random(in: 0...8, using: &generator)
                }
                _ = try queue.receive(ByteBuffer(bytes: bytes))
                while try queue.take({ _ in }).step == .message {}
                #expect(queue.byteCount <= 64 + 5 + 20)
            }
        } catch {
            #expect(error.code == .internalError || error.code == .resourceExhausted)
        }
    }
}
