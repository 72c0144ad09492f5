// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import NIOCore

/// The bytes that are ready to leave, in order: small frames are gathered in one buffer, large
/// payloads stay where they are.
public final class OutboundBatch {
    /// Buffers that are complete; ``gathering`` comes after them.
    private var parts: [ByteBuffer] = []
    private var gathering: ByteBuffer

    /// The bytes in the batch.
    public private(set) var byteCount = 0

    /// The bytes from which production of frames pauses.
    public var limit = 256 << 10

    /// Payloads of at least this many bytes are not copied. `Int.max` copies all, as suits TLS,
    /// where each buffer would become a record.
    public var zeroCopyThreshold: Int

    /// The allocator for ``gathering``; one that a loop shares keeps idle connections small.
    private let allocator = ByteBufferAllocator()

    /// What a new gathering buffer holds, in bytes.
    private static let gatheringCapacity = 16 << 10

    public init(zeroCopyThreshold: Int) {
        self.zeroCopyThreshold = zeroCopyThreshold
        self.gathering = ByteBuffer()
    }

    public var isEmpty: Bool { self.byteCount == 0 }
    public var isFull: Bool { self.byteCount >= self.limit }

    /// Gives the batch memory to gather in.
    public func lend(_ buffer: ByteBuffer) {
        if self.gathering.readableBytes == 0 && self.parts.isEmpty {
            self.gathering = buffer
            self.gathering.clear()
        }
    }

    /// Takes the memory back: what was lent and not used, or `written`, whose bytes were handed to
    /// the channel. Clearing that allocates anew when the channel still holds it.
    public func reclaim(_ written: ByteBuffer?) -> ByteBuffer {
        guard self.isEmpty else { return written ?? ByteBuffer() }
        let lent = self.gathering
        self.gathering = ByteBuffer()
        return lent.capacity > 0 ? lent : written ?? ByteBuffer()
    }

    public func append(_ bytes: UnsafeRawBufferPointer) {
        self.gathering.writeBytes(bytes)
        self.byteCount &+= bytes.count
    }

    /// Appends a payload, copied when it is small.
    public func append(payload: ByteBuffer) {
        let count = payload.readableBytes
        self.byteCount &+= count
        if count < self.zeroCopyThreshold {
            var payload = payload
            self.gathering.writeBuffer(&payload)
        } else {
            if self.gathering.readableBytes > 0 {
                self.parts.append(self.gathering)
                self.gathering = self.allocator.buffer(capacity: 512)
            }
            self.parts.append(payload)
        }
    }

    /// Hands out everything, one buffer at a time, and leaves the batch empty.
    public func drain(_ body: (ByteBuffer) -> Void) {
        self.byteCount = 0
        if !self.parts.isEmpty {
            for part in self.parts { body(part) }
            self.parts.removeAll()
        }
        if self.gathering.readableBytes > 0 {
            let last = self.gathering
            self.gathering = ByteBuffer()
            body(last)
        }
    }
}
