// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// A range of IP addresses that is cut into equal parts, each given away once. Pure.
///
/// Source: upstream `pkg/controller/nodeipam/ipam/cidrset/cidr_set.go`.
package struct AddressRange {
    /// The most parts that a range may have, as a power of two; upstream's limit.
    private static let maximumPartBits = 16

    /// As it was written, for people.
    package let text: String
    private let base: [UInt8]
    private let prefix: Int
    package let partPrefix: Int
    private var isTaken: [Bool]
    private var next = 0
    /// Parts that are given away.
    package private(set) var takenCount = 0
    /// Parts that ``take()`` last found taken before one was free.
    package private(set) var tries = 0

    package var isIPv6: Bool { self.base.count == 16 }

    /// - Parameters:
    ///   - text: such as `10.244.0.0/16`.
    ///   - partPrefix: the length of the parts' prefix.
    /// - Returns: nil when the text is no range, or it cannot be cut so.
    package init?(_ text: String, partPrefix: Int) {
        guard let (address, prefix) = Self.parse(text) else { return nil }
        let bits = partPrefix - prefix
        guard bits >= 0, bits <= Self.maximumPartBits, partPrefix <= address.count * 8 else {
            return nil
        }
        self.base = Self.masked(address, prefix)
        self.text = "\(Self.format(self.base))/\(prefix)"
        self.prefix = prefix
        self.partPrefix = partPrefix
        self.isTaken = [Bool](repeating: false, count: 1 << bits)
    }

    package var count: Int { self.isTaken.count }
    package var freeCount: Int { self.count - self.takenCount }

    /// Gives away the next free part; nil when there is none.
    package mutating func take() -> String? {
        for step in 0..<self.isTaken.count {
            let index = (self.next + step) % self.isTaken.count
            guard !self.isTaken[index] else { continue }
            self.set(index, true)
            self.next = index + 1
            self.tries = step
            return self.text(index)
        }
        return nil
    }

    /// Notes that what `text` covers is in use.
    ///
    /// - Returns: false when it lies elsewhere.
    @discardableResult
    package mutating func occupy(_ text: String) -> Bool {
        guard let parts = self.parts(of: text) else { return false }
        for index in parts { self.set(index, true) }
        return true
    }

    /// Takes a part back.
    package mutating func release(_ text: String) {
        guard let parts = self.parts(of: text) else { return }
        for index in parts { self.set(index, false) }
    }

    private mutating func set(_ index: Int, _ isTaken: Bool) {
        guard self.isTaken[index] != isTaken else { return }
        self.isTaken[index] = isTaken
        self.takenCount += isTaken ? 1 : -1
    }

    /// The parts that a range overlaps.
    private func parts(of text: String) -> Range<Int>? {
        guard let (address, prefix) = Self.parse(text), address.count == self.base.count else {
            return nil
        }
        if prefix <= self.prefix {
            return Self.masked(self.base, prefix) == Self.masked(address, prefix)
                ? 0..<self.isTaken.count : nil
        }
        guard Self.masked(address, self.prefix) == self.base else { return nil }
        var index = 0
        for bit in self.prefix..<self.partPrefix {
            let isSet = bit < prefix && address[bit / 8] & (0x80 >> UInt8(bit % 8)) != 0
            index = index << 1 | (isSet ? 1 : 0)
        }
        let count = prefix < self.partPrefix ? 1 << (self.partPrefix - prefix) : 1
        return index..<index + count
    }

    private func text(_ index: Int) -> String {
        var address = self.base
        for (offset, bit) in (self.prefix..<self.partPrefix).enumerated() {
            let shift = self.partPrefix - self.prefix - 1 - offset
            if index >> shift & 1 == 1 { address[bit / 8] |= 0x80 >> UInt8(bit % 8) }
        }
        return "\(Self.format(address))/\(self.partPrefix)"
    }

    private static func masked(_ address: [UInt8], _ prefix: Int) -> [UInt8] {
        address.enumerated().map { index, byte in
            let bits = min(max(prefix - index * 8, 0), 8)
            return bits == 8 ? byte : byte & ~(0xff >> UInt8(bits))
        }
    }
}
