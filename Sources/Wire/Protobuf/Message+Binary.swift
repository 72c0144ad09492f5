// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Bytes
import Glibc
public import RPCInterface

// The binary form of messages.

extension Message {
    /// Decodes a whole message.
    public init(
        serialized bytes: UnsafeRawBufferPointer,
        limits: DecodingLimits = DecodingLimits()
    ) throws(DecodingError) {
        self.init(
            storage: try MessageStorage(decoding: Self.schema, from: bytes, limits: limits)
        )
    }

    /// Decodes a whole message.
    public init(
        serialized bytes: [UInt8],
        limits: DecodingLimits = DecodingLimits()
    ) throws(DecodingError) {
        let storage = bytes.withUnsafeBytes { buffer in
            Result { () throws(DecodingError) in
                try MessageStorage(decoding: Self.schema, from: buffer, limits: limits)
            }
        }
        self.init(storage: try storage.get())
    }

    /// Decodes a whole message.
    public init(
        serialized bytes: Bytes,
        limits: DecodingLimits = DecodingLimits()
    ) throws(DecodingError) {
        let schema = Self.schema
        self.init(
            storage: try bytes.withUnsafeBytes { (buffer) throws(DecodingError) in
                try MessageStorage(decoding: schema, from: buffer, limits: limits)
            }
        )
    }

    /// The binary form: deterministic, equal for equal messages.
    public func serialized() -> [UInt8] {
        self.withSerializedBytes { bytes in
            [UInt8](unsafeUninitializedCapacity: bytes.count) { target, count in
                if let from = bytes.baseAddress, let to = target.baseAddress {
                    memcpy(to, from, bytes.count)
                }
                count = bytes.count
            }
        }
    }

    /// Gives the binary form to `body` in memory that is reused by the thread's next encoding.
    ///
    /// `body` must not encode another message while it holds the pointer; it copies the bytes to
    /// where they go, which makes this the cheapest way to a network buffer.
    public func withSerializedBytes<R, E: Error>(
        _ body: (UnsafeRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        try self.storage.withSerializedBytes(Self.schema, body)
    }
}

// MARK: - RPCMessage

extension Message {
    public init(rpcBytes bytes: UnsafeRawBufferPointer) throws {
        try self.init(serialized: bytes)
    }

    public func encodeRPC(to sink: inout RPCByteSink) throws {
        self.withSerializedBytes { sink.append($0) }
    }
}

extension MessageStorage {
    /// Decodes a message of the type that `schema` describes.
    package init(
        decoding schema: MessageSchema,
        from bytes: UnsafeRawBufferPointer,
        limits: DecodingLimits
    ) throws(DecodingError) {
        guard bytes.count <= Self.largestInput else { throw .tooLarge(limit: Self.largestInput) }
        let table = schema.table
        let block = Block(capacity: Int(table.pointee.size) + bytes.count * 3 + 64)
        let root = block.allocate(table.pointee.size)
        let decoder = BinaryDecoder(bytes, into: block, limits: limits)
        if let start = bytes.baseAddress {
            try decoder.readMessage(table, root, start, start + bytes.count, depth: 0)
        }
        block.trim()
        self.init(block: block, offset: root)
    }

    /// The most bytes that one message may be decoded from.
    package static let largestInput = 1 << 30

    package func withSerializedBytes<R, E: Error>(
        _ schema: MessageSchema,
        _ body: (UnsafeRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        let scratch = EncodingScratch.take()
        defer { EncodingScratch.giveBack(scratch) }
        scratch.encoder.writeMessage(schema.table, self.block.base, self.address)
        withExtendedLifetime(self.block) {}
        return try body(scratch.encoder.written)
    }
}

/// An encoder's memory, kept by each thread between encodings.
final class EncodingScratch {
    var encoder = BinaryEncoder(capacity: 4096)

    /// What a thread keeps at most.
    private static let keptBytes = 256 * 1024

    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        let result = pthread_key_create(&key) { pointer in
            if let pointer { Unmanaged<EncodingScratch>.fromOpaque(pointer).release() }
        }
        precondition(result == 0, "pthread_key_create failed: \(result)")
        return key
    }()

    /// The thread's scratch, or a new one while that is in use.
    static func take() -> EncodingScratch {
        guard let pointer = pthread_getspecific(self.key) else { return EncodingScratch() }
        pthread_setspecific(self.key, nil)
        return Unmanaged<EncodingScratch>.fromOpaque(pointer).takeRetainedValue()
    }

    static func giveBack(_ scratch: EncodingScratch) {
        scratch.encoder.reset(keeping: self.keptBytes)
        guard pthread_getspecific(self.key) == nil else { return }
        pthread_setspecific(self.key, Unmanaged.passRetained(scratch).toOpaque())
    }
}

/// The version of the interface between generated code and this runtime. Generated files refer to
/// it, so that code made for another version does not compile.
public enum ProtobufRuntimeVersion1 {}
