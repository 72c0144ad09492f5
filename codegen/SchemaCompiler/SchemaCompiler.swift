// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Descriptors

/// Compiles schema files (`.proto`) into descriptors.
///
/// Imports are looked for on the search paths in order, then among the files the compiler brings
/// itself: `google/protobuf/descriptor.proto` and the well-known types.
///
/// ```swift
/// let compiler = SchemaCompiler(fileSystem: LocalFileSystem(), searchPaths: ["proto"])
/// let result = compiler.compile(["shop/order.proto"])
/// ```
public struct SchemaCompiler: Sendable {
    /// What a compilation gives.
    public struct Result: Sendable {
        /// All files, each behind its imports; empty when there are errors.
        public var files: [FileDescriptor]
        /// The names that were asked for.
        public var requested: [String]
        /// Errors and warnings in the order they were found.
        public var diagnostics: [Diagnostic]

        /// Whether there is any error.
        public var hasErrors: Bool {
            self.diagnostics.contains { $0.severity == .error }
        }

        /// The errors and warnings by file, line and column.
        public var sortedDiagnostics: [Diagnostic] {
            let none = SourcePosition(line: -1, column: -1)
            return self.diagnostics.enumerated().sorted { left, right in
                let (a, b) = (left.element.position ?? none, right.element.position ?? none)
                if left.element.file != right.element.file {
                    return left.element.file < right.element.file
                }
                if a != b { return (a.line, a.column) < (b.line, b.column) }
                return left.offset < right.offset
            }.map(\.element)
        }
    }

    private let fileSystem: any FileSystem
    private let searchPaths: [String]

    /// Makes a compiler.
    ///
    /// - Parameters:
    ///   - fileSystem: where files are read from.
    ///   - searchPaths: directories that imports are relative to, the first match wins.
    public init(fileSystem: any FileSystem, searchPaths: [String]) {
        self.fileSystem = fileSystem
        self.searchPaths = searchPaths.isEmpty ? [""] : searchPaths
    }

    /// Compiles the named files and all they import.
    ///
    /// - Parameter names: names relative to a search path, as imports spell them.
    public func compile(_ names: [String]) -> Result {
        let diagnostics = DiagnosticCollector()
        let loader = FileLoader(
            fileSystem: self.fileSystem,
            searchPaths: self.searchPaths,
            diagnostics: diagnostics,
        )
        defer { loader.dismantle() }
        loader.load(names)
        var files: [FileDescriptor] = []
        if !diagnostics.isFull {
            let linker = Linker(loader: loader, diagnostics: diagnostics)
            linker.link()
            if diagnostics.errorCount == 0 {
                files = loader.files(for: names).map { DescriptorBuilder(file: $0).build() }
            }
        }
        // What is merely odd in a file of somebody else is not this user's business.
        let findings = diagnostics.diagnostics.filter {
            $0.severity == .error || names.contains($0.file)
        }
        return Result(files: files, requested: names, diagnostics: findings)
    }
}
