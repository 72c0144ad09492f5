// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Texts as Go's standard library writes them, which messages to users contain.
///
/// Source: Go `strconv.Quote`, `encoding/json`, `fmt` (%v of floating point).
public enum GoText {
    /// The text in double quotes, with escapes for quotes, backslashes and what is not printable
    /// (`%q`).
    public static func quoted(_ text: String) -> String {
        var out = "\""
        out.reserveCapacity(text.utf8.count + 2)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\":
                out += "\\"
                out.unicodeScalars.append(scalar)
            case "\u{07}": out += "\\a"
            case "\u{08}": out += "\\b"
            case "\u{0C}": out += "\\f"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case "\u{0B}": out += "\\v"
            default:
                if self.isPrintable(scalar) {
                    out.unicodeScalars.append(scalar)
                } else if scalar.value < 0x20 || scalar.value == 0x7F {
                    out += "\\x" + self.hex(scalar.value, digits: 2)
                } else if scalar.value < 0x10000 {
                    out += "\\u" + self.hex(scalar.value, digits: 4)
                } else {
                    out += "\\U" + self.hex(scalar.value, digits: 8)
                }
            }
        }
        out += "\""
        return out
    }

    /// The text as a JSON string, escaped so that it may stand in HTML.
    public static func json(_ text: String) -> String {
        var out = "\""
        out.reserveCapacity(text.utf8.count + 2)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\u{08}": out += "\\b"
            case "\u{0C}": out += "\\f"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case "<", ">", "&", "\u{2028}", "\u{2029}":
                out += "\\u" + self.hex(scalar.value, digits: 4)
            default:
                if scalar.value < 0x20 {
                    out += "\\u" + self.hex(scalar.value, digits: 4)
                } else {
                    out.unicodeScalars.append(scalar)
                }
            }
        }
        out += "\""
        return out
    }

    /// The texts as a JSON array of strings.
    public static func json(_ texts: some Sequence<String>) -> String {
        "[" + texts.map { self.json($0) }.joined(separator: ",") + "]"
    }

    /// The number as `%v` writes it: the shortest digits that read back the same, with an exponent
    /// below 1e-4 and from 1e6 on.
    public static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        // Swift's description has the same digits; only the place of the point differs.
        var digits: [UInt8] = []
        var pointIndex: Int?
        var exponent = 0
        let text = value.magnitude.description
        for (offset, byte) in text.utf8.enumerated() {
            if byte == UInt8(ascii: ".") {
                pointIndex = digits.count
            } else if byte == UInt8(ascii: "e") {
                exponent =
                    Int(
                        text.utf8.dropFirst(offset + 1).reduce(into: "") { sum, next in
                            sum.unicodeScalars.append(Unicode.Scalar(next))
                        }
                    ) ?? 0
                break
            } else {
                digits.append(byte)
            }
        }
        // The value is 0.DIGITS times ten to the power of `scale`.
        var scale = (pointIndex ?? digits.count) + exponent
        while digits.first == UInt8(ascii: "0") {
            digits.removeFirst()
            scale -= 1
        }
        while digits.last == UInt8(ascii: "0") { digits.removeLast() }
        let sign = value.sign == .minus ? "-" : ""
        if digits.isEmpty { return sign + "0" }
        return sign + self.decimal(digits, scale: scale)
    }

    /// The text of 0.DIGITS times ten to the power of `scale`.
    private static func decimal(_ digits: [UInt8], scale: Int) -> String {
        func text(_ part: some Sequence<UInt8>) -> String {
            String(decoding: Array(part), as: UTF8.self)
        }
        let exponent = scale - 1
        if exponent < -4 || exponent >= 6 {
            let fraction = digits.count > 1 ? "." + text(digits.dropFirst()) : ""
            let magnitude = String(exponent.magnitude)
            return text(digits.prefix(1)) + fraction + (exponent < 0 ? "e-" : "e+")
                + (magnitude.utf8.count < 2 ? "0" : "") + magnitude
        }
        if scale <= 0 { return "0." + String(repeating: "0", count: -scale) + text(digits) }
        if digits.count <= scale {
            return text(digits) + String(repeating: "0", count: scale - digits.count)
        }
        return text(digits.prefix(scale)) + "." + text(digits.dropFirst(scale))
    }

    /// Whether Go counts the character as printable: letters, marks, numbers, punctuation, symbols
    /// and the ASCII space.
    public static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.value < 0x7F { return scalar.value >= 0x20 }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .spaceSeparator,
            .lineSeparator, .paragraphSeparator:
            return false
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
            .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .letterNumber,
            .otherNumber, .connectorPunctuation, .dashPunctuation, .openPunctuation,
            .closePunctuation, .initialPunctuation, .finalPunctuation, .otherPunctuation,
            .mathSymbol, .currencySymbol, .modifierSymbol, .otherSymbol:
            return true
        @unknown default:
            return false
        }
    }

    /// The number in lower-case hexadecimal, with at least that many digits.
    static func hex(_ value: UInt32, digits: Int, uppercase: Bool = false) -> String {
        let text = String(value, radix: 16, uppercase: uppercase)
        return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
    }
}
