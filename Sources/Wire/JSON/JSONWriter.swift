// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
public import Scalars

/// Builds JSON text in one growing buffer.
///
/// Strings are escaped as Go's encoder does it: `<`, `>`, `&`, U+2028 and U+2029 as `\u003c` and so
/// on, control characters by their short names or `\u00XX`.
public struct JSONWriter: ~Copyable {
    private var memory: UnsafeMutableRawPointer
    private var capacity: Int

    /// The number of bytes written.
    public private(set) var count = 0

    public init(capacity: Int = 1024) {
        self.capacity = Swift.max(capacity, 64)
        self.memory = .allocate(byteCount: self.capacity, alignment: 16)
    }

    deinit {
        self.memory.deallocate()
    }

    /// What has been written; valid until the next change.
    public func withUnsafeBytes<R, E: Error>(
        _ body: (UnsafeRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        try body(UnsafeRawBufferPointer(start: self.memory, count: self.count))
    }

    /// A copy of what has been written.
    public var bytes: [UInt8] { self.firstBytes(self.count) }

    /// A copy of the first `count` bytes.
    func firstBytes(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { target, initialized in
            if let start = target.baseAddress { memcpy(start, self.memory, count) }
            initialized = count
        }
    }

    /// Forgets what was written and keeps the memory.
    public mutating func removeAll() {
        self.count = 0
    }

    /// Forgets everything after the first `count` bytes.
    mutating func truncate(to count: Int) {
        self.count = count
    }

    // MARK: - Raw bytes

    @inline(__always)
    mutating func reserve(_ byteCount: Int) {
        if self.capacity - self.count < byteCount { self.grow(byteCount) }
    }

    @inline(never)
    private mutating func grow(_ byteCount: Int) {
        let larger = Swift.max(self.capacity * 2, self.count + byteCount)
        guard let moved = realloc(self.memory, larger) else { fatalError("out of memory") }
        self.memory = moved
        self.capacity = larger
    }

    @inline(__always)
    mutating func append(_ byte: UInt8) {
        self.reserve(1)
        self.memory.storeBytes(of: byte, toByteOffset: self.count, as: UInt8.self)
        self.count += 1
    }

    @inline(__always)
    mutating func append(_ start: UnsafeRawPointer, count: Int) {
        self.reserve(count)
        memcpy(self.memory + self.count, start, count)
        self.count += count
    }

    /// Appends `count` bytes that `fill` writes.
    mutating func appendUninitialized(
        _ count: Int,
        _ fill: (UnsafeMutablePointer<UInt8>) -> Void
    ) {
        self.reserve(count)
        fill((self.memory + self.count).assumingMemoryBound(to: UInt8.self))
        self.count += count
    }

    /// Appends bytes as they are.
    public mutating func append(raw bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        self.append(start, count: bytes.count)
    }

    /// Appends text as it is.
    public mutating func append(raw text: StaticString) {
        self.append(UnsafeRawPointer(text.utf8Start), count: text.utf8CodeUnitCount)
    }

    /// The last byte written.
    var last: UInt8? {
        self.count == 0
            ? nil : self.memory.load(fromByteOffset: self.count - 1, as: UInt8.self)
    }

    /// Replaces the last byte written.
    mutating func replaceLast(with byte: UInt8) {
        self.memory.storeBytes(of: byte, toByteOffset: self.count - 1, as: UInt8.self)
    }

    // MARK: - Numbers

    mutating func append(_ number: Int64) {
        if number < 0 { self.append(UInt8(ascii: "-")) }
        self.append(number.magnitude)
    }

    mutating func append(_ number: UInt64) {
        self.reserve(20)
        if number < 10 {
            self.append(UInt8(truncatingIfNeeded: number) + UInt8(ascii: "0"))
            return
        }
        var digits = 1
        var bound: UInt64 = 10
        while number >= bound {
            digits += 1
            let (next, overflow) = bound.multipliedReportingOverflow(by: 10)
            if overflow { break }
            bound = next
        }
        var rest = number
        var position = self.count + digits
        self.count = position
        repeat {
            position -= 1
            let digit = UInt8(truncatingIfNeeded: rest % 10) + UInt8(ascii: "0")
            self.memory.storeBytes(of: digit, toByteOffset: position, as: UInt8.self)
            rest /= 10
        } while rest > 0
    }

    /// Appends a finite number as Go's encoder writes it: plain digits between 1e-6 and 1e21, an
    /// exponent outside.
    mutating func append(_ number: Double) {
        for byte in GoNumber.text(number).utf8 { self.append(byte) }
    }

    // MARK: - Strings

    /// Appends a string in quotes.
    public mutating func append(string: String) {
        var string = string
        string.withUTF8 { self.append(string: UnsafeRawBufferPointer($0)) }
    }

    /// Appends UTF-8 as a string in quotes.
    public mutating func append(string bytes: UnsafeRawBufferPointer) {
        self.append(UInt8(ascii: "\""))
        if let start = bytes.baseAddress { self.appendEscaped(start, bytes.count) }
        self.append(UInt8(ascii: "\""))
    }

    /// Appends a string in quotes that is a prefix, in which there is nothing to escape, and a text.
    public mutating func append(prefix: StaticString, string: String) {
        var string = string
        self.append(UInt8(ascii: "\""))
        self.append(raw: prefix)
        string.withUTF8 { text in
            if let start = text.baseAddress {
                self.appendEscaped(UnsafeRawPointer(start), text.count)
            }
        }
        self.append(UInt8(ascii: "\""))
    }

    @inline(__always)
    mutating func appendEscaped(_ start: UnsafeRawPointer, _ count: Int) {
        self.reserve(count + 8)
        var offset = 0
        while offset + 8 <= count {
            let word = start.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            if JSONBytes.needsEscape(word) { break }
            self.memory.storeBytes(of: word, toByteOffset: self.count, as: UInt64.self)
            self.count += 8
            offset += 8
        }
        if offset == count { return }
        if count >= 8, count - offset < 8 {
            // The last eight bytes, some of which were written already.
            let word = start.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
            if !JSONBytes.needsEscape(word) {
                let rest = count - offset
                self.memory.storeBytes(
                    of: word,
                    toByteOffset: self.count + rest - 8,
                    as: UInt64.self
                )
                self.count += rest
                return
            }
        }
        if count < 8 {
            let word = JSONBytes.shortWord(start, count)
            if !JSONBytes.needsEscape(word) {
                // The room for eight bytes is there; what is too many is overwritten.
                self.memory.storeBytes(of: word, toByteOffset: self.count, as: UInt64.self)
                self.count += count
                return
            }
        }
        self.appendRest(start + offset, count - offset)
    }

    private mutating func appendRest(_ start: UnsafeRawPointer, _ count: Int) {
        var offset = 0
        while offset < count {
            let byte = start.load(fromByteOffset: offset, as: UInt8.self)
            if byte < 0x80 {
                if JSONBytes.isPlain(byte) {
                    self.append(byte)
                } else {
                    self.appendEscape(byte)
                }
                offset += 1
            } else if byte == 0xE2, count - offset >= 3,
                start.load(fromByteOffset: offset + 1, as: UInt8.self) == 0x80,
                start.load(fromByteOffset: offset + 2, as: UInt8.self) & 0xFE == 0xA8
            {
                let last = start.load(fromByteOffset: offset + 2, as: UInt8.self)
                self.append(raw: last == 0xA8 ? "\\u2028" : "\\u2029")
                offset += 3
            } else {
                self.append(byte)
                offset += 1
            }
        }
    }

    private mutating func appendEscape(_ byte: UInt8) {
        self.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): self.append(byte)
        case 0x08: self.append(UInt8(ascii: "b"))
        case 0x09: self.append(UInt8(ascii: "t"))
        case 0x0A: self.append(UInt8(ascii: "n"))
        case 0x0C: self.append(UInt8(ascii: "f"))
        case 0x0D: self.append(UInt8(ascii: "r"))
        default:
            self.append(raw: "u00")
            self.append(JSONBytes.hexDigit(byte >> 4))
            self.append(JSONBytes.hexDigit(byte & 15))
        }
    }
}

