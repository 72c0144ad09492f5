// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// An address and a number of leading bits: `10.9.8.0/24`.
public struct IPPrefix: Sendable, Hashable {
    /// The address as it was written; bits beyond the prefix may be set.
    public let address: IPAddress

    /// The number of leading bits that count, 0 to 32 or 128.
    public let length: Int

    /// A prefix; nil when the length is out of range.
    public init?(_ address: IPAddress, length: Int) {
        guard length >= 0, length <= address.bitCount else { return nil }
        self.address = address
        self.length = length
    }

    /// Reads an address, a slash and a decimal number (RFC 4632 section 3.1); nil when the text is
    /// something else.
    public init?(parsing text: String, _ strictness: IPAddress.Strictness = .strict) {
        let bytes = text.utf8.span
        var slash = 0
        while slash < bytes.count, bytes[slash] != UInt8(ascii: "/") { slash += 1 }
        guard slash < bytes.count, slash + 1 < bytes.count else { return nil }
        guard let address = IPAddress(parsing: bytes.extracting(..<slash), strictness) else {
            return nil
        }
        var length = 0
        for index in (slash + 1)..<bytes.count {
            guard bytes[index].isDigit else { return nil }
            length = length * 10 + Int(bytes[index] & 15)
            guard length <= 128 else { return nil }
        }
        let digitCount = bytes.count - slash - 1
        if strictness == .strict, digitCount > 1, bytes[slash + 1] == UInt8(ascii: "0") {
            return nil
        }
        self.init(address, length: length)
    }

    /// The first address: all bits beyond the prefix are zero.
    public var network: IPAddress {
        self.address.masked(self.length)
    }

    /// Whether the prefix holds the address. Versions never mix.
    public func contains(_ address: IPAddress) -> Bool {
        address.isIPv4 == self.address.isIPv4 && address.masked(self.length) == self.network
    }
}

extension IPPrefix: CustomStringConvertible {
    /// The canonical text of the network, as Go's `net.IPNet` writes it: a mapped address shows as
    /// version 4 when the prefix covers its mark.
    public var description: String {
        let network = self.network
        guard network.isIPv4MappedIPv6 else { return "\(network)/\(self.length)" }
        return "\(network)/\(max(0, self.length - 96))"
    }
}

extension IPAddress {
    /// The address with all bits after the first `length` cleared.
    func masked(_ length: Int) -> IPAddress {
        func mask(_ count: Int) -> UInt64 {
            count <= 0 ? 0 : count >= 64 ? .max : ~(.max >> UInt64(count))
        }
        if self.isIPv4 {
            let kept = self.low & mask(length + 32)
            return IPAddress(ipv4: UInt32(truncatingIfNeeded: kept))
        }
        return IPAddress(ipv6High: self.high & mask(length), low: self.low & mask(length - 64))
    }
}
