// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Percent-encoding of paths and queries (RFC 3986 section 2.1).
enum PercentEncoding {
    /// The bytes with each `%XX` as the byte that it stands for.
    ///
    /// - Parameter plusIsSpace: whether `+` stands for a space, as it does in queries.
    static func decode(
        _ bytes: ArraySlice<UInt8>,
        plusIsSpace: Bool
    ) throws(RequestTargetError) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let byte = bytes[index]
            if byte == UInt8(ascii: "+") && plusIsSpace {
                result.append(0x20)
                index += 1
            } else if byte == UInt8(ascii: "%") {
                let end = min(index + 3, bytes.endIndex)
                guard end == index + 3, let high = self.value(bytes[index + 1]),
                    let low = self.value(bytes[index + 2])
                else {
                    throw .invalidEscape(String(decoding: bytes[index..<end], as: UTF8.self))
                }
                result.append(high << 4 | low)
                index = end
            } else {
                result.append(byte)
                index += 1
            }
        }
        return result
    }

    /// The name or value of a parameter.
    static func parameter(_ bytes: ArraySlice<UInt8>) throws(RequestTargetError) -> String {
        for byte in bytes where byte == UInt8(ascii: "%") || byte == UInt8(ascii: "+") {
            return try self.text(self.decode(bytes, plusIsSpace: true)[...])
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The text that the bytes are the UTF-8 of.
    static func text(_ bytes: ArraySlice<UInt8>) throws(RequestTargetError) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .invalidUTF8 }
        return text
    }

    private static func value(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
