// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import NIOCore
import RPCInterface

/// The bytes that have arrived on a call and the messages in them.
///
/// No I/O and no lock: the call that owns it has both. Bytes are given back to flow control when
/// their message is taken; those of a message that is not whole yet at once, because the rest of it
/// could not arrive otherwise. So a call holds at most one window, or one message within the limit.
struct InboundQueue {
    /// Largest message, before and after decompression.
    let maxMessageBytes: Int
    /// How messages with the compressed flag are compressed; `nil` until the peer said so.
    var encoding: RPCCompression = .identity
    /// Whether the message that was taken last came compressed.
    private(set) var wasCompressed = false
    /// Whether the peer has said that no more comes.
    private(set) var isEnded = false
    /// Bytes that arrived and are neither given back nor taken.
    private var owed = 0
    private var bytes = ByteBuffer()

    init(maxMessageBytes: Int) {
        self.maxMessageBytes = min(maxMessageBytes, Int(Int32.max))
    }

    /// Bytes that wait.
    var byteCount: Int { self.bytes.readableBytes }

    /// Whether ``take(_:)`` would find a message.
    var hasMessage: Bool {
        guard let length = self.frontLength else { return false }
        return self.bytes.readableBytes >= MessagePrefix.byteCount + length
    }

    /// Adds bytes that arrived.
    ///
    /// - Parameter copying: whether to copy them, because the caller's memory is bigger or used
    ///   again.
    /// - Returns: bytes to give back to flow control now.
    /// - Throws: when the message at the front breaks the framing or the limit.
    mutating func receive(
        _ data: ByteBuffer,
        copying: Bool = true
    ) throws(RPCError) -> Int {
        self.owed += data.readableBytes
        if self.bytes.readableBytes == 0 {
            if copying {
                self.bytes.clear(minimumCapacity: data.readableBytes)
                self.bytes.writeImmutableBuffer(data)
            } else {
                self.bytes = data
            }
        } else {
            if self.bytes.readerIndex > Self.compactionBytes { self.bytes.discardReadBytes() }
            self.bytes.writeImmutableBuffer(data)
        }
        try self.checkFront()
        return self.giveBackIncomplete()
    }

    /// The peer has ended.
    ///
    /// - Throws: `INTERNAL` when a message is incomplete.
    mutating func end() throws(RPCError) {
        self.isEnded = true
        if self.bytes.readableBytes > 0, !self.hasMessage { throw Self.truncated }
    }

    /// What a reader finds.
    struct Taken {
        var step: RPCInboundStep
        /// Bytes to give back to flow control.
        var giveBack: Int
    }

    /// Decodes the message at the front.
    mutating func take(
        _ decode: (UnsafeRawBufferPointer) throws -> Void
    ) throws(RPCError) -> Taken {
        guard let prefix = try self.prefix(),
            self.bytes.readableBytes - MessagePrefix.byteCount >= prefix.length
        else {
            guard self.isEnded else { return Taken(step: .wait, giveBack: 0) }
            guard self.bytes.readableBytes == 0 else { throw Self.truncated }
            return Taken(step: .end, giveBack: 0)
        }
        let size = MessagePrefix.byteCount + prefix.length
        let encoding = self.encoding
        let limit = self.maxMessageBytes
        let failure = self.bytes.withUnsafeReadableBytes { readable -> RPCError? in
            let body = UnsafeRawBufferPointer(
                rebasing: readable[MessagePrefix.byteCount..<size]
            )
            return Self.decode(
                body,
                isCompressed: prefix.isCompressed,
                encoding: encoding,
                limit: limit,
                decode
            )
        }
        if let failure { throw failure }
        self.wasCompressed = prefix.isCompressed
        self.bytes.moveReaderIndex(forwardBy: size)
        if self.bytes.readableBytes == 0 {
            if self.bytes.capacity > Self.keptBytes {
                self.bytes = ByteBuffer()
            } else {
                self.bytes.clear()
            }
        }
        try self.checkFront()
        var giveBack = min(self.owed, size)
        self.owed -= giveBack
        giveBack += self.giveBackIncomplete()
        return Taken(step: .message, giveBack: giveBack)
    }

    /// Forgets what waits; the call is over.
    ///
    /// - Returns: bytes to give back to flow control.
    mutating func clear() -> Int {
        self.bytes = ByteBuffer()
        defer { self.owed = 0 }
        return self.owed
    }

