// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The percent-encoding of `grpc-message`.
///
/// Bytes 0x20 to 0x7E but `%` stand for themselves, any other byte of the UTF-8 text is `%XX`.
///
/// Source: gRPC `doc/PROTOCOL-HTTP2.md`, "Responses".
public enum StatusMessage {
    /// The encoded text, cut at a whole character so that it is not longer than `limit` bytes.
    public static func encode(_ text: String, limit: Int = .max) -> String {
        if text.utf8.count <= limit, text.utf8.allSatisfy(Self.standsForItself) { return text }
        var result: [UInt8] = []
        for scalar in text.unicodeScalars {
            let bytes = Array(String(scalar).utf8)
            let width = bytes.reduce(0) { $0 + (Self.standsForItself($1) ? 1 : 3) }
            guard result.count + width <= limit else { break }
            for byte in bytes {
                if Self.standsForItself(byte) {
                    result.append(byte)
                } else {
                    result.append(UInt8(ascii: "%"))
                    result.append(Self.digits[Int(byte >> 4)])
                    result.append(Self.digits[Int(byte & 15)])
                }
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// The text. A `%` that is not followed by two hexadecimal digits stands for itself, and bytes
    /// that are not UTF-8 are replaced: a peer's mistake here must not hide its status.
    public static func decode(_ bytes: UnsafeRawBufferPointer) -> String {
        guard bytes.contains(UInt8(ascii: "%")) else {
            return String(decoding: bytes, as: UTF8.self)
        }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
                let high = Self.value(ofDigit: bytes[index + 1]),
                let low = Self.value(ofDigit: bytes[index + 2])
            {
                result.append(high << 4 | low)
                index += 3
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// The text, as ``decode(_:)-(UnsafeRawBufferPointer)``.
    public static func decode(_ text: String) -> String {
        var text = text
        return text.withUTF8 { Self.decode(UnsafeRawBufferPointer($0)) }
    }

    private static let digits = Array("0123456789ABCDEF".utf8)

    private static func standsForItself(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte <= 0x7e && byte != UInt8(ascii: "%")
    }

    private static func value(ofDigit byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
