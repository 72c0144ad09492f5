// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The five bytes before each message.
///
/// ```
/// +---------------+-----------------------------------------------+
/// | compressed u8 |             length u32, big-endian              |
/// +---------------+-----------------------------------------------+
/// |                    message, `length` bytes                    |
/// +----------------------------------------------------------------+
/// ```
///
/// Source: gRPC `doc/PROTOCOL-HTTP2.md`, "Length-Prefixed-Message".
struct MessagePrefix: Equatable {
    /// Bytes on the wire.
    static let byteCount = 5

    /// Whether the message is compressed.
    var isCompressed: Bool
    /// The message's length in bytes, as it is on the wire.
    var length: Int

    /// What a prefix can have wrong.
    enum Failure: Error, Equatable {
        /// The first byte is neither 0 nor 1.
        case flag(UInt8)
        /// The length is above the limit.
        case tooLarge(length: Int, limit: Int)
    }

    /// Reads a prefix; `nil` when there are less than five bytes.
    init?(parsing bytes: UnsafeRawBufferPointer, limit: Int) throws(Failure) {
        guard bytes.count >= Self.byteCount else { return nil }
        let flag = bytes[0]
        guard flag <= 1 else { throw .flag(flag) }
        let length = Int(
            UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 1, as: UInt32.self))
        )
        guard length <= limit else { throw .tooLarge(length: length, limit: limit) }
        self.isCompressed = flag == 1
        self.length = length
    }

    init(isCompressed: Bool, length: Int) {
        self.isCompressed = isCompressed
        self.length = length
    }

    /// Whether `bytes`, which begin with a whole frame, are that frame alone.
    static func frameIsAll(of bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count >= Self.byteCount else { return false }
        let length = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 1, as: UInt32.self))
        return bytes.count - Self.byteCount == Int(length)
    }

    /// Writes the prefix to the first five bytes of `memory`.
    func write(to memory: UnsafeMutableRawBufferPointer) {
        memory[0] = self.isCompressed ? 1 : 0
        memory.storeBytes(
            of: UInt32(truncatingIfNeeded: self.length).bigEndian,
            toByteOffset: 1,
            as: UInt32.self
        )
    }
}
