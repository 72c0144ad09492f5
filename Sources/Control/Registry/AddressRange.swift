// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// A range of IPv4 addresses, such as that of Services.
package struct AddressRange: Sendable {
    /// As it was written: `10.96.0.0/12`.
    package let text: String
    private let base: UInt32
    private let count: UInt32

    /// Reads a range; nil when it is none of 4 to 16 million addresses.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let bits = UInt32(parts[1]), (8...30).contains(bits),
            let address = Self.parse(String(parts[0]))
        else { return nil }
        self.text = text
        self.count = UInt32(1) << (32 - bits)
        self.base = address & ~(self.count - 1)
    }

    private init(base: UInt32, bits: UInt32) {
        self.text = "\(Self.text(base))/\(bits)"
        self.base = base
        self.count = UInt32(1) << (32 - bits)
    }

    /// `10.96.0.0/12`, what kubeadm and we take when nothing else is asked for.
    package static let standard = AddressRange(base: 10 << 24 | 96 << 16, bits: 12)

    /// The first address that a Service can have: that of the API server.
    package var first: String { Self.text(self.base + 1) }

    /// Whether an address can be given away: neither the network's nor the broadcast's.
    package func contains(_ text: String) -> Bool {
        guard let address = Self.parse(text) else { return false }
        return address > self.base && address - self.base < self.count - 1
    }

    /// Addresses up to this offset are not given away unless they are asked for, or all others are
    /// gone. Source: KEP-3070: min(max(16, size / 16), 256).
    private var staticCount: UInt32 {
        self.count <= 32 ? 0 : min(max(16, self.count / 16), 256)
    }

    /// An address to try.
    func candidate(attempt: Int, of attempts: Int) -> String {
        let last = self.count - 2
        let first = attempt < attempts * 3 / 4 ? min(self.staticCount + 1, last) : 1
        return Self.text(self.base + UInt32.random(in: first...last))
    }

    private static func text(_ address: UInt32) -> String {
        "\(address >> 24).\(address >> 16 & 255).\(address >> 8 & 255).\(address & 255)"
    }

    private static func parse(_ text: String) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var address: UInt32 = 0
        for part in parts {
            guard let byte = UInt8(part), part.count == 1 || part.first != "0" else { return nil }
            address = address << 8 | UInt32(byte)
        }
        return address
    }
}
