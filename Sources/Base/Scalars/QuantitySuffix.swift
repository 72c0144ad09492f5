// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// What stands behind the number.
enum QuantitySuffix {
    /// A power of ten. `isExponent` when written with `e`.
    case decimal(exponent: Int64, isExponent: Bool)
    /// A power of two, in multiples of ten.
    case binary(exponent: Int32)

    static let none = QuantitySuffix.decimal(exponent: 0, isExponent: false)

    var format: Quantity.Format {
        switch self {
        case .decimal(_, isExponent: false): .decimalSI
        case .decimal(_, isExponent: true): .decimalExponent
        case .binary: .binarySI
        }
    }

    /// Interprets the rest of a text, which is not empty.
    init(parsing text: borrowing Span<UInt8>) throws(QuantityError) {
        if text.count == 1, let exponent = decimalExponent(ofSuffix: text[0]) {
            self = .decimal(exponent: exponent, isExponent: false)
            return
        }
        if text.count == 2, text[1] == UInt8(ascii: "i"),
            let exponent = binaryExponent(ofSuffix: text[0])
        {
            self = .binary(exponent: exponent)
            return
        }
        try checkForm(text)
        // `E` alone is exa, `e` alone is nothing.
        guard text.count > 1, text[0] == UInt8(ascii: "e") || text[0] == UInt8(ascii: "E"),
            let exponent = parseInt64(text.extracting(droppingFirst: 1))
        else { throw .suffix }
        self = .decimal(exponent: exponent, isExponent: true)
    }
}

/// Letters of suffixes, then a sign, then digits: all else is no quantity at all.
private func checkForm(_ text: borrowing Span<UInt8>) throws(QuantityError) {
    var position = 0
    letters: while position < text.count {
        switch text[position] {
        case UInt8(ascii: "e"), UInt8(ascii: "E"), UInt8(ascii: "i"), UInt8(ascii: "n"),
            UInt8(ascii: "u"), UInt8(ascii: "m"), UInt8(ascii: "k"), UInt8(ascii: "K"),
            UInt8(ascii: "M"), UInt8(ascii: "G"), UInt8(ascii: "T"), UInt8(ascii: "P"):
            position += 1
        case UInt8(ascii: "-"), UInt8(ascii: "+"):
            position += 1
            break letters
        default:
            break letters
        }
    }
    while position < text.count {
        guard text[position].isDigit else { throw .format }
        position += 1
    }
}

private func decimalExponent(ofSuffix letter: UInt8) -> Int64? {
    switch letter {
    case UInt8(ascii: "n"): -9
    case UInt8(ascii: "u"): -6
    case UInt8(ascii: "m"): -3
    case UInt8(ascii: "k"): 3
    case UInt8(ascii: "M"): 6
    case UInt8(ascii: "G"): 9
    case UInt8(ascii: "T"): 12
    case UInt8(ascii: "P"): 15
    case UInt8(ascii: "E"): 18
    default: nil
    }
}

private func binaryExponent(ofSuffix letter: UInt8) -> Int32? {
    switch letter {
    case UInt8(ascii: "K"): 10
    case UInt8(ascii: "M"): 20
    case UInt8(ascii: "G"): 30
    case UInt8(ascii: "T"): 40
    case UInt8(ascii: "P"): 50
    case UInt8(ascii: "E"): 60
    default: nil
    }
}

/// A decimal integer with an optional sign, or nil when it is none or does not fit.
private func parseInt64(_ text: borrowing Span<UInt8>) -> Int64? {
    var position = 0
    var isNegative = false
    if let sign = text.isEmpty ? nil : text[0],
        sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+")
    {
        isNegative = sign == UInt8(ascii: "-")
        position = 1
    }
    guard position < text.count else { return nil }
    var value: Int64 = 0
    while position < text.count {
        guard text[position].isDigit else { return nil }
        let digit = Int64(text[position].digitValue)
        let (shifted, first) = value.multipliedReportingOverflow(by: 10)
        let (sum, second) =
            isNegative
            ? shifted.subtractingReportingOverflow(digit)
            : shifted.addingReportingOverflow(digit)
        guard !first, !second else { return nil }
        value = sum
        position += 1
    }
    return value
}
