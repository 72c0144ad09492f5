// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Descriptors

/// A name as it stands in the source, dots included.
struct NameSyntax {
    var text: String
    var position: SourcePosition
}

/// One parsed schema file.
final class FileDeclaration {
    let name: String
    var syntax = Syntax.proto2
    var package: NameSyntax?
    var imports: [ImportDeclaration] = []
    var options: [OptionSyntax] = []
    var messages: [MessageDeclaration] = []
    var enums: [EnumDeclaration] = []
    var services: [ServiceDeclaration] = []
    var extensions: [FieldDeclaration] = []
    var locations: [SourceLocation] = []
    /// Whether parsing found errors; what depends on such a file is not looked into.
    var hasSyntaxErrors = false

    /// Whether any declaration has options that have to be interpreted.
    var hasOptions = false

    /// Serialized options, once interpreted.
    var interpretedOptions: OptionMessage?

    init(name: String) { self.name = name }

    var packageName: String { self.package?.text ?? "" }
}

struct ImportDeclaration {
    enum Kind { case plain, `public`, weak }
    var path: String
    var kind: Kind
    var position: SourcePosition
}

final class MessageDeclaration {
    let name: String
    let position: SourcePosition
    let file: FileDeclaration
    let parent: MessageDeclaration?
    let fullName: String
    var fields: [FieldDeclaration] = []
    var extensions: [FieldDeclaration] = []
    var messages: [MessageDeclaration] = []
    var enums: [EnumDeclaration] = []
    var oneofs: [OneofDeclaration] = []
    var extensionRanges: [RangeSyntax] = []
    var reservedRanges: [RangeSyntax] = []
    var reservedNames: [NameSyntax] = []
    var options: [OptionSyntax] = []
    /// Whether it stands for a map field.
    var isMapEntry = false
    /// Fields by name, filled when symbols are declared.
    var fieldsByName: [String: FieldDeclaration] = [:]

    var interpretedOptions: OptionMessage?

    init(
        name: String,
        position: SourcePosition,
        file: FileDeclaration,
        parent: MessageDeclaration?,
        scope: String,
    ) {
        self.name = name
        self.position = position
        self.file = file
        self.parent = parent
        self.fullName = scope.isEmpty ? name : "\(scope).\(name)"
    }
}

extension MessageDeclaration {
    /// Whether extensions are written in the form of proto1's message sets.
    var isMessageSet: Bool {
        self.options.contains { option in
            guard option.isSimple("message_set_wire_format") else { return false }
            if case .identifier("true") = option.value.kind { return true }
            return false
        }
    }
}

/// A range of numbers as written; `end` is inclusive here.
final class RangeSyntax {
    var start: Int32
    var end: Int32
    /// Whether the end was written as `max`.
    var isToMax: Bool
    let position: SourcePosition
    /// Options of an extension range.
    var options: [OptionSyntax] = []

    var interpretedOptions: OptionMessage?

    init(start: Int32, end: Int32, isToMax: Bool, position: SourcePosition) {
        self.start = start
        self.end = end
        self.isToMax = isToMax
        self.position = position
    }
}

/// A field of a message or an extension.
final class FieldDeclaration {
    /// The type, as written and then as found.
    enum TypeReference {
        case scalar(FieldType)
        case named(NameSyntax)
        case message(MessageDeclaration)
        case group(MessageDeclaration)
        case enumeration(EnumDeclaration)
        /// Named, but not found; reported once.
        case unresolved
    }

    let name: String
    let position: SourcePosition
    let file: FileDeclaration
    /// The message around the declaration: of a field, its message; of an extension, its scope.
    let parent: MessageDeclaration?
    let fullName: String
    var number: Int32
    var numberPosition: SourcePosition
    var label: FieldLabel
    var hasExplicitLabel = false
    var type: TypeReference
    var typePosition: SourcePosition
    var oneofIndex: Int?
    var isProto3Optional = false
    var options: [OptionSyntax] = []
    /// The pseudo options; they are no fields of `FieldOptions`.
    var defaultSyntax: OptionSyntax?
    var jsonNameSyntax: OptionSyntax?
    /// The extended message, for extensions.
    var extendee: NameSyntax?
    var resolvedExtendee: MessageDeclaration?
    var defaultValue: String?
    var jsonName: String

    var interpretedOptions: OptionMessage?

