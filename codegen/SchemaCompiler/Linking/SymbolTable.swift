// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Anything that has a full name.
enum Symbol {
    /// A package or a leading part of one; `file` is the first that declared it.
    case package(file: FileDeclaration)
    case message(MessageDeclaration)
    case enumeration(EnumDeclaration)
    case enumValue(EnumValueDeclaration, in: EnumDeclaration)
    /// A field or extension.
    case field(FieldDeclaration)
    case oneof(OneofDeclaration, in: MessageDeclaration)
    case service(ServiceDeclaration)
    case method(MethodDeclaration, in: ServiceDeclaration)

    var file: FileDeclaration {
        switch self {
        case .package(let file): file
        case .message(let message): message.file
        case .enumeration(let enumeration): enumeration.file
        case .enumValue(_, let enumeration): enumeration.file
        case .field(let field): field.file
        case .oneof(_, let message): message.file
        case .service(let service): service.file
        case .method(_, let service): service.file
        }
    }

    /// Whether it is a type that a field can have.
    var isType: Bool {
        switch self {
        case .message, .enumeration: true
        case .package, .enumValue, .field, .oneof, .service, .method: false
        }
    }

    /// Whether other names live inside it.
    var isAggregate: Bool {
        switch self {
        case .package, .message, .enumeration, .service: true
        case .enumValue, .field, .oneof, .method: false
        }
    }

    /// What it is, for messages.
    var noun: String {
        switch self {
        case .package: "a package"
        case .message: "a message"
        case .enumeration: "an enum"
        case .enumValue: "an enum value"
        case .field(let field): field.isExtension ? "an extension" : "a field"
        case .oneof: "a oneof"
        case .service: "a service"
        case .method: "a method"
        }
    }
}

/// All named things of a compilation by full name.
final class SymbolTable {
    /// What a look-up found.
    enum Lookup {
        case found(Symbol)
        /// Nothing by this name anywhere.
        case missing
        /// The name exists, in a file that the looking file does not import.
        case notImported(Symbol)
        /// The first part led to `symbol`, which has no such member: scopes are searched from the
        /// innermost, and the first that knows the first part decides.
        case shadowed(innermost: String)
    }

    private var symbols: [String: Symbol] = [:]
    /// For each package and each leading part of one, the files that are in it.
    private var packageFiles: [String: Set<String>] = [:]

    /// The symbol of that full name, if there is one.
    func symbol(_ fullName: String) -> Symbol? {
        self.symbols[fullName]
    }

    /// Adds a symbol; returns the one that has the name already, if any.
    func add(_ fullName: String, _ symbol: Symbol) -> Symbol? {
        if let existing = self.symbols[fullName] { return existing }
        self.symbols[fullName] = symbol
        return nil
    }

    /// Adds a package with all its leading parts; returns the part that is something else already.
    func addPackage(_ name: String, file: FileDeclaration) -> (name: String, symbol: Symbol)? {
        var prefix = ""
        for part in name.split(separator: ".") {
            prefix += prefix.isEmpty ? String(part) : ".\(part)"
            self.packageFiles[prefix, default: []].insert(file.name)
            if let existing = self.add(prefix, .package(file: file)) {
                guard case .package = existing else { return (prefix, existing) }
            }
        }
        return nil
    }

    /// Looks a name up as protobuf does: from the innermost scope outwards.
    ///
    /// - Parameters:
    ///   - name: the name as written; a leading dot makes it absolute.
    ///   - scope: the full name of the scope the name stands in.
    ///   - visibleFiles: names of the files whose symbols count.
    ///   - typesOnly: whether symbols that are no type are passed over.
    func lookUp(
        _ name: String,
        scope: String,
        visibleFiles: Set<String>,
        typesOnly: Bool,
    ) -> Lookup {
        if name.hasPrefix(".") {
            let fullName = String(name.dropFirst())
            if let symbol = self.visible(fullName, visibleFiles) { return .found(symbol) }
            return self.symbols[fullName].map(Lookup.notImported) ?? .missing
        }
        let firstPart = name.prefix { $0 != "." }
        let hasMoreParts = firstPart.utf8.count < name.utf8.count
        var hidden: Symbol?
        var rest = scope[...]
        while true {
            let prefix = rest.isEmpty ? "" : "\(rest)."
            if let symbol = self.visible(prefix + firstPart, visibleFiles) {
                if hasMoreParts {
                    if symbol.isAggregate {
                        let fullName = prefix + name
                        if let found = self.visible(fullName, visibleFiles) { return .found(found) }
                        if let found = self.symbols[fullName] { return .notImported(found) }
                        return .shadowed(innermost: fullName)
                    }
                } else if !typesOnly || symbol.isType {
                    return .found(symbol)
                }
            }
            if hidden == nil, let symbol = self.symbols[prefix + name], !typesOnly || symbol.isType
            {
                hidden = symbol
            }
            if rest.isEmpty { break }
            rest = rest.lastIndex(of: ".").map { rest[..<$0] } ?? ""
        }
        return hidden.map(Lookup.notImported) ?? .missing
    }

    private func visible(_ fullName: String, _ visibleFiles: Set<String>) -> Symbol? {
        guard let symbol = self.symbols[fullName] else { return nil }
        if case .package = symbol {
            let files = self.packageFiles[fullName] ?? []
            return files.isDisjoint(with: visibleFiles) ? nil : symbol
        }
        return visibleFiles.contains(symbol.file.name) ? symbol : nil
    }
}
