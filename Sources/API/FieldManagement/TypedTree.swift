// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import SchemaRules

/// A value together with what is known of its type: what merging, comparing and pruning walk over.
///
/// `nil` for the value is an absent one.
enum TypedTree {
    /// How the parts of a value are merged.
    enum Form {
        /// As a whole.
        case leaf
        /// By its keys.
        case object
        /// By the items' values of some keys.
        case list(item: FieldType.Shape, keys: [KeyField])
        /// By the items themselves.
        case set
    }

    /// A key of a list of objects.
    struct KeyField {
        let name: String
        /// The type of the items.
        let item: ValueType

        /// What an item without the key is taken to have.
        var fallback: DynamicValue? {
            self.item.field(self.name)?.defaultValue.flatMap {
                try? DynamicValue(json: Array($0.utf8))
            }
        }
    }

    /// The form of a value of a shape. A value that does not fit its shape is a leaf.
    static func form(of value: DynamicValue, _ shape: FieldType.Shape) -> Form {
        switch shape {
        case .value(let type):
            guard value.kind == .object, !type.isAtomic else {
                // Lists of which nothing is known are taken as a whole.
                return .leaf
            }
            switch type.form {
            case .scalar: return .leaf
            case .object, .untyped: return .object
            }
        case .map(_, let isAtomic):
            return value.kind == .object && !isAtomic ? .object : .leaf
        case .list(let item, let topology):
            guard value.kind == .list else { return .leaf }
            switch topology {
            case .atomic: return .leaf
            case .set: return .set
            case .map(let keys):
                return .list(
                    item: .value(item),
                    keys: keys.map { KeyField(name: $0, item: item) }
                )
            }
        }
    }

    /// What is known of a key of an object; nil when the type has no such field.
    static func shape(of key: String, in shape: FieldType.Shape) -> FieldType.Shape? {
        switch shape {
        case .value(let type):
            if type.form == .untyped { return .value(.untyped) }
            return type.field(key)?.shape
        case .map(let value, _): return .value(value)
        case .list: return nil
        }
    }

    /// Whether a key is a field of a type, as against the key of a map.
    static func isNamedField(_ key: String, in shape: FieldType.Shape) -> Bool {
        guard case .value(let type) = shape else { return false }
        return type.form == .object && type.field(key) != nil
    }

    /// The step to an item of a list of objects; nil when it has none of the keys.
    static func step(to item: DynamicValue, _ keys: [KeyField]) -> PathElement? {
        guard item.kind == .object else { return nil }
        var entries: [(key: String, value: DynamicValue)] = []
        for key in keys {
            guard let value = item[key.name] ?? key.fallback else { continue }
            entries.append((key.name, value))
        }
        if entries.isEmpty { return nil }
        if entries.count > 1 { entries.sort { compareUTF8($0.key, $1.key) < 0 } }
        return .key(CanonicalJSON(entries))
    }

    /// The first key that an item lacks.
    static func missingKey(of item: DynamicValue, _ keys: [KeyField]) -> String? {
        keys.first { item[$0.name] == nil && $0.fallback == nil }?.name
    }

    /// The steps to the items of a list; an item without one gets its place.
    static func steps(
        in list: DynamicValue,
        _ form: Form
    ) -> [(step: PathElement, item: DynamicValue)] {
        list.items.enumerated().map { index, item in
            switch form {
            case .list(_, let keys): (self.step(to: item, keys) ?? .index(index), item)
            case .set: (.value(CanonicalJSON(item)), item)
            case .leaf, .object: (.index(index), item)
            }
        }
    }
}
