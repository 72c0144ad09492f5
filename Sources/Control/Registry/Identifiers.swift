// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Synchronization

/// What the server makes up: UIDs and the ends of generated names.
package enum Identifiers {
    /// A random UUID (RFC 9562 section 5.4) in lower case.
    package static func uid() -> String {
        var random = SystemRandomNumberGenerator()
        return self.text(random.next(), random.next())
    }

    private static let seed = (UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max))
    private static let requests = Atomic<UInt64>(0)

    /// A UUID that no other request has. It is not a secret, and so is not asked of the system,
    /// whose random numbers cost a system call each.
    package static func requestID() -> String {
        let number = self.requests.wrappingAdd(1, ordering: .relaxed).newValue
        return self.text(
            self.mixed(self.seed.0 &+ number &* 0x9E37_79B9_7F4A_7C15),
            self.mixed(self.seed.1 ^ number)
        )
    }

    /// Spreads a number over all bits; different numbers stay different (SplitMix64).
    private static func mixed(_ number: UInt64) -> UInt64 {
        var mixed = number
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    /// The UUID that has these bits where it is free.
    private static func text(_ first: UInt64, _ second: UInt64) -> String {
        var (high, low) = (first, second)
        high = high & 0xFFFF_FFFF_FFFF_0FFF | 0x4000
        low = low & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        return String(unsafeUninitializedCapacity: 36) { target in
            var at = 0
            for index in 0..<32 {
                if index == 8 || index == 12 || index == 16 || index == 20 {
                    target[at] = UInt8(ascii: "-")
                    at += 1
                }
                let word = index < 16 ? high : low
                let digit = UInt8(truncatingIfNeeded: word >> UInt64(60 - index % 16 * 4)) & 15
                target[at] = digit < 10 ? digit + 0x30 : digit + 0x57
                at += 1
            }
            return at
        }
    }

    /// The characters of a generated name's end: no vowels and nothing that looks like another.
    private static let alphabet = Array("bcdfghjklmnpqrstvwxz2456789".utf8)
    private static let suffixLength = 5
    private static let maximumNameLength = 63

    /// A name that begins with `base`, which is cut so that the name stays within a label's length.
    package static func name(from base: String) -> String {
        var name = base
        while name.utf8.count > self.maximumNameLength - self.suffixLength { name.removeLast() }
        for _ in 0..<self.suffixLength {
            let letter = self.alphabet.randomElement() ?? UInt8(ascii: "b")
            name.unicodeScalars.append(UnicodeScalar(letter))
        }
        return name
    }
}
