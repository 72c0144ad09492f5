// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

// MARK: - Declaring names and finding types

extension Linker {
    /// Enters all names of the file into the symbol table.
    func declareSymbols() {
        if let package = self.file.package,
            let taken = self.symbols.addPackage(package.text, file: self.file)
        {
            self.error(
                package.position,
                "expected a new name for the package, but \"\(taken.name)\" is \(taken.symbol.noun) "
                    + "in \"\(taken.symbol.file.name)\"",
            )
        }
        for message in self.file.messages { self.declare(message) }
        for enumeration in self.file.enums { self.declare(enumeration) }
        for field in self.file.extensions {
            self.declare(field.fullName, .field(field), field.position)
        }
        for service in self.file.services {
            self.declare(service.fullName, .service(service), service.position)
            for method in service.methods {
                let name = "\(service.fullName).\(method.name)"
                self.declare(name, .method(method, in: service), method.position)
            }
        }
    }

    /// Enters a name; reports it and returns false when it is taken.
    @discardableResult
    private func declare(
        _ fullName: String,
        _ symbol: Symbol,
        _ position: SourcePosition,
    ) -> Bool {
        guard let existing = self.symbols.add(fullName, symbol) else { return true }
        let file = existing.file === self.file ? "" : " in \"\(existing.file.name)\""
        var hint = ""
        if case .enumValue(_, let enumeration) = symbol {
            let scope = enumeration.scope.isEmpty ? "the file" : "\"\(enumeration.scope)\""
            hint = "; values of an enum are siblings of the enum, in the scope of \(scope)"
        }
        if case .message(let message) = symbol, message.isMapEntry {
            hint = "; the map field at this place stands for a message of that name"
        }
        self.error(
            position,
            "expected a new name, but \"\(fullName)\" is defined already as \(existing.noun)\(file)\(hint)",
        )
        return false
    }

    private func declare(_ message: MessageDeclaration) {
        guard self.declare(message.fullName, .message(message), message.position) else { return }
        for field in message.fields {
            self.declare(field.fullName, .field(field), field.position)
            if message.fieldsByName[field.name] == nil { message.fieldsByName[field.name] = field }
        }
        for oneof in message.oneofs {
            self.declare(oneof.fullName, .oneof(oneof, in: message), oneof.position)
        }
        for nested in message.messages { self.declare(nested) }
        for enumeration in message.enums { self.declare(enumeration) }
        for field in message.extensions {
            self.declare(field.fullName, .field(field), field.position)
        }
    }

    private func declare(_ enumeration: EnumDeclaration) {
        self.declare(enumeration.fullName, .enumeration(enumeration), enumeration.position)
        for value in enumeration.values {
            let scope = enumeration.scope.isEmpty ? "" : "\(enumeration.scope)."
            self.declare(scope + value.name, .enumValue(value, in: enumeration), value.position)
        }
    }

    // MARK: - Types

    /// Finds the types of all fields, extensions and methods.
    func resolveTypes() {
        self.forEachMessage { message in
            for field in message.fields { self.resolveType(field) }
        }
        self.forEachExtension { field in
            self.resolveType(field)
            self.resolveExtendee(field)
        }
        for service in self.file.services {
            for method in service.methods {
                method.inputType = self.resolveMessage(method.input, scope: service.fullName)
                method.outputType = self.resolveMessage(method.output, scope: service.fullName)
            }
        }
    }

    private func resolveType(_ field: FieldDeclaration) {
        guard case .named(let name) = field.type else { return }
        field.type = .unresolved
        // Names start from the field itself, as if it were a scope.
        guard
            let symbol = self.resolve(
                name,
                scope: field.fullName,
                typesOnly: true,
                what: "a message or enum",
            )
        else { return }
        switch symbol {
        case .message(let message):
            if message.isMapEntry {
                self.error(
                    name.position,
                    "expected a declared message: \"\(name.text)\" only stands for a map field",
                )
                return
            }
            field.type = .message(message)
        case .enumeration(let enumeration):
            field.type = .enumeration(enumeration)
        case .package, .enumValue, .field, .oneof, .service, .method:
            self.error(
                name.position,
                "expected a message or enum, but \"\(name.text)\" is \(symbol.noun)",
            )
        }
    }

    private func resolveExtendee(_ field: FieldDeclaration) {
        guard let name = field.extendee else { return }
        let scope = field.parent?.fullName ?? self.file.packageName
        guard let message = self.resolveMessage(name, scope: scope) else { return }
        field.resolvedExtendee = message
    }

    private func resolveMessage(_ name: NameSyntax, scope: String) -> MessageDeclaration? {
        guard
            let symbol = self.resolve(name, scope: scope, typesOnly: true, what: "a message")
        else { return nil }
        guard case .message(let message) = symbol else {
            self.error(name.position, "expected a message, but \"\(name.text)\" is \(symbol.noun)")
            return nil
        }
        return message
    }
}
