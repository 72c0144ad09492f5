// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Protobuf
import Synchronization
import WellKnownTypes

/// What patches and server-side apply know of the JSON values of a type: which keys an object has
/// and how lists and maps below them merge.
///
/// Built-in types are made from their message schema, once; types of custom resources can be made
/// from theirs with ``init(name:form:isAtomic:)`` and ``setFields(_:)``. Types may contain
/// themselves and live for ever.
public final class ValueType: Sendable {
    /// The form of the value.
    public enum Form: Sendable, Equatable {
        /// No parts: strings, numbers, truth values, times, quantities.
        case scalar
        /// An object with the fields of the type.
        case object
        /// Any value, of which nothing is known.
        case untyped
    }

    /// The name for messages: that of the Go type.
    public let name: String

    public let form: Form

    /// Whether server-side apply treats the value as one, whatever it has inside.
    public let isAtomic: Bool

    private let fields = Mutex<[String: FieldType]>([:])

    public init(name: String, form: Form, isAtomic: Bool = false) {
        self.name = name
        self.form = form
        self.isAtomic = isAtomic
    }

    /// Says what the keys of an object are.
    public func setFields(_ fields: [String: FieldType]) {
        self.fields.withLock { $0 = fields }
    }

    /// What is known of a key of an object.
    public func field(_ key: String) -> FieldType? {
        self.fields.withLock { $0[key] }
    }

    /// A value without parts.
    public static let scalar = ValueType(name: "", form: .scalar)

    /// A value of which nothing is known, merged by what it looks like.
    public static let untyped = ValueType(name: "", form: .untyped)

    /// A value of which nothing is known, treated as one.
    public static let untypedAtomic = ValueType(name: "", form: .untyped, isAtomic: true)
}

/// What is known of one key of an object.
public struct FieldType: Sendable {
    /// One value, a list of values or a map of them.
    public enum Shape: Sendable {
        case value(ValueType)
        case list(of: ValueType, ListTopology)
        case map(of: ValueType, isAtomic: Bool)
    }

    /// How server-side apply merges a list.
    public enum ListTopology: Sendable, Equatable {
        /// As a whole.
        case atomic
        /// Distinct scalars.
        case set
        /// Objects that are told apart by the values of these keys.
        case map(keys: [String])
    }

    public var shape: Shape

    /// How a strategic merge patch treats the field.
    public var patch: PatchStrategy

    /// For keys of list items: what an item without the key is taken to have, as JSON text.
    public var defaultValue: String?

    public init(
        _ shape: Shape,
        patch: PatchStrategy = PatchStrategy(),
        defaultValue: String? = nil
    ) {
        self.shape = shape
        self.patch = patch
        self.defaultValue = defaultValue
    }

    /// The rules of `patchStrategy` and `patchMergeKey`.
    public struct PatchStrategy: Sendable, Equatable {
        /// A list is merged item by item.
        public var merges: Bool
        /// A map or object is replaced as a whole.
        public var replaces: Bool
        /// The key that pairs the items of a list of objects.
        public var mergeKey: String?

        public init(merges: Bool = false, replaces: Bool = false, mergeKey: String? = nil) {
            self.merges = merges
            self.replaces = replaces
            self.mergeKey = mergeKey
        }
    }
}

// MARK: - Built-in types

extension ValueType {
    private static let cache = Mutex<[ObjectIdentifier: ValueType]>([:])

    /// The type of the JSON of a message.
    public static func of(_ schema: MessageSchema) -> ValueType {
        self.cache.withLock { known in
            if let type = known[ObjectIdentifier(schema)] { return type }
            var pending: [MessageSchema] = []
            let type = self.type(of: schema, isAtomic: nil, &known, &pending)
            while let next = pending.popLast() {
                let fields = self.fields(of: next, &known, &pending)
                known[ObjectIdentifier(next)]?.setFields(fields)
            }
            return type
        }
    }

    /// - Parameter isAtomic: what the field says, which overrules what the message says.
    private static func type(
        of schema: MessageSchema,
        isAtomic: Bool?,
        _ known: inout [ObjectIdentifier: ValueType],
        _ pending: inout [MessageSchema]
    ) -> ValueType {
        let id = ObjectIdentifier(schema)
        if let type = known[id] {
            guard let isAtomic, isAtomic != type.isAtomic else { return type }
            // Rare: a field that treats a type otherwise than the type itself says.
            let variant = ValueType(name: type.name, form: type.form, isAtomic: isAtomic)
            variant.setFields(self.fields(of: schema, &known, &pending))
            return variant
        }
        switch schema.table.pointee.jsonForm {
        case .time, .microTime, .duration, .quantity, .intOrString:
            known[id] = .scalar
            return .scalar
        case .rawExtension, .fieldsV1, .json, .schemaOrArray, .schemaOrBool,
            .schemaOrStringArray, .stringList, .unknown:
            known[id] = .untypedAtomic
            return .untypedAtomic
        case .object, .wellKnown:
            let type = ValueType(
                name: schema.name,
                form: .object,
                isAtomic: schema.messageRules.map == .atomic
            )
            known[id] = type
            pending.append(schema)
            guard let isAtomic, isAtomic != type.isAtomic else { return type }
            return self.type(of: schema, isAtomic: isAtomic, &known, &pending)
        }
    }

    private static func fields(
        of schema: MessageSchema,
        _ known: inout [ObjectIdentifier: ValueType],
        _ pending: inout [MessageSchema]
    ) -> [String: FieldType] {
        var fields: [String: FieldType] = [:]
        if schema.isKind {
            fields["apiVersion"] = FieldType(.value(.scalar))
            fields["kind"] = FieldType(.value(.scalar))
        }
        for field in schema.fields {
            if field.isInline, let inlined = field.message {
                fields.merge(self.fields(of: inlined, &known, &pending)) { own, _ in own }
            } else if !field.jsonName.isEmpty {
                fields[field.jsonName] = self.fieldType(field, &known, &pending)
            }
        }
        return fields
    }

    private static func fieldType(
        _ field: FieldSchema,
        _ known: inout [ObjectIdentifier: ValueType],
        _ pending: inout [MessageSchema]
    ) -> FieldType {
        let rules = field.rules
        let isList = field.isRepeated && field.message?.table.pointee.jsonForm != .stringList
        let isPlain = !isList && !field.isMap
        let isAtomic = isPlain ? rules.map.map { $0 == .atomic } : nil
        let value =
            field.message.map { self.type(of: $0, isAtomic: isAtomic, &known, &pending) }
            ?? .scalar
        let strategy = FieldType.PatchStrategy(
            merges: rules.patch.contains(.merge),
            replaces: rules.patch.contains(.replace),
            mergeKey: rules.mergeKey
        )
        let shape: FieldType.Shape
        if field.isMap {
            // Lists as values are messages on the wire only.
            shape = .map(of: value, isAtomic: rules.map == .atomic)
        } else if isList {
            let topology: FieldType.ListTopology =
                switch rules.list {
                case .map?: .map(keys: Array(rules.keys))
                case .set?: .set
                default: .atomic
                }
            shape = .list(of: value, topology)
        } else {
            shape = .value(value)
        }
        return FieldType(shape, patch: strategy, defaultValue: rules.default)
    }
}
