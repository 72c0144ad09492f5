// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// One field or extension (`google.protobuf.FieldDescriptorProto`).
public struct FieldDescriptor: Hashable, Sendable {
    /// Simple name as the schema spells it.
    public var name: String
    /// Full name of the extended message with a leading dot; empty for ordinary fields.
    public var extendee: String
    /// Field number.
    public var number: Int32
    /// Cardinality.
    public var label: FieldLabel
    /// Type; nil only in descriptors that no compiler has resolved.
    public var type: FieldType?
    /// Full name of the message or enum with a leading dot; empty for scalars.
    public var typeName: String
    /// Declared default as text; bytes are C-escaped.
    public var defaultValue: String?
    /// The serialized `FieldOptions`.
    public var options: DescriptorOptions
    /// Index in the message's `oneofs`.
    public var oneofIndex: Int32?
    /// Name in JSON.
    public var jsonName: String
    /// Whether it was declared `optional` in proto3.
    public var proto3Optional: Bool

    /// Makes a descriptor; whatever is left out is absent.
    public init(
        name: String = "",
        extendee: String = "",
        number: Int32 = 0,
        label: FieldLabel = .optional,
        type: FieldType? = nil,
        typeName: String = "",
        defaultValue: String? = nil,
        options: DescriptorOptions = DescriptorOptions(),
        oneofIndex: Int32? = nil,
        jsonName: String = "",
        proto3Optional: Bool = false,
    ) {
        self.name = name
        self.extendee = extendee
        self.number = number
        self.label = label
        self.type = type
        self.typeName = typeName
        self.defaultValue = defaultValue
        self.options = options
        self.oneofIndex = oneofIndex
        self.jsonName = jsonName
        self.proto3Optional = proto3Optional
    }
}

/// How often a field may appear.
public enum FieldLabel: Int32, Hashable, Sendable, CaseIterable {
    case optional = 1
    case required = 2
    case repeated = 3
}

/// The declared type of a field.
public enum FieldType: Int32, Hashable, Sendable, CaseIterable {
    case double = 1
    case float = 2
    case int64 = 3
    case uint64 = 4
    case int32 = 5
    case fixed64 = 6
    case fixed32 = 7
    case bool = 8
    case string = 9
    case group = 10
    case message = 11
    case bytes = 12
    case uint32 = 13
    case `enum` = 14
    case sfixed32 = 15
    case sfixed64 = 16
    case sint32 = 17
    case sint64 = 18

    /// Whether a repeated field of this type may be packed.
    public var isPackable: Bool {
        switch self {
        case .string, .bytes, .message, .group: false
        case .double, .float, .int64, .uint64, .int32, .fixed64, .fixed32, .bool, .uint32, .enum,
            .sfixed32, .sfixed64, .sint32, .sint64:
            true
        }
    }
}

// MARK: - Binary form

extension FieldDescriptor {
    /// Parses a serialized `FieldDescriptorProto`.
    public init(parsing bytes: UnsafeRawBufferPointer) throws(DescriptorError) {
        self = try .parse(bytes)
    }

    /// Parses a serialized `FieldDescriptorProto`.
    public init(parsing bytes: [UInt8]) throws(DescriptorError) {
        self = try .parse(bytes)
    }

    /// The serialized `FieldDescriptorProto`, fields in order of number.
    public func serialized() -> [UInt8] {
        self.serializedBytes()
    }
}

extension FieldDescriptor: DescriptorMessage {
    init() {
        self.init(name: "")
    }

    mutating func merge(_ field: DescriptorReader.Field) throws(DescriptorError) {
        switch field.number {
        case 1: self.name = try field.string()
        case 2: self.extendee = try field.string()
        case 3: self.number = try field.int32()
        case 4: self.label = try field.enumeration(FieldLabel.self)
        case 5: self.type = try field.enumeration(FieldType.self)
        case 6: self.typeName = try field.string()
        case 7: self.defaultValue = try field.string()
        case 8: try field.append(to: &self.options)
        case 9: self.oneofIndex = try field.int32()
        case 10: self.jsonName = try field.string()
        case 17: self.proto3Optional = try field.bool()
        default: break
        }
    }

    func write(to writer: inout DescriptorWriter) {
        writer.writeNonempty(1, self.name)
        writer.writeNonempty(2, self.extendee)
        writer.write(3, self.number)
        writer.write(4, self.label.rawValue)
        if let type = self.type { writer.write(5, type.rawValue) }
        writer.writeNonempty(6, self.typeName)
        if let defaultValue = self.defaultValue { writer.write(7, defaultValue) }
        writer.write(8, self.options)
        if let oneofIndex = self.oneofIndex { writer.write(9, oneofIndex) }
        writer.writeNonempty(10, self.jsonName)
        if self.proto3Optional { writer.write(17, true) }
    }
}
