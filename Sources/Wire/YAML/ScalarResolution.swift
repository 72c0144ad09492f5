// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The type and value that the text of a plain scalar stands for.
struct ScalarResolution: Equatable {
    var type: ScalarType
    /// A number or truth value: its bits.
    var bits: UInt64 = 0
    /// A date or time: a string all the same, but one that has to be quoted.
    var isTimestamp = false

    static let string = ScalarResolution(type: .string)
    static let null = ScalarResolution(type: .null)
    static let timestamp = ScalarResolution(type: .string, isTimestamp: true)

    static func boolean(_ value: Bool) -> ScalarResolution {
        ScalarResolution(type: .boolean, bits: value ? 1 : 0)
    }

    static func float(_ value: Double) -> ScalarResolution {
        ScalarResolution(type: .float, bits: value.bitPattern)
    }

    init(type: ScalarType, bits: UInt64 = 0, isTimestamp: Bool = false) {
        self.type = type
        self.bits = bits
        self.isTimestamp = isTimestamp
    }

    /// Finds out what a text is, by goyaml's rules (`resolve.go` of go.yaml.in/yaml/v2): the words of
    /// YAML 1.1, numbers of Go's syntax with underscores anywhere, no sexagesimal numbers.
    ///
    /// - Parameter mayBeTimestamp: false when a tag other than `!!timestamp` says what it must be.
    init(resolving text: borrowing Span<UInt8>, mayBeTimestamp: Bool = true) {
        guard !text.isEmpty else {
            self = .null
            return
        }
        switch text[0] {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"):
            if let word = ScalarResolution(word: text) {
                self = word
            } else if mayBeTimestamp, looksLikeTimestamp(text) {
                self = .timestamp
            } else {
                self = ScalarResolution(number: text) ?? .string
            }
        case UInt8(ascii: "."):
            if let word = ScalarResolution(word: text) {
                self = word
            } else {
                self = ScalarResolution(fraction: text) ?? .string
            }
        case UInt8(ascii: "y"), UInt8(ascii: "Y"), UInt8(ascii: "n"), UInt8(ascii: "N"),
            UInt8(ascii: "t"), UInt8(ascii: "T"), UInt8(ascii: "f"), UInt8(ascii: "F"),
            UInt8(ascii: "o"), UInt8(ascii: "O"), UInt8(ascii: "~"):
            self = ScalarResolution(word: text) ?? .string
        default:
            self = .string
        }
    }

    /// One of the words for truth values, null, infinity and "not a number".
    private init?(word text: borrowing Span<UInt8>) {
        switch text.count {
        case 1:
            switch text[0] {
            case UInt8(ascii: "y"), UInt8(ascii: "Y"): self = .boolean(true)
            case UInt8(ascii: "n"), UInt8(ascii: "N"): self = .boolean(false)
            case UInt8(ascii: "~"): self = .null
            default: return nil
            }
        case 2:
            if isWord(text, "no") {
                self = .boolean(false)
            } else if isWord(text, "on") {
                self = .boolean(true)
            } else {
                return nil
            }
        case 3:
            if isWord(text, "yes") {
                self = .boolean(true)
            } else if isWord(text, "off") {
                self = .boolean(false)
            } else {
                return nil
            }
        case 4:
            if isWord(text, "true") {
                self = .boolean(true)
            } else if isWord(text, "null") {
                self = .null
            } else if text[0] == UInt8(ascii: ".") {
                let name = text.extracting(1..<4)
                if isWord(name, "inf") {
                    self = .float(.infinity)
                } else if isExactly(name, "nan") || isExactly(name, "NaN")
                    || isExactly(name, "NAN")
                {
                    self = .float(.nan)
                } else {
                    return nil
                }
            } else {
                return nil
            }
        case 5:
            if isWord(text, "false") {
                self = .boolean(false)
            } else if text[1] == UInt8(ascii: "."), isWord(text.extracting(2..<5), "inf") {
                switch text[0] {
                case UInt8(ascii: "+"): self = .float(.infinity)
                case UInt8(ascii: "-"): self = .float(-.infinity)
                default: return nil
                }
            } else {
                return nil
            }
        default:
            return nil
        }
    }

    /// A number that starts with a point. Go reads it: underscores stand between digits only.
    private init?(fraction text: borrowing Span<UInt8>) {
        var plain: [UInt8] = []
        for index in 0..<text.count {
            if text[index] == UInt8(ascii: "_") {
                guard index > 0, isDigit(text[index - 1]), index + 1 < text.count,
                    isDigit(text[index + 1])
                else { return nil }
            } else {
                plain.append(text[index])
            }
        }
        guard let value = parseFloat(plain.span) else { return nil }
        self = .float(value)
    }

    /// An integer or a decimal number.
    private init?(number text: borrowing Span<UInt8>) {
        for index in 0..<text.count where text[index] == UInt8(ascii: "_") {
            var plain: [UInt8] = []
            plain.reserveCapacity(text.count)
            for index in 0..<text.count where text[index] != UInt8(ascii: "_") {
                plain.append(text[index])
            }
            self.init(plainNumber: plain.span)
            return
        }
        self.init(plainNumber: text)
    }

