// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

// MARK: - Options

extension Parser {
    /// Parses `option name = value;`.
    mutating func optionStatement() throws(Failure) -> OptionSyntax? {
        // Options have comments, too; they go with the option and nowhere else.
        let location = self.beginLocation([])
        self.advance()
        let option = try self.option()
        try self.endDeclaration(";", "behind the option", location: location)
        self.dropLocation(location)
        return option
    }

    /// Parses `name = value`.
    mutating func option() throws(Failure) -> OptionSyntax {
        let position = self.current.start
        var name: [OptionSyntax.NamePart] = []
        repeat {
            let position = self.current.start
            if self.take(symbol: "(") {
                let text = try self.qualifiedName("the name of an extension").text
                try self.expect(symbol: ")", "behind the name of the extension")
                name.append(.init(text: text, isExtension: true, position: position))
            } else {
                let text = try self.identifier("the name of an option").text
                name.append(.init(text: text, isExtension: false, position: position))
            }
        } while self.take(symbol: ".")
        try self.expect(symbol: "=", "behind the option's name")
        let value = try self.optionValue()
        self.file.hasOptions = true
        return OptionSyntax(name: name, value: value, position: position)
    }

    /// Parses `[a = 1, (b).c = 2]`, whose opening bracket is next, and calls `body` for each.
    mutating func bracketedOptions(_ body: (OptionSyntax) -> Void) throws(Failure) {
        try self.expect(symbol: "[", "before the options")
        repeat {
            body(try self.option())
        } while self.take(symbol: ",")
        try self.expect(symbol: "]", "or \",\" behind the option")
    }

    private mutating func optionValue() throws(Failure) -> ValueSyntax {
        let position = self.current.start
        if self.take(symbol: "{") {
            let fields = try self.aggregateFields(close: "}", depth: 1)
            return ValueSyntax(kind: .message(fields), position: position)
        }
        return try self.scalarValue("the option's value")
    }

    /// Parses a number, identifier or string; a sign may stand before numbers, `inf` and `nan`.
    private mutating func scalarValue(_ what: String) throws(Failure) -> ValueSyntax {
        let position = self.current.start
        let isNegative = self.take(symbol: "-")
        let token = self.current
        switch token.kind {
        case .integer:
            self.advance()
            let text = self.bytes(token)
            if let magnitude = Literal.integer(text) {
                let kind = ValueSyntax.Kind.integer(magnitude: magnitude, isNegative: isNegative)
                return ValueSyntax(kind: kind, position: position)
            }
            guard Literal.isDecimal(text) else {
                self.report(position, "expected an integer of at most 64 bits")
                throw Failure()
            }
            // Too large for an integer, but still good where a floating point number is wanted.
            let value = Literal.double(text)
            return ValueSyntax(kind: .float(isNegative ? -value : value), position: position)
        case .float:
            self.advance()
            let value = Literal.double(self.bytes(token))
            return ValueSyntax(kind: .float(isNegative ? -value : value), position: position)
        case .identifier:
            let text = self.text(token)
            self.advance()
            guard isNegative else {
                return ValueSyntax(kind: .identifier(text), position: position)
            }
            guard text == "inf" || text == "nan" else {
                self.report(
                    token.start,
                    "expected a number, inf or nan behind \"-\", found \"\(text)\""
                )
                throw Failure()
            }
            return ValueSyntax(kind: .float(text == "inf" ? -.infinity : .nan), position: position)
        case .string where !isNegative:
            return ValueSyntax(kind: .string(try self.string("a string")), position: position)
        case .string, .symbol, .endOfFile:
            throw self.failure("expected \(isNegative ? "a number behind \"-\"" : what)")
        }
    }

    // MARK: - Aggregates (the text form of a message)

    /// Parses fields up to `close`, whose opening counterpart is consumed.
    private mutating func aggregateFields(
        close: Unicode.Scalar,
        depth: Int,
    ) throws(Failure) -> [FieldValueSyntax] {
        guard depth <= SchemaLimits.valueNesting else {
            self.report(
                self.current.start,
                "expected values nested at most \(SchemaLimits.valueNesting) deep",
            )
            throw Failure()
        }
        var fields: [FieldValueSyntax] = []
        while !self.take(symbol: close) {
            fields.append(try self.aggregateField(close: close, depth: depth))
            // Separators are allowed, not asked for.
            _ = self.take(symbol: ",") || self.take(symbol: ";")
        }
        return fields
    }

    private mutating func aggregateField(
        close: Unicode.Scalar,
        depth: Int,
    ) throws(Failure) -> FieldValueSyntax {
        let position = self.current.start
        var name: NameSyntax
        var kind = FieldValueSyntax.Kind.plain
        if self.take(symbol: "[") {
            kind = .extension
            name = try self.qualifiedName("the name of an extension", allowsLeadingDot: false)
            if self.take(symbol: "/") {
                kind = .any(host: name.text)
                name = try self.qualifiedName("the name of a message", allowsLeadingDot: false)
            }
            try self.expect(symbol: "]", "behind the name of the extension")
        } else {
            name = try self.identifier("a field's name or \"\(close)\" in the value")
        }
        name.position = position
        let hasColon = self.take(symbol: ":")
        let value: ValueSyntax
        if self.looksAt(symbol: "{") || self.looksAt(symbol: "<") {
            value = try self.aggregateMessage(depth: depth)
        } else if hasColon, self.looksAt(symbol: "[") {
            value = try self.aggregateList(depth: depth)
        } else if self.looksAt(symbol: "[") {
            // Without a colon only a list of messages may follow.
            value = try self.aggregateList(depth: depth)
        } else if hasColon {
            value = try self.aggregateScalar()
        } else {
            throw self.failure("expected \":\" behind the field \"\(name.text)\"")
        }
        return FieldValueSyntax(name: name, kind: kind, value: value)
    }

    private mutating func aggregateMessage(depth: Int) throws(Failure) -> ValueSyntax {
        let position = self.current.start
        let close: Unicode.Scalar = self.looksAt(symbol: "{") ? "}" : ">"
        self.advance()
        let fields = try self.aggregateFields(close: close, depth: depth + 1)
        return ValueSyntax(kind: .message(fields), position: position)
    }

    private mutating func aggregateScalar() throws(Failure) -> ValueSyntax {
        try self.scalarValue("a value")
    }

    private mutating func aggregateList(depth: Int) throws(Failure) -> ValueSyntax {
        let position = self.current.start
        self.advance()
        var values: [ValueSyntax] = []
        if !self.take(symbol: "]") {
            repeat {
                if self.looksAt(symbol: "{") || self.looksAt(symbol: "<") {
                    values.append(try self.aggregateMessage(depth: depth))
                } else {
                    values.append(try self.aggregateScalar())
                }
            } while self.take(symbol: ",")
            try self.expect(symbol: "]", "or \",\" in the list")
        }
        return ValueSyntax(kind: .list(values), position: position)
    }
}
