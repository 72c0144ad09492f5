// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import NIOCore

/// The read buffer that all connections of an event loop share. A connection that reads nothing
/// holds no buffer, and each read has room for all that the socket has.
final class ReadBufferPool {
    private var free: ByteBuffer?

    /// The most that one read takes, in bytes.
    static let capacity = 64 << 10

    func take(_ allocator: ByteBufferAllocator) -> ByteBuffer {
        guard var buffer = self.free else { return allocator.buffer(capacity: Self.capacity) }
        self.free = nil
        // Slices that are still held elsewhere keep their bytes: this allocates anew then.
        buffer.clear()
        return buffer
    }

    /// Takes a buffer back whose bytes were handled.
    func give(_ buffer: ByteBuffer) {
        if self.free == nil, buffer.storageCapacity == Self.capacity { self.free = buffer }
    }
}

/// Hands the shared read buffer to a channel.
///
// SAFETY: `@unchecked Sendable` because the channel asks on its own event loop only, and the pool
// that is found there belongs to that loop's thread.
struct SharedReadBufferAllocator: RecvByteBufferAllocator, @unchecked Sendable {
    /// NIO keeps a reference to the first buffers it is given, one with `maxMessagesPerRead` of 1;
    /// that must not be the shared one, which could then never be written without a copy.
    private final class First {
        var isPending = true
    }

    private let first = First()

    func buffer(allocator: ByteBufferAllocator) -> ByteBuffer {
        if self.first.isPending {
            self.first.isPending = false
            return allocator.buffer(capacity: Self.firstCapacity)
        }
        return LoopResources.ofCurrentThread().readBuffers.take(allocator)
    }

    /// What the first read of a connection takes: a client's preface and SETTINGS, or a request.
    private static let firstCapacity = 512

    mutating func record(actualReadBytes: Int) -> Bool { true }
}

/// Stands first in a channel and takes the shared read buffer back when all others have seen it.
final class ReadBufferReturner: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let pool: ReadBufferPool

    init(pool: ReadBufferPool) {
        self.pool = pool
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.fireChannelRead(data)
        self.pool.give(self.unwrapInboundIn(data))
    }
}
