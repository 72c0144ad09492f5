// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// One schema file (`google.protobuf.FileDescriptorProto`).
public struct FileDescriptor: Hashable, Sendable {
    /// Path relative to the search path it was found on, with forward slashes.
    public var name: String
    /// Package, without a leading dot; empty when the file has none.
    public var package: String
    /// Names of the imported files in source order.
    public var dependencies: [String]
    /// Indexes in `dependencies` of the public imports.
    public var publicDependencies: [Int32]
    /// Indexes in `dependencies` of the weak imports.
    public var weakDependencies: [Int32]
    /// Names of files imported for their options only.
    public var optionDependencies: [String]
    /// Top-level messages in source order.
    public var messages: [MessageDescriptor]
    /// Top-level enums in source order.
    public var enums: [EnumDescriptor]
    /// Services in source order.
    public var services: [ServiceDescriptor]
    /// Top-level extensions in source order.
    public var extensions: [FieldDescriptor]
    /// The serialized `FileOptions`.
    public var options: DescriptorOptions
    /// Positions and comments, when they were kept.
    public var sourceCodeInfo: SourceCodeInfo?
    /// Language of the file. Absent on the wire means proto2.
    public var syntax: Syntax
    /// Number of the edition, for files written in `.editions`.
    public var edition: Int32?

    /// Makes a descriptor; whatever is left out is absent.
    public init(
        name: String = "",
        package: String = "",
        dependencies: [String] = [],
        publicDependencies: [Int32] = [],
        weakDependencies: [Int32] = [],
        optionDependencies: [String] = [],
        messages: [MessageDescriptor] = [],
        enums: [EnumDescriptor] = [],
        services: [ServiceDescriptor] = [],
        extensions: [FieldDescriptor] = [],
        options: DescriptorOptions = DescriptorOptions(),
        sourceCodeInfo: SourceCodeInfo? = nil,
        syntax: Syntax = .proto2,
        edition: Int32? = nil,
    ) {
        self.name = name
        self.package = package
        self.dependencies = dependencies
        self.publicDependencies = publicDependencies
        self.weakDependencies = weakDependencies
        self.optionDependencies = optionDependencies
        self.messages = messages
        self.enums = enums
        self.services = services
        self.extensions = extensions
        self.options = options
        self.sourceCodeInfo = sourceCodeInfo
        self.syntax = syntax
        self.edition = edition
    }
}

/// The language version a schema file is written in.
public enum Syntax: Hashable, Sendable {
    case proto2
    case proto3
    /// The edition stands in `FileDescriptor.edition`.
    case editions

    /// Reads the `syntax` field.
    init(_ field: DescriptorReader.Field) throws(DescriptorError) {
        switch try field.string() {
        case "", "proto2": self = .proto2
        case "proto3": self = .proto3
        case "editions": self = .editions
        default: throw .invalidValue(fieldNumber: field.number, offset: field.offset)
        }
    }

    /// What stands on the wire; proto2 is written by leaving the field out, as compilers do.
    var wireText: String? {
        switch self {
        case .proto2: nil
        case .proto3: "proto3"
        case .editions: "editions"
        }
    }
}

// MARK: - Binary form

extension FileDescriptor {
    /// Parses a serialized `FileDescriptorProto`.
    public init(parsing bytes: UnsafeRawBufferPointer) throws(DescriptorError) {
        self = try .parse(bytes)
    }

    /// Parses a serialized `FileDescriptorProto`.
    public init(parsing bytes: [UInt8]) throws(DescriptorError) {
        self = try .parse(bytes)
    }

    /// The serialized `FileDescriptorProto`, fields in order of number.
    public func serialized() -> [UInt8] {
        self.serializedBytes()
    }
}

extension FileDescriptor: DescriptorMessage {
    init() {
        self.init(name: "")
    }

    mutating func merge(_ field: DescriptorReader.Field) throws(DescriptorError) {
        switch field.number {
        case 1: self.name = try field.string()
        case 2: self.package = try field.string()
        case 3: self.dependencies.append(try field.string())
        case 4: self.messages.append(try field.message(MessageDescriptor.self))
        case 5: self.enums.append(try field.message(EnumDescriptor.self))
        case 6: self.services.append(try field.message(ServiceDescriptor.self))
        case 7: self.extensions.append(try field.message(FieldDescriptor.self))
        case 8: try field.append(to: &self.options)
        case 9: self.sourceCodeInfo = try field.message(SourceCodeInfo.self)
        case 10: try field.appendInt32s(to: &self.publicDependencies)
        case 11: try field.appendInt32s(to: &self.weakDependencies)
        case 12: self.syntax = try Syntax(field)
        case 14: self.edition = try field.int32()
        case 15: self.optionDependencies.append(try field.string())
        default: break
        }
    }

    func write(to writer: inout DescriptorWriter) {
        writer.writeNonempty(1, self.name)
        writer.writeNonempty(2, self.package)
        writer.write(3, self.dependencies)
        writer.write(4, self.messages)
        writer.write(5, self.enums)
        writer.write(6, self.services)
        writer.write(7, self.extensions)
        writer.write(8, self.options)
        if let sourceCodeInfo = self.sourceCodeInfo { writer.write(9, [sourceCodeInfo]) }
        writer.write(10, unpacked: self.publicDependencies)
        writer.write(11, unpacked: self.weakDependencies)
        if let text = self.syntax.wireText { writer.write(12, text) }
        if let edition = self.edition { writer.write(14, edition) }
        writer.write(15, self.optionDependencies)
    }
}
