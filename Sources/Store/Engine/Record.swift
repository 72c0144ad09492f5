// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KeyValueStore

/// The stored form of one change of one key.
///
/// ```
///  0           8                12
///  +-----------+----------------+------------------------------+
///  | checksum  | body bytes     | body: mvccpb.KeyValue        |
///  +-----------+----------------+------------------------------+
/// ```
///
/// Integers are little-endian. The top bit of the body's size marks a tombstone, whose body has key
/// and mod revision only. The checksum covers everything behind it and is seeded with the revision,
/// so that a record found under another revision is as wrong as a damaged one.
package enum Record {
    /// The bytes before the body.
    package static let headerBytes = 12

    private static let tombstoneBit: UInt32 = 0x8000_0000

    /// The seed of the checksum of the record at `revision`.
    @inline(__always)
    static func seed(_ revision: Revision) -> UInt64 {
        UInt64(bitPattern: revision.main) &* 0x9E37_79B9_7F4A_7C15 ^ UInt64(revision.sub)
    }

    /// Completes a record whose body is written behind the header already.
    @inline(__always)
    static func seal(
        _ base: UnsafeMutableRawPointer,
        bodyBytes: Int,
        isTombstone: Bool,
        _ revision: Revision
    ) {
        let word = UInt32(bodyBytes) | (isTombstone ? self.tombstoneBit : 0)
        (base + 8).storeBytes(of: word.littleEndian, as: UInt32.self)
        let covered = UnsafeRawBufferPointer(start: base + 8, count: 4 + bodyBytes)
        let checksum = Checksum.of(covered, seed: self.seed(revision))
        base.storeBytes(of: checksum.littleEndian, as: UInt64.self)
    }

    /// A record whose checksum was found right.
    package struct View {
        /// The encoded `mvccpb.KeyValue`.
        package let body: UnsafeRawBufferPointer
        package let isTombstone: Bool
        package let checksum: UInt64

        /// The key and numbers of the body.
        package var keyValue: EncodedKeyValue? { EncodedKeyValue(parsing: self.body) }
    }

    /// The size of the whole record that starts with `bytes`; nil if there is too little to tell.
    @inline(__always)
    package static func byteCount(startingWith bytes: UnsafeRawBufferPointer) -> Int? {
        guard bytes.count >= self.headerBytes else { return nil }
        let word = UInt32(
            littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self)
        )
        return self.headerBytes + Int(word & ~self.tombstoneBit)
    }

    /// Checks and opens the record of `revision`; nil if it is damaged.
    @inline(__always)
    package static func open(
        _ bytes: UnsafeRawBufferPointer,
        _ revision: Revision
    ) -> View? {
        guard let total = self.byteCount(startingWith: bytes), total == bytes.count else {
            return nil
        }
        let stored = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        let covered = UnsafeRawBufferPointer(rebasing: bytes[8...])
        guard Checksum.of(covered, seed: self.seed(revision)) == stored else { return nil }
        return self.openUnchecked(bytes)
    }

    /// Opens a record that this process has written or checked itself.
    @inline(__always)
    static func openUnchecked(_ bytes: UnsafeRawBufferPointer) -> View {
        let word = UInt32(
            littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self)
        )
        return View(
            body: UnsafeRawBufferPointer(rebasing: bytes[self.headerBytes...]),
            isTombstone: word & self.tombstoneBit != 0,
            checksum: UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        )
    }
}
