// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

@_spi(CustomByteBufferAllocator) import NIOCore
import RPCInterface

/// The messages that a side of a call has encoded and the transport has not taken yet.
struct OutboundQueue: ~Copyable {
    /// Largest message before compression.
    let maxMessageBytes: Int
    /// How messages are compressed from now on.
    var encoding: RPCCompression = .identity
    private var sink = RPCByteSink()
    /// Bytes that are missing of a message that was begun.
    private(set) var missingBytes = 0
    /// What was taken last, and likely to be taken next.
    private var expectedBytes = 0

    init(maxMessageBytes: Int) {
        self.maxMessageBytes = min(maxMessageBytes, Int(UInt32.max))
    }

    /// Bytes that wait, prefixes included.
    var byteCount: Int { self.sink.byteCount }

    /// Encodes a message behind its prefix.
    ///
    /// - Throws: `RESOURCE_EXHAUSTED` when it is too large, `INTERNAL` when `encode` throws; the
    ///   queue is then as before.
    mutating func append(
        _ encode: (inout RPCByteSink) throws -> Void
    ) throws(RPCError) {
        guard self.missingBytes == 0 else { throw Self.isInMessage }
        self.prepareSink()
        let start = self.sink.byteCount
        do {
            try Self.frame(
                to: &self.sink,
                encoding: self.encoding,
                limit: self.maxMessageBytes,
                encode
            )
        } catch {
            self.sink.truncate(toByteCount: start)
            throw error
        }
    }

    /// Encodes the first part of a message behind the prefix of all of it. `encode` answers how many
    /// bytes follow. Compressed messages have no parts.
    mutating func appendStart(
        _ encode: (inout RPCByteSink) throws -> Int
    ) throws(RPCError) {
        guard self.missingBytes == 0 else { throw Self.isInMessage }
        let start = self.sink.byteCount
        var missing = 0
        do {
            try Self.frame(to: &self.sink, encoding: .identity, limit: self.maxMessageBytes) {
                missing = try encode(&$0)
            }
            let length = self.sink.byteCount - start - MessagePrefix.byteCount + missing
            guard missing >= 0, length <= self.maxMessageBytes else {
                throw Self.tooLarge(length, self.maxMessageBytes)
            }
            let prefix = MessagePrefix(isCompressed: false, length: length)
            self.sink.withMutableBytes { bytes in
                let place = bytes[start..<(start + MessagePrefix.byteCount)]
                prefix.write(to: UnsafeMutableRawBufferPointer(rebasing: place))
            }
            self.missingBytes = missing
        } catch {
            self.sink.truncate(toByteCount: start)
            throw RPCError(wrapping: error)
        }
    }

    /// Encodes the next part of the message that was begun.
    mutating func appendPart(
        _ encode: (inout RPCByteSink) throws -> Void
    ) throws(RPCError) {
        let start = self.sink.byteCount
        do {
            try encode(&self.sink)
            let count = self.sink.byteCount - start
            guard count <= self.missingBytes else {
                throw RPCError(
                    code: .internalError,
                    message: "the parts of a message are longer than it"
                )
            }
            self.missingBytes -= count
        } catch {
            self.sink.truncate(toByteCount: start)
            throw RPCError(wrapping: error)
        }
    }

    /// Memory for as much as last time, in one piece.
    private mutating func prepareSink() {
        guard self.sink.capacity == 0, self.expectedBytes >= Self.handedOverBytes else { return }
        self.sink.reserve(byteCount: self.expectedBytes)
    }

    /// Takes all that waits: much is handed over as it is, little is copied and its memory used again.
    mutating func drain() -> ByteBuffer {
        let count = self.sink.byteCount
        self.expectedBytes = count
        if count >= Self.handedOverBytes, let memory = self.sink.release() {
            return ByteBuffer(
                takingOwnershipOf: memory,
                allocator: ByteBufferAllocator(),
                writerIndex: count
            )
        }
        let buffer = self.sink.withBytes { bytes in ByteBuffer(bytes: bytes) }
        self.sink.clear(keepingAtMost: max(Self.keptBytes, 2 * count))
        return buffer
    }

    /// Forgets what waits; the call is over.
    mutating func clear() { self.sink.clear(keepingAtMost: 0) }

    /// Memory that an empty queue keeps after a small message.
    private static let keptBytes = 512
    /// From how many bytes on a copy costs more than memory of its own.
    private static let handedOverBytes = 16 << 10

    /// Appends a framed message to `sink`.
    static func frame(
        to sink: inout RPCByteSink,
        encoding: RPCCompression,
        limit: Int,
        _ encode: (inout RPCByteSink) throws -> Void
    ) throws(RPCError) {
        let start = sink.byteCount
        sink.append(byteCount: MessagePrefix.byteCount) { memory in
            memory.initializeMemory(as: UInt8.self, repeating: 0)
        }
        let body = start + MessagePrefix.byteCount
        do {
            try encode(&sink)
        } catch let error as RPCError {
            throw error
        } catch {
            throw RPCError(
                code: .internalError,
                message: "cannot encode a message: \(error)",
                cause: error
            )
        }
        var length = sink.byteCount - body
        guard length <= limit else {
            throw Self.tooLarge(length, limit)
        }
        if encoding != .identity {
            try Self.compress(&sink, from: body, encoding)
            length = sink.byteCount - body
        }
        let prefix = MessagePrefix(isCompressed: encoding != .identity, length: length)
        sink.withMutableBytes { bytes in
            prefix.write(to: UnsafeMutableRawBufferPointer(rebasing: bytes[start..<body]))
        }
    }

    private static func tooLarge(_ length: Int, _ limit: Int) -> RPCError {
        RPCError(
            code: .resourceExhausted,
            message: "message to send larger than max (\(length) vs. \(limit))"
        )
    }

    private static var isInMessage: RPCError {
        RPCError(code: .internalError, message: "the message before is not whole yet")
    }

    private static func compress(
        _ sink: inout RPCByteSink,
        from body: Int,
        _ encoding: RPCCompression
    ) throws(RPCError) {
        var packed = RPCByteSink()
        do throws(ZlibCodec.Failure) {
            try ZlibPool.withCodec(for: encoding) { (codec) throws(ZlibCodec.Failure) in
                try sink.withBytes { (bytes) throws(ZlibCodec.Failure) in
                    try codec?.compress(
                        UnsafeRawBufferPointer(rebasing: bytes[body...]),
                        to: &packed
                    )
                }
            }
        } catch {
            throw RPCError(code: .internalError, message: "cannot compress a message: \(error)")
        }
        sink.truncate(toByteCount: body)
        packed.withBytes { sink.append($0) }
    }
}
