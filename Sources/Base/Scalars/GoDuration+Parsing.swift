// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension GoDuration {
    /// Parses a sequence of decimal numbers with units, such as `-1.5h`, `2h45m` or `300ms`.
    ///
    /// Answers as Go's `time.ParseDuration`: fractions are computed in floating point and cut to
    /// nanoseconds, `0` needs no unit, units are ns, us (also with either Greek mu), ms, s, m, h.
    public init(parsing text: borrowing Span<UInt8>) throws(GoDurationError) {
        var parser = GoDurationParser()
        self.init(nanoseconds: try parser.parse(text))
    }

    /// Parses a duration.
    public init(parsing text: UnsafeRawBufferPointer) throws(GoDurationError) {
        let bytes = unsafe text.assumingMemoryBound(to: UInt8.self)
        self = try unsafe GoDuration(parsing: bytes.span)
    }

    /// Parses a duration.
    public init(parsing text: String) throws(GoDurationError) {
        self = try GoDuration(parsing: text.utf8.span)
    }
}

private struct GoDurationParser {
    /// The magnitude of the most negative duration, one above the largest.
    private static let limit: UInt64 = 1 << 63

    private var position = 0

    mutating func parse(_ text: borrowing Span<UInt8>) throws(GoDurationError) -> Int64 {
        var isNegative = false
        if !text.isEmpty, text[0] == UInt8(ascii: "-") || text[0] == UInt8(ascii: "+") {
            isNegative = text[0] == UInt8(ascii: "-")
            self.position = 1
        }
        guard self.position < text.count else { throw self.invalid(text) }
        if self.position + 1 == text.count, text[self.position] == UInt8(ascii: "0") {
            return 0
        }
        var total: UInt64 = 0
        while self.position < text.count {
            // Two halves of the range add up to zero here, as they do in Go.
            total &+= try self.element(text)
            guard total <= GoDurationParser.limit else { throw self.invalid(text) }
        }
        if isNegative {
            return 0 &- Int64(bitPattern: total)
        }
        guard let result = Int64(exactly: total) else { throw self.invalid(text) }
        return result
    }

    /// One number with its unit, in nanoseconds.
    private mutating func element(
        _ text: borrowing Span<UInt8>
    ) throws(GoDurationError) -> UInt64 {
        let start = self.position
        var whole: UInt64 = 0
        while self.position < text.count, text[self.position].isDigit {
            guard whole <= GoDurationParser.limit / 10 else { throw self.invalid(text) }
            whole = whole * 10 + text[self.position].digitValue
            guard whole <= GoDurationParser.limit else { throw self.invalid(text) }
            self.position += 1
        }
        var hasDigits = self.position > start
        var fraction: UInt64 = 0
        var scale = 1.0
        if self.position < text.count, text[self.position] == UInt8(ascii: ".") {
            self.position += 1
            var isFull = false
            while self.position < text.count, text[self.position].isDigit {
                hasDigits = true
                // Digits beyond the precision are read over.
                isFull = isFull || fraction > (GoDurationParser.limit - 1) / 10
                if !isFull {
                    let next = fraction * 10 + text[self.position].digitValue
                    isFull = next > GoDurationParser.limit
                    if !isFull {
                        fraction = next
                        scale *= 10
                    }
                }
                self.position += 1
            }
        }
        guard hasDigits else { throw self.invalid(text) }
        let unit = try self.unit(text)
        guard whole <= GoDurationParser.limit / unit else { throw self.invalid(text) }
        var value = whole * unit
        if fraction > 0 {
            // Below one unit, which is at most an hour.
            value += UInt64(Double(fraction) * (Double(unit) / scale))
            guard value <= GoDurationParser.limit else { throw self.invalid(text) }
        }
        return value
    }

    /// The unit, in nanoseconds: all up to the next number.
    private mutating func unit(_ text: borrowing Span<UInt8>) throws(GoDurationError) -> UInt64 {
        let start = self.position
        while self.position < text.count, text[self.position] != UInt8(ascii: "."),
            !text[self.position].isDigit
        {
            self.position += 1
        }
        let name = start..<self.position
        guard !name.isEmpty else {
            throw GoDurationError(
                description: "time: missing unit in duration \(goQuoted(text))"
            )
        }
        let first = text[start]
        let second = name.count > 1 ? text[start + 1] : 0
        let third = name.count > 2 ? text[start + 2] : 0
        switch (name.count, first, second, third) {
        case (1, UInt8(ascii: "h"), _, _): return GoDuration.hour
        case (1, UInt8(ascii: "m"), _, _): return GoDuration.minute
        case (1, UInt8(ascii: "s"), _, _): return GoDuration.second
        case (2, UInt8(ascii: "m"), UInt8(ascii: "s"), _): return GoDuration.millisecond
        case (2, UInt8(ascii: "u"), UInt8(ascii: "s"), _),
            // The micro sign and the letter mu.
            (3, 0xC2, 0xB5, UInt8(ascii: "s")), (3, 0xCE, 0xBC, UInt8(ascii: "s")):
            return GoDuration.microsecond
        case (2, UInt8(ascii: "n"), UInt8(ascii: "s"), _): return 1
        default:
            let unit = goQuoted(text.extracting(name))
            throw GoDurationError(
                description: "time: unknown unit \(unit) in duration \(goQuoted(text))"
            )
        }
    }

    private func invalid(_ text: borrowing Span<UInt8>) -> GoDurationError {
        GoDurationError(description: "time: invalid duration \(goQuoted(text))")
    }
}
