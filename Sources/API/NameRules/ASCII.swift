// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension UInt8 {
    /// Whether the byte is one of `0` to `9`.
    @inline(__always)
    var isDigit: Bool { self &- 0x30 < 10 }

    /// Whether the byte is one of `a` to `z`.
    @inline(__always)
    var isLower: Bool { self &- 0x61 < 26 }

    /// Whether the byte is an ASCII letter.
    @inline(__always)
    var isLetter: Bool { (self | 0x20) &- 0x61 < 26 }

    /// Whether the byte is a lower-case ASCII letter or a digit.
    @inline(__always)
    var isLowerAlphanumeric: Bool { self.isLower || self.isDigit }

    /// Whether the byte is an ASCII letter or a digit.
    @inline(__always)
    var isAlphanumeric: Bool { self.isLetter || self.isDigit }
}

extension String {
    /// Whether the UTF-8 contains the byte.
    func contains(byte: UInt8) -> Bool {
        self.utf8.contains(byte)
    }

    /// The pieces between the bytes `separator`, empty ones included; never none.
    func split(at separator: UInt8) -> [Substring] {
        var pieces: [Substring] = []
        var start = self.startIndex
        var index = self.startIndex
        while index < self.endIndex {
            if self.utf8[index] == separator {
                pieces.append(self[start..<index])
                start = self.utf8.index(after: index)
            }
            index = self.utf8.index(after: index)
        }
        pieces.append(self[start...])
        return pieces
    }
}
