// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Descriptors

/// Gives names their meaning and checks what only the whole can show.
///
/// Files come in an order in which each stands behind its imports, and go through four steps: declare
/// all names; find the types that fields and methods name; check declarations; interpret options.
final class Linker {
    let loader: FileLoader
    let diagnostics: DiagnosticCollector
    let symbols = SymbolTable()
    /// Extensions by extended message and number.
    var extensionsByNumber: [String: [Int32: FieldDeclaration]] = [:]
    /// The file being worked on.
    private(set) var file: FileDeclaration
    /// Files whose symbols the current one may use.
    private var visibleFiles: Set<String> = []
    /// Files whose symbols the current one has used.
    private var usedFiles: Set<String> = []

    init(loader: FileLoader, diagnostics: DiagnosticCollector) {
        self.loader = loader
        self.diagnostics = diagnostics
        self.file = FileDeclaration(name: "")
    }

    /// Links all files.
    func link() {
        for file in self.loader.linkOrder where !file.hasSyntaxErrors {
            guard !self.diagnostics.isFull else { return }
            let errorsBefore = self.diagnostics.errorCount
            self.enter(file)
            self.declareSymbols()
            // A message declared twice would be looked up as one of the two; say no more than that.
            guard self.diagnostics.errorCount == errorsBefore else {
                self.resolveTypes()
                continue
            }
            self.resolveTypes()
            self.checkDeclarations()
            self.interpretOptions()
            if self.diagnostics.errorCount == errorsBefore { self.warnAboutUnusedImports() }
        }
    }

    func error(_ position: SourcePosition, _ message: String) {
        self.diagnostics.error(self.file.name, position, message)
    }

    func warning(_ position: SourcePosition, _ message: String) {
        self.diagnostics.warning(self.file.name, position, message)
    }

    // MARK: - Visibility

    private func enter(_ file: FileDeclaration) {
        self.file = file
        self.visibleFiles = [file.name]
        self.usedFiles = []
        for item in file.imports { self.addVisible(item.path) }
    }

    private func addVisible(_ name: String) {
        guard self.visibleFiles.insert(name).inserted, let file = self.loader.file(name) else {
            return
        }
        for item in file.imports where item.kind == .public { self.addVisible(item.path) }
    }

    private func warnAboutUnusedImports() {
        for item in self.file.imports where item.kind == .plain {
            // A use counts for the import that brings the file in, directly or in public.
            var brought: Set<String> = []
            self.collectPublic(item.path, into: &brought)
            if brought.isDisjoint(with: self.usedFiles) {
                self.warning(item.position, "import \"\(item.path)\" is not used")
            }
        }
    }

    private func collectPublic(_ name: String, into names: inout Set<String>) {
        guard names.insert(name).inserted, let file = self.loader.file(name) else { return }
        for item in file.imports where item.kind == .public {
            self.collectPublic(item.path, into: &names)
        }
    }

    // MARK: - Look-up

    /// Finds what a name means in a scope of the current file; reports when it means nothing.
    ///
    /// - Parameter what: completes "expected ...".
    func resolve(
        _ name: NameSyntax,
        scope: String,
        typesOnly: Bool,
        what: String,
    ) -> Symbol? {
        let lookup = self.symbols.lookUp(
            name.text,
            scope: scope,
            visibleFiles: self.visibleFiles,
            typesOnly: typesOnly,
        )
        switch lookup {
        case .found(let symbol):
            self.usedFiles.insert(symbol.file.name)
            return symbol
        case .missing, .shadowed(name.text):
            self.error(name.position, "expected \(what), but \"\(name.text)\" is not defined")
        case .notImported(let symbol):
            self.error(
                name.position,
                "expected \(what), but \"\(name.text)\" is defined in \"\(symbol.file.name)\", "
                    + "which \"\(self.file.name)\" does not import",
            )
        case .shadowed(let innermost):
            self.error(
                name.position,
                "expected \(what), but \"\(name.text)\" means \"\(innermost)\", which is not defined: "
                    + "the innermost scope is searched first; a leading dot (\".\(name.text)\") "
                    + "starts from the outermost",
            )
        }
        return nil
    }

    /// Marks the file of a symbol as used.
    func use(_ file: FileDeclaration) {
        self.usedFiles.insert(file.name)
    }

    /// A message of descriptor.proto, such as `FieldOptions`.
    func optionsMessage(_ name: String) -> MessageDeclaration? {
        guard case .message(let message) = self.symbols.symbol("google.protobuf.\(name)") else {
            return nil
        }
        return message
    }

    // MARK: - Walking

    /// Calls `body` for every message of the file, outer before inner.
    func forEachMessage(_ body: (MessageDeclaration) -> Void) {
        func walk(_ messages: [MessageDeclaration]) {
            for message in messages {
                body(message)
                walk(message.messages)
            }
        }
        walk(self.file.messages)
    }

    /// Calls `body` for every enum of the file.
    func forEachEnum(_ body: (EnumDeclaration) -> Void) {
        self.file.enums.forEach(body)
        self.forEachMessage { $0.enums.forEach(body) }
    }

    /// Calls `body` for every extension of the file.
    func forEachExtension(_ body: (FieldDeclaration) -> Void) {
        self.file.extensions.forEach(body)
        self.forEachMessage { $0.extensions.forEach(body) }
    }
}
