// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import Glibc

/// Reads the tokens of JSON text (RFC 8259) from memory.
///
/// `position` stands before the next token. Whitespace is skipped by `peek`. Nothing is allocated
/// except for strings with escapes, which are unescaped into `scratch`.
struct JSONScanner: ~Copyable {
    let start: UnsafeRawPointer
    let end: UnsafeRawPointer
    var position: UnsafeRawPointer
    private var scratch: UnsafeMutableRawPointer?
    private var scratchCapacity = 0

    init(_ text: UnsafeRawBufferPointer) {
        // The empty text has no address; any will do, since it is never read through.
        let start = text.baseAddress ?? UnsafeRawPointer(JSONScanner.nowhere)
        self.start = start
        self.end = start + text.count
        self.position = start
    }

    deinit {
        self.scratch?.deallocate()
    }

    private nonisolated(unsafe) static let nowhere: UnsafeMutableRawPointer = .allocate(
        byteCount: 8,
        alignment: 8
    )

    var offset: Int { self.position - self.start }

    func offset(of pointer: UnsafeRawPointer) -> Int { pointer - self.start }

    // MARK: - Tokens

    /// Skips whitespace and returns the next byte, or 0 at the end.
    @inline(__always)
    mutating func peek() -> UInt8 {
        while self.position < self.end {
            let byte = self.position.load(as: UInt8.self)
            if byte > 0x20 { return byte }
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else {
                return byte
            }
            self.position += 1
        }
        return 0
    }

    /// The error for the byte at `position`.
    func unexpected(_ expected: String) -> JSONError {
        if self.position >= self.end { return .unexpectedEnd(offset: self.offset) }
        return .unexpectedByte(
            self.position.load(as: UInt8.self),
            expected: expected,
            offset: self.offset
        )
    }

    /// Skips whitespace and `byte`.
    @inline(__always)
    mutating func expect(_ byte: UInt8, _ expected: StaticString) throws(JSONError) {
        guard self.peek() == byte, self.position < self.end else {
            throw self.unexpected("\(expected)")
        }
        self.position += 1
    }

    /// Skips a comma or the end of a list or object; true when it was a comma.
    @inline(__always)
    mutating func continues(until close: UInt8) throws(JSONError) -> Bool {
        let byte = self.peek()
        if byte == UInt8(ascii: ",") {
            self.position += 1
            return true
        }
        guard byte == close, self.position < self.end else {
            throw self.unexpected(close == UInt8(ascii: "}") ? "',' or '}'" : "',' or ']'")
        }
        self.position += 1
        return false
    }

    /// Skips `true`, `false` or `null`.
    mutating func literal(_ text: StaticString) throws(JSONError) {
        let count = text.utf8CodeUnitCount
        guard self.end - self.position >= count,
            memcmp(self.position, text.utf8Start, count) == 0
        else { throw self.unexpected("\(text)") }
        self.position += count
    }

    /// Skips `null` when it comes next.
    @inline(__always)
    mutating func skipNull() throws(JSONError) -> Bool {
        guard self.peek() == UInt8(ascii: "n") else { return false }
        try self.literal("null")
        return true
    }

    /// Checks that nothing but whitespace is left.
    mutating func finish() throws(JSONError) {
        _ = self.peek()
        if self.position < self.end { throw .trailingBytes(offset: self.offset) }
    }

    // MARK: - Strings

    /// Reads a string. The bytes are valid until the next string is read.
    @inline(__always)
    mutating func string() throws(JSONError) -> UnsafeRawBufferPointer {
        try self.expect(UInt8(ascii: "\""), "a string")
        let first = self.position
        var next = first
        while next + 8 <= self.end {
            let end = JSONBytes.endOfRun(next.loadUnaligned(as: UInt64.self))
            next += end
            if end < 8 { break }
        }
        while next < self.end {
            let byte = next.load(as: UInt8.self)
            if byte == UInt8(ascii: "\"") {
                self.position = next + 1
                return UnsafeRawBufferPointer(start: first, count: next - first)
            }
            if byte < 0x20 || byte == UInt8(ascii: "\\") || byte >= 0x80 { break }
            next += 1
        }
        return try self.longString(first, next)
    }

