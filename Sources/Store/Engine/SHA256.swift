// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// SHA-256, for the checksum at the end of a snapshot. Not for secrets: it is not constant-time.
///
/// Source: FIPS 180-4, sections 4.1.2, 4.2.2, 5.3.3 and 6.2.
package struct SHA256 {
    /// The bytes of a digest.
    package static let digestBytes = 32

    private static let blockBytes = 64

    private static let constants: [UInt32] = [
        0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4,
        0xab1c_5ed5, 0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe,
        0x9bdc_06a7, 0xc19b_f174, 0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f,
        0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da, 0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7,
        0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967, 0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc,
        0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85, 0xa2bf_e8a1, 0xa81a_664b,
        0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070, 0x19a4_c116,
        0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
        0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7,
        0xc671_78f2,
    ]

    private var hash: [UInt32] = [
        0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab,
        0x5be0_cd19,
    ]
    private var schedule = [UInt32](repeating: 0, count: 64)
    private var rest: [UInt8] = []
    private var total: UInt64 = 0

    package init() {}

    /// Takes in `bytes`.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        self.total &+= UInt64(bytes.count)
        var start = 0
        if !self.rest.isEmpty {
            let taken = min(Self.blockBytes - self.rest.count, bytes.count)
            self.rest.append(contentsOf: bytes[..<taken])
            start = taken
            if self.rest.count < Self.blockBytes { return }
            let block = self.rest
            block.withUnsafeBytes { self.compress($0) }
            self.rest.removeAll(keepingCapacity: true)
        }
        while bytes.count - start >= Self.blockBytes {
            let block = bytes[start..<(start + Self.blockBytes)]
            self.compress(UnsafeRawBufferPointer(rebasing: block))
            start += Self.blockBytes
        }
        self.rest.append(contentsOf: bytes[start...])
    }

    /// The digest of all bytes taken in. Nothing may be taken in afterwards.
    package mutating func finish() -> [UInt8] {
        let bits = self.total &* 8
        var padding: [UInt8] = [0x80]
        while (self.rest.count + padding.count) % Self.blockBytes != Self.blockBytes - 8 {
            padding.append(0)
        }
        withUnsafeBytes(of: bits.bigEndian) { padding.append(contentsOf: $0) }
        padding.withUnsafeBytes { self.update($0) }
        return self.hash.flatMap { word in withUnsafeBytes(of: word.bigEndian) { Array($0) } }
    }

    private mutating func compress(_ block: UnsafeRawBufferPointer) {
        func rotate(_ value: UInt32, _ bits: UInt32) -> UInt32 {
            value &>> bits | value &<< (32 &- bits)
        }
        self.schedule.withUnsafeMutableBufferPointer { words in
            for index in 0..<16 {
                let word = block.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)
                words[index] = UInt32(bigEndian: word)
            }
            for index in 16..<64 {
                let a = words[index - 15]
                let b = words[index - 2]
                let small0 = rotate(a, 7) ^ rotate(a, 18) ^ a &>> 3
                let small1 = rotate(b, 17) ^ rotate(b, 19) ^ b &>> 10
                words[index] = words[index - 16] &+ small0 &+ words[index - 7] &+ small1
            }
        }
        var (a, b, c, d) = (self.hash[0], self.hash[1], self.hash[2], self.hash[3])
        var (e, f, g, h) = (self.hash[4], self.hash[5], self.hash[6], self.hash[7])
        self.schedule.withUnsafeBufferPointer { words in
            Self.constants.withUnsafeBufferPointer { constants in
                for index in 0..<64 {
                    let big1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
                    let choice = e & f ^ ~e & g
                    let first = h &+ big1 &+ choice &+ constants[index] &+ words[index]
                    let big0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)
                    let majority = a & b ^ a & c ^ b & c
                    h = g
                    g = f
                    f = e
                    e = d &+ first
                    d = c
                    c = b
                    b = a
                    a = first &+ big0 &+ majority
                }
            }
        }
        for (index, value) in [a, b, c, d, e, f, g, h].enumerated() { self.hash[index] &+= value }
    }
}
