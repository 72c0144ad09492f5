// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Floating-point text as Go's `encoding/json` writes it.
enum GoNumber {
    /// The shortest text that reads back as `number`, in the form of `strconv.FormatFloat` with
    /// the exponent cleaned up: `1e-9`, not `1e-09`.
    static func text(_ number: Double) -> String {
        if number == 0 { return number.sign == .minus ? "-0" : "0" }
        let (digits, exponent) = self.shortest(number.magnitude)
        let sign = number < 0 ? "-" : ""
        if number.magnitude < 1e-6 || number.magnitude >= 1e21 {
            let fraction = digits.dropFirst()
            let mantissa = String(digits.prefix(1)) + (fraction.isEmpty ? "" : "." + fraction)
            let power = exponent - 1
            return "\(sign)\(mantissa)e\(power < 0 ? "-" : "+")\(abs(power))"
        }
        if exponent <= 0 {
            return sign + "0." + String(repeating: "0", count: -exponent) + digits
        }
        if exponent >= digits.count {
            return sign + digits + String(repeating: "0", count: exponent - digits.count)
        }
        return sign + digits.prefix(exponent) + "." + digits.dropFirst(exponent)
    }

    /// The shortest digits without trailing zeros, and the power of ten of a point before them.
    private static func shortest(_ number: Double) -> (digits: String, exponent: Int) {
        var mantissa = Substring(number.description)
        var exponent = 0
        if let marker = mantissa.firstIndex(of: "e") {
            exponent = Int(mantissa[mantissa.index(after: marker)...]) ?? 0
            mantissa = mantissa[..<marker]
        }
        let point = mantissa.firstIndex(of: ".") ?? mantissa.endIndex
        let whole = mantissa[..<point]
        let fraction = point == mantissa.endIndex ? "" : mantissa[mantissa.index(after: point)...]
        var digits = Substring(whole + fraction)
        exponent += whole.count
        while digits.first == "0" {
            digits.removeFirst()
            exponent -= 1
        }
        while digits.last == "0" { digits.removeLast() }
        return (String(digits), exponent)
    }
}