extension JSONWriter: ByteSink {
    public mutating func append(_ bytes: borrowing Span<UInt8>) {
        bytes.withUnsafeBytes { self.append(raw: $0) }
    }
}

/// Questions about the bytes of JSON text, eight at a time where it pays.
enum JSONBytes {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highs: UInt64 = 0x8080_8080_8080_8080

    /// Whether a byte of `word` is zero.
    @inline(__always)
    private static func hasZero(_ word: UInt64) -> UInt64 {
        (word &- self.ones) & ~word & self.highs
    }

    /// Whether any of eight bytes cannot be copied as it is into a string: a control character, a
    /// quote, a backslash, `<`, `>`, `&`, or a byte that is not ASCII.
    @inline(__always)
    static func needsEscape(_ word: UInt64) -> Bool {
        let control = (word &- self.ones &* 0x20) & ~word
        // `"` and `&` differ in one bit, and so do `<` and `>`.
        let quoteOrAmpersand = self.hasZero((word | self.ones &* 0x04) ^ self.ones &* 0x26)
        let angle = self.hasZero((word | self.ones &* 0x02) ^ self.ones &* 0x3E)
        let backslash = self.hasZero(word ^ self.ones &* 0x5C)
        return (word | control) & self.highs | quoteOrAmpersand | angle | backslash != 0
    }

