// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension Quantity {
    /// What `canonicalize` finds out about a text.
    public enum Canonicalization: Sendable {
        /// The text is what upstream would write back, byte for byte.
        case unchanged
        /// Upstream would write back another text: that of this quantity.
        case changed(Quantity)
    }

    /// Tells whether the text of a quantity, as it stands in JSON (in a string or as a number), is
    /// canonical. That is the case for nearly all texts met, and is found without allocating.
    ///
    /// White space around the quantity is ignored, and is no part of the canonical text.
    public static func canonicalize(
        _ text: borrowing Span<UInt8>
    ) throws(QuantityError) -> Canonicalization {
        guard let last = text.isEmpty ? nil : text[text.count - 1] else { throw .format }
        // White space, ASCII or not, is outside of this range; so is nothing that counts.
        guard text[0] > 0x20, text[0] < 0x80, last > 0x20, last < 0x80 else {
            let range = trimmedRange(of: text)
            guard range.count < text.count else {
                return .changed(try Quantity(parsing: text))
            }
            return .changed(try Quantity(parsing: text.extracting(range)))
        }
        let parts = try QuantityParts(scanning: text)
        guard let (amount, keepsText) = try parts.fastAmount(of: text) else {
            let quantity = try parts.slowQuantity(of: text)
            var canonical: [UInt8] = []
            quantity.write(to: &canonical)
            return canonical.span.equals(text) ? .unchanged : .changed(quantity)
        }
        if keepsText {
            return .unchanged
        }
        let quantity = Quantity(amount: .small(amount), format: parts.suffix.format)
        guard let short = quantity.shortText() else {
            return .changed(quantity)
        }
        return short.equals(text) ? .unchanged : .changed(quantity)
    }

    /// Tells whether the text of a quantity, as it stands in JSON, is canonical.
    public static func canonicalize(
        _ text: UnsafeRawBufferPointer
    ) throws(QuantityError) -> Canonicalization {
        let bytes = unsafe text.assumingMemoryBound(to: UInt8.self)
        return try unsafe Quantity.canonicalize(bytes.span)
    }
}

extension Span where Element == UInt8 {
    fileprivate func equals(_ other: borrowing Span<UInt8>) -> Bool {
        guard self.count == other.count else { return false }
        for index in 0..<self.count where self[index] != other[index] {
            return false
        }
        return true
    }
}
