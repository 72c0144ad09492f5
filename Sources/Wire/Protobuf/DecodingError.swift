// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Bounds on what one decode accepts.
public struct DecodingLimits: Sendable {
    /// How deep messages may nest.
    public var depth: Int

    /// How many bytes the decoded tree may take, as a multiple of the input and a fixed part.
    ///
    /// A two-byte empty sub-message takes the size of its type in memory; without a bound a small
    /// hostile input could claim a hundred times its size.
    public var treeBytesPerInputByte: Int
    public var treeBytes: Int

    public init(
        depth: Int = Self.defaultDepth,
        treeBytesPerInputByte: Int = Self.defaultTreeBytesPerInputByte,
        treeBytes: Int = Self.defaultTreeBytes
    ) {
        self.depth = depth
        self.treeBytesPerInputByte = treeBytesPerInputByte
        self.treeBytes = treeBytes
    }

    /// Upstream's Go decoder allows 10,000 levels; protobuf's C++ one 100.
    public static let defaultDepth = 100
    public static let defaultTreeBytesPerInputByte = 32
    public static let defaultTreeBytes = 1 << 20
}

/// Why bytes are not a message.
///
/// Every case but the limits carries the offset of the byte at which reading failed.
public enum DecodingError: Error, Equatable, Sendable {
    /// The input ends inside a value.
    case truncated(offset: Int)
    /// A varint of more than ten bytes, or one that does not fit 64 bits.
    case malformedVarint(offset: Int)
    /// A field number of 0 or above 2^29 - 1.
    case invalidFieldNumber(offset: Int)
    /// A field has another wire type than its schema says.
    case wrongWireType(field: Int, wireType: Int, offset: Int)
    /// Wire type 6 or 7, or an end of a group that was not begun.
    case invalidWireType(wireType: Int, offset: Int)
    /// A string field holds bytes that are not UTF-8.
    case invalidUTF8(field: Int, offset: Int)
    /// Messages or groups nest deeper than the limit.
    case tooDeep(limit: Int, offset: Int)
    /// The tree would take more memory than the limits allow.
    case tooLarge(limit: Int)
}

extension DecodingError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .truncated(let offset):
            "protobuf: the input ends inside a value at byte \(offset)"
        case .malformedVarint(let offset):
            "protobuf: malformed varint at byte \(offset)"
        case .invalidFieldNumber(let offset):
            "protobuf: invalid field number at byte \(offset)"
        case .wrongWireType(let field, let wireType, let offset):
            "protobuf: field \(field) has wire type \(wireType) at byte \(offset)"
        case .invalidWireType(let wireType, let offset):
            "protobuf: invalid wire type \(wireType) at byte \(offset)"
        case .invalidUTF8(let field, let offset):
            "protobuf: field \(field) is not valid UTF-8 at byte \(offset)"
        case .tooDeep(let limit, let offset):
            "protobuf: nested deeper than \(limit) levels at byte \(offset)"
        case .tooLarge(let limit):
            "protobuf: the message takes more than \(limit) bytes in memory"
        }
    }
}
