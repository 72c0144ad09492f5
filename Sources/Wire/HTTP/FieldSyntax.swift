// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc

/// The character classes of header fields (RFC 9110 section 5).
package enum FieldSyntax {
    /// Whether the byte may stand in a token (RFC 9110 section 5.6.2).
    package static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"),
            UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"),
            UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "^"), UInt8(ascii: "_"),
            UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
            true
        default: false
        }
    }

    /// Whether a text names a protocol for `Upgrade`, alone or with its version as in `SPDY/3.1` (RFC
    /// 9110 section 7.8).
    package static func isProtocol(_ text: String) -> Bool {
        let parts = text.utf8.split(
            separator: UInt8(ascii: "/"),
            maxSplits: 1,
            omittingEmptySubsequences: false
        )
        return parts.allSatisfy { !$0.isEmpty && $0.allSatisfy(Self.isToken) }
    }

    /// Whether the byte may stand in a field value (RFC 9110 section 5.5): visible ASCII, space,
    /// tab and anything above ASCII.
    package static func isValue(_ byte: UInt8) -> Bool {
        (byte >= 0x20 && byte != 0x7F) || byte == 0x09
    }

    /// The byte with an ASCII capital turned into its small letter.
    package static func lowered(_ byte: UInt8) -> UInt8 {
        byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
    }

    /// Whether two runs of bytes are the same.
    package static func equal(
        _ left: UnsafeRawBufferPointer,
        _ right: UnsafeRawBufferPointer,
    ) -> Bool {
        guard left.count == right.count else { return false }
        guard left.count > 0, let leftBase = left.baseAddress, let rightBase = right.baseAddress
        else { return true }
        return memcmp(leftBase, rightBase, left.count) == 0
    }

    /// Whether two runs of bytes are the same but for ASCII case.
    package static func equalIgnoringCase(
        _ left: UnsafeRawBufferPointer,
        _ right: StaticString,
    ) -> Bool {
        guard left.count == right.utf8CodeUnitCount else { return false }
        for index in 0..<left.count {
            let mine = Self.lowered(left[index])
            let theirs = Self.lowered(right.utf8Start[index])
            if mine != theirs { return false }
        }
        return true
    }
}
