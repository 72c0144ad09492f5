// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// An integer of any size: sign and magnitude, 64-bit limbs, least significant first, no leading
/// zero limb. Just the operations that quantities need; its size is bounded by the limits of
/// `Quantity`'s parser.
struct WideInteger: Sendable, Hashable {
    /// The magnitude. Empty for zero.
    private(set) var limbs: [UInt64]
    /// Whether the number is below zero. Never true for zero.
    private(set) var isNegative: Bool

    init(_ value: Int64) {
        self.limbs = value == 0 ? [] : [value.magnitude]
        self.isNegative = value < 0
    }

    var isZero: Bool { self.limbs.isEmpty }

    /// -1, 0 or 1.
    var sign: Int { self.limbs.isEmpty ? 0 : self.isNegative ? -1 : 1 }

    mutating func negate() {
        self.isNegative = !self.isNegative && !self.limbs.isEmpty
    }

    /// The value if it fits, like Go's `big.Int.IsInt64`.
    var exactInt64: Int64? {
        switch self.limbs.count {
        case 0: return 0
        case 1:
            let limb = self.limbs[0]
            if self.isNegative {
                return limb <= Int64.min.magnitude ? 0 &- Int64(bitPattern: limb) : nil
            }
            return Int64(exactly: limb)
        default: return nil
        }
    }

    /// The low 64 bits with the sign put on, like Go's `big.Int.Int64`: meaningless when the value
    /// does not fit, but never an error.
    var wrappedInt64: Int64 {
        let low = Int64(bitPattern: self.limbs.first ?? 0)
        return self.isNegative ? 0 &- low : low
    }

    /// The nearest `Double` (good to a few units in the last place).
    var approximateDouble: Double {
        let magnitude = self.limbs.reversed().reduce(0.0) { $0 * 0x1p64 + Double($1) }
        return self.isNegative ? -magnitude : magnitude
    }

    // MARK: - Magnitude arithmetic

    /// Replaces the magnitude by `magnitude * factor + addend`.
    mutating func multiplyMagnitude(by factor: UInt64, adding addend: UInt64 = 0) {
        var carry = addend
        for index in self.limbs.indices {
            let (high, low) = self.limbs[index].multipliedFullWidth(by: factor)
            let (sum, overflow) = low.addingReportingOverflow(carry)
            self.limbs[index] = sum
            // high is at most 2^64 - 2, so this cannot overflow.
            carry = high &+ (overflow ? 1 : 0)
        }
        if carry > 0 {
            self.limbs.append(carry)
        }
        self.trim()
    }

    /// Divides the magnitude by `divisor`, rounding towards zero, and returns the remainder.
    mutating func divideMagnitude(by divisor: UInt64) -> UInt64 {
        var remainder: UInt64 = 0
        for index in self.limbs.indices.reversed() {
            (self.limbs[index], remainder) = divisor.dividingFullWidth(
                (remainder, self.limbs[index])
            )
        }
        self.trim()
        return remainder
    }

    /// Multiplies by 10 to the power of `exponent`.
    mutating func multiply(byPowerOfTen exponent: Int) {
        guard !self.isZero else { return }
        var left = exponent
        while left > 0 {
            let step = min(left, maximumPowerOfTen)
            self.multiplyMagnitude(by: powerOfTen(step))
            left -= step
        }
    }

    /// Divides by 10 to the power of `exponent`, rounding towards zero.
    ///
    /// - Returns: whether something was cut off.
    mutating func divide(byPowerOfTen exponent: Int) -> Bool {
        var inexact = false
        var left = exponent
        while left > 0, !self.isZero {
            let step = min(left, maximumPowerOfTen)
            if self.divideMagnitude(by: powerOfTen(step)) != 0 {
                inexact = true
            }
            left -= step
        }
        return inexact
    }

    /// Moves one away from zero; zero goes in the direction of `negative`.
    mutating func moveAwayFromZero(negative: Bool) {
        if self.isZero {
            self = WideInteger(negative ? -1 : 1)
        } else {
            let sign = self.isNegative
            self = WideInteger.sum(self, WideInteger(sign ? -1 : 1))
        }
    }