    init(
        name: String,
        position: SourcePosition,
        file: FileDeclaration,
        parent: MessageDeclaration?,
        scope: String,
        number: Int32,
        label: FieldLabel,
        type: TypeReference,
    ) {
        self.name = name
        self.position = position
        self.file = file
        self.parent = parent
        self.fullName = scope.isEmpty ? name : "\(scope).\(name)"
        self.number = number
        self.numberPosition = position
        self.label = label
        self.type = type
        self.typePosition = position
        self.jsonName = FieldNaming.jsonName(name)
    }

    var isExtension: Bool { self.extendee != nil }

    /// The message type, if the field has one.
    var messageType: MessageDeclaration? {
        switch self.type {
        case .message(let message), .group(let message): message
        case .scalar, .named, .enumeration, .unresolved: nil
        }
    }

    /// Whether this is a map field.
    var isMap: Bool { self.label == .repeated && (self.messageType?.isMapEntry ?? false) }

    /// The wire type of the field once resolved.
    var fieldType: FieldType? {
        switch self.type {
        case .scalar(let type): type
        case .message: .message
        case .group: .group
        case .enumeration: .enum
        case .named, .unresolved: nil
        }
    }

    /// Whether absent and zero are told apart (field presence).
    var hasPresence: Bool {
        guard self.label != .repeated else { return false }
        return self.messageType != nil || self.isExtension || self.oneofIndex != nil
            || self.isProto3Optional || self.file.syntax == .proto2
    }

    /// Whether values are written packed, read off the source so that it is known at any time.
    var isPacked: Bool {
        guard self.label == .repeated, let type = self.fieldType, type.isPackable else {
            return false
        }
        for option in self.options where option.isSimple("packed") {
            if case .identifier(let text) = option.value.kind { return text == "true" }
        }
        return self.file.syntax == .proto3
    }
}

final class OneofDeclaration {
    let name: String
    let position: SourcePosition
    let fullName: String
    var options: [OptionSyntax] = []
    var fieldCount = 0
    /// Whether it only gives a proto3 `optional` field its presence.
    let isSynthetic: Bool

    var interpretedOptions: OptionMessage?

    init(name: String, position: SourcePosition, scope: String, isSynthetic: Bool = false) {
        self.name = name
        self.position = position
        self.fullName = "\(scope).\(name)"
        self.isSynthetic = isSynthetic
    }
}

final class EnumDeclaration {
    let name: String
    let position: SourcePosition
    let file: FileDeclaration
    /// The scope around it, which is also the scope of its values.
    let scope: String
    let fullName: String
    var values: [EnumValueDeclaration] = []
    var reservedRanges: [RangeSyntax] = []
    var reservedNames: [NameSyntax] = []
    var options: [OptionSyntax] = []

    var interpretedOptions: OptionMessage?

    init(name: String, position: SourcePosition, file: FileDeclaration, scope: String) {
        self.name = name
        self.position = position
        self.file = file
        self.scope = scope
        self.fullName = scope.isEmpty ? name : "\(scope).\(name)"
    }
}

final class EnumValueDeclaration {
    let name: String
    let position: SourcePosition
    let number: Int32
    var options: [OptionSyntax] = []

    var interpretedOptions: OptionMessage?

    init(name: String, position: SourcePosition, number: Int32) {
        self.name = name
        self.position = position
        self.number = number
    }
}

final class ServiceDeclaration {
    let name: String
    let position: SourcePosition
    let file: FileDeclaration
    let fullName: String
    var methods: [MethodDeclaration] = []
    var options: [OptionSyntax] = []

    var interpretedOptions: OptionMessage?

    init(name: String, position: SourcePosition, file: FileDeclaration) {
        self.name = name
        self.position = position
        self.file = file
        self.fullName = file.packageName.isEmpty ? name : "\(file.packageName).\(name)"
    }
}

final class MethodDeclaration {
    let name: String
    let position: SourcePosition
    let input: NameSyntax
    let output: NameSyntax
    let clientStreaming: Bool
    let serverStreaming: Bool
    var options: [OptionSyntax] = []
    /// Whether it was declared with a block: compilers then write an options message even if empty.
    var hasBlock = false
    var inputType: MessageDeclaration?
    var outputType: MessageDeclaration?

    var interpretedOptions: OptionMessage?

    init(
        name: String,
        position: SourcePosition,
        input: NameSyntax,
        output: NameSyntax,
        clientStreaming: Bool,
        serverStreaming: Bool,
    ) {
        self.name = name
        self.position = position
        self.input = input
        self.output = output
        self.clientStreaming = clientStreaming
        self.serverStreaming = serverStreaming
    }
}
