// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import NIOCore

/// Writes HTTP/2 frames by hand, right or wrong.
enum Frames {
    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    enum Kind: UInt8 {
        case data = 0
        case headers = 1
        case priority = 2
        case resetStream = 3
        case settings = 4
        case pushPromise = 5
        case ping = 6
        case goAway = 7
        case windowUpdate = 8
        case continuation = 9
        case unknown = 0xFA
    }

    static let endStream: UInt8 = 0x1
    static let ack: UInt8 = 0x1
    static let endHeaders: UInt8 = 0x4
    static let padded: UInt8 = 0x8
    static let priorityFlag: UInt8 = 0x20

    static func frame(
        _ kind: Kind,
        flags: UInt8 = 0,
        stream: UInt32 = 0,
        _ payload: [UInt8] = [],
        length: Int? = nil,
    ) -> [UInt8] {
        let length = length ?? payload.count
        return [
            UInt8(truncatingIfNeeded: length >> 16), UInt8(truncatingIfNeeded: length >> 8),
            UInt8(truncatingIfNeeded: length), kind.rawValue, flags,
        ] + self.word(stream) + payload
    }

    static func word(_ value: UInt32) -> [UInt8] {
        [
            UInt8(truncatingIfNeeded: value >> 24), UInt8(truncatingIfNeeded: value >> 16),
            UInt8(truncatingIfNeeded: value >> 8), UInt8(truncatingIfNeeded: value),
        ]
    }

    static func settings(_ entries: [(UInt16, UInt32)] = []) -> [UInt8] {
        self.frame(
            .settings,
            entries.flatMap { id, value in
                [UInt8(truncatingIfNeeded: id >> 8), UInt8(truncatingIfNeeded: id)]
                    + self.word(value)
            },
        )
    }

    static let settingsAck = Frames.frame(.settings, flags: Frames.ack)

    /// What a client sends first.
    static let hello = Frames.preface + Frames.settings() + Frames.settingsAck

    /// A literal field that is not indexed, without Huffman coding (RFC 7541 section 6.2.2).
    static func literal(_ name: String, _ value: String) -> [UInt8] {
        [0x00] + self.string(Array(name.utf8)) + self.string(Array(value.utf8))
    }

    /// A literal field that enters the dynamic table (RFC 7541 section 6.2.1).
    static func indexedLiteral(_ name: String, _ value: String) -> [UInt8] {
        [0x40] + self.string(Array(name.utf8)) + self.string(Array(value.utf8))
    }

    static func string(_ bytes: [UInt8]) -> [UInt8] {
        self.integer(bytes.count, prefix: 7, first: 0) + bytes
    }

    /// An HPACK integer (RFC 7541 section 5.1).
    static func integer(_ value: Int, prefix: Int, first: UInt8) -> [UInt8] {
        let limit = (1 << prefix) - 1
        if value < limit { return [first | UInt8(value)] }
        var out: [UInt8] = [first | UInt8(limit)]
        var rest = value - limit
        while rest >= 128 {
            out.append(UInt8(rest & 0x7F | 0x80))
            rest >>= 7
        }
        out.append(UInt8(rest))
        return out
    }

    /// The pseudo-header fields of a POST over http.
    static func pseudo(
        method: String = "POST",
        scheme: String = "http",
        path: String = "/echo",
        authority: String = "test",
    ) -> [UInt8] {
        self.literal(":method", method) + self.literal(":scheme", scheme)
            + self.literal(":path", path) + self.literal(":authority", authority)
    }

    /// A whole request head in one frame.
    static func request(
        _ stream: UInt32,
        endStream: Bool = true,
        _ extra: [UInt8] = [],
        path: String = "/echo",
        method: String = "POST",
    ) -> [UInt8] {
        self.frame(
            .headers,
            flags: self.endHeaders | (endStream ? self.endStream : 0),
            stream: stream,
            self.pseudo(method: method, path: path) + extra,
        )
    }

    static func data(_ stream: UInt32, _ bytes: [UInt8], endStream: Bool = false) -> [UInt8] {
        self.frame(.data, flags: endStream ? self.endStream : 0, stream: stream, bytes)
    }

    static func reset(_ stream: UInt32, _ code: UInt32 = 8) -> [UInt8] {
        self.frame(.resetStream, stream: stream, self.word(code))
    }

    static func windowUpdate(_ stream: UInt32, _ increment: UInt32) -> [UInt8] {
        self.frame(.windowUpdate, stream: stream, self.word(increment))
    }

    /// A frame that was read.
    struct Read: Equatable {
        var kind: UInt8
        var flags: UInt8
        var stream: UInt32
        var payload: [UInt8]

        var code: UInt32 {
            // RST_STREAM has its code first, GOAWAY after the last stream.
            let start = self.kind == Kind.goAway.rawValue ? 4 : 0
            guard self.payload.count >= start + 4 else { return .max }
            return self.payload[start..<(start + 4)].reduce(0) { $0 << 8 | UInt32($1) }
        }
    }

    /// Splits bytes into frames; what is incomplete at the end is left out.
    static func parse(_ bytes: [UInt8]) -> [Read] {
        var frames: [Read] = []
        var index = 0
        while index + 9 <= bytes.count {
            let length =
                Int(bytes[index]) << 16 | Int(bytes[index + 1]) << 8 | Int(bytes[index + 2])
            guard index + 9 + length <= bytes.count else { break }
            let stream = bytes[(index + 5)..<(index + 9)].reduce(0) { $0 << 8 | UInt32($1) }
            frames.append(
                Read(
                    kind: bytes[index + 3],
                    flags: bytes[index + 4],
                    stream: stream,
                    payload: Array(bytes[(index + 9)..<(index + 9 + length)]),
                )
            )
            index += 9 + length
        }
        return frames
    }
}
