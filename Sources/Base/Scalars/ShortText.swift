// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Up to 64 bytes of text on the stack: what every scalar of bounded width is formatted into.
struct ShortText: ~Copyable {
    /// The longest text it holds, in bytes.
    static let capacity = 64

    private var storage = InlineArray<64, UInt8>(repeating: 0)
    private(set) var count = 0

    /// Appends one byte. More than `capacity` bytes is a mistake of the caller and traps.
    mutating func append(_ byte: UInt8) {
        self.storage[self.count] = byte
        self.count += 1
    }

    /// Appends the bytes of an ASCII literal.
    mutating func append(_ literal: StaticString) {
        for index in 0..<literal.utf8CodeUnitCount {
            unsafe self.append(literal.utf8Start[index])
        }
    }

    /// Appends a number, filled up with zeros on the left to `width` digits.
    mutating func append(_ value: UInt64, width: Int = 1) {
        var digits = InlineArray<20, UInt8>(repeating: UInt8(ascii: "0"))
        var rest = value
        var first = 20
        while rest > 0 {
            first -= 1
            let (quotient, remainder) = rest.quotientAndRemainder(dividingBy: 10)
            digits[first] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: remainder)
            rest = quotient
        }
        first = min(first, 20 - width)
        for index in first..<20 {
            self.append(digits[index])
        }
    }

    /// Appends two digits: a number below 100.
    @inline(__always)
    mutating func appendTwoDigits(_ value: UInt64) {
        self.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / 10))
        self.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value % 10))
    }

    /// Appends a number with a sign when it is negative.
    mutating func append(_ value: Int64) {
        if value < 0 {
            self.append(UInt8(ascii: "-"))
        }
        self.append(value.magnitude)
    }

    /// Hands the text to `sink` in one call.
    func write<Sink: ByteSink & ~Copyable>(to sink: inout Sink) {
        sink.append(self.storage.span.extracting(first: self.count))
    }

    /// The text as a `String`.
    var string: String {
        let span = self.storage.span.extracting(first: self.count)
        return unsafe span.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    }

    /// Whether the text is the same as `bytes`.
    func equals(_ bytes: borrowing Span<UInt8>) -> Bool {
        guard bytes.count == self.count else { return false }
        for index in 0..<self.count where self.storage[index] != bytes[index] {
            return false
        }
        return true
    }
}
