// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

// Fuzzes the texts of quantities, times and durations.
//
// Strategy: the first byte picks what the rest is: two quantities with a comma between them, a time in one
// of its layouts, or a duration. These alphabets are small; no corpus is needed, and short inputs do.
//
// Invariants:
// - the text of a quantity parses as an equal quantity, unless it has lost an exponent above E, and then
//   stays the same; `canonicalize` says of it that it is canonical;
// - `canonicalize` agrees with the parser about what is a quantity and what its text is;
// - a + b - b = a, a - a = 0, a + b = b + a; comparison is antisymmetric and agrees with the sign of
//   the difference; equal quantities hash alike; rounding up never comes closer to zero;
// - a printed time or duration parses as the same one.
// An input that is none gives an error. Nothing traps.

import Scalars

/// Checks one input; libFuzzer calls it.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzQuantity(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start, count > 0 else { return 0 }
    let text = UnsafeBufferPointer(start: start + 1, count: count - 1)
    switch start.pointee & 7 {
    case 0: checkTime(text, .time)
    case 1: checkTime(text, .microTime)
    case 2: checkTime(text, .nanoseconds)
    case 3: checkDuration(text)
    default: checkQuantities(text)
    }
    return 0
}

private func checkQuantities(_ text: UnsafeBufferPointer<UInt8>) {
    let parts = text.split(separator: UInt8(ascii: ","), maxSplits: 1).map(Array.init)
    let quantities = parts.compactMap(checkQuantity)
    guard let first = quantities.first, let second = quantities.last else { return }
    checkArithmetic(first, second)
}

private func checkQuantity(_ text: [UInt8]) -> Quantity? {
    let verdict = try? Quantity.canonicalize(text.span)
    guard let quantity = try? Quantity(parsing: text.span) else {
        // White space around is fine for JSON only.
        if case .unchanged = verdict { fatalError("canonical, but no quantity") }
        return nil
    }
    let canonical = Array(quantity.text.utf8)
    switch verdict {
    case .unchanged: precondition(canonical == text, "not what it was")
    case .changed(let other):
        precondition(canonical != text && Array(other.text.utf8) == canonical, "another text")
    case nil: fatalError("a quantity that is refused")
    }
    guard let again = try? Quantity(parsing: canonical.span) else {
        // An exponent beyond the limit comes out of the canonical form only at the limit's edge.
        precondition(quantity.format == .decimalExponent, "the text is no quantity")
        return quantity
    }
    precondition(Array(again.text.utf8) == canonical, "the text changes again")
    let hasLostExponent =
        quantity.format != .decimalExponent
        && abs(quantity.approximateDouble) >= 1e20
        && again != quantity
    precondition(again == quantity || hasLostExponent, "the text says something else")
    return quantity
}

private func checkArithmetic(_ first: Quantity, _ second: Quantity) {
    var sum = first
    sum.add(second)
    var reversed = second
    reversed.add(first)
    precondition(sum == reversed && sum.hashValue == reversed.hashValue, "a + b is not b + a")
    sum.subtract(second)
    precondition(sum == first && sum.hashValue == first.hashValue, "a + b - b is not a")
    var difference = first
    difference.subtract(second)
    precondition(first.compare(to: second) == -second.compare(to: first), "not antisymmetric")
    precondition(first.compare(to: second) == difference.sign, "not the sign of the difference")
    var negative = first
    negative.negate()
    negative.add(first)
    precondition(negative.isZero && negative.text == "0", "a - a is not 0")
    for scale: Quantity.Scale in [.nano, .micro, .milli, .unit, .kilo, .exa] {
        var rounded = first
        let isExact = rounded.roundUp(to: scale)
        precondition(isExact == (rounded == first), "wrong about being exact")
        precondition(
            first.sign >= 0 ? rounded >= first : rounded <= first,
            "rounded towards zero"
        )
        _ = first.scaledValue(scale)
        _ = difference.scaledValue(scale)
    }
    for factor: Int64 in [0, 1, -1, 3, .max, .min] {
        var product = first
        product.multiply(by: factor)
        precondition(product.sign == first.sign * Int(factor.signum()), "wrong sign")
        _ = product.text
    }
}

private func checkTime(_ text: UnsafeBufferPointer<UInt8>, _ layout: Timestamp.Layout) {
    guard let timestamp = try? Timestamp(parsing: text.span, as: layout) else { return }
    precondition((0..<1_000_000_000).contains(timestamp.nanoseconds), "nanoseconds")
    let printed = timestamp.text(as: layout)
    guard let again = try? Timestamp(parsing: printed, as: layout) else {
        // An offset leads out of the years that have four digits.
        precondition(printed.utf8.count > 20 || printed.hasPrefix("-"), "\(printed)")
        return
    }
    precondition(again == timestamp, "\(printed)")
}

private func checkDuration(_ text: UnsafeBufferPointer<UInt8>) {
    guard let duration = try? GoDuration(parsing: text.span) else { return }
    guard let again = try? GoDuration(parsing: duration.text) else {
        fatalError("\(duration.text)")
    }
    precondition(again == duration, "\(duration.text)")
}
