// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Descriptors

// MARK: - Checks of declarations

extension Linker {
    /// Numbers that protobuf implementations keep for themselves.
    private static let implementationNumbers: ClosedRange<Int32> = 19_000...19_999

    /// The messages that proto3 files may extend: options, and nothing else.
    private static let optionMessages: Set<String> = Set(
        [
            "FileOptions", "MessageOptions", "FieldOptions", "OneofOptions",
            "ExtensionRangeOptions",
            "EnumOptions", "EnumValueOptions", "ServiceOptions", "MethodOptions", "StreamOptions",
        ].map { "google.protobuf.\($0)" }
    )

    /// Checks all declarations of the file.
    func checkDeclarations() {
        self.forEachMessage(self.check)
        self.forEachEnum(self.check)
        self.forEachExtension(self.checkExtension)
    }

    // MARK: Messages

    private func check(_ message: MessageDeclaration) {
        self.checkRanges(message)
        let reserved = NumberRanges(message.reservedRanges)
        let extensible = NumberRanges(message.extensionRanges)
        let reservedNames = Set(message.reservedNames.map(\.text))
        var byNumber: [Int32: FieldDeclaration] = [:]
        for field in message.fields {
            self.checkNumber(field, limit: Parser.maxFieldNumber)
            if let other = byNumber.updateValue(field, forKey: field.number), field.number > 0 {
                self.error(
                    field.numberPosition,
                    "expected a free number, but \(field.number) is used by field \"\(other.name)\" "
                        + "of \"\(message.fullName)\" already",
                )
            }
            if reserved.contains(field.number) {
                self.error(
                    field.numberPosition,
                    "expected a number that is not reserved, found \(field.number)",
                )
            }
            if extensible.contains(field.number) {
                self.error(
                    field.numberPosition,
                    "expected a number outside the extension ranges, found \(field.number)",
                )
            }
            if reservedNames.contains(field.name) {
                self.error(
                    field.position,
                    "expected a name that is not reserved, found \"\(field.name)\"",
                )
            }
            self.checkField(field)
        }
        for oneof in message.oneofs where oneof.fieldCount == 0 {
            self.error(oneof.position, "expected at least one field in oneof \"\(oneof.name)\"")
        }
        if self.file.syntax == .proto3, let range = message.extensionRanges.first {
            self.error(range.position, "expected no extension ranges: proto3 has none")
        }
        self.checkNames(message)
        self.checkJSONNames(message)
    }

    private func checkNames(_ message: MessageDeclaration) {
        var seen: Set<String> = []
        for name in message.reservedNames where !seen.insert(name.text).inserted {
            self.warning(name.position, "\"\(name.text)\" is reserved twice")
        }
    }

    private func checkRanges(_ message: MessageDeclaration) {
        let limit = Parser.maxFieldNumber
        for (what, ranges) in [
            ("extension", message.extensionRanges), ("reserved", message.reservedRanges),
        ] {
            for range in ranges {
                if range.start < 1 || (range.end > limit && !range.isToMax) {
                    self.error(
                        range.position,
                        "expected \(what) numbers between 1 and \(limit), found \(range.text)",
                    )
                } else if range.end < range.start {
                    self.error(
                        range.position,
                        "expected the end of the range behind its start, found \(range.text)",
                    )
                }
            }
            for (first, second) in NumberRanges(ranges).overlaps {
                self.error(
                    second.position,
                    "expected \(what) ranges that do not overlap, "
                        + "but \(second.text) overlaps \(first.text)",
                )
            }
        }
        let extensible = NumberRanges(message.extensionRanges)
        let reserved = NumberRanges(message.reservedRanges)
        for (first, second) in extensible.overlaps(with: reserved) {
            self.error(
                first.position,
                "expected extension ranges apart from reserved ones, "
                    + "but \(first.text) overlaps reserved \(second.text)",
            )
        }
    }

    private func checkNumber(_ field: FieldDeclaration, limit: Int32) {
        if field.number < 1 || field.number > limit {
            self.error(
                field.numberPosition,
                "expected a field number between 1 and \(limit), found \(field.number)",
            )
        } else if Self.implementationNumbers.contains(field.number) {
            let range = Self.implementationNumbers
            self.error(
                field.numberPosition,
                "expected a field number outside \(range.lowerBound) to \(range.upperBound), which are "
                    + "kept for implementations, found \(field.number)",
            )
        }
    }

    // MARK: Fields

    private func checkField(_ field: FieldDeclaration) {
        if self.file.syntax == .proto3 {
            if field.label == .required {
                self.error(
                    field.typePosition,
                    "expected a field without \"required\": proto3 has no required fields",
                )
            }
            if case .enumeration(let enumeration) = field.type, enumeration.file.syntax == .proto2 {
                self.error(
                    field.typePosition,
                    "expected an enum of a proto3 file: \"\(enumeration.fullName)\" is a proto2 enum, "
                        + "whose unknown numbers proto3 messages cannot keep",
                )
            }
        }
        self.checkDefault(field)
        if let option = field.jsonNameSyntax { self.setJSONName(field, option) }
        self.checkStandardOptions(field)
    }

