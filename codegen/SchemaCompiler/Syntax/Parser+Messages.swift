// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Descriptors

// MARK: - Messages, fields, enums

extension Parser {
    /// Largest field number.
    static let maxFieldNumber: Int32 = (1 << 29) - 1
    /// Largest field number of messages in message-set format.
    static let maxMessageSetNumber: Int32 = .max - 1

    @discardableResult
    mutating func message(
        _ path: [Int32],
        parent: MessageDeclaration?,
        scope: String,
        register: (MessageDeclaration) -> Void,
    ) throws(Failure) -> MessageDeclaration {
        let location = self.beginLocation(path)
        self.advance()
        let name = try self.identifier("the message's name")
        let message = MessageDeclaration(
            name: name.text,
            position: name.position,
            file: self.file,
            parent: parent,
            scope: scope,
        )
        register(message)
        try self.messageBody(message, path, location: location)
        self.endLocation(location)
        return message
    }

    /// Parses a message from its opening brace to its closing one.
    private mutating func messageBody(
        _ message: MessageDeclaration,
        _ path: [Int32],
        location: Int,
    ) throws(Failure) {
        let opened = self.current.start
        try self.nested(opened) { (parser) throws(Failure) in
            try parser.endDeclaration("{", "to open the message", location: location)
            parser.block("message", openedAt: opened) { (parser) throws(Failure) in
                try parser.messageStatement(message, path)
            }
        }
        self.finish(message)
    }

    private mutating func messageStatement(
        _ message: MessageDeclaration,
        _ path: [Int32],
    ) throws(Failure) {
        if self.takeDeclarationEnd(";", location: nil) { return }
        if self.looksAt("message") {
            try self.message(
                path + [DescriptorPath.messageNested, Int32(message.messages.count)],
                parent: message,
                scope: message.fullName,
            ) { message.messages.append($0) }
        } else if self.looksAt("enum") {
            try self.enumeration(
                path + [DescriptorPath.messageEnum, Int32(message.enums.count)],
                scope: message.fullName,
            ) { message.enums.append($0) }
        } else if self.looksAt("extensions") {
            try self.extensionRanges(message)
        } else if self.looksAt("reserved") {
            try self.reserved(
                ranges: &message.reservedRanges,
                names: &message.reservedNames,
                allowsNegative: false,
                max: Self.maxFieldNumber,
            )
        } else if self.looksAt("extend") {
            try self.extendBlock(
                path + [DescriptorPath.messageExtension],
                parent: message,
                scope: message.fullName,
            )
        } else if self.looksAt("option") {
            if let option = try self.optionStatement() { message.options.append(option) }
        } else if self.looksAt("oneof") {
            try self.oneof(message, path)
        } else {
            let fieldPath = path + [DescriptorPath.messageField, Int32(message.fields.count)]
            try self.field(fieldPath, .message(message, path, oneofIndex: nil))
        }
    }

    /// Adds what a message implies beyond what is written.
    private func finish(_ message: MessageDeclaration) {
        for range in message.extensionRanges where range.isToMax {
            range.end = message.isMessageSet ? Self.maxMessageSetNumber : Self.maxFieldNumber
        }
        self.addSyntheticOneofs(message)
    }

    /// Gives each proto3 `optional` field a oneof of its own, behind the declared ones.
    private func addSyntheticOneofs(_ message: MessageDeclaration) {
        guard message.fields.contains(where: \.isProto3Optional) else { return }
        var names = Set(message.fields.map(\.name))
        names.formUnion(message.oneofs.map(\.name))
        for field in message.fields where field.isProto3Optional {
            var name = field.name.hasPrefix("_") ? field.name : "_" + field.name
            while !names.insert(name).inserted { name = "X" + name }
            field.oneofIndex = message.oneofs.count
            let oneof = OneofDeclaration(
                name: name,
                position: field.position,
                scope: message.fullName,
                isSynthetic: true,
            )
            oneof.fieldCount = 1
            message.oneofs.append(oneof)
        }
    }

