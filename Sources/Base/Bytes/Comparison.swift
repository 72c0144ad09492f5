// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Orders two runs of bytes lexicographically: negative, zero or positive as in `memcmp`.
@inlinable
public func compareBytes(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
    let shared = Swift.min(left.count, right.count)
    if shared > 0, let a = left.baseAddress, let b = right.baseAddress {
        var offset = 0
        while offset + 8 <= shared {
            let x = UInt64(bigEndian: a.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            let y = UInt64(bigEndian: b.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            if x != y { return x < y ? -1 : 1 }
            offset += 8
        }
        while offset < shared {
            let x = a.load(fromByteOffset: offset, as: UInt8.self)
            let y = b.load(fromByteOffset: offset, as: UInt8.self)
            if x != y { return x < y ? -1 : 1 }
            offset += 1
        }
    }
    return left.count - right.count
}
