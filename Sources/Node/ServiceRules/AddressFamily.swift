// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// IPv4 or IPv6: each has a table of its own.
public enum AddressFamily: String, Sendable, Hashable, CaseIterable {
    case ipv4 = "IPv4"
    case ipv6 = "IPv6"

    /// The family of nftables tables, and the keyword of its addresses.
    var keyword: String { self == .ipv4 ? "ip" : "ip6" }
    /// The type of an address in a set.
    var addressType: String { self == .ipv4 ? "ipv4_addr" : "ipv6_addr" }
    /// The range that never leaves the machine.
    var loopback: String { self == .ipv4 ? "127.0.0.0/8" : "::1/128" }

    /// Whether a text is an address of the family, checked so far that it can stand in a rule: only
    /// digits, letters a to f, dots and colons, and of the right shape.
    func accepts(_ text: String) -> Bool {
        guard !text.isEmpty, text.utf8.count <= 45 else { return false }
        switch self {
        case .ipv4:
            let parts = text.split(separator: ".", omittingEmptySubsequences: false)
            return parts.count == 4
                && parts.allSatisfy { part in UInt8(part).map { String($0) == part } ?? false }
        case .ipv6:
            return text.utf8.contains(UInt8(ascii: ":"))
                && text.utf8.allSatisfy { byte in
                    switch byte {
                    case UInt8(ascii: "0")...UInt8(ascii: "9"),
                        UInt8(ascii: "a")...UInt8(ascii: "f"),
                        UInt8(ascii: "A")...UInt8(ascii: "F"), UInt8(ascii: ":"), UInt8(ascii: "."):
                        true
                    default: false
                    }
                }
        }
    }

    /// Whether a text is a range such as `10.0.0.0/8` of the family.
    public func accepts(range text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, self.accepts(String(parts[0])), let length = UInt8(parts[1]) else {
            return false
        }
        return String(length) == parts[1] && length <= (self == .ipv4 ? 32 : 128)
    }
}

/// A protocol that Services carry.
public enum TransportProtocol: String, Sendable, Hashable {
    case tcp = "TCP"
    case udp = "UDP"
    case sctp = "SCTP"

    var keyword: String {
        switch self {
        case .tcp: "tcp"
        case .udp: "udp"
        case .sctp: "sctp"
        }
    }
}
