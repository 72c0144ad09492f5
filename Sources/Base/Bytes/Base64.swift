// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Base 64 with the standard alphabet and padding (RFC 4648 section 4).
public enum Base64 {
    /// Why a text is not base 64.
    public enum Failure: Error, Equatable {
        /// A byte outside the alphabet, or padding in the wrong place, at this offset.
        case invalidByte(offset: Int)
        /// The text ends inside a group of four.
        case truncated
    }

    /// The number of characters that `byteCount` bytes take, padding included.
    public static func encodedCount(_ byteCount: Int) -> Int {
        (byteCount + 2) / 3 * 4
    }

    /// Writes the text of `source` to `target`, which has room for `encodedCount(source.count)`.
    public static func encode(
        _ source: UnsafeRawBufferPointer,
        to target: UnsafeMutablePointer<UInt8>
    ) {
        var read = 0
        var write = target
        while read + 3 <= source.count {
            let group =
                UInt32(source[read]) << 16 | UInt32(source[read + 1]) << 8
                | UInt32(source[read + 2])
            write[0] = self.character(group >> 18)
            write[1] = self.character(group >> 12)
            write[2] = self.character(group >> 6)
            write[3] = self.character(group)
            read += 3
            write += 4
        }
        let rest = source.count - read
        if rest == 0 { return }
        var group = UInt32(source[read]) << 16
        if rest == 2 { group |= UInt32(source[read + 1]) << 8 }
        write[0] = self.character(group >> 18)
        write[1] = self.character(group >> 12)
        write[2] = rest == 2 ? self.character(group >> 6) : UInt8(ascii: "=")
        write[3] = UInt8(ascii: "=")
    }

    /// The text of `source`.
    public static func encode(_ source: some Collection<UInt8>) -> String {
        let bytes = [UInt8](source)
        return String(unsafeUninitializedCapacity: self.encodedCount(bytes.count)) { target in
            guard let start = target.baseAddress else { return 0 }
            bytes.withUnsafeBytes { self.encode($0, to: start) }
            return self.encodedCount(bytes.count)
        }
    }

    /// The largest number of bytes that `characterCount` characters can stand for.
    public static func decodedCapacity(_ characterCount: Int) -> Int {
        characterCount / 4 * 3 + 3
    }

    /// Decodes `text` to `target`, which has room for `decodedCapacity(text.count)`.
    ///
    /// Carriage returns and line feeds are skipped, as Go's decoder does.
    /// - Returns: the number of bytes written.
    public static func decode(
        _ text: UnsafeRawBufferPointer,
        to target: UnsafeMutablePointer<UInt8>
    ) throws(Failure) -> Int {
        var group: UInt32 = 0
        var digits = 0
        var padding = 0
        var written = 0
        for offset in 0..<text.count {
            let byte = text[offset]
            if byte == 0x0A || byte == 0x0D { continue }
            if byte == UInt8(ascii: "=") {
                guard digits + padding < 4, digits >= 2 else {
                    throw .invalidByte(offset: offset)
                }
                padding += 1
                if digits + padding == 4 {
                    target[written] = UInt8(truncatingIfNeeded: group >> (digits == 2 ? 4 : 10))
                    written += 1
                    if digits == 3 {
                        target[written] = UInt8(truncatingIfNeeded: group >> 2)
                        written += 1
                    }
                }
                continue
            }
            let value = self.value(of: byte)
            guard value < 64, padding == 0 else { throw .invalidByte(offset: offset) }
            group = group << 6 | UInt32(value)
            digits += 1
            if digits == 4 {
                target[written] = UInt8(truncatingIfNeeded: group >> 16)
                target[written + 1] = UInt8(truncatingIfNeeded: group >> 8)
                target[written + 2] = UInt8(truncatingIfNeeded: group)
                written += 3
                digits = 0
                group = 0
            }
        }
        guard digits == 0 || digits + padding == 4 else { throw .truncated }
        return written
    }

    /// Decodes `text`.
    public static func decode(_ text: UnsafeRawBufferPointer) throws(Failure) -> [UInt8] {
        var failure: Failure?
        let result = [UInt8](unsafeUninitializedCapacity: self.decodedCapacity(text.count)) {
            target,
            count in
            guard let start = target.baseAddress else { return }
            do throws(Failure) {
                count = try self.decode(text, to: start)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return result
    }

    private static func character(_ value: UInt32) -> UInt8 {
        let digit = UInt8(truncatingIfNeeded: value & 63)
        switch digit {
        case 0..<26: return digit + UInt8(ascii: "A")
        case 26..<52: return digit - 26 + UInt8(ascii: "a")
        case 52..<62: return digit - 52 + UInt8(ascii: "0")
        case 62: return UInt8(ascii: "+")
        default: return UInt8(ascii: "/")
        }
    }

    /// The six bits of a character, or 255.
    private static func value(of byte: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): return byte - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): return byte - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): return byte - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): return 62
        case UInt8(ascii: "/"): return 63
        default: return 255
        }
    }
}