    private mutating func oneof(
        _ message: MessageDeclaration,
        _ path: [Int32],
    ) throws(Failure) {
        let index = message.oneofs.count
        let location = self.beginLocation(path + [DescriptorPath.messageOneof, Int32(index)])
        self.advance()
        let name = try self.identifier("the oneof's name")
        let oneof = OneofDeclaration(
            name: name.text,
            position: name.position,
            scope: message.fullName,
        )
        message.oneofs.append(oneof)
        let opened = self.current.start
        try self.endDeclaration("{", "to open the oneof", location: location)
        self.block("oneof", openedAt: opened) { (parser) throws(Failure) in
            if parser.takeDeclarationEnd(";", location: nil) { return }
            if parser.looksAt("option") {
                if let option = try parser.optionStatement() { oneof.options.append(option) }
                return
            }
            for label: StaticString in ["optional", "required", "repeated"]
            where parser.looksAt(label) {
                parser.report(
                    parser.current.start,
                    "expected a field without label in the oneof, found \"\(label)\"",
                )
                parser.advance()
            }
            let fieldPath = path + [DescriptorPath.messageField, Int32(message.fields.count)]
            try parser.field(fieldPath, .message(message, path, oneofIndex: index))
            oneof.fieldCount += 1
        }
        self.endLocation(location)
    }

    /// Parses `extend Type { fields }`.
    mutating func extendBlock(
        _ path: [Int32],
        parent: MessageDeclaration?,
        scope: String,
    ) throws(Failure) {
        let location = self.beginLocation(path)
        self.advance()
        let extendee = try self.qualifiedName("the name of the message to extend")
        let opened = self.current.start
        try self.endDeclaration("{", "to open the extensions", location: location)
        var isEmpty = true
        self.block("extend", openedAt: opened) { (parser) throws(Failure) in
            if parser.takeDeclarationEnd(";", location: nil) { return }
            isEmpty = false
            let count = parent?.extensions.count ?? parser.file.extensions.count
            try parser.field(
                path + [Int32(count)],
                .extend(extendee, path, parent: parent, scope: scope),
            )
        }
        self.endLocation(location)
        if isEmpty {
            self.report(opened, "expected at least one field in the extend block")
        }
    }

    // MARK: - Fields

    /// Where a field is declared.
    enum FieldContext {
        case message(MessageDeclaration, _ path: [Int32], oneofIndex: Int?)
        case extend(NameSyntax, _ path: [Int32], parent: MessageDeclaration?, scope: String)

        var oneofIndex: Int? {
            if case .message(_, _, let index) = self { return index }
            return nil
        }

        var isExtend: Bool {
            if case .extend = self { return true }
            return false
        }
    }

    private static let scalarTypes: [String: FieldType] = [
        "double": .double, "float": .float, "int64": .int64, "uint64": .uint64, "int32": .int32,
        "fixed64": .fixed64, "fixed32": .fixed32, "bool": .bool, "string": .string,
        "bytes": .bytes, "uint32": .uint32, "sfixed32": .sfixed32, "sfixed64": .sfixed64,
        "sint32": .sint32, "sint64": .sint64,
    ]

    private mutating func label(_ context: FieldContext) throws(Failure) -> FieldLabel? {
        guard context.oneofIndex == nil else { return nil }
        if self.take("optional") { return .optional }
        if self.take("repeated") { return .repeated }
        if self.take("required") { return .required }
        return nil
    }

