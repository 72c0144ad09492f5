// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The few pieces of the protobuf wire format that stored keys and events are made of.
public enum Wire {
    /// The bytes of `number` as a varint.
    @inline(__always)
    public static func varintCount(_ number: UInt64) -> Int {
        (70 - (number | 1).leadingZeroBitCount) / 7
    }

    /// The bytes of a length-delimited field with a one-byte tag; none if it is empty.
    @inline(__always)
    public static func bytesFieldCount(_ count: Int) -> Int {
        count == 0 ? 0 : 1 + self.varintCount(UInt64(count)) + count
    }

    /// The bytes of an integer field with a one-byte tag; none if it is 0.
    @inline(__always)
    public static func intFieldCount(_ number: Int64) -> Int {
        number == 0 ? 0 : 1 + self.varintCount(UInt64(bitPattern: number))
    }

    /// Writes a varint; answers its end.
    @inline(__always)
    public static func writeVarint(
        _ target: UnsafeMutableRawPointer,
        _ number: UInt64
    ) -> UnsafeMutableRawPointer {
        var at = target
        var rest = number
        while rest >= 0x80 {
            at.storeBytes(of: UInt8(truncatingIfNeeded: rest) | 0x80, as: UInt8.self)
            at += 1
            rest >>= 7
        }
        at.storeBytes(of: UInt8(truncatingIfNeeded: rest), as: UInt8.self)
        return at + 1
    }

    /// Writes an integer field unless it is 0; answers its end.
    @inline(__always)
    public static func writeInt(
        _ target: UnsafeMutableRawPointer,
        tag: UInt8,
        _ number: Int64
    ) -> UnsafeMutableRawPointer {
        if number == 0 { return target }
        target.storeBytes(of: tag, as: UInt8.self)
        return self.writeVarint(target + 1, UInt64(bitPattern: number))
    }

    /// Writes a length-delimited field unless it is empty; answers its end.
    @inline(__always)
    public static func writeBytes(
        _ target: UnsafeMutableRawPointer,
        tag: UInt8,
        _ bytes: UnsafeRawBufferPointer
    ) -> UnsafeMutableRawPointer {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return target }
        target.storeBytes(of: tag, as: UInt8.self)
        let at = self.writeVarint(target + 1, UInt64(bytes.count))
        at.copyMemory(from: source, byteCount: bytes.count)
        return at + bytes.count
    }
}

/// Reads the fields of a protobuf message one after the other, checking every bound.
public struct FieldReader {
    private var rest: UnsafeRawBufferPointer

    /// Whether the message turned out to be malformed.
    public private(set) var failed = false

    public init(_ bytes: UnsafeRawBufferPointer) {
        self.rest = bytes
    }

    /// The bytes that are left.
    public var remaining: Int { self.rest.count }

    /// The next tag; nil at the end or if the message is malformed.
    @inline(__always)
    public mutating func tag() -> UInt64? {
        if self.rest.isEmpty || self.failed { return nil }
        return self.varint()
    }

    /// A varint.
    @inline(__always)
    public mutating func varint() -> UInt64? {
        var number: UInt64 = 0
        var shift: UInt64 = 0
        var index = 0
        while index < self.rest.count, index < 10 {
            let byte = self.rest[index]
            index += 1
            number |= UInt64(byte & 0x7F) &<< shift
            if byte < 0x80 {
                self.rest = UnsafeRawBufferPointer(rebasing: self.rest[index...])
                return number
            }
            shift &+= 7
        }
        self.failed = true
        return nil
    }

    /// The bytes of a length-delimited field.
    @inline(__always)
    public mutating func lengthDelimited() -> UnsafeRawBufferPointer? {
        guard let count = self.varint() else { return nil }
        guard count <= UInt64(self.rest.count) else {
            self.failed = true
            return nil
        }
        let length = Int(count)
        let field = UnsafeRawBufferPointer(rebasing: self.rest[..<length])
        self.rest = UnsafeRawBufferPointer(rebasing: self.rest[length...])
        return field
    }

    /// Steps over the field of `tag`; false if it is malformed.
    public mutating func skip(_ tag: UInt64) -> Bool {
        let fixed: Int
        switch tag & 7 {
        case 0: return self.varint() != nil
        case 1: fixed = 8
        case 2: return self.lengthDelimited() != nil
        case 5: fixed = 4
        default:
            self.failed = true
            return false
        }
        guard self.rest.count >= fixed else {
            self.failed = true
            return false
        }
        self.rest = UnsafeRawBufferPointer(rebasing: self.rest[fixed...])
        return true
    }
}
