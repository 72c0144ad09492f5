// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// One message type (`google.protobuf.DescriptorProto`).
public struct MessageDescriptor: Hashable, Sendable {
    /// Simple name.
    public var name: String
    /// Fields in source order.
    public var fields: [FieldDescriptor]
    /// Extensions declared inside this message, of any message.
    public var extensions: [FieldDescriptor]
    /// Nested messages, the entries of map fields among them.
    public var nestedMessages: [MessageDescriptor]
    /// Nested enums.
    public var enums: [EnumDescriptor]
    /// Numbers left to extensions.
    public var extensionRanges: [ExtensionRange]
    /// Oneofs; the synthetic ones of proto3 `optional` come last.
    public var oneofs: [OneofDescriptor]
    /// The serialized `MessageOptions`.
    public var options: DescriptorOptions
    /// Numbers that no field may use; ends are exclusive.
    public var reservedRanges: [ReservedRange]
    /// Names that no field may use.
    public var reservedNames: [String]
    /// Symbol visibility (editions only).
    public var visibility: Int32?

    /// Makes a descriptor; whatever is left out is absent.
    public init(
        name: String = "",
        fields: [FieldDescriptor] = [],
        extensions: [FieldDescriptor] = [],
        nestedMessages: [MessageDescriptor] = [],
        enums: [EnumDescriptor] = [],
        extensionRanges: [ExtensionRange] = [],
        oneofs: [OneofDescriptor] = [],
        options: DescriptorOptions = DescriptorOptions(),
        reservedRanges: [ReservedRange] = [],
        reservedNames: [String] = [],
        visibility: Int32? = nil,
    ) {
        self.name = name
        self.fields = fields
        self.extensions = extensions
        self.nestedMessages = nestedMessages
        self.enums = enums
        self.extensionRanges = extensionRanges
        self.oneofs = oneofs
        self.options = options
        self.reservedRanges = reservedRanges
        self.reservedNames = reservedNames
        self.visibility = visibility
    }
}

extension MessageDescriptor {
    /// Whether this is the entry type that a map field stands for.
    public var isMapEntry: Bool { self.options.bool(7) }
}

// MARK: - Binary form

extension MessageDescriptor {
    /// Parses a serialized `DescriptorProto`.
    public init(parsing bytes: UnsafeRawBufferPointer) throws(DescriptorError) {
        self = try .parse(bytes)
    }

    /// Parses a serialized `DescriptorProto`.
    public init(parsing bytes: [UInt8]) throws(DescriptorError) {
        self = try .parse(bytes)
    }

    /// The serialized `DescriptorProto`, fields in order of number.
    public func serialized() -> [UInt8] {
        self.serializedBytes()
    }
}

extension MessageDescriptor: DescriptorMessage {
    init() {
        self.init(name: "")
    }

    mutating func merge(_ field: DescriptorReader.Field) throws(DescriptorError) {
        switch field.number {
        case 1: self.name = try field.string()
        case 2: self.fields.append(try field.message(FieldDescriptor.self))
        case 3: self.nestedMessages.append(try field.message(MessageDescriptor.self))
        case 4: self.enums.append(try field.message(EnumDescriptor.self))
        case 5: self.extensionRanges.append(try field.message(ExtensionRange.self))
        case 6: self.extensions.append(try field.message(FieldDescriptor.self))
        case 7: try field.append(to: &self.options)
        case 8: self.oneofs.append(try field.message(OneofDescriptor.self))
        case 9: self.reservedRanges.append(try field.message(ReservedRange.self))
        case 10: self.reservedNames.append(try field.string())
        case 11: self.visibility = try field.int32()
        default: break
        }
    }

    func write(to writer: inout DescriptorWriter) {
        writer.writeNonempty(1, self.name)
        writer.write(2, self.fields)
        writer.write(3, self.nestedMessages)
        writer.write(4, self.enums)
        writer.write(5, self.extensionRanges)
        writer.write(6, self.extensions)
        writer.write(7, self.options)
        writer.write(8, self.oneofs)
        writer.write(9, self.reservedRanges)
        writer.write(10, self.reservedNames)
        if let visibility = self.visibility { writer.write(11, visibility) }
    }
}

/// A range of field numbers left to extensions (`DescriptorProto.ExtensionRange`).
public struct ExtensionRange: Hashable, Sendable {
    /// First number.
    public var start: Int32
    /// The number after the last.
    public var end: Int32
    /// The serialized `ExtensionRangeOptions`.
    public var options: DescriptorOptions

    /// Makes a descriptor; whatever is left out is absent.
    public init(
        start: Int32 = 0,
        end: Int32 = 0,
        options: DescriptorOptions = DescriptorOptions(),
    ) {
        self.start = start
        self.end = end
        self.options = options
    }
}

// MARK: - Binary form

extension ExtensionRange {
    /// Parses a serialized `DescriptorProto.ExtensionRange`.
    public init(parsing bytes: UnsafeRawBufferPointer) throws(DescriptorError) {
        self = try .parse(bytes)
    }

    /// Parses a serialized `DescriptorProto.ExtensionRange`.
    public init(parsing bytes: [UInt8]) throws(DescriptorError) {
        self = try .parse(bytes)
    }

    /// The serialized `DescriptorProto.ExtensionRange`, fields in order of number.
    public func serialized() -> [UInt8] {
        self.serializedBytes()
    }
}

extension ExtensionRange: DescriptorMessage {
    init() {
        self.init(start: 0)
    }

    mutating func merge(_ field: DescriptorReader.Field) throws(DescriptorError) {
        switch field.number {
        case 1: self.start = try field.int32()
        case 2: self.end = try field.int32()
        case 3: try field.append(to: &self.options)
        default: break
        }
    }

    func write(to writer: inout DescriptorWriter) {
        writer.write(1, self.start)
        writer.write(2, self.end)
        writer.write(3, self.options)
    }
}
