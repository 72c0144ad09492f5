// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Descriptors

// MARK: - Options

extension Linker {
    /// What an option stands on; the numbers of `FieldOptions.OptionTargetType`.
    enum OptionTarget: Int {
        case file = 1
        case extensionRange = 2
        case message = 3
        case field = 4
        case oneof = 5
        case enumeration = 6
        case enumValue = 7
        case service = 8
        case method = 9

        var messageName: String {
            switch self {
            case .file: "FileOptions"
            case .extensionRange: "ExtensionRangeOptions"
            case .message: "MessageOptions"
            case .field: "FieldOptions"
            case .oneof: "OneofOptions"
            case .enumeration: "EnumOptions"
            case .enumValue: "EnumValueOptions"
            case .service: "ServiceOptions"
            case .method: "MethodOptions"
            }
        }

        /// The name in `targets`.
        var targetName: String {
            switch self {
            case .file: "TARGET_TYPE_FILE"
            case .extensionRange: "TARGET_TYPE_EXTENSION_RANGE"
            case .message: "TARGET_TYPE_MESSAGE"
            case .field: "TARGET_TYPE_FIELD"
            case .oneof: "TARGET_TYPE_ONEOF"
            case .enumeration: "TARGET_TYPE_ENUM"
            case .enumValue: "TARGET_TYPE_ENUM_ENTRY"
            case .service: "TARGET_TYPE_SERVICE"
            case .method: "TARGET_TYPE_METHOD"
            }
        }
    }

    /// Interprets the options of all declarations in the file.
    func interpretOptions() {
        let file = self.file
        let scope = file.packageName
        file.interpretedOptions = self.interpret(file.options, .file, scope: scope)
        self.forEachMessage { message in
            let outer = message.parent?.fullName ?? scope
            message.interpretedOptions = self.interpret(message.options, .message, scope: outer)
            let inner = message.fullName
            for field in message.fields + message.extensions {
                field.interpretedOptions = self.interpret(field.options, .field, scope: inner)
            }
            for oneof in message.oneofs {
                oneof.interpretedOptions = self.interpret(oneof.options, .oneof, scope: inner)
            }
            for range in message.extensionRanges {
                range.interpretedOptions = self.interpret(
                    range.options,
                    .extensionRange,
                    scope: outer,
                )
            }
        }
        for field in file.extensions {
            field.interpretedOptions = self.interpret(field.options, .field, scope: scope)
        }
        self.forEachEnum { enumeration in
            let outer = enumeration.scope
            enumeration.interpretedOptions = self.interpret(
                enumeration.options,
                .enumeration,
                scope: outer,
            )
            for value in enumeration.values {
                value.interpretedOptions = self.interpret(value.options, .enumValue, scope: outer)
            }
        }
        for service in file.services {
            service.interpretedOptions = self.interpret(service.options, .service, scope: scope)
            for method in service.methods {
                method.interpretedOptions = self.interpret(
                    method.options,
                    .method,
                    scope: service.fullName,
                )
            }
        }
    }

    private func interpret(
        _ options: [OptionSyntax],
        _ target: OptionTarget,
        scope: String,
    ) -> OptionMessage? {
        guard let first = options.first else { return nil }
        guard let type = self.optionsMessage(target.messageName) else {
            self.error(
                first.position,
                "expected \"\(FileLoader.descriptorFile)\" to define \(target.messageName)",
            )
            return nil
        }
        let message = OptionMessage(type: type)
        for option in options { self.interpret(option, in: message, target, scope: scope) }
        return message
    }

