// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import SchemaRules

/// The merging of one list by a strategic merge patch.
struct StrategicListMerge {
    private let strategy: FieldType.PatchStrategy
    private let item: FieldType.Shape

    init(_ field: FieldType?) {
        self.strategy = field?.patch ?? FieldType.PatchStrategy()
        self.item = StrategicMerge.shape(of: field).item
    }

    /// Merges a list of a patch into the one that is there.
    ///
    /// - Parameter order: what `$setElementOrder` says.
    func merge(
        _ patch: DynamicValue,
        into original: DynamicValue,
        order: DynamicValue?,
        _ name: String
    ) throws(PatchError) -> DynamicValue {
        guard self.strategy.merges else { return StrategicMerge.withoutDirectives(patch) }
        if original.count == 0 && patch.count == 0 { return original }
        if let order { try self.check(patch, follows: order, name) }
        let isOfObjects = try Self.isOfObjects(original, patch)
        guard isOfObjects else {
            let merged = Self.unique(Array(original.items) + Array(patch.items))
            return try self.ordered(DynamicValue(merged), by: order ?? patch, before: original)
        }
        guard let key = self.strategy.mergeKey else {
            throw .unsupported("cannot merge lists without merge key for type \(name)")
        }
        var kept = Array(original.items)
        var added: [DynamicValue] = []
        var isReplaced = false
        for item in patch.items {
            guard item.kind == .object else { throw StrategicMergePatch.noMergeKey(item, key) }
            switch item[StrategicMerge.Directive.patch]?.string {
            case nil where item[StrategicMerge.Directive.patch] == nil, "merge":
                added.append(item)
            case "delete":
                guard let value = item[key] else {
                    throw StrategicMergePatch.noMergeKey(item, key)
                }
                kept.removeAll { $0[key].map { Self.isSame($0, value) } ?? false }
            case "replace":
                isReplaced = true
                // An item with more than the directive is part of the new list.
                if item.count > 1 { added.append(item) }
            case let word:
                throw .unsupported(
                    "unknown patch type: \(word ?? "") in map: \(GoValue.text(item))"
                )
            }
        }
        if isReplaced { return StrategicMerge.withoutDirectives(DynamicValue(added)) }
        let merged = try self.merged(kept, added, key)
        return try self.ordered(
            DynamicValue(merged),
            by: order ?? DynamicValue(added),
            before: original
        )
    }

    /// Merges items with equal merge keys and adds the others.
    private func merged(
        _ kept: [DynamicValue],
        _ added: [DynamicValue],
        _ key: String
    ) throws(PatchError) -> [DynamicValue] {
        var result = kept
        var places: [DynamicValue: Int] = [:]
        for (index, item) in kept.enumerated() {
            if let value = item[key], places[value] == nil { places[value] = index }
        }
        for item in added {
            guard let value = item[key] else { throw StrategicMergePatch.noMergeKey(item, key) }
            if let index = places[value] {
                result[index] = try StrategicMerge.merge(item, into: result[index], self.item)
            } else {
                places[value] = result.count
                result.append(StrategicMerge.withoutDirectives(item))
            }
        }
        return result
    }

    private static func isOfObjects(
        _ original: DynamicValue,
        _ patch: DynamicValue
    ) throws(PatchError) -> Bool {
        guard let first = original.items.first ?? patch.items.first else { return false }
        if first.kind == .list { throw .inapplicable(StrategicMergePatch.listsOfLists) }
        for item in Array(original.items) + Array(patch.items) {
            if item.kind == .list { throw .inapplicable(StrategicMergePatch.listsOfLists) }
            if (item.kind == .object) != (first.kind == .object) {
                throw .unsupported("list element types are not identical")
            }
        }
        return first.kind == .object
    }

    private static func unique(_ items: [DynamicValue]) -> [DynamicValue] {
        var seen: Set<DynamicValue> = []
        return items.filter { seen.insert($0).inserted }
    }

    private static func isSame(_ left: DynamicValue, _ right: DynamicValue) -> Bool {
        left == right
    }

    // MARK: - Order

    /// What tells an item of the list from the others.
    private func identity(_ item: DynamicValue) -> DynamicValue? {
        guard item.kind == .object else { return item }
        return self.strategy.mergeKey.flatMap { item[$0] }
    }

    /// That the items of the patch stand in the order in which `$setElementOrder` has them.
    func check(
        _ patch: DynamicValue,
        follows order: DynamicValue,
        _ name: String
    ) throws(PatchError) {
        guard self.strategy.merges else { return }
        var rest = order.items[...]
        for item in patch.items {
            if item[StrategicMerge.Directive.patch] != nil { continue }
            guard let identity = self.identity(item) else {
                throw StrategicMergePatch.noMergeKey(item, self.strategy.mergeKey ?? "")
            }
            guard let index = rest.firstIndex(where: { self.identity($0) == identity }) else {
                throw .unsupported(
                    "The order in patch list:\n\(GoValue.text(patch))\n doesn't match "
                        + "\(StrategicMerge.Directive.elementOrder)\(name) list:\n"
                        + GoValue.text(order)
                )
            }
            rest = rest[(index + 1)...]
        }
    }

    /// The items in the order that is asked for. Those that it does not name stay where they were
    /// between the others, as far as that can be said.
    func ordered(
        _ merged: DynamicValue,
        by order: DynamicValue,
        before original: DynamicValue
    ) throws(PatchError) -> DynamicValue {
        let wanted = self.ranks(order)
        let present = self.ranks(original)
        func rank(_ item: DynamicValue, _ ranks: [DynamicValue: Int]) -> Int? {
            self.identity(item).flatMap { ranks[$0] }
        }
        let named = merged.items.filter { rank($0, wanted) != nil }
            .sorted { (rank($0, wanted) ?? 0) < (rank($1, wanted) ?? 0) }
        let others = merged.items.filter { rank($0, wanted) == nil }
            .sorted { (rank($0, present) ?? .max) < (rank($1, present) ?? .max) }
        var result: [DynamicValue] = []
        var next = 0
        for item in named {
            // Others go before the first named item that followed them.
            while next < others.count, let own = rank(others[next], present),
                let following = rank(item, present), own < following
            {
                result.append(others[next])
                next += 1
            }
            result.append(item)
        }
        return DynamicValue(result + others[next...])
    }

    private func ranks(_ list: DynamicValue) -> [DynamicValue: Int] {
        var ranks: [DynamicValue: Int] = [:]
        for (index, item) in list.items.enumerated() {
            if let identity = self.identity(item), ranks[identity] == nil {
                ranks[identity] = index
            }
        }
        return ranks
    }
}