    private func setJSONName(_ field: FieldDeclaration, _ option: OptionSyntax) {
        guard case .string(let bytes) = option.value.kind,
            let name = String(validating: bytes, as: UTF8.self)
        else {
            self.error(
                option.value.position,
                "expected a string as json_name, found \(option.value.noun)",
            )
            return
        }
        if field.isExtension {
            self.error(
                option.position,
                "expected no json_name: extensions have their name in brackets in JSON",
            )
        } else if bytes.contains(0) {
            self.error(option.value.position, "expected a json_name without NUL characters")
        } else if name.hasPrefix("["), name.hasSuffix("]") {
            self.error(
                option.value.position,
                "expected a json_name that is not in brackets, as only extensions are",
            )
        } else {
            field.jsonName = name
        }
    }

    private func checkStandardOptions(_ field: FieldDeclaration) {
        for option in field.options {
            if option.isSimple("packed"), case .identifier("true") = option.value.kind {
                let isPackable = field.fieldType.map(\.isPackable) ?? true
                if field.label != .repeated || !isPackable {
                    self.error(
                        option.position,
                        "expected [packed = true] only on repeated numbers, bools and enums",
                    )
                }
            }
            if option.isSimple("lazy"), case .identifier("true") = option.value.kind,
                let type = field.fieldType, type != .message
            {
                self.error(option.position, "expected [lazy = true] only on message fields")
            }
            if option.isSimple("jstype"), case .identifier(let value) = option.value.kind,
                value != "JS_NORMAL", let type = field.fieldType
            {
                switch type {
                case .int64, .uint64, .sint64, .fixed64, .sfixed64: break
                case .double, .float, .int32, .fixed32, .bool, .string, .group, .message, .bytes,
                    .uint32, .enum, .sfixed32, .sint32:
                    self.error(option.position, "expected jstype only on 64-bit integer fields")
                }
            }
        }
    }

    // MARK: JSON names

    private func checkJSONNames(_ message: MessageDeclaration) {
        let isLenient = message.options.contains {
            $0.isSimple("deprecated_legacy_json_field_conflicts")
        }
        var byDefault: [String: FieldDeclaration] = [:]
        var byName: [String: FieldDeclaration] = [:]
        for field in message.fields {
            let derived = FieldNaming.jsonName(field.name)
            if let other = byDefault[derived] {
                // The derived names count even when custom ones replace them: other languages
                // make their names the same way.
                self.report(
                    field,
                    "expected a field whose JSON name \"\(derived)\" differs from that of "
                        + "\"\(other.name)\"",
                    isError: self.file.syntax == .proto3 && !isLenient,
                )
            } else {
                byDefault[derived] = field
            }
            if let other = byName[field.jsonName] {
                let isCustom = field.jsonNameSyntax != nil && other.jsonNameSyntax != nil
                if field.jsonNameSyntax != nil || other.jsonNameSyntax != nil {
                    self.report(
                        field,
                        "expected a field whose JSON name \"\(field.jsonName)\" differs from that of "
                            + "\"\(other.name)\"",
                        isError: isCustom || self.file.syntax == .proto3 && !isLenient,
                    )
                }
            } else {
                byName[field.jsonName] = field
            }
        }
    }

    private func report(_ field: FieldDeclaration, _ message: String, isError: Bool) {
        if isError {
            self.error(field.position, message)
        } else {
            self.warning(field.position, message)
        }
    }

    // MARK: Extensions

    private func checkExtension(_ field: FieldDeclaration) {
        self.checkField(field)
        if field.label == .required {
            self.error(
                field.typePosition,
                "expected an optional or repeated extension: they cannot be required",
            )
        }
        guard let extendee = field.resolvedExtendee else { return }
        guard NumberRanges(extendee.extensionRanges).contains(field.number) else {
            self.error(
                field.numberPosition,
                "expected a number in an extension range of \"\(extendee.fullName)\", "
                    + "found \(field.number)",
            )
            return
        }
        self.checkNumber(field, limit: Parser.maxMessageSetNumber)
        if self.file.syntax == .proto3, !Self.optionMessages.contains(extendee.fullName) {
            self.error(
                field.extendee?.position ?? field.position,
                "expected an options message of descriptor.proto: proto3 files extend nothing else",
            )
        }
        if let other = self.extensionsByNumber[extendee.fullName]?[field.number] {
            self.error(
                field.numberPosition,
                "expected a free number, but \(field.number) of \"\(extendee.fullName)\" is used by "
                    + "extension \"\(other.fullName)\" in \"\(other.file.name)\" already",
            )
        } else {
            self.extensionsByNumber[extendee.fullName, default: [:]][field.number] = field
        }
    }

