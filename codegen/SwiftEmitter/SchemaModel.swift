// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Descriptors

/// A schema file as it will be printed.
struct FileModel {
    /// Name of the schema file.
    var name: String
    var package: String
    /// Swift namespace; empty for none.
    var namespace: String
    /// Name of the enum that holds the run-time schema.
    var schemaName: String
    /// Comment at the very top of the schema file.
    var header: [String]
    /// Expressions for the run-time schemas of the imports, in order.
    var dependencySchemas: [String]
    /// Serialized descriptor without source code info.
    var descriptor: [UInt8]
    var messages: [MessageModel]
    var enums: [EnumModel]
    var services: [ServiceModel]
    /// Modules of types that appear in declarations of messages.
    var publicModules: Set<String>
    /// Modules that only run-time schemas come from.
    var internalModules: Set<String>
    /// Modules of types that appear in services.
    var serviceModules: Set<String>
    var usesBytes: Bool
    var names: RuntimeNames
}

struct MessageModel {
    var fullName: String
    var swiftName: String
    /// Place in the run-time schema of the file.
    var index: Int
    var comment: [String]
    var properties: [PropertyModel]
    var messages: [MessageModel]
    var enums: [EnumModel]
}

/// What becomes a property of a message, in order of declaration.
enum PropertyModel {
    case field(FieldModel)
    case oneof(OneofModel)
}

struct FieldModel {
    /// How a value is stored.
    enum Storage {
        /// Scalar without presence.
        case plain(slot: Int)
        /// Scalar with a presence bit.
        case optional(slot: Int, bit: Int)
        /// Message without presence.
        case message(slot: Int)
        /// Message with presence.
        case optionalMessage(slot: Int)
        case list(slot: Int)
        case map(slot: Int)
        /// Member of a oneof.
        case member(slot: Int, caseSlot: Int)
    }

    var swiftName: String
    var number: Int32
    var comment: [String]
    var isDeprecated: Bool
    /// The type of one value; of the whole for lists and maps.
    var type: SwiftType
    var storage: Storage
    /// Name, type and value of the constant for a declared default.
    var defaultValue: String?
}

struct SwiftType {
    var text: String
    /// Expression for the value of an unset field.
    var zero: String
    var isMessage: Bool
}

struct OneofModel {
    var swiftName: String
    var typeName: String
    var comment: [String]
    var caseSlot: Int
    var members: [FieldModel]
}

struct EnumModel {
    struct Value {
        var swiftName: String
        var number: Int32
        var comment: [String]
    }

    var fullName: String
    var swiftName: String
    var index: Int
    var comment: [String]
    var values: [Value]
}

struct ServiceModel {
    var fullName: String
    /// Name that `Client`, `Service` and `Methods` are added to.
    var baseName: String
    var comment: [String]
    var methods: [MethodModel]
}

struct MethodModel {
    enum Kind: String {
        case unary
        case clientStreaming
        case serverStreaming
        case bidirectional
    }

    var name: String
    var swiftName: String
    var kind: Kind
    var comment: [String]
    /// The request type as seen from inside the namespace, and as seen from outside.
    var input: String
    var qualifiedInput: String
    /// The response type, likewise.
    var output: String
    var qualifiedOutput: String
}
