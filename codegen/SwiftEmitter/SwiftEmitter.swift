// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Descriptors

/// Makes Swift source files from compiled schema files.
///
/// For each schema file it prints the messages and enums as value types over the `Protobuf` runtime,
/// and, when there are services, client stubs and server protocols over `RPCInterface` in a file of
/// their own. Output depends on the input alone: the same schema gives the same bytes.
public struct SwiftEmitter {
    /// Version of the generator, printed into every file.
    public static let version = "1.0"

    /// Who may use the generated declarations.
    public enum Visibility: String, Sendable, CaseIterable {
        case `public`
        case `package`
        case `internal`

        /// The modifier before declarations and imports, with a space behind it.
        var modifier: String { self == .internal ? "" : self.rawValue + " " }
    }

    /// What is made of services.
    public enum ServicePart: String, Sendable, CaseIterable {
        case client
        case server
    }

    /// Schema files whose Swift types live in another module.
    public struct ModuleMapping: Hashable, Sendable {
        /// The beginning of the files' names.
        public var pathPrefix: String
        public var module: String

        /// Makes a mapping.
        public init(pathPrefix: String, module: String) {
            self.pathPrefix = pathPrefix
            self.module = module
        }
    }

    /// How files are made.
    public struct Options: Sendable {
        public var visibility: Visibility
        public var services: Set<ServicePart>
        /// Tried in order; the first whose prefix fits decides. Files that are generated themselves
        /// are never looked for elsewhere.
        public var modules: [ModuleMapping]
        /// Name of an enum that lists all generated schema files; nil for no such list.
        public var schemaList: String?

        /// Makes options.
        public init(
            visibility: Visibility = .internal,
            services: Set<ServicePart> = [.client, .server],
            modules: [ModuleMapping] = [],
            schemaList: String? = nil,
        ) {
            self.visibility = visibility
            self.services = services
            self.modules = modules
            self.schemaList = schemaList
        }
    }

    /// A file to write.
    public struct GeneratedFile: Hashable, Sendable {
        /// The name inside the output directory.
        public var name: String
        public var content: String
    }

    /// A schema that has no Swift form.
    public struct Problem: Error, Hashable, Sendable, CustomStringConvertible {
        /// The schema file.
        public var file: String
        public var message: String

        public var description: String { "\(self.file): error: \(self.message)" }
    }

    /// Where types of files that everybody uses are found, unless a mapping says otherwise.
    public static let wellKnownModules = [
        ModuleMapping(pathPrefix: "google/protobuf/", module: "WellKnownTypes"),
        ModuleMapping(pathPrefix: "apus/options.proto", module: "WellKnownTypes"),
    ]

    private let files: [FileDescriptor]
    private let options: Options

    /// Makes an emitter.
    ///
    /// - Parameters:
    ///   - files: the files to generate and all they import, with their source code info.
    ///   - options: how to make them.
    public init(files: [FileDescriptor], options: Options) {
        self.files = files
        self.options = options
    }

    /// Makes the Swift files for the schema files of the given names.
    ///
    /// - Returns: files sorted by name; `Namespaces.swift` among them when there are packages.
    public func emit(_ names: [String]) throws(Problem) -> [GeneratedFile] {
        let builder = ModelBuilder(files: self.files, generated: names, options: self.options)
        let models = try builder.build()
        var output: [GeneratedFile] = []
        for model in models {
            let emitter = FileEmitter(file: model, options: self.options)
            output.append(emitter.messagesFile())
            if let services = emitter.servicesFile() { output.append(services) }
        }
        if let namespaces = NamespaceEmitter(files: models, options: self.options).file() {
            output.append(namespaces)
        }
        if let name = self.options.schemaList {
            output.append(
                SchemaListEmitter(name: name, files: models, options: self.options).file()
            )
        }
        try Self.checkNames(output, models)
        return output.sorted { $0.name < $1.name }
    }

    /// Whether a text can be the name of a Swift type.
    public static func isTypeName(_ text: String) -> Bool {
        guard let first = text.first, first.isASCII, first.isLetter || first == "_" else {
            return false
        }
        return text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
            && SwiftNamer.typeName(text) == text
    }

    private static func checkNames(
        _ output: [GeneratedFile],
        _ models: [FileModel],
    ) throws(Problem) {
        var seen: Set<String> = []
        for file in output where !seen.insert(file.name).inserted {
            throw Problem(
                file: file.name,
                message: "two schema files make a Swift file of this name; rename one of them",
            )
        }
        var schemas: [String: String] = [:]
        for model in models {
            if let other = schemas.updateValue(model.name, forKey: model.schemaName) {
                throw Problem(
                    file: model.name,
                    message:
                        "\(model.schemaName) is the name of this file and of \"\(other)\" in Swift; "
                        + "rename one of them",
                )
            }
        }
    }
}