    /// Decodes the message of one whole frame that lies in the transport's own memory.
    ///
    /// - Returns: the frame's size in bytes; `nil` when it is not whole.
    static func decodeWhole(
        _ bytes: UnsafeRawBufferPointer,
        encoding: RPCCompression,
        limit: Int,
        _ decode: (UnsafeRawBufferPointer) throws -> Void
    ) throws(RPCError) -> Int? {
        guard let prefix = try Self.prefix(of: bytes, limit: limit),
            bytes.count - MessagePrefix.byteCount >= prefix.length
        else { return nil }
        let size = MessagePrefix.byteCount + prefix.length
        let failure = Self.decode(
            UnsafeRawBufferPointer(rebasing: bytes[MessagePrefix.byteCount..<size]),
            isCompressed: prefix.isCompressed,
            encoding: encoding,
            limit: limit,
            decode
        )
        if let failure { throw failure }
        return size
    }

    // MARK: -

    /// Read bytes at the front of the memory beyond which they are dropped.
    private static let compactionBytes = 64 << 10
    /// Memory that an empty queue keeps.
    private static let keptBytes = 1 << 10

    private static var truncated: RPCError {
        RPCError(code: .internalError, message: "the stream ended inside a message")
    }

    private var frontLength: Int? {
        self.bytes.getInteger(at: self.bytes.readerIndex + 1, as: UInt32.self).map(Int.init)
    }

    private func prefix() throws(RPCError) -> MessagePrefix? {
        guard self.bytes.readableBytes >= MessagePrefix.byteCount else { return nil }
        let limit = self.maxMessageBytes
        let result = self.bytes.withUnsafeReadableBytes { bytes in
            Result { () throws(RPCError) in try Self.prefix(of: bytes, limit: limit) }
        }
        return try result.get()
    }

    private static func prefix(
        of bytes: UnsafeRawBufferPointer,
        limit: Int
    ) throws(RPCError) -> MessagePrefix? {
        do throws(MessagePrefix.Failure) {
            return try MessagePrefix(parsing: bytes, limit: limit)
        } catch {
            switch error {
            case .flag(let flag):
                throw RPCError(
                    code: .internalError,
                    message: "a message has the compressed flag \(flag)"
                )
            case .tooLarge(let length, let limit):
                throw RPCError(
                    code: .resourceExhausted,
                    message: "received message larger than max (\(length) vs. \(limit))"
                )
            }
        }
    }

    private func checkFront() throws(RPCError) { _ = try self.prefix() }

    private mutating func giveBackIncomplete() -> Int {
        guard self.owed > 0, !self.hasMessage else { return 0 }
        defer { self.owed = 0 }
        return self.owed
    }

    private static func decode(
        _ body: UnsafeRawBufferPointer,
        isCompressed: Bool,
        encoding: RPCCompression,
        limit: Int,
        _ decode: (UnsafeRawBufferPointer) throws -> Void
    ) -> RPCError? {
        do {
            guard isCompressed else {
                try decode(body)
                return nil
            }
            guard encoding != .identity else {
                return RPCError(
                    code: .internalError,
                    message: "a message is compressed and the call has no compression"
                )
            }
            var plain = RPCByteSink()
            try Self.decompress(body, encoding, limit: limit, to: &plain)
            try plain.withBytes { bytes in try decode(bytes) }
            return nil
        } catch let error as RPCError {
            return error
        } catch {
            return RPCError(
                code: .internalError,
                message: "cannot decode a message: \(error)",
                cause: error
            )
        }
    }

    private static func decompress(
        _ body: UnsafeRawBufferPointer,
        _ encoding: RPCCompression,
        limit: Int,
        to sink: inout RPCByteSink
    ) throws(RPCError) {
        do throws(ZlibCodec.Failure) {
            try ZlibPool.withCodec(for: encoding) { (codec) throws(ZlibCodec.Failure) in
                try codec?.decompress(body, to: &sink, limit: limit)
            }
        } catch {
            switch error {
            case .tooLarge(let limit):
                throw RPCError(
                    code: .resourceExhausted,
                    message: "received message larger than max (\(limit)) after decompression"
                )
            case .malformed:
                throw RPCError(code: .internalError, message: "a compressed message is malformed")
            case .outOfMemory:
                throw RPCError(code: .resourceExhausted, message: "no memory to decompress")
            }
        }
    }
}
