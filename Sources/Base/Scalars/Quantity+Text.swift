// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension Quantity {
    /// The canonical text, or the parsed text when the parser found that canonical.
    ///
    /// - No fraction, and the largest suffix that loses nothing.
    /// - The binary family is left for the decimal one when the value is below 1024 in magnitude or
    ///   is not a whole number.
    /// - As upstream, the decimal family has no suffix above `E`: a multiple of 10^21 loses its
    ///   exponent in the text (`1000E` is written `1`).
    public var text: String {
        guard self.keptText.isEmpty else { return self.keptText }
        if let short = self.shortText() {
            return short.string
        }
        var out: [UInt8] = []
        self.appendWideText(to: &out)
        return String(decoding: out, as: UTF8.self)
    }

    /// Appends the text, without quotes.
    public func write<Sink: ByteSink & ~Copyable>(to sink: inout Sink) {
        if !self.keptText.isEmpty {
            sink.append(self.keptText.utf8.span)
        } else if let short = self.shortText() {
            short.write(to: &sink)
        } else {
            var out: [UInt8] = []
            self.appendWideText(to: &out)
            sink.append(out.span)
        }
    }

    /// The canonical text of a number of 64 bits, or nil when it takes the long way.
    func shortText() -> ShortText? {
        guard case .small(let number) = self.amount else { return nil }
        var out = ShortText()
        if number.value == 0 {
            out.append(UInt8(ascii: "0"))
            return out
        }
        if self.format == .binarySI, self.showsBinarySuffix(number) {
            guard var amount = number.exactInt64 else { return nil }
            var exponent = 0
            // The most negative number keeps its digits, as upstream.
            while amount % 1024 == 0, amount != .min {
                amount /= 1024
                exponent += 10
            }
            out.append(amount)
            if let letter = binarySuffix(exponent: exponent) {
                out.append(letter)
                out.append(UInt8(ascii: "i"))
            }
            return out
        }
        guard let canonical = number.canonicalDecimal else { return nil }
        out.append(canonical.value)
        let exponent = Int(canonical.scale)
        if self.format == .decimalExponent {
            if exponent != 0 {
                out.append(UInt8(ascii: "e"))
                out.append(Int64(exponent))
            }
        } else if let letter = decimalSuffix(exponent: exponent) {
            out.append(letter)
        }
        return out
    }

    private func showsBinarySuffix(_ number: ScaledInteger) -> Bool {
        // A negative scale is a fraction, unless its digits all are zeros.
        var whole = number
        guard whole.roundAwayFromZero(toScale: 0) else { return false }
        let limit = ScaledInteger(value: 1024, scale: 0)
        let magnitude = ScaledInteger(value: abs(clamping: whole.value), scale: whole.scale)
        return ScaledInteger.compare(magnitude, limit) >= 0
    }

    private func appendWideText(to out: inout [UInt8]) {
        let number = self.wide
        guard !number.unscaled.isZero else {
            out.append(UInt8(ascii: "0"))
            return
        }
        if self.format == .binarySI {
            var (whole, isExact) = number.roundedAwayFromZero(places: 0)
            var magnitude = whole
            if magnitude.unscaled.isNegative {
                magnitude.unscaled.negate()
            }
            if isExact, WideDecimal.compare(magnitude, WideDecimal(1024)) >= 0 {
                let exponent = whole.unscaled.removeFactors(of: 1024) * 10
                whole.unscaled.appendText(to: &out)
                if let letter = binarySuffix(exponent: exponent) {
                    out.append(letter)
                    out.append(UInt8(ascii: "i"))
                }
                return
            }
        }
        var mantissa = number.unscaled
        var exponent = mantissa.removeFactors(of: 10) - number.places
        let surplus = ((exponent % 3) + 3) % 3
        mantissa.multiply(byPowerOfTen: surplus)
        exponent -= surplus
        mantissa.appendText(to: &out)
        if self.format == .decimalExponent {
            if exponent != 0 {
                out.append(UInt8(ascii: "e"))
                out.append(contentsOf: String(exponent).utf8)
            }
        } else if let letter = decimalSuffix(exponent: exponent) {
            out.append(letter)
        }
    }
}

extension Quantity: CustomStringConvertible {
    public var description: String { self.text }
}

private func abs(clamping value: Int64) -> Int64 {
    value == .min ? .max : Swift.abs(value)
}

/// The letter for a power of ten, or nil when there is none: for 1 and outside of n to E.
private func decimalSuffix(exponent: Int) -> UInt8? {
    switch exponent {
    case -9: UInt8(ascii: "n")
    case -6: UInt8(ascii: "u")
    case -3: UInt8(ascii: "m")
    case 3: UInt8(ascii: "k")
    case 6: UInt8(ascii: "M")
    case 9: UInt8(ascii: "G")
    case 12: UInt8(ascii: "T")
    case 15: UInt8(ascii: "P")
    case 18: UInt8(ascii: "E")
    default: nil
    }
}

/// The letter before `i` for a power of two, or nil when there is none.
private func binarySuffix(exponent: Int) -> UInt8? {
    switch exponent {
    case 10: UInt8(ascii: "K")
    case 20: UInt8(ascii: "M")
    case 30: UInt8(ascii: "G")
    case 40: UInt8(ascii: "T")
    case 50: UInt8(ascii: "P")
    case 60: UInt8(ascii: "E")
    default: nil
    }
}
