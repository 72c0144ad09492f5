// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Why bytes are not a serialized descriptor.
///
/// Offsets count bytes from the start of the parsed buffer.
public enum DescriptorError: Error, Hashable, Sendable {
    /// The input ends inside the field that starts at `offset`.
    case truncated(offset: Int)
    /// A varint of more than ten bytes, or one that overflows 64 bits.
    case malformedVarint(offset: Int)
    /// A tag with field number zero, a number above 2^29-1, wire type 6 or 7, or a lone end-group.
    case invalidTag(offset: Int)
    /// A known field arrived with another wire type than its type calls for.
    case wrongWireType(fieldNumber: Int32, offset: Int)
    /// A string field holds bytes that are not UTF-8.
    case invalidUTF8(fieldNumber: Int32, offset: Int)
    /// An enum field holds a number that its enum does not have, or a 32-bit field a wider value.
    case invalidValue(fieldNumber: Int32, offset: Int)
    /// Messages or groups are nested deeper than `DescriptorLimits.recursionDepth`.
    case tooDeep(offset: Int)
    /// The input is longer than `DescriptorLimits.inputBytes`.
    case tooLarge(byteCount: Int)
}

/// Bounds on what the descriptor parser accepts.
public enum DescriptorLimits {
    /// Deepest nesting of messages, the outermost being one. Other runtimes use the same number.
    public static let recursionDepth = 100
    /// Largest input. Lengths inside it then always fit an `Int32`.
    public static let inputBytes = 64 << 20
}
