// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Testing

@testable import Engine

@Suite("Checksum")
struct ChecksumTests {
    struct Vector: Sendable {
        let text: String
        let seed: UInt64
        let checksum: UInt64
    }

    // Made with the reference implementation (python-xxhash 3.x, `xxh64_intdigest`).
    static let vectors: [Vector] = [
        Vector(
            text: "",
            seed: 0x0000_0000_0000_0000,
            checksum: 0xEF46_DB37_51D8_E999
        ),
        Vector(
            text: "a",
            seed: 0x0000_0000_0000_0001,
            checksum: 0xDEC2_BC81_C3CD_46C6
        ),
        Vector(
            text: "abc",
            seed: 0x0123_4567_89AB_CDEF,
            checksum: 0x1FC0_3EF7_4CEB_AA7D
        ),
        Vector(
            text: "abcdefg",
            seed: 0x0000_0000_0000_0000,
            checksum: 0x1860_940E_2902_822D
        ),
        Vector(
            text: "12345678",
            seed: 0x0000_0000_0000_0001,
            checksum: 0x339C_66FF_5360_00B7
        ),
        Vector(
            text: "The quick brown fox jumps over",
            seed: 0x0123_4567_89AB_CDEF,
            checksum: 0xD05D_D180_D468_6366
        ),
        Vector(
            text: "0123456789abcdef0123456789abcdef",
            seed: 0x0000_0000_0000_0000,
            checksum: 0x642A_9495_8E71_E6C5
        ),
        Vector(
            text: String(repeating: "x", count: 33),
            seed: 0x0000_0000_0000_0001,
            checksum: 0xA3B9_C1A7_BDEA_3D1C
        ),
        Vector(
            text: String(repeating: "Apus", count: 25) + "!",
            seed: 0x0123_4567_89AB_CDEF,
            checksum: 0xCB9E_15EF_D0FC_223A
        ),
    ]

    @Test("is XXH64", arguments: vectors)
    func reference(vector: Vector) {
        let bytes = Array(vector.text.utf8)
        #expect(bytes.withUnsafeBytes { Checksum.of($0, seed: vector.seed) } == vector.checksum)
    }

    @Test("changes with every bit")
    func bits() {
        var bytes = [UInt8](repeating: 7, count: 100)
        let before = bytes.withUnsafeBytes { Checksum.of($0) }
        for index in bytes.indices {
            for bit in 0..<8 {
                bytes[index] ^= 1 << UInt8(bit)
                #expect(bytes.withUnsafeBytes { Checksum.of($0) } != before)
                bytes[index] ^= 1 << UInt8(bit)
            }
        }
    }
}
