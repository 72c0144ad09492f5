// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
public import Descriptors

/// A schema file at run time: its types, ready for the codecs, and its descriptor for reflection.
///
/// Generated code holds one in a static constant for each file; it is built from the descriptor that
/// is embedded in the code when a type of the file is first used, and lives for ever.
public final class FileSchema: @unchecked Sendable {
    // SAFETY: built in the initialiser, not changed afterwards.

    /// The path of the file relative to the schema folder.
    public let name: String

    /// The package of its types.
    public let package: String

    /// The API group and version that the file's `apus.file` option names.
    public let group: String
    public let version: String

    /// The files it imports.
    public let dependencies: [FileSchema]

    /// The serialized `FileDescriptorProto`.
    public let descriptorBytes: [UInt8]

    /// The message types of the file, nested ones included, in the order of the file.
    public private(set) var messages: [MessageSchema] = []

    /// The enum types of the file, nested ones included.
    public private(set) var enums: [EnumSchema] = []

    /// The services of the file.
    public let services: [ServiceDescriptor]

    private var messagesByName: [String: MessageSchema] = [:]
    private var enumsByName: [String: EnumSchema] = [:]
    private let publicDependencies: [FileSchema]

    /// Loads the file whose descriptor generated code carries as base 64.
    ///
    /// The text comes from the generator; anything wrong with it is a fault of the build and traps.
    public convenience init(base64 text: StaticString, dependencies: [FileSchema]) {
        do {
            let encoded = UnsafeRawBufferPointer(
                start: text.utf8Start,
                count: text.utf8CodeUnitCount
            )
            let bytes = try Base64.decode(encoded)
            try self.init(descriptor: bytes, dependencies: dependencies)
        } catch {
            preconditionFailure("generated code carries a broken descriptor: \(error)")
        }
    }

    /// Loads a file from its serialized descriptor.
    public convenience init(
        descriptor bytes: [UInt8],
        dependencies: [FileSchema]
    ) throws(SchemaError) {
        let descriptor: FileDescriptor
        do throws(DescriptorError) {
            descriptor = try FileDescriptor(parsing: bytes)
        } catch {
            throw .malformedDescriptor("\(error)")
        }
        try self.init(descriptor, bytes: bytes, dependencies: dependencies)
    }

    /// Loads a file from its descriptor.
    public init(
        _ descriptor: FileDescriptor,
        bytes: [UInt8]? = nil,
        dependencies: [FileSchema]
    ) throws(SchemaError) {
        let rules = FileRules(descriptor.options)
        self.name = descriptor.name
        self.package = descriptor.package
        self.group = rules.group
        self.version = rules.version
        self.dependencies = dependencies
        self.services = descriptor.services
        self.descriptorBytes = bytes ?? descriptor.serialized()
        self.publicDependencies = descriptor.publicDependencies.compactMap { index in
            dependencies.indices.contains(Int(index)) ? dependencies[Int(index)] : nil
        }
        var builder = TableBuilder(file: self, descriptor: descriptor, rules: rules)
        try builder.build()
        self.messages = builder.messages
        self.enums = builder.enums
        self.messagesByName = builder.messagesByName
        self.enumsByName = builder.enumsByName
        for message in self.messages { message.owner = self }
        _ = Unmanaged.passRetained(self)
    }

    /// A message type of this file, by its full name.
    public func message(_ fullName: String) -> MessageSchema? {
        self.messagesByName[fullName]
    }

    /// An enum type of this file, by its full name.
    public func enumeration(_ fullName: String) -> EnumSchema? {
        self.enumsByName[fullName]
    }

    /// The message type at a place that the generator knows to exist.
    public func message(at index: Int) -> MessageSchema {
        self.messages[index]
    }

    /// The enum type at a place that the generator knows to exist.
    public func enumeration(at index: Int) -> EnumSchema {
        self.enums[index]
    }

    func exportedMessage(_ fullName: String) -> MessageSchema? {
        if let found = self.messagesByName[fullName] { return found }
        for file in self.publicDependencies {
            if let found = file.exportedMessage(fullName) { return found }
        }
        return nil
    }

    func exportedEnum(_ fullName: String) -> EnumSchema? {
        if let found = self.enumsByName[fullName] { return found }
        for file in self.publicDependencies {
            if let found = file.exportedEnum(fullName) { return found }
        }
        return nil
    }
}

/// Why a schema cannot be loaded.
public enum SchemaError: Error, Equatable, Sendable {
    case malformedDescriptor(String)
    /// A field refers to a type that neither the file nor its imports define.
    case unknownType(String, field: String)
    /// A message whose fixed part exceeds what a block can stand in for.
    case messageTooLarge(String, bytes: Int, limit: Int)
    /// Two fields of a message share a number, or a number is out of range.
    case invalidNumber(Int, field: String)
    /// A file that is imported is not among those given, or the imports form a cycle.
    case unresolvedImport(String, by: String)
    /// A message must contain itself, or more messages than
    /// ``MessageSchema/maximumRequiredMessages``.
    case requiresTooMuch(String)
    /// A message has more fields than a table can index.
    case tooManyFields(String)
}

/// The schemas of a set of files, for work with types that were not generated.
public final class SchemaPool: Sendable {
    /// The files, each after those it imports.
    public let files: [FileSchema]

    private let byName: [String: FileSchema]
    private let messages: [String: MessageSchema]

    /// Loads files in any order; every import must be among them.
    public init(_ descriptors: [FileDescriptor]) throws(SchemaError) {
        let byName = Dictionary(descriptors.map { ($0.name, $0) }) { first, _ in first }
        var loaded: [String: FileSchema] = [:]
        var order: [FileSchema] = []
        var open: Set<String> = []

        func load(_ name: String, for importer: String) throws(SchemaError) -> FileSchema {
            if let file = loaded[name] { return file }
            guard let descriptor = byName[name], open.insert(name).inserted else {
                throw .unresolvedImport(name, by: importer)
            }
            var dependencies: [FileSchema] = []
            for dependency in descriptor.dependencies {
                dependencies.append(try load(dependency, for: name))
            }
            let file = try FileSchema(descriptor, dependencies: dependencies)
            loaded[name] = file
            order.append(file)
            return file
        }

        for descriptor in descriptors { _ = try load(descriptor.name, for: descriptor.name) }
        self.files = order
        self.byName = loaded
        let all = order.flatMap(\.messages).map { ($0.fullName, $0) }
        self.messages = Dictionary(all) { first, _ in first }
    }

    /// A message type by its full name.
    public func message(_ fullName: String) -> MessageSchema? { self.messages[fullName] }

    /// A file by its name.
    public func file(_ name: String) -> FileSchema? { self.byName[name] }
}
