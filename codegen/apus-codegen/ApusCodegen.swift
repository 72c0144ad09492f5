// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import ArgumentParser
internal import Descriptors
internal import Glibc
internal import SchemaCompiler
internal import SwiftEmitter

/// The command: schema files in, Swift files and descriptor sets out.
@main
struct ApusCodegen: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apus-codegen",
        abstract: "Makes Swift types, clients and servers from .proto files.",
        usage: "apus-codegen [--proto_path=DIR ...] --swift_out=DIR [OPTION ...] FILE ...",
        discussion: """
            Compiles the FILEs, with all they import, and writes one Swift file for each, one more for its \
            services, and Namespaces.swift. google/protobuf/*.proto need not be on any path.

            Exit codes: 0 when all went well, 1 when a schema has errors, 2 when a file cannot be \
            written, 64 when the command line is wrong.

            Example:
              apus-codegen -Iproto --swift_out=Sources/Shop/Generated shop/v1/order.proto
            """,
        version: SwiftEmitter.version,
    )

    @Option(
        name: [.customLong("proto_path"), .customShort("I", allowingJoined: true)],
        help: ArgumentHelp(
            "Directory that FILEs and imports are looked for in. May be given several times; the first match wins. (default: .)",
            valueName: "dir",
        ),
    )
    var protoPaths: [String] = []

    @Option(
        name: .customLong("swift_out"),
        help: ArgumentHelp("Directory for the Swift files; made when missing.", valueName: "dir"),
    )
    var swiftOut: String?

    @Option(
        name: .customLong("visibility"),
        help: "Who may use the generated types: public, package or internal.",
    )
    var visibility: SwiftEmitter.Visibility = .internal

    @Option(
        name: .customLong("services"),
        help: ArgumentHelp(
            "What to make of services: client, server, both with a comma between, or none.",
            valueName: "parts",
        ),
    )
    var services = ServiceParts(parts: [.client, .server])

    @Option(
        name: .customLong("import_module"),
        help: ArgumentHelp(
            "Swift module of the files whose names begin with PREFIX, when they are not generated in this run. May be given several times; the first match wins.",
            valueName: "prefix=module",
        ),
    )
    var importModules: [ModuleOption] = []

    @Option(
        name: .customLong("schema_list"),
        help: ArgumentHelp(
            "Also write Schemas.swift with an enum of this name that lists the generated schemas.",
            valueName: "name",
        ),
    )
    var schemaList: String?

    @Option(
        name: .customLong("descriptor_set_out"),
        help: ArgumentHelp("File for a google.protobuf.FileDescriptorSet.", valueName: "file"),
    )
    var descriptorSetOut: String?

    @Flag(
        name: .customLong("include_imports"),
        help: "Put what the FILEs import into the descriptor set, too.",
    )
    var includeImports = false

    @Flag(
        name: .customLong("include_source_info"),
        help: "Keep comments and positions in the descriptor set.",
    )
    var includeSourceInfo = false

    @Flag(
        name: .customLong("fatal_warnings"),
        help: "Exit with 1 when there are warnings.",
    )
    var fatalWarnings = false

    @Argument(
        help: ArgumentHelp(
            "Schema files, as paths below a proto_path or as imports spell them.",
            valueName: "file",
        ),
    )
    var files: [String]

    func validate() throws {
        if self.swiftOut == nil, self.descriptorSetOut == nil {
            throw ValidationError("Give --swift_out, --descriptor_set_out or both.")
        }
        if let name = self.schemaList, !SwiftEmitter.isTypeName(name) {
            throw ValidationError("--schema_list needs the name of a Swift type, not \"\(name)\".")
        }
    }

    func run() throws {
        let paths = self.protoPaths.isEmpty ? ["."] : self.protoPaths
        let names = self.files.map { SchemaPath.name(of: $0, searchPaths: paths) }
        let compiler = SchemaCompiler(fileSystem: LocalFileSystem(), searchPaths: paths)
        let result = compiler.compile(names)
        for diagnostic in result.sortedDiagnostics { Self.complain("\(diagnostic)") }
        if result.hasErrors || (self.fatalWarnings && !result.diagnostics.isEmpty) {
            throw ExitCode(1)
        }
        do {
            if let file = self.descriptorSetOut {
                try OutputFile.write(self.descriptorSet(result).serialized(), to: file)
            }
            if let directory = self.swiftOut { try self.writeSwift(result, to: directory) }
        } catch let problem as SwiftEmitter.Problem {
            Self.complain("\(problem)")
            throw ExitCode(1)
        } catch let error as OutputFile.Failure {
            Self.complain("apus-codegen: \(error)")
            throw ExitCode(2)
        }
    }

    private func descriptorSet(_ result: SchemaCompiler.Result) -> FileDescriptorSet {
        var files = result.files
        if !self.includeImports {
            let requested = Set(result.requested)
            files.removeAll { !requested.contains($0.name) }
        }
        if !self.includeSourceInfo {
            for index in files.indices { files[index].sourceCodeInfo = nil }
        }
        return FileDescriptorSet(files: files)
    }

    private func writeSwift(_ result: SchemaCompiler.Result, to directory: String) throws {
        let options = SwiftEmitter.Options(
            visibility: self.visibility,
            services: self.services.parts,
            modules: self.importModules.map(\.mapping),
            schemaList: self.schemaList,
        )
        let emitter = SwiftEmitter(files: result.files, options: options)
        let output = try emitter.emit(result.requested)
        try OutputFile.makeDirectory(directory)
        for file in output {
            try OutputFile.write(Array(file.content.utf8), to: "\(directory)/\(file.name)")
        }
    }

    private static func complain(_ message: String) {
        let line = Array((message + "\n").utf8)
        _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
