// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// A decimal of any precision: `unscaled` divided by 10 to the power of `places`.
///
/// The representation matters, not only the value: as upstream's `inf.Dec` keeps the number of
/// decimal places of its operands, so does this type, and `Quantity` shows it in a few answers
/// (whether a product "fits", whether a quick integer conversion exists).
struct WideDecimal: Sendable, Hashable {
    var unscaled: WideInteger
    /// Decimal places. Negative when `unscaled` counts tens, hundreds and so on.
    var places: Int

    init(unscaled: WideInteger, places: Int) {
        self.unscaled = unscaled
        self.places = places
    }

    init(_ value: Int64) {
        self.init(unscaled: WideInteger(value), places: 0)
    }

    /// The same value with exactly `newPlaces` decimal places, rounded away from zero.
    ///
    /// - Returns: the decimal, and whether the value is unchanged.
    func roundedAwayFromZero(places newPlaces: Int) -> (WideDecimal, isExact: Bool) {
        var out = self
        out.places = newPlaces
        if newPlaces >= self.places {
            out.unscaled.multiply(byPowerOfTen: newPlaces - self.places)
            return (out, true)
        }
        let isNegative = self.unscaled.isNegative
        guard out.unscaled.divide(byPowerOfTen: self.places - newPlaces) else {
            return (out, true)
        }
        out.unscaled.moveAwayFromZero(negative: isNegative)
        return (out, false)
    }

    /// The sum, with as many places as the more precise operand.
    static func sum(_ left: WideDecimal, _ right: WideDecimal) -> WideDecimal {
        let places = max(left.places, right.places)
        let (first, _) = left.roundedAwayFromZero(places: places)
        let (second, _) = right.roundedAwayFromZero(places: places)
        return WideDecimal(unscaled: .sum(first.unscaled, second.unscaled), places: places)
    }

    /// -1, 0 or 1 as `left` is below, equal to or above `right`.
    static func compare(_ left: WideDecimal, _ right: WideDecimal) -> Int {
        let places = max(left.places, right.places)
        let (first, _) = left.roundedAwayFromZero(places: places)
        let (second, _) = right.roundedAwayFromZero(places: places)
        return WideInteger.compare(first.unscaled, second.unscaled)
    }
}
