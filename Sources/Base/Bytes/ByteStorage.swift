// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc

/// A heap buffer that frees its memory when the last reference goes away.
///
/// The bytes are written before the storage is shared and never changed afterwards; that is what
/// makes handing it between threads safe.
public final class ByteStorage: @unchecked Sendable {
    // SAFETY: `base` is written only by the initialiser's caller before the object is shared.

    /// The first byte; `count` bytes may be read.
    public let base: UnsafeMutableRawPointer

    /// The size in bytes.
    public let count: Int

    /// Allocates `count` uninitialised bytes and lets `body` fill them.
    public init(count: Int, initializingWith body: (UnsafeMutableRawBufferPointer) -> Void) {
        self.base = .allocate(byteCount: Swift.max(count, 1), alignment: 8)
        self.count = count
        body(UnsafeMutableRawBufferPointer(start: self.base, count: count))
    }

    deinit {
        self.base.deallocate()
    }
}
