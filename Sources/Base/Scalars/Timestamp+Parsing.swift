// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension Timestamp {
    /// Parses a time with any UTC offset.
    ///
    /// Accepts what Go's `time.Parse` accepts for the layout, which is a little more than RFC 3339:
    /// an hour of one digit, a comma before the fraction, an offset of 24:60. A second of 60 is
    /// refused. The years are 0000 to 9999.
    public init(
        parsing text: borrowing Span<UInt8>,
        as layout: Layout
    ) throws(TimestampError) {
        if let quick = Timestamp(parsingUTC: text, as: layout) {
            self = quick
            return
        }
        var parser = TimestampParser(layout: layout)
        self = try parser.parse(text)
    }

    /// Parses a time with any UTC offset.
    public init(
        parsing text: UnsafeRawBufferPointer,
        as layout: Layout
    ) throws(TimestampError) {
        let bytes = unsafe text.assumingMemoryBound(to: UInt8.self)
        self = try unsafe Timestamp(parsing: bytes.span, as: layout)
    }

    /// Parses a time with any UTC offset.
    public init(parsing text: String, as layout: Layout) throws(TimestampError) {
        self = try Timestamp(parsing: text.utf8.span, as: layout)
    }

    /// The usual case: a text as `write` makes it, for Time and MicroTime. Nil for all else.
    private init?(parsingUTC text: borrowing Span<UInt8>, as layout: Layout) {
        let count = text.count
        guard count == 20 && layout != .microTime || count == 27 && layout == .microTime,
            text[4] == UInt8(ascii: "-"), text[7] == UInt8(ascii: "-"),
            text[10] == UInt8(ascii: "T"), text[13] == UInt8(ascii: ":"),
            text[16] == UInt8(ascii: ":"), text[count - 1] == UInt8(ascii: "Z"),
            let century = twoDigits(text, at: 0), let yearOfCentury = twoDigits(text, at: 2),
            let month = twoDigits(text, at: 5), month >= 1, month <= 12,
            let day = twoDigits(text, at: 8), day >= 1,
            let hour = twoDigits(text, at: 11), hour <= 23,
            let minute = twoDigits(text, at: 14), minute <= 59,
            let second = twoDigits(text, at: 17), second <= 59
        else { return nil }
        let date = CivilDate(year: Int64(century * 100 + yearOfCentury), month: month, day: day)
        guard day <= CivilDate.days(inMonth: month, ofYear: date.year) else { return nil }
        var microseconds = 0
        if layout == .microTime {
            guard text[19] == UInt8(ascii: "."), let first = twoDigits(text, at: 20),
                let second = twoDigits(text, at: 22), let third = twoDigits(text, at: 24)
            else { return nil }
            microseconds = (first * 100 + second) * 100 + third
        }
        let secondOfDay = Int64((hour * 60 + minute) * 60 + second)
        self.init(
            seconds: date.daysSinceUnixEpoch * CivilDate.secondsPerDay + secondOfDay,
            nanoseconds: Int32(microseconds * 1_000)
        )
    }
}

@inline(__always)
private func twoDigits(_ text: borrowing Span<UInt8>, at index: Int) -> Int? {
    let (tens, ones) = (text[index], text[index + 1])
    guard tens.isDigit, ones.isDigit else { return nil }
    return Int(tens.digitValue * 10 + ones.digitValue)
}

/// Go's `time.Parse`, cut down to the three layouts: it finds the same first error.
private struct TimestampParser {
    let layout: Timestamp.Layout
    var position = 0

    init(layout: Timestamp.Layout) {
        self.layout = layout
    }

    mutating func parse(
        _ text: borrowing Span<UInt8>
    ) throws(TimestampError) -> Timestamp {
        let year = try self.year(text)
        try self.literal("-", text)
        let month = try self.number("01", text, fixed: true, range: 1...12, name: "month")
        try self.literal("-", text)
        // The day is judged at the end, when all else is known to be fine.
        let day = try self.number("02", text, fixed: true, range: 0...99, name: "day")
        try self.literal("T", text)
        let hour = try self.number("15", text, fixed: false, range: 0...23, name: "hour")
        try self.literal(":", text)
        let minute = try self.number("04", text, fixed: true, range: 0...59, name: "minute")
        try self.literal(":", text)
        let second = try self.number("05", text, fixed: true, range: 0...59, name: "second")
        let nanoseconds = try self.fraction(text)
        let offset = try self.offset(text)
        if self.position < text.count {
            let rest = goQuoted(text.extracting(self.position..<text.count))
            throw self.outOfRange(text, ": extra text: \(rest)")
        }
        guard day >= 1, day <= CivilDate.days(inMonth: month, ofYear: Int64(year)) else {
            throw self.outOfRange(text, ": day out of range")
        }
        let date = CivilDate(year: Int64(year), month: month, day: day)
        let secondOfDay = Int64((hour * 60 + minute) * 60 + second - offset)
        return Timestamp(
            seconds: date.daysSinceUnixEpoch * CivilDate.secondsPerDay + secondOfDay,
            nanoseconds: self.layout == .time ? 0 : nanoseconds
        )
    }