    private mutating func field(_ path: [Int32], _ context: FieldContext) throws(Failure) {
        let location = self.beginLocation(path)
        let start = self.current.start
        let label = try self.label(context)
        guard self.current.kind == .identifier || self.looksAt(symbol: ".") else {
            throw self.failure("expected a field, a nested declaration or \"}\"")
        }
        let typePosition = self.current.start
        if self.take("map"), self.looksAt(symbol: "<") {
            if label != nil {
                self.report(
                    start,
                    "expected a map field without label: maps are repeated by nature"
                )
            }
            try self.mapField(location, typePosition, context)
            return
        }
        var typeName: NameSyntax
        if let previous = self.previousIdentifier(at: typePosition) {
            // "map" was the first part of an ordinary type name.
            typeName = previous
            while self.take(symbol: ".") {
                typeName.text += "." + (try self.identifier("an identifier behind \".\"")).text
            }
        } else {
            typeName = try self.qualifiedName("a field type")
        }
        if label == nil, self.file.syntax == .proto2, context.oneofIndex == nil {
            self.report(
                start,
                "expected \"optional\", \"required\" or \"repeated\" before the field's type"
            )
        }
        if typeName.text == "group", self.current.kind == .identifier {
            try self.groupField(location, path, label: label, context)
            return
        }
        let type: FieldDeclaration.TypeReference =
            if let scalar = Self.scalarTypes[typeName.text] {
                .scalar(scalar)
            } else {
                .named(typeName)
            }
        let name = try self.identifier("the field's name")
        let field = self.makeField(name, label: label, type: type, context)
        field.typePosition = typePosition
        try self.fieldTail(field)
        self.register(field, context)
        try self.endDeclaration(";", "behind the field", location: location)
        self.endLocation(location)
    }

    /// The identifier "map" when it was consumed at `position` without a map field following.
    private func previousIdentifier(at position: SourcePosition) -> NameSyntax? {
        self.current.start == position ? nil : NameSyntax(text: "map", position: position)
    }

    /// Parses `= number [options]`.
    private mutating func fieldTail(_ field: FieldDeclaration) throws(Failure) {
        try self.expect(symbol: "=", "and a number behind the field's name")
        field.numberPosition = self.current.start
        field.number = try self.integer("the field's number", limit: .max)
        guard self.looksAt(symbol: "[") else { return }
        var options: [OptionSyntax] = []
        try self.bracketedOptions { options.append($0) }
        for option in options {
            if option.isSimple("default") {
                self.store(option, in: &field.defaultSyntax)
            } else if option.isSimple("json_name") {
                self.store(option, in: &field.jsonNameSyntax)
            } else {
                field.options.append(option)
            }
        }
    }

    private func store(_ option: OptionSyntax, in slot: inout OptionSyntax?) {
        if slot != nil {
            self.report(
                option.position,
                "expected option \"\(option.nameText)\" once; it is set already"
            )
        }
        slot = option
    }

    private func makeField(
        _ name: NameSyntax,
        label: FieldLabel?,
        type: FieldDeclaration.TypeReference,
        _ context: FieldContext,
    ) -> FieldDeclaration {
        let parent: MessageDeclaration?
        let scope: String
        var extendee: NameSyntax?
        switch context {
        case .message(let message, _, _):
            (parent, scope) = (message, message.fullName)
        case .extend(let name, _, let message, let outer):
            (parent, scope, extendee) = (message, outer, name)
        }
        let field = FieldDeclaration(
            name: name.text,
            position: name.position,
            file: self.file,
            parent: parent,
            scope: scope,
            number: 0,
            label: label ?? .optional,
            type: type,
        )
        field.extendee = extendee
        field.hasExplicitLabel = label != nil
        field.oneofIndex = context.oneofIndex
        // Extensions have presence by themselves, but are marked all the same.
        field.isProto3Optional = self.file.syntax == .proto3 && label == .optional
        return field
    }

    private func register(_ field: FieldDeclaration, _ context: FieldContext) {
        switch context {
        case .message(let message, _, _): message.fields.append(field)
        case .extend(_, _, let message?, _): message.extensions.append(field)
        case .extend: self.file.extensions.append(field)
        }
    }

