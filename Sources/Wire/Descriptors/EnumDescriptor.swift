// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// One enum (`google.protobuf.EnumDescriptorProto`).
public struct EnumDescriptor: Hashable, Sendable {
    /// Simple name.
    public var name: String
    /// Values in source order.
    public var values: [EnumValueDescriptor]
    /// The serialized `EnumOptions`.
    public var options: DescriptorOptions
    /// Numbers that no value may use; ends are inclusive.
    public var reservedRanges: [ReservedRange]
    /// Names that no value may use.
    public var reservedNames: [String]
    /// Symbol visibility (editions only).
    public var visibility: Int32?

    /// Makes a descriptor; whatever is left out is absent.
    public init(
        name: String = "",
        values: [EnumValueDescriptor] = [],
        options: DescriptorOptions = DescriptorOptions(),
        reservedRanges: [ReservedRange] = [],
        reservedNames: [String] = [],
        visibility: Int32? = nil,
    ) {
        self.name = name
        self.values = values
        self.options = options
        self.reservedRanges = reservedRanges
        self.reservedNames = reservedNames
        self.visibility = visibility
    }
}

// MARK: - Binary form

extension EnumDescriptor {
    /// Parses a serialized `EnumDescriptorProto`.
    public init(parsing bytes: UnsafeRawBufferPointer) throws(DescriptorError) {
        self = try .parse(bytes)
    }

    /// Parses a serialized `EnumDescriptorProto`.
    public init(parsing bytes: [UInt8]) throws(DescriptorError) {
        self = try .parse(bytes)
    }

    /// The serialized `EnumDescriptorProto`, fields in order of number.
    public func serialized() -> [UInt8] {
        self.serializedBytes()
    }
}

extension EnumDescriptor: DescriptorMessage {
    init() {
        self.init(name: "")
    }

    mutating func merge(_ field: DescriptorReader.Field) throws(DescriptorError) {
        switch field.number {
        case 1: self.name = try field.string()
        case 2: self.values.append(try field.message(EnumValueDescriptor.self))
        case 3: try field.append(to: &self.options)
        case 4: self.reservedRanges.append(try field.message(ReservedRange.self))
        case 5: self.reservedNames.append(try field.string())
        case 6: self.visibility = try field.int32()
        default: break
        }
    }

    func write(to writer: inout DescriptorWriter) {
        writer.writeNonempty(1, self.name)
        writer.write(2, self.values)
        writer.write(3, self.options)
        writer.write(4, self.reservedRanges)
        writer.write(5, self.reservedNames)
        if let visibility = self.visibility { writer.write(6, visibility) }
    }
}

/// One value of an enum (`google.protobuf.EnumValueDescriptorProto`).
public struct EnumValueDescriptor: Hashable, Sendable {
    /// Simple name; its scope is the one around the enum.
    public var name: String
    /// Number.
    public var number: Int32
    /// The serialized `EnumValueOptions`.
    public var options: DescriptorOptions

    /// Makes a descriptor; whatever is left out is absent.
    public init(
        name: String = "",
        number: Int32 = 0,
        options: DescriptorOptions = DescriptorOptions(),
    ) {
        self.name = name
        self.number = number
        self.options = options
    }
}

// MARK: - Binary form

extension EnumValueDescriptor {
    /// Parses a serialized `EnumValueDescriptorProto`.
    public init(parsing bytes: UnsafeRawBufferPointer) throws(DescriptorError) {
        self = try .parse(bytes)
    }

    /// Parses a serialized `EnumValueDescriptorProto`.
    public init(parsing bytes: [UInt8]) throws(DescriptorError) {
        self = try .parse(bytes)
    }

    /// The serialized `EnumValueDescriptorProto`, fields in order of number.
    public func serialized() -> [UInt8] {
        self.serializedBytes()
    }
}

extension EnumValueDescriptor: DescriptorMessage {
    init() {
        self.init(name: "")
    }

    mutating func merge(_ field: DescriptorReader.Field) throws(DescriptorError) {
        switch field.number {
        case 1: self.name = try field.string()
        case 2: self.number = try field.int32()
        case 3: try field.append(to: &self.options)
        default: break
        }
    }

    func write(to writer: inout DescriptorWriter) {
        writer.writeNonempty(1, self.name)
        writer.write(2, self.number)
        writer.write(3, self.options)
    }
}
