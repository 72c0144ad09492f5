// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import NameRules

/// The addresses that the `local` provider may give to Services: ranges and spans, such as
/// `192.0.2.0/28`, `192.0.2.240-192.0.2.250` and single addresses.
public struct AddressPool: Sendable, Hashable {
    /// First and last address of each part, of one version.
    private var spans: [Span] = []

    private struct Span: Sendable, Hashable {
        var first: IPAddress
        var last: IPAddress
    }

    /// Why a text is no pool.
    public struct Failure: Error, Sendable, Hashable, CustomStringConvertible {
        public let text: String

        public var description: String { "'\(self.text)' is no address, range or span" }
    }

    public init(_ texts: [String]) throws(Failure) {
        for text in texts {
            guard let span = Self.span(text) else { throw Failure(text: text) }
            self.spans.append(span)
        }
    }

    private static func span(_ text: String) -> Span? {
        if let prefix = IPPrefix(parsing: text) {
            let network = prefix.network
            return Span(first: network, last: network.last(length: prefix.length))
        }
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map {
            IPAddress(parsing: String($0))
        }
        guard ends.count <= 2, let first = ends.first ?? nil, let last = ends.last ?? nil,
            first.isIPv4 == last.isIPv4, first <= last, !first.isIPv4MappedIPv6
        else { return nil }
        return Span(first: first, last: last)
    }

    public var isEmpty: Bool { self.spans.isEmpty }

    func contains(_ address: IPAddress) -> Bool {
        self.spans.contains {
            $0.first.isIPv4 == address.isIPv4 && $0.first <= address && address <= $0.last
        }
    }

    /// The first address of a version that is not taken.
    func firstFree(isIPv4: Bool, taken: Set<IPAddress>) -> IPAddress? {
        for span in self.spans where span.first.isIPv4 == isIPv4 {
            // At most one step for each that is taken.
            var address = span.first
            while taken.contains(address), address < span.last { address = address.next }
            if !taken.contains(address) { return address }
        }
        return nil
    }
}

extension IPAddress {
    /// The address after this one, of the same version; the first after the last.
    fileprivate var next: IPAddress {
        if let bits = self.ipv4Bits, self.isIPv4 { return IPAddress(ipv4: bits &+ 1) }
        let (low, isOver) = self.low.addingReportingOverflow(1)
        return IPAddress(ipv6High: self.high &+ (isOver ? 1 : 0), low: low)
    }

    /// The last address of the range of a network.
    fileprivate func last(length: Int) -> IPAddress {
        func mask(_ count: Int) -> UInt64 {
            count <= 0 ? .max : count >= 64 ? 0 : .max >> UInt64(count)
        }
        if let bits = self.ipv4Bits, self.isIPv4 {
            return IPAddress(ipv4: bits | UInt32(truncatingIfNeeded: mask(length + 32)))
        }
        return IPAddress(ipv6High: self.high | mask(length), low: self.low | mask(length - 64))
    }
}