    /// Divides out `divisor` as often as it goes without a remainder.
    ///
    /// - Returns: how often it went. Zero stays as it is.
    mutating func removeFactors(of divisor: UInt64) -> Int {
        var times = 0
        while !self.isZero {
            var quotient = self
            guard quotient.divideMagnitude(by: divisor) == 0 else { break }
            self = quotient
            times += 1
        }
        return times
    }

    // MARK: - Signed arithmetic

    static func sum(_ left: WideInteger, _ right: WideInteger) -> WideInteger {
        if left.isNegative == right.isNegative {
            var out = left
            out.addMagnitude(right.limbs)
            return out
        }
        switch compareMagnitudes(left.limbs, right.limbs) {
        case 0: return WideInteger(0)
        case 1:
            var out = left
            out.subtractMagnitude(right.limbs)
            return out
        default:
            var out = right
            out.subtractMagnitude(left.limbs)
            return out
        }
    }

    mutating func multiply(by factor: Int64) {
        self.multiplyMagnitude(by: factor.magnitude)
        self.isNegative = !self.limbs.isEmpty && self.isNegative != (factor < 0)
    }

    /// -1, 0 or 1 as `left` is below, equal to or above `right`.
    static func compare(_ left: WideInteger, _ right: WideInteger) -> Int {
        if left.isNegative != right.isNegative {
            return left.isNegative ? -1 : 1
        }
        let order = compareMagnitudes(left.limbs, right.limbs)
        return left.isNegative ? -order : order
    }

    /// Decimal digits with a sign when negative.
    func appendText(to out: inout [UInt8]) {
        guard !self.isZero else {
            out.append(UInt8(ascii: "0"))
            return
        }
        if self.isNegative {
            out.append(UInt8(ascii: "-"))
        }
        let start = out.count
        var rest = self
        while !rest.isZero {
            var group = rest.divideMagnitude(by: powerOfTen(maximumPowerOfTen))
            var digits = 0
            while rest.isZero ? group > 0 : digits < maximumPowerOfTen {
                out.append(UInt8(ascii: "0") + UInt8(group % 10))
                group /= 10
                digits += 1
            }
        }
        out[start...].reverse()
    }

    // MARK: - Helpers

    private mutating func trim() {
        while self.limbs.last == 0 {
            self.limbs.removeLast()
        }
        if self.limbs.isEmpty {
            self.isNegative = false
        }
    }

    private mutating func addMagnitude(_ other: [UInt64]) {
        var carry: UInt64 = 0
        for index in 0..<max(self.limbs.count, other.count) {
            if index == self.limbs.count {
                self.limbs.append(0)
            }
            let addend = index < other.count ? other[index] : 0
            let (partial, first) = self.limbs[index].addingReportingOverflow(addend)
            let (sum, second) = partial.addingReportingOverflow(carry)
            self.limbs[index] = sum
            carry = first || second ? 1 : 0
        }
        if carry > 0 {
            self.limbs.append(carry)
        }
    }

    /// Takes off a magnitude that is not above this one.
    private mutating func subtractMagnitude(_ other: [UInt64]) {
        var borrow: UInt64 = 0
        for index in self.limbs.indices {
            let subtrahend = index < other.count ? other[index] : 0
            let (partial, first) = self.limbs[index].subtractingReportingOverflow(subtrahend)
            let (difference, second) = partial.subtractingReportingOverflow(borrow)
            self.limbs[index] = difference
            borrow = first || second ? 1 : 0
        }
        self.trim()
    }

    private static func compareMagnitudes(_ left: [UInt64], _ right: [UInt64]) -> Int {
        if left.count != right.count {
            return left.count < right.count ? -1 : 1
        }
        for index in left.indices.reversed() where left[index] != right[index] {
            return left[index] < right[index] ? -1 : 1
        }
        return 0
    }
}

/// The largest power of ten in 64 bits is 10^19.
let maximumPowerOfTen = 19

/// 10 to the power of `exponent`, which is 0 to 19.
@inline(__always)
func powerOfTen(_ exponent: Int) -> UInt64 {
    powersOfTen[exponent]
}

private let powersOfTen: InlineArray<20, UInt64> = [
    1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000,
    10_000_000_000, 100_000_000_000, 1_000_000_000_000, 10_000_000_000_000,
    100_000_000_000_000, 1_000_000_000_000_000, 10_000_000_000_000_000,
    100_000_000_000_000_000, 1_000_000_000_000_000_000, 10_000_000_000_000_000_000,
]