    private func interpret(
        _ option: OptionSyntax,
        in root: OptionMessage,
        _ target: OptionTarget,
        scope: String,
    ) {
        var message = root
        for (index, part) in option.name.enumerated() {
            guard let field = self.optionField(part, of: message.type, scope: scope) else { return }
            if index == 0, !self.checkTopLevel(field, option, target) { return }
            guard index < option.name.count - 1 else {
                self.set(field, option, in: message)
                return
            }
            guard let type = field.messageType else {
                self.error(
                    part.position,
                    "expected a message before \".\", but option \"\(part.text)\" is none",
                )
                return
            }
            if field.label == .repeated {
                self.error(
                    part.position,
                    "expected a value in braces for the repeated option \"\(part.text)\"",
                )
                return
            }
            message = message.message(of: field, type: type)
        }
    }

    private func checkTopLevel(
        _ field: FieldDeclaration,
        _ option: OptionSyntax,
        _ target: OptionTarget,
    ) -> Bool {
        if !field.isExtension, field.name == "uninterpreted_option" {
            self.error(
                option.position,
                "expected another option: \"\(field.name)\" is for compilers"
            )
            return false
        }
        if !field.isExtension, field.name == "features" {
            self.error(option.position, "expected another option: features need editions")
            return false
        }
        if target == .message, !field.isExtension, field.name == "map_entry" {
            self.error(
                option.position,
                "expected a map field, map<key, value> name = 1;, instead of option map_entry",
            )
            return false
        }
        let targets = field.options.compactMap { option -> String? in
            guard option.isSimple("targets"), case .identifier(let name) = option.value.kind else {
                return nil
            }
            return name
        }
        if !targets.isEmpty, !targets.contains(target.targetName) {
            self.error(
                option.position,
                "expected option \"\(option.nameText)\" on one of \(targets.joined(separator: ", ")), "
                    + "found it on \(target.targetName)",
            )
            return false
        }
        return true
    }

    private func optionField(
        _ part: OptionSyntax.NamePart,
        of type: MessageDeclaration,
        scope: String,
    ) -> FieldDeclaration? {
        guard part.isExtension else {
            if let field = type.fieldsByName[part.text] { return field }
            self.error(
                part.position,
                "expected an option of \(type.fullName), which has no \"\(part.text)\"; "
                    + "custom options stand in parentheses",
            )
            return nil
        }
        return self.extensionField(
            NameSyntax(text: part.text, position: part.position),
            of: type,
            scope: scope,
        )
    }

    private func extensionField(
        _ name: NameSyntax,
        of type: MessageDeclaration,
        scope: String,
    ) -> FieldDeclaration? {
        guard
            let symbol = self.resolve(
                name,
                scope: scope,
                typesOnly: false,
                what: "a custom option",
            )
        else { return nil }
        guard case .field(let field) = symbol, field.isExtension else {
            self.error(
                name.position,
                "expected an extension, but \"\(name.text)\" is \(symbol.noun)"
            )
            return nil
        }
        guard let extendee = field.resolvedExtendee else { return nil }
        guard extendee === type else {
            self.error(
                name.position,
                "expected an extension of \(type.fullName), but \"\(name.text)\" extends "
                    + extendee.fullName,
            )
            return nil
        }
        return field
    }

    /// Sets the field that an option statement names.
    private func set(_ field: FieldDeclaration, _ option: OptionSyntax, in message: OptionMessage) {
        if field.label != .repeated, !message.values(of: field).isEmpty {
            self.error(
                option.position,
                "expected option \"\(option.nameText)\" once; it is set already",
            )
            return
        }
        let value = option.value
        if case .list = value.kind {
            self.error(value.position, "expected one value; repeat the option for more")
            return
        }
        if field.messageType != nil {
            guard case .message = value.kind else {
                self.error(
                    value.position,
                    "expected a value in braces, or a field behind the option's name "
                        + "(\(option.nameText).field = ...), found \(value.noun)",
                )
                return
            }
        } else if case .message = value.kind {
            self.error(
                value.position,
                "expected a scalar value for option \"\(option.nameText)\", found \(value.noun)",
            )
            return
        }
        if case .enumeration(let enumeration) = field.type {
            guard case .identifier = value.kind else {
                self.error(
                    value.position,
                    "expected a value of \"\(enumeration.fullName)\" by name, found \(value.noun)",
                )
                return
            }
        }
        guard let result = self.value(value, of: field, isTextFormat: false) else { return }
        if case .message(let inner) = result {
            let missing = inner.missingRequired
            if !missing.isEmpty {
                self.error(
                    value.position,
                    "expected the required fields \(missing.joined(separator: ", ")) in the value",
                )
                return
            }
        }
        message.append(result, to: field)
    }

