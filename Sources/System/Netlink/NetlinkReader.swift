// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// A message of the kernel.
public struct NetlinkMessage: Sendable, Hashable {
    public var type: UInt16
    public var flags: UInt16
    public var sequence: UInt32
    public var payload: [UInt8]

    /// The bytes of a message's header.
    static let headerBytes = 16

    /// Takes a datagram apart; what is malformed ends it, so that nothing is read past its end.
    public static func parse(_ bytes: [UInt8]) -> [NetlinkMessage] {
        var messages: [NetlinkMessage] = []
        var reader = NetlinkReader(bytes)
        while let length = reader.uint32(), let type = reader.uint16(),
            let flags = reader.uint16(), let sequence = reader.uint32(), reader.uint32() != nil,
            length >= Self.headerBytes,
            let payload = reader.take(Int(length) - Self.headerBytes)
        {
            messages.append(
                NetlinkMessage(type: type, flags: flags, sequence: sequence, payload: payload)
            )
            reader.align()
        }
        return messages
    }
}

/// Reads the payload of a message; every method answers nil behind the end.
public struct NetlinkReader: Sendable {
    private let bytes: [UInt8]
    private var position = 0

    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    public mutating func take(_ count: Int) -> [UInt8]? {
        guard count >= 0, self.bytes.count - self.position >= count else { return nil }
        defer { self.position += count }
        return Array(self.bytes[self.position..<(self.position + count)])
    }

    public mutating func uint8() -> UInt8? { self.take(1)?.first }

    public mutating func uint16() -> UInt16? { self.integer() }

    public mutating func uint32() -> UInt32? { self.integer() }

    private mutating func integer<Value: FixedWidthInteger>() -> Value? {
        self.take(MemoryLayout<Value>.size)?.withUnsafeBytes { $0.loadUnaligned(as: Value.self) }
    }

    /// Skips bytes up to a multiple of four.
    public mutating func align() {
        self.position = min(self.bytes.count, (self.position + 3) & ~3)
    }

    /// The attributes in the rest, by type; of several of one type the last.
    public mutating func attributes() -> [UInt16: [UInt8]] {
        var found: [UInt16: [UInt8]] = [:]
        while let length = self.uint16(), let type = self.uint16(), length >= 4,
            let payload = self.take(Int(length) - 4)
        {
            // The two high bits say how the payload is meant.
            found[type & 0x3FFF] = payload
            self.align()
        }
        return found
    }

    /// The attributes that a payload is made of.
    public static func attributes(_ payload: [UInt8]) -> [UInt16: [UInt8]] {
        var reader = NetlinkReader(payload)
        return reader.attributes()
    }
}
