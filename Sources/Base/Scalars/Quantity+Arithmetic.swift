// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension Quantity {
    /// Adds `other`. Zero takes over the format of what is added to it.
    public mutating func add(_ other: Quantity) {
        self.keptText = ""
        if self.isZero {
            self.format = other.format
        }
        if case .small(var number) = self.amount, case .small(let addend) = other.amount,
            number.add(addend)
        {
            self.amount = .small(number)
            return
        }
        self.amount = .wide(.sum(self.wide, other.wide))
    }

    /// Subtracts `other`. Zero takes over the format of what is subtracted from it.
    public mutating func subtract(_ other: Quantity) {
        var negative = other
        negative.negate()
        self.add(negative)
    }

    /// Changes the sign.
    public mutating func negate() {
        self.keptText = ""
        switch self.amount {
        case .small(var number) where number.value != .min:
            number.value = -number.value
            self.amount = .small(number)
        default:
            var number = self.wide
            number.unscaled.negate()
            self.amount = .wide(number)
        }
    }

    /// Multiplies by a whole number. The product is exact in any case.
    ///
    /// - Returns: false when the digits of the product, without regard to its scale, are no 64-bit
    ///   integer (upstream's measure of a product that went too far).
    @discardableResult
    public mutating func multiply(by factor: Int64) -> Bool {
        self.keptText = ""
        if case .small(var number) = self.amount, number.multiply(by: factor) {
            self.amount = .small(number)
            return true
        }
        var number = self.wide
        number.unscaled.multiply(by: factor)
        let fits = number.unscaled.exactInt64 != nil
        self.amount = .wide(number)
        return fits
    }

    /// Rounds to a whole number of units of `scale`, away from zero.
    ///
    /// - Returns: whether the value is unchanged.
    @discardableResult
    public mutating func roundUp(to scale: Scale) -> Bool {
        switch self.amount {
        case .small(var number):
            // The text stays when there is nothing to round.
            guard number.scale < scale.rawValue else { return true }
            self.keptText = ""
            let isExact = number.roundAwayFromZero(toScale: scale.rawValue)
            self.amount = .small(number)
            return isExact
        case .wide(let number):
            self.keptText = ""
            let (rounded, isExact) = number.roundedAwayFromZero(places: -Int(scale.rawValue))
            self.amount = .wide(rounded)
            return isExact
        }
    }

    /// -1, 0 or 1 as the value is below, equal to or above that of `other`.
    public func compare(to other: Quantity) -> Int {
        if case .small(let left) = self.amount, case .small(let right) = other.amount {
            return ScaledInteger.compare(left, right)
        }
        return WideDecimal.compare(self.wide, other.wide)
    }

    /// -1, 0 or 1 as the value is below, equal to or above `integer`.
    public func compare(to integer: Int64) -> Int {
        self.compare(to: Quantity(integer))
    }
}

extension Quantity: Comparable {
    public static func == (left: Quantity, right: Quantity) -> Bool {
        left.compare(to: right) == 0
    }

    public static func < (left: Quantity, right: Quantity) -> Bool {
        left.compare(to: right) < 0
    }
}

extension Quantity: Hashable {
    public func hash(into hasher: inout Hasher) {
        // Equal values in different representations must agree.
        var digits = self.wide
        let removed = digits.unscaled.removeFactors(of: 10)
        digits.places = digits.unscaled.isZero ? 0 : digits.places - removed
        hasher.combine(digits)
    }
}