    /// Turns one value into its wire form; reports when the type does not fit.
    private func value(
        _ value: ValueSyntax,
        of field: FieldDeclaration,
        isTextFormat: Bool,
    ) -> OptionMessage.Value? {
        switch field.type {
        case .message(let type), .group(let type):
            guard case .message(let fields) = value.kind else {
                self.error(
                    value.position,
                    "expected a message in braces for \"\(field.name)\", found \(value.noun)",
                )
                return nil
            }
            let message = OptionMessage(type: type)
            self.fill(message, fields)
            return .message(message)
        case .enumeration(let enumeration):
            return self.enumNumber(value, enumeration, isTextFormat: isTextFormat).map {
                .varint(UInt64(bitPattern: Int64($0)))
            }
        case .scalar(let type):
            do throws(ScalarValue.Mismatch) {
                let scalar = try ScalarValue(value, as: type, isTextFormat: isTextFormat)
                return .init(scalar, type: type)
            } catch {
                self.error(
                    value.position,
                    "expected \(error.expectation) for \"\(field.name)\", found \(value.noun)",
                )
                return nil
            }
        case .named, .unresolved:
            return nil
        }
    }

    private func enumNumber(
        _ value: ValueSyntax,
        _ enumeration: EnumDeclaration,
        isTextFormat: Bool,
    ) -> Int32? {
        switch value.kind {
        case .identifier(let name):
            if let found = enumeration.values.first(where: { $0.name == name }) {
                return found.number
            }
            self.error(
                value.position,
                "expected a value of \"\(enumeration.fullName)\", which has no \"\(name)\"",
            )
            return nil
        case .integer where isTextFormat:
            if case .signed(let number)? = try? ScalarValue(value, as: .int32) {
                let number = Int32(truncatingIfNeeded: number)
                let isOpen = enumeration.file.syntax == .proto3
                if isOpen || enumeration.values.contains(where: { $0.number == number }) {
                    return number
                }
            }
            self.error(
                value.position,
                "expected the number of a value of \"\(enumeration.fullName)\"",
            )
            return nil
        case .integer, .float, .string, .message, .list:
            self.error(
                value.position,
                "expected a value of \"\(enumeration.fullName)\" by name, found \(value.noun)",
            )
            return nil
        }
    }

    // MARK: Aggregates

    private func fill(_ message: OptionMessage, _ fields: [FieldValueSyntax]) {
        for item in fields {
            if case .any(let host) = item.kind {
                self.fillAny(message, item, host: host)
                continue
            }
            guard let field = self.aggregateField(item, of: message.type) else { continue }
            if case .list(let values) = item.value.kind {
                guard field.label == .repeated else {
                    self.error(
                        item.value.position,
                        "expected one value: \"\(field.name)\" is not repeated",
                    )
                    continue
                }
                for value in values { self.add(value, to: field, of: message) }
                continue
            }
            guard self.checkSingle(field, item, message) else { continue }
            self.add(item.value, to: field, of: message)
        }
    }