    /// Whether any of eight bytes of a JSON text may be left out or escaped when it is compacted:
    /// white space, `<`, `>`, `&`, or a byte that is not ASCII.
    @inline(__always)
    static func mayChangeInText(_ word: UInt64) -> Bool {
        let space = (word &- self.ones &* 0x21) & ~word
        let ampersand = self.hasZero(word ^ self.ones &* 0x26)
        let angle = self.hasZero((word | self.ones &* 0x02) ^ self.ones &* 0x3E)
        return (word | space) & self.highs | ampersand | angle != 0
    }

    /// The number of bytes of `word`, in memory order, before the first one that ends a run of plain
    /// text in a string that is read: a control character, a quote, a backslash, or a byte that is
    /// not ASCII. 8 when there is none.
    @inline(__always)
    static func endOfRun(_ word: UInt64) -> Int {
        let word = UInt64(littleEndian: word)
        let control = (word &- self.ones &* 0x20) & ~word
        let quote = self.hasZero(word ^ self.ones &* 0x22)
        let backslash = self.hasZero(word ^ self.ones &* 0x5C)
        // A borrow can only mark bytes after one that is truly meant, so the first mark is right.
        let marks = (word | control) & self.highs | quote | backslash
        return marks.trailingZeroBitCount >> 3
    }

    /// Fewer than eight bytes as a word, filled up with plain ones.
    @inline(__always)
    static func shortWord(_ start: UnsafeRawPointer, _ count: Int) -> UInt64 {
        // Each byte stands in its place in memory order; 0x61 is `a`.
        var word: UInt64 = 0x6161_6161_6161_6161
        if count >= 4 {
            let low = UInt64(UInt32(littleEndian: start.loadUnaligned(as: UInt32.self)))
            let last = start.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self)
            let high = UInt64(UInt32(littleEndian: last))
            let shift = UInt64(8 * (count - 4))
            word = (word << UInt64(8 * count)) | low | high << shift
        } else {
            for offset in 0..<count {
                let byte = start.load(fromByteOffset: count - 1 - offset, as: UInt8.self)
                word = word << 8 | UInt64(byte)
            }
        }
        return UInt64(littleEndian: word)
    }

    @inline(__always)
    static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte != 0x22 && byte != 0x5C && byte != 0x3C && byte != 0x3E
            && byte != 0x26
    }

    static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? value + UInt8(ascii: "0") : value - 10 + UInt8(ascii: "a")
    }
}
