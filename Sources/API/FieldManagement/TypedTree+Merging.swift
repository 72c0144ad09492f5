// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import SchemaRules

extension TypedTree {
    /// The live value with what a configuration states in it.
    static func merge(
        _ live: DynamicValue,
        _ applied: DynamicValue,
        _ shape: FieldType.Shape
    ) -> DynamicValue {
        switch (self.form(of: live, shape), self.form(of: applied, shape)) {
        case (.object, .object):
            var result = live
            for (key, value) in applied.entries {
                if let old = live[key],
                    let memberShape = self.shape(of: key, in: shape)
                {
                    result[key] = self.merge(old, value, memberShape)
                } else {
                    result[key] = value
                }
            }
            return result
        case (.list(let item, _), .list):
            return self.mergeLists(live, applied, self.form(of: applied, shape), item)
        case (.set, .set):
            return self.mergeLists(live, applied, .set, .value(.scalar))
        default:
            return applied
        }
    }

    /// Merges two lists: items of the configuration in its order, and the others where they were
    /// between them.
    private static func mergeLists(
        _ live: DynamicValue,
        _ applied: DynamicValue,
        _ form: Form,
        _ item: FieldType.Shape
    ) -> DynamicValue {
        let old = self.steps(in: live, form)
        let new = self.steps(in: applied, form)
        let was = Dictionary(old.map { ($0.step, $0.item) }) { first, _ in first }
        let isApplied = Set(new.map(\.step))
        var merged: Set<PathElement> = []
        var result: [DynamicValue] = []
        var left = old[...]
        var right = new[...]
        while true {
            if let next = left.first, merged.contains(next.step) {
                left.removeFirst()
            } else if let next = left.first, !isApplied.contains(next.step) {
                result.append(next.item)
                left.removeFirst()
            } else if let next = right.first {
                right.removeFirst()
                merged.insert(next.step)
                result.append(was[next.step].map { self.merge($0, next.item, item) } ?? next.item)
            } else {
                break
            }
        }
        return DynamicValue(result)
    }

    /// The value without some places and what is below them; nil when nothing was left of it but
    /// containers that were emptied.
    static func remove(
        _ places: FieldSet,
        from value: DynamicValue,
        _ shape: FieldType.Shape
    ) -> DynamicValue {
        if places.isEmpty { return value }
        let form = self.form(of: value, shape)
        switch form {
        case .leaf: return value
        case .object:
            var result = value
            for (key, member) in value.entries {
                let step = PathElement.field(key)
                if places.hasMember(step) {
                    result.removeValue(forKey: key)
                    continue
                }
                let below = places.below(step)
                if below.isEmpty { continue }
                let memberShape = self.shape(of: key, in: shape) ?? .value(.untypedAtomic)
                let rest = self.remove(below, from: member, memberShape)
                if rest.hasNoParts && !member.hasNoParts {
                    // What held only removed parts goes with them.
                    result.removeValue(forKey: key)
                } else {
                    result[key] = rest
                }
            }
            return result
        case .list(let item, _):
            var kept: [DynamicValue] = []
            for (step, member) in self.steps(in: value, form) where !places.hasMember(step) {
                kept.append(self.remove(places.below(step), from: member, item))
            }
            return DynamicValue(kept)
        case .set:
            return DynamicValue(
                self.steps(in: value, form).filter { !places.hasMember($0.step) }.map(\.item)
            )
        }
    }

    /// What is wrong with a configuration: fields that the type does not have, items without their
    /// keys, items twice.
    static func problems(
        with value: DynamicValue,
        _ shape: FieldType.Shape,
        at path: String = ""
    ) -> [String] {
        let form = self.form(of: value, shape)
        switch form {
        case .leaf:
            return self.mismatch(value, shape).map { ["\(path): \($0)"] } ?? []
        case .object:
            return value.entries.flatMap { key, member -> [String] in
                guard let memberShape = self.shape(of: key, in: shape) else {
                    return ["\(path).\(key): field not declared in schema"]
                }
                return self.problems(with: member, memberShape, at: "\(path).\(key)")
            }
        case .list(let item, let keys):
            var problems: [String] = []
            var seen: Set<PathElement> = []
            for (index, member) in value.items.enumerated() {
                if let key = self.missingKey(of: member, keys) {
                    problems.append(
                        "\(path): element \(index): associative list with keys has an element "
                            + "that omits key field \"\(key)\" (and doesn't have default value)"
                    )
                    continue
                }
                guard let step = self.step(to: member, keys) else {
                    problems.append(
                        "\(path): element \(index): associative list with keys may not have "
                            + "non-map elements"
                    )
                    continue
                }
                if !seen.insert(step).inserted {
                    problems.append("\(path): duplicate entries for key \(step)")
                }
                problems += self.problems(with: member, item, at: "\(path)\(step)")
            }
            return problems
        case .set:
            var seen: Set<DynamicValue> = []
            return value.items.compactMap { item in
                seen.insert(item).inserted
                    ? nil : "\(path): duplicate entries for key [=\(item.jsonText)]"
            }
        }
    }

    /// Why a value does not fit where an object or a list belongs.
    private static func mismatch(_ value: DynamicValue, _ shape: FieldType.Shape) -> String? {
        if value.isNull { return nil }
        switch shape {
        case .value(let type):
            return type.form == .object && value.kind != .object
                ? "expected map, got \(value.jsonText)" : nil
        case .map: return value.kind == .object ? nil : "expected map, got \(value.jsonText)"
        case .list: return value.kind == .list ? nil : "expected list, got \(value.jsonText)"
        }
    }
}