    private mutating func mapField(
        _ location: Int,
        _ typePosition: SourcePosition,
        _ context: FieldContext,
    ) throws(Failure) {
        try self.expect(symbol: "<", "behind \"map\"")
        let keyPosition = self.current.start
        let keyName = try self.qualifiedName("the map's key type")
        try self.expect(symbol: ",", "behind the map's key type")
        let valuePosition = self.current.start
        let valueName = try self.qualifiedName("the map's value type")
        try self.expect(symbol: ">", "behind the map's value type")
        let name = try self.identifier("the field's name")

        guard case .message(let message, _, let oneofIndex) = context, oneofIndex == nil else {
            let place = context.isExtend ? "an extend block" : "a oneof"
            self.report(
                typePosition,
                "expected another type: map fields are not allowed in \(place)"
            )
            throw Failure()
        }
        if !Self.isMapKey(keyName.text) {
            self.report(
                keyPosition,
                "expected an integer type, bool or string as the map's key type",
            )
        }
        let field = self.makeField(name, label: .repeated, type: .unresolved, context)
        field.typePosition = typePosition
        try self.fieldTail(field)
        let entry = MessageDeclaration(
            name: FieldNaming.mapEntryName(name.text),
            position: name.position,
            file: self.file,
            parent: message,
            scope: message.fullName,
        )
        entry.isMapEntry = true
        self.addEntryField(entry, "key", 1, keyName, keyPosition)
        self.addEntryField(entry, "value", 2, valueName, valuePosition)
        field.type = .message(entry)
        message.messages.append(entry)
        self.register(field, context)
        try self.endDeclaration(";", "behind the field", location: location)
        self.endLocation(location)
    }

    private static func isMapKey(_ typeName: String) -> Bool {
        switch self.scalarTypes[typeName] {
        case nil, .double, .float, .bytes: false
        default: true
        }
    }

    private func addEntryField(
        _ entry: MessageDeclaration,
        _ name: String,
        _ number: Int32,
        _ typeName: NameSyntax,
        _ position: SourcePosition,
    ) {
        let type: FieldDeclaration.TypeReference =
            if let scalar = Self.scalarTypes[typeName.text] {
                .scalar(scalar)
            } else {
                .named(typeName)
            }
        let field = FieldDeclaration(
            name: name,
            position: position,
            file: self.file,
            parent: entry,
            scope: entry.fullName,
            number: number,
            label: .optional,
            type: type,
        )
        entry.fields.append(field)
    }

    private mutating func groupField(
        _ location: Int,
        _ path: [Int32],
        label: FieldLabel?,
        _ context: FieldContext,
    ) throws(Failure) {
        let name = try self.identifier("the group's name")
        if let first = name.text.utf8.first, !(0x41...0x5a).contains(first) {
            self.report(name.position, "expected a capital letter at the start of the group's name")
        }
        let parent: MessageDeclaration?
        let scope: String
        let groupPath: [Int32]
        switch context {
        case .message(let message, let messagePath, _):
            (parent, scope) = (message, message.fullName)
            groupPath = messagePath + [DescriptorPath.messageNested, Int32(message.messages.count)]
        case .extend(_, let extendPath, let message, let outer):
            (parent, scope) = (message, outer)
            groupPath =
                if let message {
                    Array(extendPath.dropLast())
                        + [DescriptorPath.messageNested, Int32(message.messages.count)]
                } else {
                    [DescriptorPath.fileMessage, Int32(self.file.messages.count)]
                }
        }
        let group = MessageDeclaration(
            name: name.text,
            position: name.position,
            file: self.file,
            parent: parent,
            scope: scope,
        )
        let lower = NameSyntax(text: FieldNaming.lowercased(name.text), position: name.position)
        let field = self.makeField(lower, label: label, type: .group(group), context)
        field.typePosition = name.position
        if self.file.syntax == .proto3 {
            self.report(name.position, "expected a message field: proto3 has no groups")
        }
        try self.fieldTail(field)
        if let parent { parent.messages.append(group) } else { self.file.messages.append(group) }
        self.register(field, context)
        let groupLocation = self.beginLocation(groupPath)
        self.file.locations[groupLocation].span = self.file.locations[location].span
        try self.messageBody(group, groupPath, location: groupLocation)
        self.endLocation(groupLocation)
        self.endLocation(location)
    }

    // MARK: - Ranges

