// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The 64-bit checksum of everything the engine writes: XXH64.
///
/// It is there to find damage, not forgery. One kilobyte takes about a tenth of a microsecond.
///
/// Source: xxHash specification, `doc/xxhash_spec.md`, section "XXH64".
package enum Checksum {
    private static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
    private static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
    private static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
    private static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
    private static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

    /// The checksum of `bytes`. Different seeds give unrelated checksums of the same bytes.
    package static func of(_ bytes: UnsafeRawBufferPointer, seed: UInt64 = 0) -> UInt64 {
        let count = bytes.count
        guard let base = bytes.baseAddress else { return self.finish(seed &+ self.prime5, nil, 0) }
        var at = base
        let end = base + count
        var hash: UInt64
        if count >= 32 {
            var lane1 = seed &+ self.prime1 &+ self.prime2
            var lane2 = seed &+ self.prime2
            var lane3 = seed
            var lane4 = seed &- self.prime1
            let last = end - 32
            repeat {
                lane1 = self.round(lane1, self.word(at))
                lane2 = self.round(lane2, self.word(at + 8))
                lane3 = self.round(lane3, self.word(at + 16))
                lane4 = self.round(lane4, self.word(at + 24))
                at += 32
            } while at <= last
            hash = self.rotate(lane1, 1) &+ self.rotate(lane2, 7)
            hash = hash &+ self.rotate(lane3, 12) &+ self.rotate(lane4, 18)
            hash = self.merge(hash, lane1)
            hash = self.merge(hash, lane2)
            hash = self.merge(hash, lane3)
            hash = self.merge(hash, lane4)
        } else {
            hash = seed &+ self.prime5
        }
        return self.finish(hash &+ UInt64(count), at, end - at)
    }

    private static func finish(
        _ start: UInt64,
        _ tail: UnsafeRawPointer?,
        _ tailCount: Int
    ) -> UInt64 {
        var hash = start
        if var at = tail {
            let end = at + tailCount
            while end - at >= 8 {
                hash ^= self.round(0, self.word(at))
                hash = self.rotate(hash, 27) &* self.prime1 &+ self.prime4
                at += 8
            }
            if end - at >= 4 {
                let half = UInt32(littleEndian: at.loadUnaligned(as: UInt32.self))
                hash ^= UInt64(half) &* self.prime1
                hash = self.rotate(hash, 23) &* self.prime2 &+ self.prime3
                at += 4
            }
            while at < end {
                hash ^= UInt64(at.load(as: UInt8.self)) &* self.prime5
                hash = self.rotate(hash, 11) &* self.prime1
                at += 1
            }
        }
        hash ^= hash &>> 33
        hash = hash &* self.prime2
        hash ^= hash &>> 29
        hash = hash &* self.prime3
        hash ^= hash &>> 32
        return hash
    }

    @inline(__always)
    private static func word(_ at: UnsafeRawPointer) -> UInt64 {
        UInt64(littleEndian: at.loadUnaligned(as: UInt64.self))
    }

    @inline(__always)
    private static func rotate(_ value: UInt64, _ bits: UInt64) -> UInt64 {
        (value &<< bits) | (value &>> (64 &- bits))
    }

    @inline(__always)
    private static func round(_ lane: UInt64, _ word: UInt64) -> UInt64 {
        self.rotate(lane &+ word &* self.prime2, 31) &* self.prime1
    }

    @inline(__always)
    private static func merge(_ hash: UInt64, _ lane: UInt64) -> UInt64 {
        (hash ^ self.round(0, lane)) &* self.prime1 &+ self.prime4
    }
}
