// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// An IP address: version 4 or 6, without a zone.
///
/// Sixteen bytes in network order; a version 4 address is kept as the last four of the mapped form
/// `::ffff:a.b.c.d` and told apart by ``isIPv4``. Parsing is in IPAddress+Parsing.swift.
public struct IPAddress: Sendable, Hashable {
    /// The first eight bytes.
    public let high: UInt64
    /// The last eight bytes.
    public let low: UInt64

    /// Whether the address was written as a version 4 address.
    public let isIPv4: Bool

    /// The high part of every version 4 address is zero, its low part starts with this.
    static let mappedPrefix: UInt64 = 0xFFFF_0000_0000

    /// A version 4 address from its four bytes in network order.
    public init(ipv4 bits: UInt32) {
        self.high = 0
        self.low = Self.mappedPrefix | UInt64(bits)
        self.isIPv4 = true
    }

    /// A version 6 address from its sixteen bytes in network order.
    public init(ipv6High high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
        self.isIPv4 = false
    }

    /// Whether the address is version 6 in form and version 4 in fact: `::ffff:1.2.3.4`.
    public var isIPv4MappedIPv6: Bool {
        !self.isIPv4 && self.high == 0 && self.low >> 32 == Self.mappedPrefix >> 32
    }

    /// Whether upstream's Go code takes the address for version 4, mapped form included.
    public var isIPv4OrMapped: Bool { self.isIPv4 || self.isIPv4MappedIPv6 }

    /// The four bytes of a version 4 address, mapped form included, or nil.
    public var ipv4Bits: UInt32? {
        self.isIPv4OrMapped ? UInt32(truncatingIfNeeded: self.low) : nil
    }

    /// The number of bits: 32 or 128.
    public var bitCount: Int { self.isIPv4 ? 32 : 128 }

    /// Whether the address is 0.0.0.0 or `::`.
    public var isUnspecified: Bool {
        self.isIPv4OrMapped ? UInt32(truncatingIfNeeded: self.low) == 0 : self.high | self.low == 0
    }

    /// Whether the address is in 127.0.0.0/8 or is `::1`.
    public var isLoopback: Bool {
        if let bits = self.ipv4Bits { return bits >> 24 == 127 }
        return self.high == 0 && self.low == 1
    }

    /// Whether the address is in 169.254.0.0/16 or fe80::/10.
    public var isLinkLocalUnicast: Bool {
        if let bits = self.ipv4Bits { return bits >> 16 == 0xA9FE }
        return self.high >> 54 == 0xFE80 >> 6
    }

    /// Whether the address is in 224.0.0.0/24 or ff02::/16, whatever the flags.
    public var isLinkLocalMulticast: Bool {
        if let bits = self.ipv4Bits { return bits >> 8 == 0xE00000 }
        return self.high >> 56 == 0xFF && self.high >> 48 & 0x0F == 0x02
    }

    /// Whether the address is in 224.0.0.0/4 or ff00::/8.
    public var isMulticast: Bool {
        if let bits = self.ipv4Bits { return bits >> 28 == 0xE }
        return self.high >> 56 == 0xFF
    }
}

extension IPAddress: Comparable {
    /// Network order of the bytes; a version 4 address sorts where its mapped form does.
    public static func < (left: IPAddress, right: IPAddress) -> Bool {
        if left.high != right.high { return left.high < right.high }
        if left.low != right.low { return left.low < right.low }
        return !left.isIPv4 && right.isIPv4
    }
}