    private mutating func year(_ text: borrowing Span<UInt8>) throws(TimestampError) -> Int {
        guard text.count >= 4 else { throw self.cannotParse(text, "2006") }
        var year = 0
        for index in 0..<4 {
            guard text[index].isDigit else { throw self.cannotParse(text, "2006") }
            year = year * 10 + Int(text[index].digitValue)
        }
        self.position = 4
        return year
    }

    private mutating func literal(
        _ literal: Unicode.Scalar,
        _ text: borrowing Span<UInt8>
    ) throws(TimestampError) {
        guard self.position < text.count, text[self.position] == UInt8(ascii: literal) else {
            throw self.cannotParse(text, String(Character(literal)))
        }
        self.position += 1
    }

    /// One or two digits (two when `fixed`).
    private mutating func number(
        _ element: String,
        _ text: borrowing Span<UInt8>,
        fixed: Bool,
        range: ClosedRange<Int>,
        name: String
    ) throws(TimestampError) -> Int {
        guard let (number, width) = self.digits(text, at: self.position, fixed: fixed) else {
            throw self.cannotParse(text, element)
        }
        guard range.contains(number) else {
            throw self.outOfRange(text, ": \(name) out of range")
        }
        self.position += width
        return number
    }

    private func digits(
        _ text: borrowing Span<UInt8>,
        at index: Int,
        fixed: Bool
    ) -> (number: Int, width: Int)? {
        guard index < text.count, text[index].isDigit else { return nil }
        let first = Int(text[index].digitValue)
        guard index + 1 < text.count, text[index + 1].isDigit else {
            return fixed ? nil : (first, 1)
        }
        return (first * 10 + Int(text[index + 1].digitValue), 2)
    }

    /// The fraction of the second, in nanoseconds.
    private mutating func fraction(
        _ text: borrowing Span<UInt8>
    ) throws(TimestampError) -> Int32 {
        guard self.layout == .microTime else {
            // Any number of digits, or none at all.
            guard self.position + 1 < text.count, isPoint(text[self.position]),
                text[self.position + 1].isDigit
            else { return 0 }
            self.position += 1
            var nanoseconds: Int32 = 0
            var digits = 0
            while self.position < text.count, text[self.position].isDigit {
                if digits < 9 {
                    nanoseconds = nanoseconds * 10 + Int32(text[self.position].digitValue)
                    digits += 1
                }
                self.position += 1
            }
            return nanoseconds * Int32(powerOfTen(9 - digits))
        }
        guard text.count - self.position >= 7, isPoint(text[self.position]) else {
            throw self.cannotParse(text, ".000000")
        }
        // Go reads the digits as a number, which may have a sign.
        let sign = text[self.position + 1]
        let hasSign = sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+")
        var microseconds: Int32 = 0
        for index in self.position + (hasSign ? 2 : 1)..<self.position + 7 {
            guard text[index].isDigit else { throw self.cannotParse(text, ".000000") }
            microseconds = microseconds * 10 + Int32(text[index].digitValue)
        }
        if sign == UInt8(ascii: "-"), microseconds > 0 {
            throw self.outOfRange(text, ": fractional second out of range")
        }
        self.position += 7
        return microseconds * 1_000
    }

    /// The offset from UTC, in seconds.
    private mutating func offset(_ text: borrowing Span<UInt8>) throws(TimestampError) -> Int {
        if self.position < text.count, text[self.position] == UInt8(ascii: "Z") {
            self.position += 1
            return 0
        }
        guard text.count - self.position >= 6, text[self.position + 3] == UInt8(ascii: ":") else {
            throw self.cannotParse(text, "Z07:00")
        }
        let hour = self.digits(text, at: self.position + 1, fixed: true)
        let minute = hour == nil ? nil : self.digits(text, at: self.position + 4, fixed: true)
        // Ranges go first, and the later one wins, also where the sign or a digit is wrong.
        if let minute, minute.number > 60 {
            throw self.outOfRange(text, ": time zone offset minute out of range")
        }
        if let hour, hour.number > 24 {
            throw self.outOfRange(text, ": time zone offset hour out of range")
        }
        guard let hour, let minute else { throw self.cannotParse(text, "Z07:00") }
        let seconds = (hour.number * 60 + minute.number) * 60
        switch text[self.position] {
        case UInt8(ascii: "+"):
            self.position += 6
            return seconds
        case UInt8(ascii: "-"):
            self.position += 6
            return -seconds
        default:
            throw self.cannotParse(text, "Z07:00")
        }
    }

    private func cannotParse(
        _ text: borrowing Span<UInt8>,
        _ element: String
    ) -> TimestampError {
        let rest = goQuoted(text.extracting(self.position..<text.count))
        return TimestampError(
            description: "parsing time \(goQuoted(text)) as \"\(self.layout.goLayout)\": "
                + "cannot parse \(rest) as \"\(element)\""
        )
    }

    private func outOfRange(
        _ text: borrowing Span<UInt8>,
        _ message: String
    ) -> TimestampError {
        TimestampError(description: "parsing time \(goQuoted(text))\(message)")
    }
}

private func isPoint(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: ".") || byte == UInt8(ascii: ",")
}
