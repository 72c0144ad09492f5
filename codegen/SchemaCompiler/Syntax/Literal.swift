// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Glibc

/// Turns the text of literals into values.
enum Literal {
    /// The value of an integer token; nil when it does not fit 64 bits.
    static func integer(_ text: ArraySlice<UInt8>) -> UInt64? {
        let isOctal = text.count > 1 && text.first == UInt8(ascii: "0")
        let isHex = isOctal && text.dropFirst().first.map { $0 | 0x20 } == UInt8(ascii: "x")
        let radix: UInt64 = isHex ? 16 : isOctal ? 8 : 10
        var result: UInt64 = 0
        for byte in isHex ? text.dropFirst(2) : text {
            let digit = UInt64(CharacterClass.hexValue(byte) ?? 0)
            let (shifted, overflow) = result.multipliedReportingOverflow(by: radix)
            let (sum, carry) = shifted.addingReportingOverflow(digit)
            if overflow || carry { return nil }
            result = sum
        }
        return result
    }

    /// Whether an integer token is written in decimal digits.
    static func isDecimal(_ text: ArraySlice<UInt8>) -> Bool {
        text.count == 1 || text.first != UInt8(ascii: "0")
    }

    /// The value of a float token or of decimal digits, rounded to the nearest double.
    static func double(_ text: ArraySlice<UInt8>) -> Double {
        // The lexer admits digits, one point and an exponent: strtod reads just these.
        String(decoding: text, as: UTF8.self).withCString { strtod($0, nil) }
    }

    /// The bytes that a quoted literal stands for, escapes resolved.
    ///
    /// - Parameter text: the literal with its quotes. A missing closing quote and escapes cut
    ///   short are fine: the lexer has reported them.
    static func string(_ text: ArraySlice<UInt8>) -> [UInt8] {
        guard let quote = text.first else { return [] }
        var result: [UInt8] = []
        var rest = text.dropFirst()
        while let byte = rest.popFirst(), byte != quote {
            guard byte == UInt8(ascii: "\\"), let escape = rest.popFirst() else {
                result.append(byte)
                continue
            }
            switch escape {
            case UInt8(ascii: "a"): result.append(0x07)
            case UInt8(ascii: "b"): result.append(0x08)
            case UInt8(ascii: "f"): result.append(0x0c)
            case UInt8(ascii: "n"): result.append(0x0a)
            case UInt8(ascii: "r"): result.append(0x0d)
            case UInt8(ascii: "t"): result.append(0x09)
            case UInt8(ascii: "v"): result.append(0x0b)
            case UInt8(ascii: "0")...UInt8(ascii: "7"):
                var value = UInt32(escape - UInt8(ascii: "0"))
                for _ in 0..<2 {
                    guard let next = rest.first, (0x30...0x37).contains(next) else { break }
                    value = value << 3 | UInt32(next - 0x30)
                    rest.removeFirst()
                }
                result.append(UInt8(truncatingIfNeeded: value))
            case UInt8(ascii: "x"), UInt8(ascii: "X"):
                result.append(UInt8(truncatingIfNeeded: self.hex(&rest, limit: 2)))
            case UInt8(ascii: "u"):
                var value = self.hex(&rest, limit: 4)
                // A surrogate pair in two escapes stands for one character.
                if (0xd800...0xdbff).contains(value), rest.starts(with: [0x5c, 0x75]) {
                    var tail = rest.dropFirst(2)
                    let low = self.hex(&tail, limit: 4)
                    if (0xdc00...0xdfff).contains(low) {
                        value = 0x10000 + (value - 0xd800) << 10 + (low - 0xdc00)
                        rest = tail
                    }
                }
                self.append(value, to: &result)
            case UInt8(ascii: "U"):
                self.append(self.hex(&rest, limit: 8), to: &result)
            default:
                result.append(escape)
            }
        }
        return result
    }

    private static func hex(_ rest: inout ArraySlice<UInt8>, limit: Int) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<limit {
            guard let digit = rest.first.flatMap(CharacterClass.hexValue) else { break }
            value = value << 4 | UInt32(digit)
            rest.removeFirst()
        }
        return value
    }

    private static func append(_ value: UInt32, to result: inout [UInt8]) {
        result.append(contentsOf: Array(String(Unicode.Scalar(value) ?? "\u{fffd}").utf8))
    }

    // MARK: - Printing

    /// A double as descriptors spell it: 15 digits when they suffice, else 17.
    static func text(_ value: Double) -> String {
        if value.isNaN { return "nan" }
        if value.isInfinite { return value < 0 ? "-inf" : "inf" }
        let short = self.format(value, digits: 15)
        return strtod(short, nil) == value ? short : self.format(value, digits: 17)
    }

    /// A float as descriptors spell it: 6 digits when they suffice, else 9.
    static func text(_ value: Float) -> String {
        if value.isNaN { return "nan" }
        if value.isInfinite { return value < 0 ? "-inf" : "inf" }
        let short = self.format(Double(value), digits: 6)
        return strtof(short, nil) == value ? short : self.format(Double(value), digits: 9)
    }

    /// Bytes with everything but printable ASCII escaped, as in C.
    static func escaped(_ bytes: [UInt8]) -> String {
        var text = ""
        for byte in bytes {
            switch byte {
            case 0x0a: text += "\\n"
            case 0x0d: text += "\\r"
            case 0x09: text += "\\t"
            case UInt8(ascii: "\""): text += "\\\""
            case UInt8(ascii: "'"): text += "\\'"
            case UInt8(ascii: "\\"): text += "\\\\"
            case 0x20...0x7e: text.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let octal = String(byte, radix: 8)
                text += "\\" + String(repeating: "0", count: 3 - octal.count) + octal
            }
        }
        return text
    }

    private static func format(_ value: Double, digits: Int32) -> String {
        var buffer = [CChar](repeating: 0, count: 40)
        let length = withVaList([digits, value]) { arguments in
            vsnprintf(&buffer, buffer.count, "%.*g", arguments)
        }
        let used = buffer.prefix(Int(max(0, min(length, 39)))).map { UInt8(bitPattern: $0) }
        return String(decoding: used, as: UTF8.self)
    }
}
