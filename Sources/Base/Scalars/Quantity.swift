// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// An amount of a resource: an exact decimal number that remembers the family of suffixes it was
/// written with.
///
/// Parsing, canonical text, arithmetic and rounding answer as upstream's `resource.Quantity` of
/// Kubernetes 1.36 does, including its corner cases. Source:
/// `k8s.io/apimachinery/pkg/api/resource/{quantity,amount,math,scale_int,suffix}.go`.
///
/// Two quantities are equal when their values are; format and text do not count.
public struct Quantity: Sendable {
    /// The family of suffixes that a quantity is written with.
    public enum Format: UInt8, Sendable {
        /// `n`, `u`, `m`, none, `k`, `M`, `G`, `T`, `P`, `E`: powers of 1000.
        case decimalSI
        /// `Ki`, `Mi`, `Gi`, `Ti`, `Pi`, `Ei`: powers of 1024.
        case binarySI
        /// `e` or `E` and a decimal exponent.
        case decimalExponent
    }

    /// A power of ten: the unit that a value is asked for in.
    public struct Scale: RawRepresentable, Sendable, Hashable {
        public let rawValue: Int32

        public init(rawValue: Int32) {
            self.rawValue = rawValue
        }

        public static let nano = Scale(rawValue: -9)
        public static let micro = Scale(rawValue: -6)
        public static let milli = Scale(rawValue: -3)
        public static let unit = Scale(rawValue: 0)
        public static let kilo = Scale(rawValue: 3)
        public static let mega = Scale(rawValue: 6)
        public static let giga = Scale(rawValue: 9)
        public static let tera = Scale(rawValue: 12)
        public static let peta = Scale(rawValue: 15)
        public static let exa = Scale(rawValue: 18)
    }

    /// The longest text that is parsed, in bytes. Upstream has no limit; nobody writes such a
    /// number by hand, and the limit bounds the size of all that follows.
    public static let maximumTextBytes = 1024

    /// The largest decimal exponent, after `e`, that is parsed. Upstream has no limit and computes
    /// for minutes on `1e999999999`; smaller negative exponents need none, they round up to 1n.
    public static let maximumExponent = 1024

    enum Amount: Sendable {
        case small(ScaledInteger)
        case wide(WideDecimal)
    }

    var amount: Amount

    /// The family of suffixes of the text.
    public var format: Format {
        didSet {
            // Upstream's text outlives a change of the format; ours is only kept from the parser.
            self.keptText = ""
        }
    }

    /// The text as it was parsed, when the parser found it canonical. Otherwise empty.
    var keptText: String

    init(amount: Amount, format: Format, keptText: String = "") {
        self.amount = amount
        self.format = format
        self.keptText = keptText
    }

    /// A whole number.
    public init(_ value: Int64, format: Format = .decimalSI) {
        self.init(amount: .small(ScaledInteger(value: value, scale: 0)), format: format)
    }

    /// A number of thousandths.
    public init(milli value: Int64, format: Format = .decimalSI) {
        self.init(amount: .small(ScaledInteger(value: value, scale: -3)), format: format)
    }

    /// A number of units of `scale`, whose exponent is within ±`maximumExponent`.
    public init(_ value: Int64, scale: Scale, format: Format = .decimalSI) {
        precondition(
            abs(Int(scale.rawValue)) <= Quantity.maximumExponent,
            "scale 10^\(scale.rawValue) is out of range"
        )
        let amount = ScaledInteger(value: value, scale: scale.rawValue)
        self.init(amount: .small(amount), format: format)
    }

    /// Nothing: `0`.
    public static let zero = Quantity(0)
}

// MARK: - Value

extension Quantity {
    /// Whether the value is zero.
    public var isZero: Bool { self.sign == 0 }

    /// -1, 0 or 1 as the value is below, equal to or above zero.
    public var sign: Int {
        switch self.amount {
        case .small(let number): Int(number.value.signum())
        case .wide(let number): number.unscaled.sign
        }
    }

    /// The value rounded up to a whole number, away from zero. See `scaledValue` for overflow.
    public var value: Int64 { self.scaledValue(.unit) }

    /// The value in thousandths, rounded up, away from zero. See `scaledValue` for overflow.
    public var milliValue: Int64 { self.scaledValue(.milli) }

    /// The value in units of `scale`, rounded up.
    ///
    /// When the answer does not fit, it is meaningless (and the same as upstream's): ask for
    /// `value` first where the magnitude is in doubt. Upstream rounds negative numbers that need
    /// the long representation towards zero, and up to 19 places one further: so does this.
    public func scaledValue(_ scale: Scale) -> Int64 {
        switch self.amount {
        case .small(let number): number.wrappedInt64(atScale: scale.rawValue)
        case .wide(let number): number.wrappedInt64(atScale: scale.rawValue)
        }
    }

    /// The value as a whole number, when a quick exact conversion exists: not for fractions, not
    /// for numbers that needed the slow parse (`1.5Gi`).
    public var asInt64: Int64? {
        switch self.amount {
        case .small(let number): number.exactInt64
        case .wide: nil
        }
    }

    /// The value as a floating-point number, within a few units in the last place.
    public var approximateDouble: Double {
        switch self.amount {
        case .small(let number):
            scaledDouble(Double(number.value), byPowerOfTen: Int(number.scale))
        case .wide(let number):
            scaledDouble(number.unscaled.approximateDouble, byPowerOfTen: -number.places)
        }
    }

    /// The value as a wide decimal.
    var wide: WideDecimal {
        switch self.amount {
        case .small(let number): number.wide
        case .wide(let number): number
        }
    }
}

extension WideDecimal {
    /// The value in units of 10 to the power of `newScale`, rounded up as upstream's `scaledValue`
    /// does (`scale_int.go`): towards positive infinity, with wrapped results on overflow.
    func wrappedInt64(atScale newScale: Int32) -> Int64 {
        let difference = self.places + Int(newScale)
        if difference == 0 {
            return self.unscaled.wrappedInt64
        }
        if difference < 0 {
            // Go converts 10^19 and above to the most negative number here.
            let factor = -difference <= 18 ? Int64(powerOfTen(-difference)) : Int64.min
            return self.unscaled.wrappedInt64 &* factor
        }
        if difference < maximumPowerOfTen,
            WideInteger.compare(self.unscaled, WideInteger(.max)) < 0
        {
            let (quotient, remainder) = self.unscaled.wrappedInt64.quotientAndRemainder(
                dividingBy: Int64(powerOfTen(difference))
            )
            return remainder != 0 ? quotient &+ 1 : quotient
        }
        let isNegative = self.unscaled.isNegative
        var quotient = self.unscaled
        let inexact = quotient.divide(byPowerOfTen: difference)
        // The quotient is rounded towards zero: that is already up for a negative number.
        return inexact && !isNegative ? quotient.wrappedInt64 &+ 1 : quotient.wrappedInt64
    }
}

/// `value` times 10 to the power of `exponent`, in floating point.
private func scaledDouble(_ value: Double, byPowerOfTen exponent: Int) -> Double {
    var power = 1.0
    var base = 10.0
    var left = exponent.magnitude
    while left > 0 {
        if left & 1 == 1 {
            power *= base
        }
        base *= base
        left >>= 1
    }
    return exponent < 0 ? value / power : value * power
}