    /// The rest of `string` for text with escapes or beyond ASCII; plain up to `resume`.
    private mutating func longString(
        _ first: UnsafeRawPointer,
        _ resume: UnsafeRawPointer
    ) throws(JSONError) -> UnsafeRawBufferPointer {
        var next = resume
        var isASCII = true
        while next < self.end {
            let byte = next.load(as: UInt8.self)
            if byte == UInt8(ascii: "\"") {
                let text = UnsafeRawBufferPointer(start: first, count: next - first)
                if !isASCII, let invalid = UTF8Validation.firstInvalidOffset(in: text) {
                    throw .invalidUTF8(offset: self.offset(of: first) + invalid)
                }
                self.position = next + 1
                return text
            }
            if byte < 0x20 { throw .controlCharacter(byte, offset: self.offset(of: next)) }
            if byte == UInt8(ascii: "\\") { return try self.escapedString(first, next) }
            if byte >= 0x80 { isASCII = false }
            next += 1
        }
        throw .unexpectedEnd(offset: self.offset(of: self.end))
    }

    private mutating func escapedString(
        _ first: UnsafeRawPointer,
        _ resume: UnsafeRawPointer
    ) throws(JSONError) -> UnsafeRawBufferPointer {
        // No escape is shorter than what it stands for, so the raw length is room enough.
        var close = resume
        while close < self.end {
            let byte = close.load(as: UInt8.self)
            if byte == UInt8(ascii: "\"") { break }
            close += byte == UInt8(ascii: "\\") ? 2 : 1
        }
        guard close < self.end else { throw .unexpectedEnd(offset: self.offset(of: self.end)) }
        let target = self.room(for: close - first)
        memcpy(target, first, resume - first)
        var written = resume - first
        var next = resume
        while next < close {
            let byte = next.load(as: UInt8.self)
            if byte < 0x20 { throw .controlCharacter(byte, offset: self.offset(of: next)) }
            if byte == UInt8(ascii: "\\") {
                written += try self.unescape(&next, close, to: target + written)
            } else {
                target.storeBytes(of: byte, toByteOffset: written, as: UInt8.self)
                written += 1
                next += 1
            }
        }
        let text = UnsafeRawBufferPointer(start: target, count: written)
        if UTF8Validation.firstInvalidOffset(in: text) != nil {
            throw .invalidUTF8(offset: self.offset(of: first))
        }
        self.position = close + 1
        return text
    }

