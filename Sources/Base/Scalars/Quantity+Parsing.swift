// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension Quantity {
    /// Parses the text of a quantity, without surrounding white space.
    ///
    /// The text is kept and given back by `text` when it is canonical in the sense of upstream's
    /// fast parse; values below a billionth are rounded up, away from zero, and values of the binary
    /// family are capped at 2^63-1.
    public init(parsing text: borrowing Span<UInt8>) throws(QuantityError) {
        let parts = try QuantityParts(scanning: text)
        if let (amount, keepsText) = try parts.fastAmount(of: text) {
            self.init(
                amount: .small(amount),
                format: parts.suffix.format,
                keptText: keepsText ? makeString(text) : ""
            )
        } else {
            self = try parts.slowQuantity(of: text)
        }
    }

    /// Parses the text of a quantity, without surrounding white space.
    public init(parsing text: UnsafeRawBufferPointer) throws(QuantityError) {
        let bytes = unsafe text.assumingMemoryBound(to: UInt8.self)
        self = try unsafe Quantity(parsing: bytes.span)
    }

    /// Parses the text of a quantity, without surrounding white space.
    public init(parsing text: String) throws(QuantityError) {
        self = try Quantity(parsing: text.utf8.span)
    }

    /// Parses what stands in a JSON string or is a JSON number: white space around it is ignored.
    public init(parsingJSON text: borrowing Span<UInt8>) throws(QuantityError) {
        let range = trimmedRange(of: text)
        self = try Quantity(parsing: text.extracting(range))
    }
}

/// A text, taken apart.
struct QuantityParts {
    var isNegative = false
    /// Digits before the point, without leading zeros.
    var integer = 0..<0
    /// Digits after the point.
    var fraction = 0..<0
    /// Where the number, with its sign and leading zeros, ends.
    var numberEnd = 0
    var suffix = QuantitySuffix.none

    init(scanning text: borrowing Span<UInt8>) throws(QuantityError) {
        guard !text.isEmpty else { throw .format }
        guard text.count <= Quantity.maximumTextBytes else { throw .tooLong }
        var position = 0
        switch text[0] {
        case UInt8(ascii: "-"):
            self.isNegative = true
            position = 1
        case UInt8(ascii: "+"):
            position = 1
        default: break
        }
        while position < text.count, text[position] == UInt8(ascii: "0") {
            position += 1
        }
        var start = position
        while position < text.count, text[position].isDigit {
            position += 1
        }
        self.integer = start..<position
        if position < text.count, text[position] == UInt8(ascii: ".") {
            position += 1
            start = position
            while position < text.count, text[position].isDigit {
                position += 1
            }
            self.fraction = start..<position
        }
        self.numberEnd = position
        if position < text.count {
            self.suffix = try QuantitySuffix(parsing: text.extracting(position..<text.count))
        }
    }

    /// The number as 64-bit integer and power of ten, and whether the text is canonical; nil when
    /// that takes too many digits.
    @inline(__always)
    func fastAmount(
        of text: borrowing Span<UInt8>
    ) throws(QuantityError) -> (ScaledInteger, keepsText: Bool)? {
        // A missing integer counts as the digit zero.
        let digits = max(self.integer.count, 1) + self.fraction.count
        var scale = 0
        switch self.suffix {
        case .decimal(let exponent, _):
            guard digits <= 18 else { return nil }
            // No text is long enough to make up for more than a thousand negative places.
            scale = Int(max(exponent, lowestExponent)) - self.fraction.count
            // Below a billionth the value has to be rounded.
            guard scale >= Int(Quantity.Scale.nano.rawValue) else { return nil }
            if scale > Quantity.maximumExponent {
                guard self.isZero(in: text) else { throw .exponentTooLarge }
                scale = 0
            }
        case .binary(let exponent):
            // Ten bits of the exponent count for three digits, and one digit is spare.
            guard self.fraction.isEmpty, digits + Int(exponent) * 3 / 10 <= 14 else { return nil }
        }
        var number: UInt64 = 0
        for index in self.integer {
            number = number &* 10 &+ text[index].digitValue
        }
        for index in self.fraction {
            number = number &* 10 &+ text[index].digitValue
        }
        let keepsText: Bool
        var value = Int64(bitPattern: number)
        switch self.suffix {
        case .decimal:
            keepsText = scale % 3 == 0 && !self.integer.isEmpty && number % 1000 != 0
        case .binary(let exponent):
            // At most 14 digits in all: this fits.
            value <<= Int64(exponent)
            keepsText = number & 7 != 0
        }
        if self.isNegative {
            value = -value
        }
        return (ScaledInteger(value: value, scale: Int32(scale)), keepsText)
    }

    /// The quantity, by way of a wide decimal.
    func slowQuantity(of text: borrowing Span<UInt8>) throws(QuantityError) -> Quantity {
        // Leading zeros are digits, too: `0e-10` is a number, `e-10` is none.
        let signBytes = text[0] == UInt8(ascii: "-") || text[0] == UInt8(ascii: "+") ? 1 : 0
        let leadingZeros = self.integer.lowerBound > signBytes
        guard leadingZeros || !self.integer.isEmpty || !self.fraction.isEmpty else {
            throw .numeric
        }
        var number = WideInteger(0)
        number.appendDigits(of: text, in: self.integer)
        number.appendDigits(of: text, in: self.fraction)
        var places = self.fraction.count
        var format = self.suffix.format
        switch self.suffix {
        case .decimal(let exponent, _):
            if number.isZero {
                return Quantity(amount: .wide(WideDecimal(0)), format: format)
            }
            guard exponent <= Quantity.maximumExponent else { throw .exponentTooLarge }
            places -= Int(max(exponent, lowestExponent))
        case .binary(let exponent):
            if number.isZero {
                return Quantity(amount: .wide(WideDecimal(0)), format: format)
            }
            number.multiplyMagnitude(by: 1 << UInt64(exponent))
        }
        let nanoPlaces = -Int(Quantity.Scale.nano.rawValue)
        var (decimal, _) = WideDecimal(unscaled: number, places: places)
            .roundedAwayFromZero(places: nanoPlaces)
        if format == .binarySI {
            if WideDecimal.compare(decimal, WideDecimal(.max)) > 0 {
                decimal = WideDecimal(.max)
            }
            if WideDecimal.compare(decimal, WideDecimal(1)) < 0 {
                // A fraction of one has no binary suffix.
                format = .decimalSI
            }
        }
        if self.isNegative {
            decimal.unscaled.negate()
        }
        return Quantity(amount: .wide(decimal), format: format)
    }

    private func isZero(in text: borrowing Span<UInt8>) -> Bool {
        guard self.integer.isEmpty else { return false }
        for index in self.fraction where text[index] != UInt8(ascii: "0") {
            return false
        }
        return true
    }
}

/// Below this exponent nothing changes: a text has fewer digits than this, so that any value that is
/// not zero is less than a billionth and rounds up to that.
private let lowestExponent = Int64(-2 * Quantity.maximumTextBytes)

extension WideInteger {
    /// Writes the digits of a text behind those of the magnitude.
    fileprivate mutating func appendDigits(of text: borrowing Span<UInt8>, in range: Range<Int>) {
        var start = range.lowerBound
        while start < range.upperBound {
            let end = min(start + maximumPowerOfTen, range.upperBound)
            var group: UInt64 = 0
            for index in start..<end {
                group = group &* 10 &+ text[index].digitValue
            }
            self.multiplyMagnitude(by: powerOfTen(end - start), adding: group)
            start = end
        }
    }
}

func makeString(_ text: borrowing Span<UInt8>) -> String {
    unsafe text.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
}
