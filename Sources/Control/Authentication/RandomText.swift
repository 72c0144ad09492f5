// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Random identifiers, from a source that tests choose.
enum RandomText {
    /// A random UUID. Source: RFC 9562 section 5.4.
    static func uuid(_ random: () -> UInt64) -> String {
        var high = random()
        var low = random()
        high = high & 0xFFFF_FFFF_FFFF_0FFF | 0x4000
        low = low & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        let digits = self.hex(high) + self.hex(low)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if [8, 12, 16, 20].contains(index) { text += "-" }
            text.append(digit)
        }
        return text
    }

    private static func hex(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// Whether two texts are equal, in a time that does not tell where they differ.
func areEqualInConstantTime(_ left: String, _ right: String) -> Bool {
    let (left, right) = (Array(left.utf8), Array(right.utf8))
    guard left.count == right.count else { return false }
    return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
}
