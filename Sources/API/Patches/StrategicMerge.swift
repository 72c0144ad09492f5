// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import SchemaRules

/// The merging of objects by a strategic merge patch.
enum StrategicMerge {
    /// The names of directives, and the starts of those that end in the name of a list.
    enum Directive {
        static let patch = "$patch"
        static let retainKeys = "$retainKeys"
        static let deleteFromList = "$deleteFromPrimitiveList/"
        static let elementOrder = "$setElementOrder/"
    }

    /// Merges one object into another.
    static func merge(
        _ patch: DynamicValue,
        into original: DynamicValue,
        _ shape: FieldType.Shape
    ) throws(PatchError) -> DynamicValue {
        if let word = patch[Directive.patch] {
            switch word.string {
            case "replace":
                var whole = patch
                whole.removeValue(forKey: Directive.patch)
                return self.withoutDirectives(whole)
            case "delete":
                return .emptyObject
            case "merge":
                break
            default:
                throw .unsupported(
                    "unknown patch type: \(GoValue.text(word)) in map: \(GoValue.text(patch))"
                )
            }
        }
        var result = try self.retainingKeys(original, patch)
        try self.deleteFromLists(patch, &result)
        for (key, value) in patch.entries {
            let isDirective =
                key == Directive.patch || key == Directive.retainKeys
                || key.hasPrefix(Directive.deleteFromList)
                || key.hasPrefix(Directive.elementOrder)
            if isDirective { continue }
            try self.mergeMember(key, value, patch, &result, shape)
        }
        try self.orderUnpatchedLists(patch, &result, shape)
        return result
    }

    private static func mergeMember(
        _ key: String,
        _ value: DynamicValue,
        _ patch: DynamicValue,
        _ result: inout DynamicValue,
        _ shape: FieldType.Shape
    ) throws(PatchError) {
        if value.isNull {
            result.removeValue(forKey: key)
            return
        }
        let order = try self.elementOrder(patch, key)
        guard let old = result[key], old.kind == value.kind,
            value.kind == .object || value.kind == .list
        else {
            // Nothing to merge with: the patch as it is, without what only a merge understands.
            if let order, value.kind == .list {
                try StrategicListMerge(shape.field(key)).check(value, follows: order, key)
            }
            result[key] = self.withoutDirectives(value)
            return
        }
        let field = shape.field(key)
        if value.kind == .object {
            if field?.patch.replaces == true {
                result[key] = self.withoutDirectives(value)
            } else {
                result[key] = try self.merge(value, into: old, self.shape(of: field))
            }
        } else {
            let merge = StrategicListMerge(field)
            result[key] = try merge.merge(value, into: old, order: order, key)
        }
    }

    /// What is known of the members of the objects that a field holds.
    static func shape(of field: FieldType?) -> FieldType.Shape {
        field?.shape ?? .value(.untyped)
    }

    // MARK: - Directives

    /// The object without the keys that `$retainKeys` does not list.
    private static func retainingKeys(
        _ original: DynamicValue,
        _ patch: DynamicValue
    ) throws(PatchError) -> DynamicValue {
        guard let list = patch[Directive.retainKeys] else { return original }
        guard list.kind == .list else { throw .malformed(StrategicMergePatch.badRetainKeys) }
        let kept = Set(list.items.compactMap(\.string))
        for (key, value) in patch.entries where !key.hasPrefix("$") && !value.isNull {
            guard kept.contains(key) else {
                throw .unsupported(StrategicMergePatch.unmatchedRetainKeys)
            }
        }
        var result = original
        for (key, _) in original.entries where !kept.contains(key) {
            result.removeValue(forKey: key)
        }
        return result
    }

    /// Removes what `$deleteFromPrimitiveList/<list>` lists, before anything is added.
    private static func deleteFromLists(
        _ patch: DynamicValue,
        _ result: inout DynamicValue
    ) throws(PatchError) {
        for (key, value) in patch.entries where key.hasPrefix(Directive.deleteFromList) {
            let name = String(key.dropFirst(Directive.deleteFromList.count))
            let areScalars = value.items.allSatisfy { $0.kind != .object && $0.kind != .list }
            guard value.kind == .list, areScalars else {
                throw .malformed(StrategicMergePatch.badPrimitiveList)
            }
            guard let old = result[name], old.kind == .list else { continue }
            let deleted = Set(value.items)
            result[name] = DynamicValue(old.items.filter { !deleted.contains($0) })
        }
    }

    /// The order that the patch gives to a list.
    private static func elementOrder(
        _ patch: DynamicValue,
        _ key: String
    ) throws(PatchError) -> DynamicValue? {
        guard let order = patch[Directive.elementOrder + key] else { return nil }
        guard order.kind == .list else { throw .malformed(StrategicMergePatch.badElementOrder) }
        return order
    }

    /// Orders the lists whose order is given but which the patch does not change.
    private static func orderUnpatchedLists(
        _ patch: DynamicValue,
        _ result: inout DynamicValue,
        _ shape: FieldType.Shape
    ) throws(PatchError) {
        for (key, _) in patch.entries where key.hasPrefix(Directive.elementOrder) {
            let name = String(key.dropFirst(Directive.elementOrder.count))
            guard patch[name] == nil, let order = try self.elementOrder(patch, name) else {
                continue
            }
            guard let old = result[name], old.kind == .list else { continue }
            let merge = StrategicListMerge(shape.field(name))
            result[name] = try merge.ordered(old, by: order, before: old)
        }
    }

    /// A part of a patch that is taken over as it is: directives and nulls in it go.
    static func withoutDirectives(_ value: DynamicValue) -> DynamicValue {
        switch value.kind {
        case .object:
            var result = DynamicValue.emptyObject
            for (key, member) in value.entries {
                let isDirective =
                    key == Directive.patch || key == Directive.retainKeys
                    || key.hasPrefix(Directive.deleteFromList)
                    || key.hasPrefix(Directive.elementOrder)
                if isDirective || member.isNull { continue }
                result[key] = self.withoutDirectives(member)
            }
            return result
        case .list:
            let kept = value.items.filter { $0[Directive.patch]?.string != "delete" }
                .filter { !($0.count == 1 && $0[Directive.patch] != nil) }
            return DynamicValue(kept.map { self.withoutDirectives($0) })
        case .null, .bool, .integer, .double, .string:
            return value
        }
    }
}

extension FieldType.Shape {
    /// What is known of a member of an object of this shape.
    func field(_ key: String) -> FieldType? {
        switch self {
        case .value(let type): type.field(key)
        case .map(let value, _): FieldType(.value(value))
        case .list: nil
        }
    }

    /// The shape of the items of a list, or of the value itself.
    var item: FieldType.Shape {
        switch self {
        case .value, .map: self
        case .list(let type, _): .value(type)
        }
    }
}
