// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import SchemaRules

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

    /// Adds a place behind all others: what has become of it, and of what is below.
    mutating func append(
        _ step: PathElement,
        _ change: TypedTree.Change,
        _ below: Comparison
    ) {
        self.added.append(step, isMember: change.contains(.added), below: below.added)
        self.modified.append(step, isMember: change.contains(.modified), below: below.modified)
        self.removed.append(step, isMember: change.contains(.removed), below: below.removed)
    }
}

extension TypedTree {
    /// What has become of a place itself; a value that gave way to one of another form was removed
    /// and added.
    struct Change: OptionSet {
        let rawValue: UInt8
        static let added = Change(rawValue: 1)
        static let modified = Change(rawValue: 2)
        static let removed = Change(rawValue: 4)
    }

    static func compare(
        _ old: DynamicValue,
        _ new: DynamicValue,
        _ shape: FieldType.Shape
    ) -> Comparison {
        var comparison = Comparison()
        _ = self.compare(old, new, shape, below: &comparison)
        return comparison
    }

    /// Compares two states of a place.
    ///
    /// - Parameter below: gets what has changed below the place.
    static func compare(
        _ old: DynamicValue?,
        _ new: DynamicValue?,
        _ shape: FieldType.Shape,
        below: inout Comparison
    ) -> Change {
        if old == new { return [] }
        let form = (new ?? old).map { self.form(of: $0, shape) } ?? .leaf
        let oldForm = old.map { self.form(of: $0, shape) } ?? form
        // Empty values on both sides are told apart as leaves.
        let areEmpty = (old.map(\.hasNoParts) ?? true) && (new.map(\.hasNoParts) ?? true)
        if areEmpty { return self.leafChange(old, new) }
        switch (oldForm, form) {
        case (.leaf, .leaf):
            return self.leafChange(old, new)
        case (.leaf, _) where old?.isNull != true && old != nil:
            // A value of another form has gone, and one of this form has come.
            self.compareParts(nil, new, shape, form, &below)
            return [.removed, .added]
        case (_, .leaf) where new?.isNull != true && new != nil:
            self.compareParts(old, nil, shape, oldForm, &below)
            return [.removed, .added]
        case (_, .leaf):
            self.compareParts(old, new, shape, oldForm, &below)
        default:
            self.compareParts(old, new, shape, form, &below)
        }
        return old == nil ? .added : new == nil ? .removed : []
    }

    private static func leafChange(_ old: DynamicValue?, _ new: DynamicValue?) -> Change {
        old == nil ? .added : new == nil ? .removed : .modified
    }

    private static func compareParts(
        _ old: DynamicValue?,
        _ new: DynamicValue?,
        _ shape: FieldType.Shape,
        _ form: Form,
        _ result: inout Comparison
    ) {
        switch form {
        case .leaf: return
        case .object: self.compareObjects(old, new, shape, &result)
        case .list, .set: self.compareLists(old, new, form, &result)
        }
    }

    /// Walks over the keys of two objects, which are in order.
    private static func compareObjects(
        _ old: DynamicValue?,
        _ new: DynamicValue?,
        _ shape: FieldType.Shape,
        _ result: inout Comparison
    ) {
        let before = old?.entries ?? DynamicValue.emptyObject.entries
        let after = new?.entries ?? DynamicValue.emptyObject.entries
        var left = 0
        var right = 0
        while left < before.count || right < after.count {
            let was = left < before.count ? before[left] : nil
            let now = right < after.count ? after[right] : nil
            let order = self.order(was?.key, now?.key) { compareUTF8($0, $1) }
            guard let key = order <= 0 ? was?.key : now?.key else { return }
            if order <= 0 { left += 1 }
            if order >= 0 { right += 1 }
            self.compareMembers(
                order <= 0 ? was?.value : nil,
                order >= 0 ? now?.value : nil,
                self.shape(of: key, in: shape) ?? .value(.untypedAtomic),
                .field(key),
                &result
            )
        }
    }

    /// Walks over the items of two lists in the order of their steps. Of several items with one step
    /// the first counts.
    private static func compareLists(
        _ old: DynamicValue?,
        _ new: DynamicValue?,
        _ form: Form,
        _ result: inout Comparison
    ) {
        let before = self.sortedSteps(in: old, form)
        let after = self.sortedSteps(in: new, form)
        let item: FieldType.Shape =
            if case .list(let item, _) = form { item } else { .value(.scalar) }
        var left = 0
        var right = 0
        while left < before.count || right < after.count {
            let was = left < before.count ? before[left] : nil
            let now = right < after.count ? after[right] : nil
            let order = self.order(was?.step, now?.step) { $0.order(to: $1) }
            guard let step = order <= 0 ? was?.step : now?.step else { return }
            if order <= 0 { left += 1 }
            if order >= 0 { right += 1 }
            self.compareMembers(
                order <= 0 ? was?.item : nil,
                order >= 0 ? now?.item : nil,
                item,
                step,
                &result
            )
        }
    }

    private static func compareMembers(
        _ old: DynamicValue?,
        _ new: DynamicValue?,
        _ shape: FieldType.Shape,
        _ step: PathElement,
        _ result: inout Comparison
    ) {
        var below = Comparison()
        let change = self.compare(old, new, shape, below: &below)
        result.append(step, change, below)
    }

    /// Which of two comes first when one may have no more: negative for the left one, 0 for both.
    private static func order<T>(_ left: T?, _ right: T?, _ compare: (T, T) -> Int) -> Int {
        guard let left else { return 1 }
        guard let right else { return -1 }
        return compare(left, right)
    }

    private static func sortedSteps(
        in list: DynamicValue?,
        _ form: Form
    ) -> [(step: PathElement, item: DynamicValue)] {
        guard let list else { return [] }
        let steps = self.steps(in: list, form)
        let sorted = steps.enumerated().sorted { left, right in
            let order = left.element.step.order(to: right.element.step)
            return order == 0 ? left.offset < right.offset : order < 0
        }
        var result: [(step: PathElement, item: DynamicValue)] = []
        for (_, element) in sorted where result.last?.step != element.step {
            result.append(element)
        }
        return result
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
