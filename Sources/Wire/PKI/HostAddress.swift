// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc

/// An IP address as a certificate names it: 4 or 16 bytes in network order.
public struct HostAddress: Hashable, Sendable {
    /// The address, 4 bytes (IPv4) or 16 (IPv6).
    public let bytes: [UInt8]

    private static let bytesOfIPv4 = 4
    private static let bytesOfIPv6 = 16

    /// An address from its bytes; nil unless there are 4 or 16.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == HostAddress.bytesOfIPv4 || bytes.count == HostAddress.bytesOfIPv6
        else { return nil }
        self.bytes = Array(bytes)
    }

    /// An address from its text, as inet_pton(3) reads it: `192.0.2.1`, `2001:db8::1`.
    ///
    /// An IPv4 address in IPv6 clothes (`::ffff:192.0.2.1`) becomes the IPv4 address, as in Go.
    public init?(_ text: String) {
        // A zero inside would hide what follows it from C.
        guard !text.utf8.contains(0) else { return nil }
        var buffer = [UInt8](repeating: 0, count: HostAddress.bytesOfIPv6)
        if inet_pton(AF_INET, text, &buffer) == 1 {
            self.bytes = Array(buffer.prefix(HostAddress.bytesOfIPv4))
        } else if inet_pton(AF_INET6, text, &buffer) == 1 {
            let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
            self.bytes = buffer.starts(with: mapped) ? Array(buffer.dropFirst(12)) : buffer
        } else {
            return nil
        }
    }
}

// MARK: - Text

extension HostAddress: CustomStringConvertible {
    /// The address as inet_ntop(3) writes it.
    public var description: String {
        let family = self.bytes.count == HostAddress.bytesOfIPv4 ? AF_INET : AF_INET6
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        // Cannot fail: the family is known and the buffer holds the longest text.
        inet_ntop(family, self.bytes, &buffer, socklen_t(buffer.count))
        return String(
            decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)),
            as: UTF8.self
        )
    }
}
