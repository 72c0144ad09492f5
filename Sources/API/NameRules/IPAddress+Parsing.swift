// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension IPAddress {
    /// How closely a text must follow the standards.
    public enum Strictness: Sendable {
        /// As Go's `netip` package: no leading zeros in version 4, at most four digits in a group
        /// of version 6.
        case strict
        /// As upstream has always read its older fields: leading zeros are skipped.
        case sloppy
    }

    /// The longest text of an address that is read: far above the 45 bytes that one needs, and
    /// room for the leading zeros of old.
    static let maximumTextBytes = 512

    /// Reads `10.9.8.7` or `2001:db8::ffff` (RFC 4291 section 2.2); nil when the text is neither.
    ///
    /// Zones (`%eth0`) are not read.
    public init?(parsing text: String, _ strictness: Strictness = .strict) {
        self.init(parsing: text.utf8.span, strictness)
    }

    /// Reads an address.
    init?(parsing text: borrowing Span<UInt8>, _ strictness: Strictness) {
        guard text.count <= Self.maximumTextBytes else { return nil }
        // The first of the two marks tells the version.
        for index in 0..<text.count {
            if text[index] == UInt8(ascii: ".") {
                guard let bits = Self.ipv4(text, from: 0, strictness) else { return nil }
                self.init(ipv4: bits)
                return
            }
            if text[index] == UInt8(ascii: ":") {
                guard let (high, low) = Self.ipv6(text, strictness) else { return nil }
                self.init(ipv6High: high, low: low)
                return
            }
        }
        return nil
    }

    /// The dotted decimal number that ends the text.
    private static func ipv4(
        _ text: borrowing Span<UInt8>,
        from start: Int,
        _ strictness: Strictness
    ) -> UInt32? {
        var bits: UInt32 = 0
        var position = start
        for part in 0..<4 {
            if part > 0 {
                guard position < text.count, text[position] == UInt8(ascii: ".") else {
                    return nil
                }
                position += 1
            }
            let first = position
            var value: UInt32 = 0
            while position < text.count, text[position].isDigit {
                value = value * 10 + UInt32(text[position] & 15)
                guard value <= 255 else { return nil }
                position += 1
            }
            let digitCount = position - first
            guard digitCount > 0 else { return nil }
            if strictness == .strict, digitCount > 1, text[first] == UInt8(ascii: "0") {
                return nil
            }
            bits = bits << 8 | value
        }
        return position == text.count ? bits : nil
    }

    /// Groups of hexadecimal digits, at most one run of zero groups left out, and perhaps a
    /// version 4 address at the end.
    private static func ipv6(
        _ text: borrowing Span<UInt8>,
        _ strictness: Strictness
    ) -> (UInt64, UInt64)? {
        var groups = IPv6Groups()
        var position = 0
        if text.count >= 2, text[0] == UInt8(ascii: ":"), text[1] == UInt8(ascii: ":") {
            groups.ellipsis = 0
            position = 2
            if position == text.count { return (0, 0) }
        }
        while groups.count < 8 {
            let first = position
            var value: UInt32 = 0
            while position < text.count, let digit = self.hexDigit(text[position]) {
                value = value << 4 | digit
                guard value <= 0xFFFF else { return nil }
                position += 1
            }
            let digitCount = position - first
            guard digitCount > 0 else { return nil }
            if position < text.count, text[position] == UInt8(ascii: ".") {
                guard groups.count <= 6, groups.ellipsis != nil || groups.count == 6,
                    let bits = self.ipv4(text, from: first, strictness)
                else { return nil }
                groups.append(UInt16(truncatingIfNeeded: bits >> 16))
                groups.append(UInt16(truncatingIfNeeded: bits))
                position = text.count
                break
            }
            if strictness == .strict, digitCount > 4 { return nil }
            groups.append(UInt16(truncatingIfNeeded: value))
            if position == text.count { break }
            guard text[position] == UInt8(ascii: ":"), position + 1 < text.count else {
                return nil
            }
            position += 1
            if text[position] == UInt8(ascii: ":") {
                guard groups.ellipsis == nil else { return nil }
                groups.ellipsis = groups.count
                position += 1
                if position == text.count { break }
            }
        }
        guard position == text.count else { return nil }
        return groups.expanded
    }

    private static func hexDigit(_ byte: UInt8) -> UInt32? {
        if byte.isDigit { return UInt32(byte & 15) }
        let letter = byte | 0x20
        return letter &- UInt8(ascii: "a") < 6 ? UInt32(letter - UInt8(ascii: "a")) + 10 : nil
    }
}

/// The groups read so far, in one 128 bit number.
private struct IPv6Groups {
    var high: UInt64 = 0
    var low: UInt64 = 0
    var count = 0

    /// How many groups stand before the run that was left out.
    var ellipsis: Int?

    mutating func append(_ group: UInt16) {
        self.high = self.high << 16 | self.low >> 48
        self.low = self.low << 16 | UInt64(group)
        self.count += 1
    }

    /// All eight groups, or nil when there are too few or the run that was left out is empty.
    var expanded: (UInt64, UInt64)? {
        guard let ellipsis = self.ellipsis else {
            return self.count == 8 ? (self.high, self.low) : nil
        }
        guard self.count < 8 else { return nil }
        // Groups after the run stay where they are; those before it move to the front.
        let tail = self.count - ellipsis
        let number = UInt128(truncatingIfNeeded: self.high) << 64 | UInt128(self.low)
        let tailBits = tail * 16
        let head = number >> UInt128(tailBits)
        let rest = tail == 0 ? 0 : number & (UInt128.max >> UInt128(128 - tailBits))
        let result = (ellipsis == 0 ? 0 : head << UInt128(128 - ellipsis * 16)) | rest
        return (UInt64(truncatingIfNeeded: result >> 64), UInt64(truncatingIfNeeded: result))
    }
}