    // MARK: Enums

    private func check(_ enumeration: EnumDeclaration) {
        guard let first = enumeration.values.first else {
            self.error(enumeration.position, "expected at least one value in the enum")
            return
        }
        if self.file.syntax == .proto3, first.number != 0 {
            self.error(
                first.position,
                "expected 0 as the number of the first value, found \(first.number): "
                    + "proto3 enums start at zero",
            )
        }
        let allowsAlias = enumeration.options.contains { option in
            guard option.isSimple("allow_alias"), case .identifier("true") = option.value.kind
            else {
                return false
            }
            return true
        }
        let reserved = NumberRanges(enumeration.reservedRanges)
        let reservedNames = Set(enumeration.reservedNames.map(\.text))
        var byNumber: [Int32: EnumValueDeclaration] = [:]
        var hasAlias = false
        for value in enumeration.values {
            if let other = byNumber[value.number] {
                hasAlias = true
                if !allowsAlias {
                    self.error(
                        value.position,
                        "expected a free number, but \(value.number) is used by \"\(other.name)\" "
                            + "already; option allow_alias = true; allows that",
                    )
                }
            } else {
                byNumber[value.number] = value
            }
            if reserved.contains(value.number) {
                self.error(
                    value.position,
                    "expected a number that is not reserved, found \(value.number)",
                )
            }
            if reservedNames.contains(value.name) {
                self.error(
                    value.position,
                    "expected a name that is not reserved, found \"\(value.name)\"",
                )
            }
        }
        if allowsAlias, !hasAlias {
            self.error(
                enumeration.position,
                "expected two values with one number: allow_alias is set without need",
            )
        }
        self.checkReserved(enumeration)
        self.checkShortNames(enumeration)
    }

    private func checkReserved(_ enumeration: EnumDeclaration) {
        for range in enumeration.reservedRanges where range.end < range.start {
            self.error(
                range.position,
                "expected the end of the range behind its start, found \(range.text)",
            )
        }
        for (first, second) in NumberRanges(enumeration.reservedRanges).overlaps {
            self.error(
                second.position,
                "expected reserved ranges that do not overlap, "
                    + "but \(second.text) overlaps \(first.text)",
            )
        }
        var seen: Set<String> = []
        for name in enumeration.reservedNames where !seen.insert(name.text).inserted {
            self.warning(name.position, "\"\(name.text)\" is reserved twice")
        }
    }

    /// Values must differ by more than case and the enum's own name, which some languages drop.
    private func checkShortNames(_ enumeration: EnumDeclaration) {
        let isLenient = enumeration.options.contains {
            $0.isSimple("deprecated_legacy_json_field_conflicts")
        }
        var byName: [String: EnumValueDeclaration] = [:]
        for value in enumeration.values {
            let short = FieldNaming.shortValueName(value.name, inEnum: enumeration.name)
            guard let other = byName[short] else {
                byName[short] = value
                continue
            }
            guard other.number != value.number, other.name != value.name else { continue }
            let message =
                "expected a value whose name differs from \"\(other.name)\" by more than case and "
                + "the name of the enum, found \"\(value.name)\""
            if self.file.syntax == .proto3, !isLenient {
                self.error(value.position, message)
            } else {
                self.warning(value.position, message)
            }
        }
    }

    // MARK: Defaults

    private func checkDefault(_ field: FieldDeclaration) {
        guard let option = field.defaultSyntax else { return }
        let value = option.value
        if self.file.syntax == .proto3 {
            self.error(option.position, "expected no default: proto3 has none but zero")
            return
        }
        if field.label == .repeated {
            self.error(option.position, "expected no default: repeated fields have none")
            return
        }
        switch field.type {
        case .message, .group:
            self.error(option.position, "expected no default: message fields have none")
        case .enumeration(let enumeration):
            guard case .identifier(let name) = value.kind else {
                self.error(
                    value.position,
                    "expected a value of \"\(enumeration.fullName)\" by name, found \(value.noun)",
                )
                return
            }
            guard enumeration.values.contains(where: { $0.name == name }) else {
                self.error(
                    value.position,
                    "expected a value of \"\(enumeration.fullName)\", which has no \"\(name)\"",
                )
                return
            }
            field.defaultValue = name
        case .scalar(let type):
            do throws(ScalarValue.Mismatch) {
                field.defaultValue = try ScalarValue(value, as: type).defaultText
            } catch {
                self.error(
                    value.position,
                    "expected \(error.expectation) as default, found \(value.noun)",
                )
            }
        case .named, .unresolved:
            break
        }
    }
}
