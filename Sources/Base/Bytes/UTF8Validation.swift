// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Validation of UTF-8 as RFC 3629 section 4 defines it: no overlong forms, no surrogates, nothing
/// above U+10FFFF.
public enum UTF8Validation {
    /// The offset of the first byte that does not continue a valid sequence, or nil when all is well.
    ///
    /// Runs of ASCII are checked eight bytes at a time. Linear time, no allocation.
    public static func firstInvalidOffset(in bytes: UnsafeRawBufferPointer) -> Int? {
        guard let base = bytes.baseAddress else { return nil }
        let count = bytes.count
        var index = 0
        while index < count {
            while index + 8 <= count {
                let word = base.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                if word & 0x8080_8080_8080_8080 != 0 { break }
                index += 8
            }
            guard index < count else { break }
            let lead = base.load(fromByteOffset: index, as: UInt8.self)
            if lead < 0x80 {
                index += 1
                continue
            }
            let length = self.sequenceLength(base + index, available: count - index)
            if length == 0 { return index }
            index += length
        }
        return nil
    }

    /// The length of the valid multi-byte sequence at `start`, or 0.
    private static func sequenceLength(_ start: UnsafeRawPointer, available: Int) -> Int {
        func byte(_ offset: Int) -> UInt8 { start.load(fromByteOffset: offset, as: UInt8.self) }
        func continues(_ offset: Int) -> Bool { byte(offset) & 0xC0 == 0x80 }
        let lead = byte(0)
        switch lead {
        case 0xC2...0xDF:
            return available >= 2 && continues(1) ? 2 : 0
        case 0xE0...0xEF:
            guard available >= 3, continues(1), continues(2) else { return 0 }
            if lead == 0xE0 && byte(1) < 0xA0 { return 0 }
            if lead == 0xED && byte(1) > 0x9F { return 0 }
            return 3
        case 0xF0...0xF4:
            guard available >= 4, continues(1), continues(2), continues(3) else { return 0 }
            if lead == 0xF0 && byte(1) < 0x90 { return 0 }
            if lead == 0xF4 && byte(1) > 0x8F { return 0 }
            return 4
        default:
            return 0
        }
    }
}
