// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// `value` times 10 to the power of `scale`: how a quantity is held when 64 bits are enough.
///
/// Source: `int64Amount` in upstream `k8s.io/apimachinery/pkg/api/resource/amount.go`, whose
/// answers (including those on overflow) these operations give.
struct ScaledInteger: Sendable, Hashable {
    var value: Int64
    var scale: Int32

    /// The exact value as a wide decimal with `-scale` places.
    var wide: WideDecimal {
        WideDecimal(unscaled: WideInteger(self.value), places: -Int(self.scale))
    }

    /// The value as an integer, when no division is needed and it fits.
    var exactInt64: Int64? {
        guard self.scale >= 0 else { return nil }
        return scaledUp(self.value, byPowerOfTen: Int(self.scale))
    }

    /// The value in units of 10 to the power of `newScale`, rounded away from zero.
    ///
    /// On overflow the answer is upstream's: the wrapped product for the common steps of 10, 100,
    /// 1000, a million and a billion, and zero for any other.
    func wrappedInt64(atScale newScale: Int32) -> Int64 {
        let difference = Int(self.scale) - Int(newScale)
        if difference < 0 {
            return divideAwayFromZero(self.value, byPowerOfTen: -difference).quotient
        }
        if let exact = scaledUp(self.value, byPowerOfTen: difference) {
            return exact
        }
        switch difference {
        case 1, 2, 3, 6, 9:
            guard self.value != .min else { return 0 }
            return self.value &* Int64(powerOfTen(difference))
        default:
            return 0
        }
    }

    /// Gives the number a scale of at least `newScale`, rounding away from zero.
    ///
    /// - Returns: whether the value is unchanged.
    mutating func roundAwayFromZero(toScale newScale: Int32) -> Bool {
        guard self.scale < newScale else { return true }
        let (quotient, isExact) = divideAwayFromZero(
            self.value,
            byPowerOfTen: Int(newScale) - Int(self.scale)
        )
        self = ScaledInteger(value: quotient, scale: newScale)
        return isExact
    }

    /// Adds without losing precision, at the finer of the two scales.
    ///
    /// - Returns: false, and leaves the number alone, when 64 bits are not enough.
    mutating func add(_ other: ScaledInteger) -> Bool {
        if other.value == 0 {
            return true
        }
        if self.value == 0 {
            self = other
            return true
        }
        let finest = min(self.scale, other.scale)
        guard
            let first = scaledUp(self.value, byPowerOfTen: Int(self.scale) - Int(finest)),
            let second = scaledUp(other.value, byPowerOfTen: Int(other.scale) - Int(finest))
        else { return false }
        let (sum, overflow) = first.addingReportingOverflow(second)
        guard !overflow else { return false }
        self = ScaledInteger(value: sum, scale: finest)
        return true
    }

    /// Multiplies by an integer.
    ///
    /// - Returns: false, and leaves the number alone, when the product is not an integer that fits
    ///   64 bits at scale 0. (So three times `1m` is refused, and becomes a wide decimal.)
    mutating func multiply(by factor: Int64) -> Bool {
        if self.value == 0 {
            return true
        }
        if factor == 0 {
            self = ScaledInteger(value: 0, scale: 0)
            return true
        }
        let (product, overflow) = self.value.multipliedReportingOverflow(by: factor)
        // Upstream refuses the most negative number as an operand unless the other one is 1.
        guard !overflow, self.value != .min || factor == 1, factor != .min || self.value == 1 else {
            return false
        }
        if self.scale > 0 {
            guard scaledUp(product, byPowerOfTen: Int(self.scale)) != nil else { return false }
        } else if self.scale < 0 {
            let places = -Int(self.scale)
            guard divideAwayFromZero(product, byPowerOfTen: places).isExact else { return false }
        }
        self.value = product
        return true
    }

    /// -1, 0 or 1 as `left` is below, equal to or above `right`.
    static func compare(_ left: ScaledInteger, _ right: ScaledInteger) -> Int {
        if left.scale == right.scale {
            return left.value < right.value ? -1 : left.value == right.value ? 0 : 1
        }
        let finest = min(left.scale, right.scale)
        if let first = scaledUp(left.value, byPowerOfTen: Int(left.scale) - Int(finest)),
            let second = scaledUp(right.value, byPowerOfTen: Int(right.scale) - Int(finest))
        {
            return first < second ? -1 : first == second ? 0 : 1
        }
        return WideDecimal.compare(left.wide, right.wide)
    }

    /// The number written with the largest scale that is a multiple of three and needs no fraction,
    /// or nil when the digits do not fit.
    var canonicalDecimal: ScaledInteger? {
        var mantissa = self.value
        var exponent = Int(self.scale)
        while mantissa % 10 == 0, mantissa != 0, mantissa != .min {
            mantissa /= 10
            exponent += 1
        }
        let surplus = ((exponent % 3) + 3) % 3
        guard let digits = scaledUp(mantissa, byPowerOfTen: surplus) else { return nil }
        return ScaledInteger(value: digits, scale: Int32(truncatingIfNeeded: exponent - surplus))
    }
}

/// `value` times 10 to the power of `exponent` (not negative), or nil when it does not fit.
private func scaledUp(_ value: Int64, byPowerOfTen exponent: Int) -> Int64? {
    if value == 0 || exponent == 0 {
        return value
    }
    // 10^18 is the largest power of ten in a signed 64-bit integer.
    guard exponent <= 18 else { return nil }
    let (product, overflow) = value.multipliedReportingOverflow(by: Int64(powerOfTen(exponent)))
    return overflow ? nil : product
}

/// `value` divided by 10 to the power of `exponent` (not negative), rounded away from zero.
private func divideAwayFromZero(
    _ value: Int64,
    byPowerOfTen exponent: Int
) -> (quotient: Int64, isExact: Bool) {
    if value == 0 || exponent == 0 {
        return (value, true)
    }
    guard exponent <= 18 else {
        return (value < 0 ? -1 : 1, false)
    }
    let (quotient, remainder) = value.quotientAndRemainder(
        dividingBy: Int64(powerOfTen(exponent))
    )
    if remainder == 0 {
        return (quotient, true)
    }
    return (value < 0 ? quotient - 1 : quotient + 1, false)
}
