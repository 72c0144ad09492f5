// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Finds, reads and parses files and their imports.
final class FileLoader {
    /// The file that defines options.
    static let descriptorFile = "google/protobuf/descriptor.proto"

    private enum State {
        case loading
        case loaded(FileDeclaration)
        /// Reported already.
        case failed
    }

    private let fileSystem: any FileSystem
    private let searchPaths: [String]
    private let diagnostics: DiagnosticCollector
    private var states: [String: State] = [:]
    private var stack: [String] = []

    /// Parsed files, each behind its imports; `descriptorFile` first, when it is there.
    private(set) var linkOrder: [FileDeclaration] = []

    init(
        fileSystem: any FileSystem,
        searchPaths: [String],
        diagnostics: DiagnosticCollector,
    ) {
        self.fileSystem = fileSystem
        self.searchPaths = searchPaths
        self.diagnostics = diagnostics
    }

    /// Loads files that the user named and all they need.
    func load(_ names: [String]) {
        for name in names { self.load(name, importedAt: nil) }
        guard self.linkOrder.contains(where: \.hasOptions) else { return }
        // Options are fields of the messages in this file, whether it is imported or not. It comes
        // first: its own options are explained by itself.
        self.load(Self.descriptorFile, importedAt: nil)
        if let index = self.linkOrder.firstIndex(where: { $0.name == Self.descriptorFile }) {
            self.linkOrder.insert(self.linkOrder.remove(at: index), at: 0)
        }
    }

    /// A loaded file by name.
    func file(_ name: String) -> FileDeclaration? {
        guard case .loaded(let file) = self.states[name] else { return nil }
        return file
    }

    /// The named files and all they import, each file once and behind its imports.
    func files(for names: [String]) -> [FileDeclaration] {
        var seen: Set<String> = []
        var result: [FileDeclaration] = []
        func visit(_ name: String) {
            guard seen.insert(name).inserted, let file = self.file(name) else { return }
            for item in file.imports { visit(item.path) }
            result.append(file)
        }
        for name in names { visit(name) }
        return result
    }

    /// Lets go of all that was read.
    ///
    /// Declarations refer to each other in circles, as the types of a schema do.
    func dismantle() {
        for file in self.linkOrder { file.dismantle() }
        self.linkOrder = []
        self.states = [:]
    }

    @discardableResult
    private func load(
        _ name: String,
        importedAt place: (file: String, position: SourcePosition)?,
    ) -> FileDeclaration? {
        switch self.states[name] {
        case .loaded(let file):
            return file
        case .failed:
            return nil
        case .loading:
            let start = self.stack.firstIndex(of: name) ?? 0
            let cycle = (self.stack[start...] + [name]).joined(separator: " -> ")
            self.report(place, name, "expected imports without a cycle, found \(cycle)")
            return nil
        case nil:
            break
        }
        guard let bytes = self.read(name, importedAt: place) else {
            self.states[name] = .failed
            return nil
        }
        self.states[name] = .loading
        let file = Parser.parse(name: name, bytes: bytes, diagnostics: self.diagnostics)
        self.stack.append(name)
        for item in file.imports {
            let imported = self.load(item.path, importedAt: (name, item.position))
            if imported?.hasSyntaxErrors ?? true { file.hasSyntaxErrors = true }
        }
        self.stack.removeLast()
        self.states[name] = .loaded(file)
        self.linkOrder.append(file)
        return file
    }

    private func report(
        _ place: (file: String, position: SourcePosition)?,
        _ name: String,
        _ message: String,
    ) {
        self.diagnostics.error(place?.file ?? name, place?.position, message)
    }

    // MARK: - Reading

    private func read(
        _ name: String,
        importedAt place: (file: String, position: SourcePosition)?,
    ) -> [UInt8]? {
        guard self.states.count < SchemaLimits.fileCount else {
            self.report(place, name, "expected at most \(SchemaLimits.fileCount) files")
            return nil
        }
        guard self.stack.count < SchemaLimits.importDepth else {
            let depth = SchemaLimits.importDepth
            self.report(place, name, "expected a chain of at most \(depth) imports")
            return nil
        }
        guard Self.isPlainPath(name) else {
            self.report(
                place,
                name,
                "expected a relative path with single forward slashes and without \".\" or \"..\", "
                    + "found \"\(name)\"",
            )
            return nil
        }
        guard let bytes = self.find(name, importedAt: place) else { return nil }
        if let position = Self.firstInvalidUTF8(bytes) {
            self.diagnostics.error(
                name,
                position,
                "expected UTF-8 text, found an invalid byte sequence"
            )
            return nil
        }
        return bytes
    }

    private func find(
        _ name: String,
        importedAt place: (file: String, position: SourcePosition)?,
    ) -> [UInt8]? {
        for directory in self.searchPaths {
            let path = directory.isEmpty ? name : Self.join(directory, name)
            do throws(FileSystemError) {
                if let bytes = try self.fileSystem.read(path, limit: SchemaLimits.fileBytes) {
                    return bytes
                }
            } catch {
                switch error {
                case .tooLarge(let limit):
                    self.report(place, name, "expected a file of at most \(limit) bytes: \(path)")
                case .unreadable(let reason):
                    self.report(place, name, "expected a readable file: \(path): \(reason)")
                }
                return nil
            }
        }
        if let text = BuiltinSchemas.text(of: name) { return Array(text.utf8) }
        let paths = self.searchPaths.map { $0.isEmpty ? "." : $0 }.joined(separator: ", ")
        self.report(
            place,
            name,
            "expected the file \"\(name)\" on the search path (\(paths)), found none"
        )
        return nil
    }

    private static func join(_ directory: String, _ name: String) -> String {
        directory.hasSuffix("/") ? directory + name : directory + "/" + name
    }

    /// Whether a name is one that every compiler takes for the same file.
    private static func isPlainPath(_ name: String) -> Bool {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        return !name.contains("\\") && !name.utf8.contains(0)
            && parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
    }

    /// The place of the first byte that is not UTF-8.
    private static func firstInvalidUTF8(_ bytes: [UInt8]) -> SourcePosition? {
        guard String(validating: bytes, as: UTF8.self) == nil else { return nil }
        var decoder = UTF8()
        var iterator = bytes.makeIterator()
        var position = SourcePosition.start
        while true {
            switch decoder.decode(&iterator) {
            case .scalarValue("\n"):
                position.line += 1
                position.column = 0
            case .scalarValue(let scalar):
                position.column += Int32(UTF8.width(scalar))
            case .emptyInput, .error:
                return position
            }
        }
    }
}
