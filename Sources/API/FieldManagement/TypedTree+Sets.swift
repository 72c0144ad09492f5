// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import SchemaRules

extension TypedTree {
    /// The places that an applied configuration names: its leaves, and the items of its lists.
    static func fieldSet(of value: DynamicValue, _ shape: FieldType.Shape) -> FieldSet {
        var set = FieldSet()
        switch self.form(of: value, shape) {
        case .leaf: return set
        case .object:
            for (key, member) in value.entries {
                let step = PathElement.field(key)
                let memberShape = self.shape(of: key, in: shape) ?? .value(.untypedAtomic)
                let isLeaf = self.isLeaf(member, memberShape)
                let isEmpty = member.isNull || member.kind == .object && member.count == 0
                if isLeaf || isEmpty || !self.isNamedField(key, in: shape) { set.addMember(step) }
                if !isLeaf { set.setBelow(step, self.fieldSet(of: member, memberShape)) }
            }
        case .list(let item, _):
            for (step, member) in self.steps(in: value, self.form(of: value, shape)) {
                set.addMember(step)
                set.setBelow(step, self.fieldSet(of: member, item))
            }
        case .set:
            for (step, _) in self.steps(in: value, .set) { set.addMember(step) }
        }
        return set
    }

    private static func isLeaf(_ value: DynamicValue, _ shape: FieldType.Shape) -> Bool {
        if case .leaf = self.form(of: value, shape) { return true }
        return false
    }

    /// The set with the named fields on the way to its places, which own what is below them as
    /// soon as something below is owned.
    static func withNamedFields(_ set: FieldSet, _ shape: FieldType.Shape) -> FieldSet {
        var result = set
        for (step, node) in set.nodes where !node.below.isEmpty {
            let below: FieldType.Shape
            switch step {
            case .field(let key):
                if self.isNamedField(key, in: shape) { result.addMember(step) }
                below = self.shape(of: key, in: shape) ?? .value(.untyped)
            case .key, .value, .index:
                if case .list(let item, _) = shape {
                    below = .value(item)
                } else {
                    below = .value(.untyped)
                }
            }
            result.setBelow(step, self.withNamedFields(node.below, below))
        }
        return result
    }
}

// MARK: - Comparison

/// What has changed between two states of an object.
struct Comparison {
    var added = FieldSet()
    var modified = FieldSet()
    var removed = FieldSet()

    var isEmpty: Bool { self.added.isEmpty && self.modified.isEmpty && self.removed.isEmpty }

    /// Leaves out places and what is below them.
    func excluding(_ set: FieldSet) -> Comparison {
        Comparison(
            added: self.added.subtractingRecursively(set),
            modified: self.modified.subtractingRecursively(set),
            removed: self.removed.subtractingRecursively(set)
        )
    }
}

extension TypedTree {
    static func compare(
        _ old: DynamicValue,
        _ new: DynamicValue,
        _ shape: FieldType.Shape
    ) -> Comparison {
        var comparison = Comparison()
        self.compare(old, new, shape, at: [], &comparison)
        return comparison
    }

    private static func compare(
        _ old: DynamicValue?,
        _ new: DynamicValue?,
        _ shape: FieldType.Shape,
        at path: [PathElement],
        _ result: inout Comparison
    ) {
        if old == new { return }
        let form = (new ?? old).map { self.form(of: $0, shape) } ?? .leaf
        let oldForm = old.map { self.form(of: $0, shape) } ?? form
        // Empty values on both sides are told apart as leaves.
        let areEmpty = (old.map(\.hasNoParts) ?? true) && (new.map(\.hasNoParts) ?? true)
        if areEmpty || self.isLeaf(form) && self.isLeaf(oldForm) {
            self.compareLeaf(old, new, at: path, &result)
            return
        }
        switch (oldForm, form) {
        case (.leaf, .leaf):
            self.compareLeaf(old, new, at: path, &result)
            return
        case (.leaf, _) where old?.isNull != true && old != nil:
            // A value of another form has gone, and one of this form has come.
            self.compareLeaf(old, nil, at: path, &result)
            self.compare(nil, new, shape, at: path, &result)
            return
        case (_, .leaf) where new?.isNull != true && new != nil:
            self.compare(old, nil, shape, at: path, &result)
            self.compareLeaf(nil, new, at: path, &result)
            return
        default:
            let parts = self.isLeaf(form) ? oldForm : form
            self.compareParts(old, new, shape, parts, at: path, &result)
        }
        if old == nil && !path.isEmpty { result.added.insert(path) }
        if new == nil && !path.isEmpty { result.removed.insert(path) }
    }

    private static func isLeaf(_ form: Form) -> Bool {
        if case .leaf = form { return true }
        return false
    }

    private static func compareLeaf(
        _ old: DynamicValue?,
        _ new: DynamicValue?,
        at path: [PathElement],
        _ result: inout Comparison
    ) {
        guard !path.isEmpty else { return }
        if old == nil {
            result.added.insert(path)
        } else if new == nil {
            result.removed.insert(path)
        } else if old != new {
            result.modified.insert(path)
        }
    }

    private static func compareParts(
        _ old: DynamicValue?,
        _ new: DynamicValue?,
        _ shape: FieldType.Shape,
        _ form: Form,
        at path: [PathElement],
        _ result: inout Comparison
    ) {
        switch form {
        case .leaf: return
        case .object:
            var keys: Set<String> = []
            for (key, _) in old?.entries ?? DynamicValue.emptyObject.entries { keys.insert(key) }
            for (key, _) in new?.entries ?? DynamicValue.emptyObject.entries { keys.insert(key) }
            for key in keys {
                self.compare(
                    old?[key],
                    new?[key],
                    self.shape(of: key, in: shape) ?? .value(.untypedAtomic),
                    at: path + [.field(key)],
                    &result
                )
            }
        case .list, .set:
            let before = old.map { self.steps(in: $0, form) } ?? []
            let after = new.map { self.steps(in: $0, form) } ?? []
            let was = Dictionary(before.map { ($0.step, $0.item) }) { first, _ in first }
            let now = Dictionary(after.map { ($0.step, $0.item) }) { first, _ in first }
            let item: FieldType.Shape =
                if case .list(let item, _) = form { item } else { .value(.scalar) }
            for (step, value) in now {
                self.compare(was[step], value, item, at: path + [step], &result)
            }
            for (step, value) in was where now[step] == nil {
                self.compare(value, nil, item, at: path + [step], &result)
            }
        }
    }
}

extension DynamicValue {
    /// Whether the value is null, or an object or list with nothing in it.
    var hasNoParts: Bool {
        switch self.kind {
        case .null: true
        case .object, .list: self.count == 0
        case .bool, .integer, .double, .string: false
        }
    }
}
