// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Whether goyaml takes a text for a date or a time: `2001-1-2`, `2001-01-02T3:04:05.6Z` (also with
/// a small t, any offset), or `2001-01-02 3:04:05.6`. The numbers have to be in range.
///
/// Such a text is read as a string, and has to be quoted when it is written as one.
/// Source: `parseTimestamp` in `resolve.go` of go.yaml.in/yaml/v2, over Go's `time.Parse`.
func looksLikeTimestamp(_ text: borrowing Span<UInt8>) -> Bool {
    // All forms start with four digits and a hyphen, which few texts do.
    guard text.count > 4, text[4] == UInt8(ascii: "-") else { return false }
    var scanner = TimestampScanner(position: 0)
    guard scanner.year(text), scanner.skip(text, UInt8(ascii: "-")),
        let month = scanner.number(text), (1...12).contains(month),
        scanner.skip(text, UInt8(ascii: "-")), let day = scanner.number(text)
    else { return false }
    let year = scanner.yearValue
    guard day >= 1, day <= daysIn(month: month, year: year) else { return false }
    guard scanner.position < text.count else { return true }
    switch text[scanner.position] {
    case UInt8(ascii: "T"), UInt8(ascii: "t"):
        scanner.position += 1
        return scanner.time(text) && scanner.offset(text) && scanner.position == text.count
    case UInt8(ascii: " "):
        while scanner.skip(text, UInt8(ascii: " ")) {}
        return scanner.time(text) && scanner.position == text.count
    default:
        return false
    }
}

private func daysIn(month: Int, year: Int) -> Int {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
}

private struct TimestampScanner {
    var position: Int
    var yearValue = 0

    mutating func year(_ text: borrowing Span<UInt8>) -> Bool {
        for index in 0..<4 {
            guard isDigit(text[index]) else { return false }
            self.yearValue = self.yearValue * 10 + Int(text[index] - UInt8(ascii: "0"))
        }
        self.position = 4
        return true
    }

    mutating func skip(_ text: borrowing Span<UInt8>, _ byte: UInt8) -> Bool {
        guard self.position < text.count, text[self.position] == byte else { return false }
        self.position += 1
        return true
    }

    /// One or two digits.
    mutating func number(_ text: borrowing Span<UInt8>) -> Int? {
        guard self.position < text.count, isDigit(text[self.position]) else { return nil }
        var value = Int(text[self.position] - UInt8(ascii: "0"))
        self.position += 1
        if self.position < text.count, isDigit(text[self.position]) {
            value = value * 10 + Int(text[self.position] - UInt8(ascii: "0"))
            self.position += 1
        }
        return value
    }

    /// Hour, minute, second and a fraction.
    mutating func time(_ text: borrowing Span<UInt8>) -> Bool {
        guard let hour = self.number(text), hour < 24, self.skip(text, UInt8(ascii: ":")),
            let minute = self.number(text), minute < 60, self.skip(text, UInt8(ascii: ":")),
            let second = self.number(text), second < 60
        else { return false }
        if self.position + 1 < text.count, isDigit(text[self.position + 1]),
            text[self.position] == UInt8(ascii: ".") || text[self.position] == UInt8(ascii: ",")
        {
            self.position += 1
            while self.position < text.count, isDigit(text[self.position]) {
                self.position += 1
            }
        }
        return true
    }

    /// `Z`, or a sign, two digits, a colon and two digits.
    mutating func offset(_ text: borrowing Span<UInt8>) -> Bool {
        if self.skip(text, UInt8(ascii: "Z")) {
            return true
        }
        guard text.count - self.position >= 6,
            self.skip(text, UInt8(ascii: "+")) || self.skip(text, UInt8(ascii: "-")),
            isDigit(text[self.position + 1]), let hour = self.number(text), hour <= 24,
            self.skip(text, UInt8(ascii: ":")),
            isDigit(text[self.position + 1]), let minute = self.number(text), minute <= 60
        else { return false }
        return true
    }
}
