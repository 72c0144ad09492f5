// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Descriptors

/// Finds the Swift type of each message and enum.
struct TypeIndex {
    struct Entry {
        var file: String
        var namespace: String
        /// Names from the namespace inwards.
        var path: [String]
        var enumeration: EnumDescriptor?
        /// The entry message of a map field.
        var mapEntry: MessageDescriptor?
    }

    private(set) var entries: [String: Entry] = [:]
    /// Top-level types by namespace.
    private(set) var topLevel: [String: Set<String>] = [:]
    /// Paths of nested types by namespace.
    private(set) var nested: [String: Set<[String]>] = [:]
    /// All simple names of types and namespaces.
    private(set) var simpleNames: Set<String> = []

    init(_ files: [FileDescriptor]) throws(SwiftEmitter.Problem) {
        for file in files {
            let prefix = file.package.isEmpty ? "." : ".\(file.package)."
            let namespace = Self.namespace(of: file)
            self.simpleNames.insert(namespace)
            for message in file.messages {
                try self.add(message, prefix, [], namespace, file)
            }
            for enumeration in file.enums {
                try self.add(enumeration, prefix, [], namespace, file)
            }
        }
        for file in files {
            let namespace = Self.namespace(of: file)
            if !namespace.isEmpty, self.topLevel[""]?.contains(namespace) ?? false {
                throw SwiftEmitter.Problem(
                    file: file.name,
                    message:
                        "its Swift namespace \(namespace) is a type of a file without package; "
                        + "give the file another swift_prefix",
                )
            }
            if !namespace.isEmpty, !SwiftEmitter.isTypeName(namespace) {
                throw SwiftEmitter.Problem(
                    file: file.name,
                    message:
                        "its Swift namespace \"\(namespace)\" cannot be the name of a type; give "
                        + "the file another swift_prefix",
                )
            }
        }
    }

    /// The Swift namespace of a file's types: option `swift_prefix`, or else made of the package.
    static func namespace(of file: FileDescriptor) -> String {
        file.options.string(39) ?? SwiftNamer.namespace(package: file.package)
    }

    private mutating func add(
        _ message: MessageDescriptor,
        _ prefix: String,
        _ outer: [String],
        _ namespace: String,
        _ file: FileDescriptor,
    ) throws(SwiftEmitter.Problem) {
        let path = outer + [SwiftNamer.typeName(message.name)]
        try self.insert(
            prefix + message.name,
            Entry(
                file: file.name,
                namespace: namespace,
                path: path,
                mapEntry: message.isMapEntry ? message : nil,
            ),
        )
        let inner = prefix + message.name + "."
        for nested in message.nestedMessages {
            try self.add(nested, inner, path, namespace, file)
        }
        for nested in message.enums { try self.add(nested, inner, path, namespace, file) }
    }

    private mutating func add(
        _ enumeration: EnumDescriptor,
        _ prefix: String,
        _ outer: [String],
        _ namespace: String,
        _ file: FileDescriptor,
    ) throws(SwiftEmitter.Problem) {
        try self.insert(
            prefix + enumeration.name,
            Entry(
                file: file.name,
                namespace: namespace,
                path: outer + [SwiftNamer.typeName(enumeration.name)],
                enumeration: enumeration,
            ),
        )
    }

    private mutating func insert(
        _ fullName: String,
        _ entry: Entry,
    ) throws(SwiftEmitter.Problem) {
        self.entries[fullName] = entry
        guard entry.mapEntry == nil else { return }
        if let name = entry.path.last { self.simpleNames.insert(name) }
        guard entry.path.count == 1 else {
            self.nested[entry.namespace, default: []].insert(entry.path)
            return
        }
        guard self.topLevel[entry.namespace, default: []].insert(entry.path[0]).inserted else {
            let qualified = ([entry.namespace] + entry.path).joined(separator: ".")
            throw SwiftEmitter.Problem(
                file: entry.file,
                message: "two types would be called \(qualified) in Swift; give one of the files "
                    + "another swift_prefix",
            )
        }
    }
}
