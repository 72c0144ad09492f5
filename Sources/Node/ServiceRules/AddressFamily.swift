// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import NameRules

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

    /// An address of the family in its one canonical form, in which it may stand in a rule; nil for
    /// everything else, mapped addresses included.
    public func canonical(_ text: String) -> String? {
        self.address(text)?.description
    }

    /// As `canonical`, for an address that packets may be sent to: no loopback, no multicast.
    func endpoint(_ text: String) -> String? {
        guard let address = self.address(text), !address.isLoopback, !address.isMulticast else {
            return nil
        }
        return address.description
    }

    private func address(_ text: String) -> IPAddress? {
        guard let address = IPAddress(parsing: text), address.isIPv4 == (self == .ipv4),
            !address.isIPv4MappedIPv6, !address.isUnspecified
        else { return nil }
        return address
    }

    /// Whether a text is a range such as `10.0.0.0/8` of the family.
    public func accepts(range text: String) -> Bool { self.prefix(text) != nil }

    private func prefix(_ text: String) -> IPPrefix? {
        guard let prefix = IPPrefix(parsing: text), prefix.address.isIPv4 == (self == .ipv4),
            !prefix.address.isIPv4MappedIPv6
        else { return nil }
        return prefix
    }

    /// The ranges of the family without those that lie in another: a set of nftables has no
    /// ranges that overlap, and ranges of this kind overlap only when one holds the other.
    func ranges(_ texts: some Sequence<String>) -> [String] {
        let prefixes = Set(texts.compactMap(self.prefix)).sorted {
            ($0.length, $0.network) < ($1.length, $1.network)
        }
        var kept: [IPPrefix] = []
        for prefix in prefixes where !kept.contains(where: { $0.contains(prefix.network) }) {
            kept.append(prefix)
        }
        return kept.map(\.description)
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