    private mutating func extensionRanges(_ message: MessageDeclaration) throws(Failure) {
        let location = self.beginLocation([])
        self.advance()
        let first = message.extensionRanges.count
        repeat {
            message.extensionRanges.append(
                try self.range(max: Self.maxFieldNumber, allowsNegative: false)
            )
        } while self.take(symbol: ",")
        if self.looksAt(symbol: "[") {
            try self.bracketedOptions { option in
                for range in message.extensionRanges[first...] { range.options.append(option) }
            }
        }
        try self.endDeclaration(";", "behind the extension ranges", location: location)
        self.dropLocation(location)
    }

    private mutating func reserved(
        ranges: inout [RangeSyntax],
        names: inout [NameSyntax],
        allowsNegative: Bool,
        max: Int32,
    ) throws(Failure) {
        let location = self.beginLocation([])
        self.advance()
        if self.current.kind == .string {
            repeat {
                let position = self.current.start
                let bytes = try self.string("a reserved name in quotes")
                let name = String(decoding: bytes, as: UTF8.self)
                if !CharacterClass.isIdentifier(bytes) {
                    self.report(
                        position,
                        "expected an identifier as reserved name, found \"\(name)\""
                    )
                }
                names.append(NameSyntax(text: name, position: position))
            } while self.take(symbol: ",")
        } else if self.current.kind == .identifier {
            throw self.failure("expected reserved names in quotes or numbers")
        } else {
            repeat {
                ranges.append(try self.range(max: max, allowsNegative: allowsNegative))
            } while self.take(symbol: ",")
        }
        try self.endDeclaration(";", "behind the reserved names or numbers", location: location)
        self.dropLocation(location)
    }

    private mutating func range(max: Int32, allowsNegative: Bool) throws(Failure) -> RangeSyntax {
        let position = self.current.start
        let start = try self.integer("a number", allowsNegative: allowsNegative)
        var end = start
        var isToMax = false
        if self.take("to") {
            if self.take("max") {
                end = max
                isToMax = true
            } else {
                end = try self.integer("a number or \"max\"", allowsNegative: allowsNegative)
            }
        }
        return RangeSyntax(start: start, end: end, isToMax: isToMax, position: position)
    }

    // MARK: - Enums

    mutating func enumeration(
        _ path: [Int32],
        scope: String,
        register: (EnumDeclaration) -> Void,
    ) throws(Failure) {
        let location = self.beginLocation(path)
        self.advance()
        let name = try self.identifier("the enum's name")
        let declaration = EnumDeclaration(
            name: name.text,
            position: name.position,
            file: self.file,
            scope: scope,
        )
        register(declaration)
        let opened = self.current.start
        try self.endDeclaration("{", "to open the enum", location: location)
        self.block("enum", openedAt: opened) { (parser) throws(Failure) in
            if parser.takeDeclarationEnd(";", location: nil) { return }
            if parser.looksAt("option") {
                if let option = try parser.optionStatement() { declaration.options.append(option) }
            } else if parser.looksAt("reserved") {
                try parser.reserved(
                    ranges: &declaration.reservedRanges,
                    names: &declaration.reservedNames,
                    allowsNegative: true,
                    max: .max,
                )
            } else {
                let index = Int32(declaration.values.count)
                try parser.enumValue(path + [DescriptorPath.enumValue, index], declaration)
            }
        }
        self.endLocation(location)
    }

    private mutating func enumValue(
        _ path: [Int32],
        _ declaration: EnumDeclaration,
    ) throws(Failure) {
        let location = self.beginLocation(path)
        let name = try self.identifier("an enum value or \"}\"")
        try self.expect(symbol: "=", "and a number behind the enum value's name")
        let number = try self.integer("the enum value's number", allowsNegative: true)
        let value = EnumValueDeclaration(name: name.text, position: name.position, number: number)
        if self.looksAt(symbol: "[") {
            try self.bracketedOptions { value.options.append($0) }
        }
        declaration.values.append(value)
        try self.endDeclaration(";", "behind the enum value", location: location)
        self.endLocation(location)
    }
}
