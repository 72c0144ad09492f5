// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import JSON
import NameRules
public import Protobuf
public import SchemaRules

/// Strategic merge patch: a merge patch whose lists merge item by item where the type says so.
///
/// Directives in the patch:
///
/// | key | meaning |
/// | --- | --- |
/// | `$patch: replace` | the object, or the list that the item is in, is replaced |
/// | `$patch: delete` | the object is emptied, or the item with the same merge key goes |
/// | `$patch: merge` | the default |
/// | `$retainKeys` | keys of the object that are not listed go |
/// | `$deleteFromPrimitiveList/<list>` | these items of a list of scalars go |
/// | `$setElementOrder/<list>` | the order that the items of a list get |
///
/// Source: upstream documents (`contributors/devel/sig-api-machinery/strategic-merge-patch.md`);
/// apimachinery `pkg/util/strategicpatch`.
public enum StrategicMergePatch {
    /// Applies a patch to the JSON of a message of a type.
    public static func apply(
        _ patch: DynamicValue,
        to document: DynamicValue,
        schema: MessageSchema
    ) throws(PatchError) -> DynamicValue {
        try self.apply(patch, to: document, type: ValueType.of(schema))
    }

    /// Applies a patch to a value of a type.
    public static func apply(
        _ patch: DynamicValue,
        to document: DynamicValue,
        type: ValueType
    ) throws(PatchError) -> DynamicValue {
        guard patch.kind == .object, document.kind == .object else {
            throw .malformed(Self.badDocument)
        }
        return try StrategicMerge.merge(patch, into: document, .value(type))
    }

    // MARK: - Words

    static let badDocument = "invalid JSON document"
    static let badPrimitiveList = "invalid patch format of primitive list"
    static let badRetainKeys = "invalid patch format of retainKeys"
    static let badElementOrder = "invalid patch format of setElementOrder list"
    static let listsOfLists = "lists of lists are not supported"
    static let unmatchedRetainKeys = "patch content doesn't match retainKeys list"

    static func noMergeKey(_ item: DynamicValue, _ key: String) -> PatchError {
        .unsupported("map: \(GoValue.text(item)) does not contain declared merge key: \(key)")
    }
}

/// Trees as Go's `%v` prints them.
enum GoValue {
    static func text(_ value: DynamicValue) -> String {
        switch value.kind {
        case .null: "<nil>"
        case .bool: value.bool == true ? "true" : "false"
        case .integer: value.integer.map { String($0) } ?? ""
        case .double: value.double.map { GoText.number($0) } ?? ""
        case .string: value.string ?? ""
        case .list: "[" + value.items.map(self.text).joined(separator: " ") + "]"
        case .object:
            "map["
                + value.entries.map { "\($0.key):\(self.text($0.value))" }.joined(separator: " ")
                + "]"
        }
    }
}
