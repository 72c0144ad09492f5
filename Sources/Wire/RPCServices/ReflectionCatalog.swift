// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Descriptors
public import Protobuf

/// Answers what server reflection is asked: schema files by name and by what they declare.
public protocol ReflectionProvider: Sendable {
    /// The full names of the services.
    var serviceNames: [String] { get }

    /// The `FileDescriptorProto` of a file and those it needs, the file itself first.
    func files(named name: String) -> [[UInt8]]?

    /// The same for the file that declares a service, method, message, field, enum, enum value or
    /// extension.
    func files(declaring symbol: String) -> [[UInt8]]?

    /// The same for the file that declares an extension of a message.
    func files(extending message: String, number: Int32) -> [[UInt8]]?

    /// The numbers of all extensions of a message; `nil` when there is no such message.
    func extensionNumbers(of message: String) -> [Int32]?
}

/// Reflection on the schema files that generated code carries.
public struct ReflectionCatalog: ReflectionProvider {
    public let serviceNames: [String]
    private var files: [String: FileSchema] = [:]
    private var symbols: [String: String] = [:]
    private var messages: Set<String> = []
    private var extensions: [String: [Int32: String]] = [:]

    /// A catalog of files and all that they import.
    ///
    /// - Parameter serviceNames: the services to list; `nil`: all that `files` declare.
    public init(files: [FileSchema], serviceNames: [String]? = nil) {
        self.serviceNames =
            serviceNames
            ?? files.flatMap { file in
                file.services.map { Self.join(file.package, $0.name) }
            }
        for file in files { self.add(file) }
    }

    public func files(named name: String) -> [[UInt8]]? {
        guard let file = self.files[name] else { return nil }
        var seen: Set<String> = []
        var result: [[UInt8]] = []
        var pending = [file]
        while let next = pending.popLast() {
            guard seen.insert(next.name).inserted else { continue }
            result.append(next.descriptorBytes)
            pending.append(contentsOf: next.dependencies.reversed())
        }
        return result
    }

    public func files(declaring symbol: String) -> [[UInt8]]? {
        self.symbols[symbol].flatMap(self.files(named:))
    }

    public func files(extending message: String, number: Int32) -> [[UInt8]]? {
        self.extensions[message]?[number].flatMap(self.files(named:))
    }

    public func extensionNumbers(of message: String) -> [Int32]? {
        guard self.messages.contains(message) || self.extensions[message] != nil else {
            return nil
        }
        return self.extensions[message].map { $0.keys.sorted() } ?? []
    }

    // MARK: -

    private mutating func add(_ file: FileSchema) {
        guard self.files[file.name] == nil else { return }
        self.files[file.name] = file
        for dependency in file.dependencies { self.add(dependency) }
        guard let descriptor = try? FileDescriptor(parsing: file.descriptorBytes) else { return }
        let package = descriptor.package
        for service in descriptor.services {
            let name = Self.join(package, service.name)
            self.symbols[name] = file.name
            for method in service.methods {
                self.symbols[Self.join(name, method.name)] = file.name
            }
        }
        for message in descriptor.messages { self.add(message, in: package, of: file.name) }
        for value in descriptor.enums { self.add(value, in: package, of: file.name) }
        for field in descriptor.extensions {
            self.add(extension: field, in: package, of: file.name)
        }
    }

    private mutating func add(
        _ message: MessageDescriptor,
        in scope: String,
        of file: String
    ) {
        let name = Self.join(scope, message.name)
        self.symbols[name] = file
        self.messages.insert(name)
        for field in message.fields { self.symbols[Self.join(name, field.name)] = file }
        for oneof in message.oneofs { self.symbols[Self.join(name, oneof.name)] = file }
        for nested in message.nestedMessages { self.add(nested, in: name, of: file) }
        for value in message.enums { self.add(value, in: name, of: file) }
        for field in message.extensions { self.add(extension: field, in: name, of: file) }
    }

    private mutating func add(_ value: EnumDescriptor, in scope: String, of file: String) {
        self.symbols[Self.join(scope, value.name)] = file
        // The values of an enum stand beside it, not in it.
        for value in value.values { self.symbols[Self.join(scope, value.name)] = file }
    }

    private mutating func add(
        extension field: FieldDescriptor,
        in scope: String,
        of file: String
    ) {
        self.symbols[Self.join(scope, field.name)] = file
        let extendee = String(field.extendee.drop { $0 == "." })
        self.extensions[extendee, default: [:]][field.number] = file
    }

    private static func join(_ scope: String, _ name: String) -> String {
        scope.isEmpty ? name : "\(scope).\(name)"
    }
}
