// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import NIOCore

/// The write buffer that all connections of an event loop share: an idle connection keeps none.
final class BufferPool {
    private var free: ByteBuffer?

    /// What a new buffer holds, in bytes.
    private static let capacity = 32 << 10
    /// A buffer that grew beyond this is not kept.
    private static let keptCapacity = 512 << 10

    func take() -> ByteBuffer {
        guard let buffer = self.free else {
            return ByteBufferAllocator().buffer(capacity: Self.capacity)
        }
        self.free = nil
        return buffer
    }

    func give(_ buffer: ByteBuffer) {
        if self.free == nil, buffer.capacity >= Self.capacity / 2,
            buffer.capacity <= Self.keptCapacity
        {
            self.free = buffer
        }
    }
}
