// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import NameRules

/// A range of addresses, such as that of Services.
package struct AddressRange: Sendable, Equatable {
    private let prefix: IPPrefix
    private let count: UInt64

    /// Reads a range; nil when it is none of 4 to 16 million addresses of version 4, or 4 to 2^64
    /// of version 6.
    package init?(_ text: String) {
        guard let prefix = IPPrefix(parsing: text),
            (prefix.address.isIPv4 ? 8...30 : 64...126).contains(prefix.length)
        else { return nil }
        self.init(prefix)
    }

    private init(_ prefix: IPPrefix) {
        self.prefix = prefix
        // Of 2^64 addresses the first half is enough, as it is upstream.
        self.count = 1 << UInt64(min(63, prefix.address.bitCount - prefix.length))
    }

    /// `10.96.0.0/12`, what kubeadm and we take when nothing else is asked for.
    package static let standard: AddressRange = {
        guard let range = AddressRange("10.96.0.0/12") else {
            preconditionFailure("the range is well-formed")
        }
        return range
    }()

    /// The canonical text: `10.96.0.0/12`.
    package var text: String { self.prefix.description }

    /// `IPv4` or `IPv6`, as the API has it.
    package var family: String { self.prefix.address.isIPv4 ? "IPv4" : "IPv6" }

    /// The first address that a Service can have: that of the API server.
    package var first: String { self.address(at: 1) }

    /// The last offset that is given away: version 4 keeps one more back, for broadcasts.
    private var lastOffset: UInt64 {
        self.prefix.address.isIPv4 ? self.count - 2 : self.count - 1
    }

    /// Whether an address can be given away.
    package func contains(_ text: String) -> Bool {
        guard let address = IPAddress(parsing: text), self.prefix.contains(address) else {
            return false
        }
        return (1...self.lastOffset).contains(address.low - self.prefix.network.low)
    }

    /// Addresses up to this offset are not given away unless they are asked for, or all others are
    /// gone. Source: KEP-3070: min(max(16, size / 16), 256).
    private var staticCount: UInt64 {
        self.count <= 16 ? 0 : min(max(16, self.count / 16), 256)
    }

    /// Visits addresses in the order in which they are to be tried, each at most once, until `body`
    /// takes one: from a random one on, those of the static part last.
    ///
    /// - Parameter limit: how many are visited at most.
    func visit<E: Error>(
        limit: Int,
        _ body: (String) async throws(E) -> Bool
    ) async throws(E) -> String? {
        let last = self.lastOffset
        let dynamic = min(self.staticCount, last - 1) + 1
        let width = last - dynamic + 1
        let start = UInt64.random(in: 0..<width)
        for index in 0..<min(UInt64(limit), last) {
            let offset =
                index < width ? dynamic + (start + index) % width : index - width + 1
            let address = self.address(at: offset)
            if try await body(address) { return address }
        }
        return nil
    }

    private func address(at offset: UInt64) -> String {
        let network = self.prefix.network
        if network.isIPv4 {
            return "\(IPAddress(ipv4: UInt32(truncatingIfNeeded: network.low + offset)))"
        }
        return "\(IPAddress(ipv6High: network.high, low: network.low + offset))"
    }
}
