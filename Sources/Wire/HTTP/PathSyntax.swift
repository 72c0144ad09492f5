// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The rules for request paths.
package enum PathSyntax {
    /// The longest path with its query, in bytes, that a server accepts beside its header limits.
    package static let maximumByteCount = 1 << 15

    /// Whether the bytes may be a request target in origin form: they start with "/" and have
    /// neither controls, spaces nor a fragment.
    package static func isOriginForm(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let first = bytes.first, first == UInt8(ascii: "/"),
            bytes.count <= Self.maximumByteCount
        else { return false }
        for byte in bytes where byte <= 0x20 || byte == 0x7F || byte == UInt8(ascii: "#") {
            return false
        }
        return true
    }

    /// See ``HTTPRequestHead/pathIsUnambiguous``.
    package static func isUnambiguous(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard Self.isOriginForm(bytes) else { return false }
        var segment: [UInt8] = []
        var index = 1
        var atEnd = false
        while !atEnd {
            atEnd = index >= bytes.count || bytes[index] == UInt8(ascii: "?")
            if atEnd || bytes[index] == UInt8(ascii: "/") {
                // A trailing slash is one empty last segment, and allowed.
                if segment.isEmpty && !atEnd { return false }
                if segment == [UInt8(ascii: ".")] { return false }
                if segment == [UInt8(ascii: "."), UInt8(ascii: ".")] { return false }
                segment.removeAll(keepingCapacity: true)
                index += 1
                continue
            }
            var byte = bytes[index]
            if byte == UInt8(ascii: "\\") { return false }
            if byte == UInt8(ascii: "%") {
                guard index + 2 < bytes.count, let high = Self.digit(bytes[index + 1]),
                    let low = Self.digit(bytes[index + 2])
                else { return false }
                byte = high << 4 | low
                if byte == UInt8(ascii: "/") || byte == UInt8(ascii: "\\") || byte == 0 {
                    return false
                }
                index += 2
            }
            segment.append(byte)
            index += 1
        }
        return true
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
