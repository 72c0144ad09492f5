// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The smallest unit of a schema file.
struct Token {
    enum Kind: Hashable {
        case identifier
        /// Decimal, octal or hexadecimal digits.
        case integer
        case float
        /// One quoted literal; the parser joins neighbours.
        case string
        case symbol(UInt8)
        case endOfFile
    }

    var kind: Kind
    /// Offsets of its bytes in the file.
    var range: Range<Int>
    var start: SourcePosition
    var end: SourcePosition

    /// Whether it is the given punctuation mark.
    func isSymbol(_ symbol: Unicode.Scalar) -> Bool {
        self.kind == .symbol(UInt8(ascii: symbol))
    }
}

/// Classes of ASCII characters as the language has them.
enum CharacterClass {
    static func isLetter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "_"):
            true
        default: false
        }
    }

    static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    static func isBlank(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), 0x0b, 0x0c: true
        default: false
        }
    }

    /// The value of a hexadecimal digit; nil for anything else.
    static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// Whether `text` is a legal identifier.
    static func isIdentifier(_ text: some Sequence<UInt8>) -> Bool {
        var isFirst = true
        for byte in text {
            guard self.isLetter(byte) || (!isFirst && self.isDigit(byte)) else { return false }
            isFirst = false
        }
        return !isFirst
    }
}