    private mutating func room(for byteCount: Int) -> UnsafeMutableRawPointer {
        if let scratch = self.scratch, self.scratchCapacity >= byteCount { return scratch }
        self.scratch?.deallocate()
        self.scratchCapacity = Swift.max(byteCount, 256)
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: self.scratchCapacity,
            alignment: 8
        )
        self.scratch = memory
        return memory
    }

    /// Reads the escape at `next` and writes what it stands for; returns the number of bytes.
    private func unescape(
        _ next: inout UnsafeRawPointer,
        _ close: UnsafeRawPointer,
        to target: UnsafeMutableRawPointer
    ) throws(JSONError) -> Int {
        let escapeOffset = self.offset(of: next)
        guard close - next >= 2 else { throw .invalidEscape(offset: escapeOffset) }
        let kind = next.load(fromByteOffset: 1, as: UInt8.self)
        next += 2
        let plain: UInt8
        switch kind {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): plain = kind
        case UInt8(ascii: "b"): plain = 0x08
        case UInt8(ascii: "f"): plain = 0x0C
        case UInt8(ascii: "n"): plain = 0x0A
        case UInt8(ascii: "r"): plain = 0x0D
        case UInt8(ascii: "t"): plain = 0x09
        case UInt8(ascii: "u"):
            return try self.unescapeScalar(&next, close, escapeOffset, to: target)
        default: throw .invalidEscape(offset: escapeOffset)
        }
        target.storeBytes(of: plain, as: UInt8.self)
        return 1
    }

    private func unescapeScalar(
        _ next: inout UnsafeRawPointer,
        _ close: UnsafeRawPointer,
        _ escapeOffset: Int,
        to target: UnsafeMutableRawPointer
    ) throws(JSONError) -> Int {
        guard let unit = Self.hexUnit(&next, close) else {
            throw .invalidEscape(offset: escapeOffset)
        }
        var value = UInt32(unit)
        if unit & 0xF800 == 0xD800 {
            guard unit < 0xDC00, close - next >= 6,
                next.load(as: UInt8.self) == UInt8(ascii: "\\"),
                next.load(fromByteOffset: 1, as: UInt8.self) == UInt8(ascii: "u")
            else { throw .loneSurrogate(offset: escapeOffset) }
            next += 2
            guard let low = Self.hexUnit(&next, close), low & 0xFC00 == 0xDC00 else {
                throw .loneSurrogate(offset: escapeOffset)
            }
            value = 0x10000 + (UInt32(unit & 0x3FF) << 10) + UInt32(low & 0x3FF)
        }
        guard let scalar = UnicodeScalar(value) else {
            throw .loneSurrogate(offset: escapeOffset)
        }
        var written = 0
        for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter {
            target.storeBytes(of: byte, toByteOffset: written, as: UInt8.self)
            written += 1
        }
        return written
    }

    /// Reads four hexadecimal digits.
    private static func hexUnit(
        _ next: inout UnsafeRawPointer,
        _ close: UnsafeRawPointer
    ) -> UInt16? {
        guard close - next >= 4 else { return nil }
        var value: UInt16 = 0
        for _ in 0..<4 {
            let byte = next.load(as: UInt8.self)
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
            default: return nil
            }
            value = value << 4 | UInt16(digit)
            next += 1
        }
        return value
    }

    // MARK: - Numbers

    /// Reads a number and returns its text.
    mutating func number() throws(JSONError) -> (text: UnsafeRawBufferPointer, isInteger: Bool) {
        _ = self.peek()
        let first = self.position
        var next = first
        var isInteger = true
        func digits(_ next: inout UnsafeRawPointer) -> Bool {
            let from = next
            while next < self.end, next.load(as: UInt8.self) &- UInt8(ascii: "0") < 10 { next += 1 }
            return next > from
        }
        if next < self.end, next.load(as: UInt8.self) == UInt8(ascii: "-") { next += 1 }
        let integer = next
        guard digits(&next) else {
            if first == next { throw self.unexpected("a value") }
            throw .invalidNumber(offset: self.offset)
        }
        if next - integer > 1, integer.load(as: UInt8.self) == UInt8(ascii: "0") {
            throw .invalidNumber(offset: self.offset)
        }
        if next < self.end, next.load(as: UInt8.self) == UInt8(ascii: ".") {
            isInteger = false
            next += 1
            guard digits(&next) else { throw .invalidNumber(offset: self.offset) }
        }
        if next < self.end, next.load(as: UInt8.self) | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            next += 1
            if next < self.end {
                let sign = next.load(as: UInt8.self)
                if sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { next += 1 }
            }
            guard digits(&next) else { throw .invalidNumber(offset: self.offset) }
        }
        self.position = next
        return (UnsafeRawBufferPointer(start: first, count: next - first), isInteger)
    }

    /// The integer that `text` spells, when 64 bits hold it.
    static func integer(_ text: UnsafeRawBufferPointer) -> Int64? {
        var magnitude: UInt64 = 0
        var index = 0
        let isNegative = text.first == UInt8(ascii: "-")
        if isNegative { index = 1 }
        while index < text.count {
            let (product, overflow) = magnitude.multipliedReportingOverflow(by: 10)
            let digit = UInt64(text[index] &- UInt8(ascii: "0"))
            let (sum, carry) = product.addingReportingOverflow(digit)
            if overflow || carry { return nil }
            magnitude = sum
            index += 1
        }
        if isNegative {
            if magnitude == 1 << 63 { return Int64.min }
            return Int64(exactly: magnitude).map { -$0 }
        }
        return Int64(exactly: magnitude)
    }

    // MARK: - Whole values

    /// Skips a value, checking it, and returns its text.
    mutating func skipValue(depth: Int, limit: Int) throws(JSONError) -> UnsafeRawBufferPointer {
        let byte = self.peek()
        let first = self.position
        switch byte {
        case UInt8(ascii: "{"):
            guard depth < limit else { throw .tooDeep(limit: limit, offset: self.offset) }
            self.position += 1
            if self.peek() == UInt8(ascii: "}") {
                self.position += 1
                break
            }
            repeat {
                _ = try self.string()
                try self.expect(UInt8(ascii: ":"), "':'")
                _ = try self.skipValue(depth: depth + 1, limit: limit)
            } while try self.continues(until: UInt8(ascii: "}"))
        case UInt8(ascii: "["):
            guard depth < limit else { throw .tooDeep(limit: limit, offset: self.offset) }
            self.position += 1
            if self.peek() == UInt8(ascii: "]") {
                self.position += 1
                break
            }
            repeat {
                _ = try self.skipValue(depth: depth + 1, limit: limit)
            } while try self.continues(until: UInt8(ascii: "]"))
        case UInt8(ascii: "\""): _ = try self.string()
        case UInt8(ascii: "t"): try self.literal("true")
        case UInt8(ascii: "f"): try self.literal("false")
        case UInt8(ascii: "n"): try self.literal("null")
        default: _ = try self.number()
        }
        return UnsafeRawBufferPointer(start: first, count: self.position - first)
    }
}
