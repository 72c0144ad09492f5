// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// A range of reserved numbers.
///
/// In messages `end` is the number after the last (`DescriptorProto.ReservedRange`); in enums it is
/// the last number itself (`EnumDescriptorProto.EnumReservedRange`).
public struct ReservedRange: Hashable, Sendable {
    /// First number.
    public var start: Int32
    /// End; exclusive in messages, inclusive in enums.
    public var end: Int32

    /// Makes a descriptor; whatever is left out is absent.
    public init(
        start: Int32 = 0,
        end: Int32 = 0,
    ) {
        self.start = start
        self.end = end
    }
}

// MARK: - Binary form

extension ReservedRange {
    /// Parses a serialized `DescriptorProto.ReservedRange`.
    public init(parsing bytes: UnsafeRawBufferPointer) throws(DescriptorError) {
        self = try .parse(bytes)
    }

    /// Parses a serialized `DescriptorProto.ReservedRange`.
    public init(parsing bytes: [UInt8]) throws(DescriptorError) {
        self = try .parse(bytes)
    }

    /// The serialized `DescriptorProto.ReservedRange`, fields in order of number.
    public func serialized() -> [UInt8] {
        self.serializedBytes()
    }
}

extension ReservedRange: DescriptorMessage {
    init() {
        self.init(start: 0)
    }

    mutating func merge(_ field: DescriptorReader.Field) throws(DescriptorError) {
        switch field.number {
        case 1: self.start = try field.int32()
        case 2: self.end = try field.int32()
        default: break
        }
    }

    func write(to writer: inout DescriptorWriter) {
        writer.write(1, self.start)
        writer.write(2, self.end)
    }
}