    /// A number without underscores.
    private init?(plainNumber text: borrowing Span<UInt8>) {
        if let integer = ScalarResolution(integer: text) {
            self = integer
            return
        }
        if let value = parseFloat(text) {
            self = .float(value)
            return
        }
        // goyaml's own reading of binary numbers lets a sign stand behind the prefix.
        guard text.count > 3, text[0] == UInt8(ascii: "0"), text[1] == UInt8(ascii: "b"),
            text[2] == UInt8(ascii: "-") || text[2] == UInt8(ascii: "+"),
            let magnitude = parseDigits(text.extracting(3..<text.count), base: 2)
        else { return nil }
        self.init(magnitude: magnitude, isNegative: text[2] == UInt8(ascii: "-"))
    }

    /// An integer of Go's syntax: decimal, `0x`, `0o`, `0b`, or octal after a zero.
    private init?(integer text: borrowing Span<UInt8>) {
        let hasSign = text[0] == UInt8(ascii: "+") || text[0] == UInt8(ascii: "-")
        let start = hasSign ? 1 : 0
        guard start < text.count else { return nil }
        var digits = start..<text.count
        var base: UInt64 = 10
        if text[start] == UInt8(ascii: "0") {
            let letter = text.count >= start + 3 ? text[start + 1] | 0x20 : 0
            switch letter {
            case UInt8(ascii: "x"): base = 16
            case UInt8(ascii: "o"): base = 8
            case UInt8(ascii: "b"): base = 2
            default: base = 0
            }
            digits = (base == 0 ? start + 1 : start + 2)..<text.count
            base = base == 0 ? 8 : base
            if digits.isEmpty {
                self.init(type: .integer)
                return
            }
        }
        guard let magnitude = parseDigits(text.extracting(digits), base: base) else { return nil }
        if hasSign || magnitude <= UInt64(Int64.max) {
            self.init(magnitude: magnitude, isNegative: text[0] == UInt8(ascii: "-"))
        } else {
            self.init(type: .unsigned, bits: magnitude)
        }
    }

    /// A signed 64-bit integer, if it is in range.
    private init?(magnitude: UInt64, isNegative: Bool) {
        guard magnitude <= UInt64(Int64.max) + (isNegative ? 1 : 0) else { return nil }
        self.init(type: .integer, bits: isNegative ? 0 &- magnitude : magnitude)
    }
}

/// Whether a text is a word in small letters, in capitals, or with a capital first.
private func isWord(_ text: borrowing Span<UInt8>, _ word: StaticString) -> Bool {
    guard text.count == word.utf8CodeUnitCount else { return false }
    let caseBit: UInt8 = 0x20
    let isCapitalized = text[0] & caseBit == 0
    let isUpper = text.count > 1 && text[1] & caseBit == 0
    guard isCapitalized || !isUpper else { return false }
    for index in 0..<text.count {
        let clear = index == 0 ? isCapitalized : isUpper
        let letter = unsafe word.utf8Start[index]
        guard text[index] == (clear ? letter & ~caseBit : letter) else { return false }
    }
    return true
}

private func isExactly(_ text: borrowing Span<UInt8>, _ word: StaticString) -> Bool {
    guard text.count == word.utf8CodeUnitCount else { return false }
    for index in 0..<text.count {
        guard unsafe text[index] == word.utf8Start[index] else { return false }
    }
    return true
}

/// Digits of a base up to 16 without sign, at least one; nil also when they exceed 64 bits.
private func parseDigits(_ text: borrowing Span<UInt8>, base: UInt64) -> UInt64? {
    guard !text.isEmpty else { return nil }
    var value: UInt64 = 0
    for index in 0..<text.count {
        let digit: UInt8
        switch text[index] {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = text[index] - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = text[index] - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = text[index] - UInt8(ascii: "A") + 10
        default: return nil
        }
        guard UInt64(digit) < base else { return nil }
        let (shifted, first) = value.multipliedReportingOverflow(by: base)
        let (sum, second) = shifted.addingReportingOverflow(UInt64(digit))
        guard !first, !second else { return nil }
        value = sum
    }
    return value
}

/// A decimal number with a point or an exponent or neither, in range of a `Double`.
private func parseFloat(_ text: borrowing Span<UInt8>) -> Double? {
    var position = 0
    func skipDigits(_ text: borrowing Span<UInt8>, _ position: inout Int) -> Bool {
        let start = position
        while position < text.count, isDigit(text[position]) {
            position += 1
        }
        return position > start
    }
    if text[0] == UInt8(ascii: "+") || text[0] == UInt8(ascii: "-") {
        position = 1
    }
    let hasInteger = skipDigits(text, &position)
    if position < text.count, text[position] == UInt8(ascii: ".") {
        position += 1
        guard skipDigits(text, &position) || hasInteger else { return nil }
    } else if !hasInteger {
        return nil
    }
    if position < text.count, text[position] | 0x20 == UInt8(ascii: "e") {
        position += 1
        if position < text.count,
            text[position] == UInt8(ascii: "+") || text[position] == UInt8(ascii: "-")
        {
            position += 1
        }
        guard skipDigits(text, &position) else { return nil }
    }
    guard position == text.count else { return nil }
    let string = unsafe text.withUnsafeBufferPointer {
        unsafe String(decoding: $0, as: UTF8.self)
    }
    guard let value = Double(string), value.isFinite else { return nil }
    return value
}

@inline(__always)
func isDigit(_ byte: UInt8) -> Bool {
    byte &- UInt8(ascii: "0") < 10
}