    /// Sets the URL and bytes of an Any from the message that it is to hold.
    private func fillAny(_ message: OptionMessage, _ item: FieldValueSyntax, host: String) {
        guard message.type.fullName == "google.protobuf.Any",
            let url = message.type.fieldsByName["type_url"],
            let bytes = message.type.fieldsByName["value"]
        else {
            self.error(
                item.name.position,
                "expected a field of \(message.type.fullName): only google.protobuf.Any is written "
                    + "with a type URL",
            )
            return
        }
        guard case .message(let fields) = item.value.kind else {
            self.error(
                item.value.position,
                "expected a message in braces, found \(item.value.noun)",
            )
            return
        }
        // The name is absolute, as in the binary form.
        let name = NameSyntax(text: "." + item.name.text, position: item.name.position)
        guard
            case .message(let type)? = self.resolve(
                name,
                scope: "",
                typesOnly: true,
                what: "a message",
            )
        else { return }
        let held = OptionMessage(type: type)
        self.fill(held, fields)
        message.append(.bytes(Array("\(host)/\(item.name.text)".utf8)), to: url)
        message.append(.bytes(held.serialized()), to: bytes)
    }

    private func checkSingle(
        _ field: FieldDeclaration,
        _ item: FieldValueSyntax,
        _ message: OptionMessage,
    ) -> Bool {
        guard field.label != .repeated else { return true }
        if !message.values(of: field).isEmpty {
            self.error(
                item.name.position,
                "expected \"\(field.name)\" once; it is set already and not repeated",
            )
            return false
        }
        if let index = field.oneofIndex, !field.isExtension {
            let other = message.type.fields.first {
                $0.oneofIndex == index && $0 !== field && !message.values(of: $0).isEmpty
            }
            if let other {
                self.error(
                    item.name.position,
                    "expected one field of oneof \"\(message.type.oneofs[index].name)\", found "
                        + "\"\(field.name)\" beside \"\(other.name)\"",
                )
                return false
            }
        }
        return true
    }

    private func add(_ value: ValueSyntax, to field: FieldDeclaration, of message: OptionMessage) {
        guard let result = self.value(value, of: field, isTextFormat: true) else { return }
        message.append(result, to: field)
    }

    private func aggregateField(
        _ item: FieldValueSyntax,
        of type: MessageDeclaration,
    ) -> FieldDeclaration? {
        if case .extension = item.kind {
            let scope = type.parent?.fullName ?? type.file.packageName
            return self.extensionField(item.name, of: type, scope: scope)
        }
        if let field = type.fieldsByName[item.name.text] {
            // Groups go by the name of their type.
            if case .group = field.type {} else { return field }
        }
        for field in type.fields {
            if case .group(let group) = field.type, group.name == item.name.text { return field }
        }
        self.error(
            item.name.position,
            "expected a field of \(type.fullName), which has no \"\(item.name.text)\"",
        )
        return nil
    }
}

extension OptionMessage.Value {
    /// The wire form of a scalar.
    init(_ value: ScalarValue, type: FieldType) {
        switch value {
        case .signed(let number):
            switch type {
            case .sint32, .sint64:
                self = .varint(UInt64(bitPattern: (number << 1) ^ (number >> 63)))
            case .sfixed32:
                self = .fixed32(UInt32(truncatingIfNeeded: number))
            case .sfixed64:
                self = .fixed64(UInt64(bitPattern: number))
            case .double, .float, .int64, .uint64, .int32, .fixed64, .fixed32, .bool, .string,
                .group, .message, .bytes, .uint32, .enum:
                self = .varint(UInt64(bitPattern: number))
            }
        case .unsigned(let number):
            switch type {
            case .fixed32: self = .fixed32(UInt32(truncatingIfNeeded: number))
            case .fixed64: self = .fixed64(number)
            case .double, .float, .int64, .uint64, .int32, .bool, .string, .group, .message, .bytes,
                .uint32, .enum, .sfixed32, .sfixed64, .sint32, .sint64:
                self = .varint(number)
            }
        case .double(let number): self = .fixed64(number.bitPattern)
        case .float(let number): self = .fixed32(number.bitPattern)
        case .bool(let flag): self = .varint(flag ? 1 : 0)
        case .string(let text): self = .bytes(Array(text.utf8))
        case .bytes(let bytes): self = .bytes(bytes)
        }
    }
}
