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
        for node in set.nodes where !node.below.isEmpty {
            let step = node.step
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
