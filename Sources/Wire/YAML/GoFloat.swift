// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The shortest decimal digits of a number that is not zero, infinite or NaN.
private struct ShortestDecimal {
    var isNegative: Bool
    /// Without leading or trailing zeros.
    var digits: [UInt8] = []
    /// Where the point is: the number is 0.digits times 10 to the power of this.
    var point = 0

    /// Takes apart what Swift prints, which is the shortest text that reads back as the same number.
    init(_ description: String) {
        self.isNegative = false
        var exponent = 0
        var seenPoint = false
        var bytes = description.utf8.makeIterator()
        while let byte = bytes.next() {
            switch byte {
            case UInt8(ascii: "-"):
                self.isNegative = true
            case UInt8(ascii: "."):
                seenPoint = true
            case UInt8(ascii: "e"):
                var isNegativeExponent = false
                while let next = bytes.next() {
                    switch next {
                    case UInt8(ascii: "-"): isNegativeExponent = true
                    case UInt8(ascii: "+"): break
                    default: exponent = exponent * 10 + Int(next) - 48
                    }
                }
                exponent = isNegativeExponent ? -exponent : exponent
            default:
                if self.digits.isEmpty, byte == UInt8(ascii: "0") {
                    self.point -= seenPoint ? 1 : 0
                } else {
                    self.digits.append(byte)
                    self.point += seenPoint ? 0 : 1
                }
            }
        }
        self.point += exponent
        while self.digits.last == UInt8(ascii: "0") {
            self.digits.removeLast()
        }
    }

    /// Without exponent: `0.001`, `1.5`, `1000`.
    var plainText: String {
        var out: [UInt8] = self.isNegative ? [UInt8(ascii: "-")] : []
        if self.point <= 0 {
            out.append(contentsOf: "0.".utf8)
            out.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: -self.point))
            out.append(contentsOf: self.digits)
        } else {
            for index in 0..<max(self.point, self.digits.count) {
                if index == self.point {
                    out.append(UInt8(ascii: "."))
                }
                out.append(index < self.digits.count ? self.digits[index] : UInt8(ascii: "0"))
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// With an exponent of at least `exponentDigits` digits: `1.5e+21`.
    func exponentText(exponentDigits: Int) -> String {
        var out: [UInt8] = self.isNegative ? [UInt8(ascii: "-")] : []
        out.append(self.digits[0])
        if self.digits.count > 1 {
            out.append(UInt8(ascii: "."))
            out.append(contentsOf: self.digits[1...])
        }
        let exponent = self.point - 1
        out.append(UInt8(ascii: "e"))
        out.append(exponent < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
        let digits = String(exponent.magnitude).utf8
        let missing = max(0, exponentDigits - digits.count)
        out.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: missing))
        out.append(contentsOf: digits)
        return String(decoding: out, as: UTF8.self)
    }
}

/// A finite number as Go's JSON encoder writes it: with an exponent below 1e-6 and from 1e21 on.
func jsonFloatText(_ value: Double) -> String {
    guard value != 0 else { return value.sign == .minus ? "-0" : "0" }
    let decimal = ShortestDecimal(value.description)
    if value.magnitude < 1e-6 || value.magnitude >= 1e21 {
        return decimal.exponentText(exponentDigits: 1)
    }
    return decimal.plainText
}

/// A number in Go's `%g` with the shortest digits: with an exponent below 1e-4 and from 1e6 on.
private func generalText(_ decimal: ShortestDecimal) -> String {
    let exponent = decimal.point - 1
    return exponent < -4 || exponent >= 6
        ? decimal.exponentText(exponentDigits: 2) : decimal.plainText
}

/// A number as goyaml writes it in YAML: Go's `strconv.FormatFloat(value, 'g', -1, 64)`.
func goFloatText(_ value: Double) -> String {
    if !value.isFinite {
        return value.isNaN ? ".nan" : value < 0 ? "-.inf" : ".inf"
    }
    guard value != 0 else { return value.sign == .minus ? "-0" : "0" }
    return generalText(ShortestDecimal(value.description))
}

/// A number in single precision as goyaml writes it.
func goFloatText(_ value: Float) -> String {
    if !value.isFinite {
        return value.isNaN ? ".nan" : value < 0 ? "-.inf" : ".inf"
    }
    guard value != 0 else { return value.sign == .minus ? "-0" : "0" }
    return generalText(ShortestDecimal(value.description))
}
