// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import JSON
import ObjectModel
import Protobuf
import SchemaRules

/// Compares two messages of a built-in type as ``TypedTree`` compares their trees, without making
/// any: it walks over both at once, in the order of the keys of their JSON.
///
/// What a place has is one of three things, as in JSON: nothing (its key is left out), null, or a
/// value.
struct MessageComparison {
    /// The memory of the blocks.
    private let oldBase: UnsafeRawPointer
    private let newBase: UnsafeRawPointer
    private let root: MessageSchema

    /// What has changed between two states of an object, but for `metadata.managedFields`.
    ///
    /// - Parameters:
    ///   - old: nil for an object that was not there: all is compared with what a new one has.
    ///   - ignored: members of the object that are taken to be equal.
    /// - Returns: nil for types that are compared as trees.
    static func compare(
        _ old: APIObject?,
        _ new: APIObject,
        ignoring ignored: FieldSet
    ) -> Comparison? {
        guard let plan = ComparisonPlan.of(new.schema) else { return nil }
        let before = old?.storage ?? MessageStorage()
        let after = new.storage
        defer { withExtendedLifetime((before.block, after.block)) {} }
        let walk = MessageComparison(
            oldBase: UnsafeRawPointer(before.block.base),
            newBase: UnsafeRawPointer(after.block.base),
            root: new.schema
        )
        var result = Comparison()
        walk.compareParts(
            plan,
            UnsafeRawPointer(before.address),
            UnsafeRawPointer(after.address),
            ignoring: ignored,
            &result
        )
        return result
    }

    private static let metadata = PathElement.field("metadata")
    private static let managedFields = PathElement.field("managedFields")

    // MARK: - Objects

    /// Compares the parts of the object, such as its spec.
    private func compareParts(
        _ plan: ComparisonPlan,
        _ old: UnsafeRawPointer,
        _ new: UnsafeRawPointer,
        ignoring ignored: FieldSet,
        _ result: inout Comparison
    ) {
        for member in plan.members {
            let isMetadata = member.step == Self.metadata
            if ignored.hasMember(member.step) || !isMetadata && self.isEqualPart(member, old, new) {
                continue
            }
            self.compareMember(
                member,
                old,
                new,
                &result,
                without: isMetadata ? Self.managedFields : nil
            )
        }
    }

    /// Whether a part that is one message is equal in both states.
    private func isEqualPart(
        _ member: ComparisonPlan.Member,
        _ old: UnsafeRawPointer,
        _ new: UnsafeRawPointer
    ) -> Bool {
        let field = member.key.pointee.field
        guard case .object = member.form, member.key.pointee.via0 == nil,
            let table = field.pointee.child,
            JSONMembers.isWritten(field, old, self.oldBase)
                == JSONMembers.isWritten(field, new, self.newBase)
        else { return false }
        let slot = Int(field.pointee.offset)
        return MessageTree.areEqual(
            table,
            self.oldBase,
            JSONMembers.message(at: old + slot, self.oldBase),
            self.newBase,
            JSONMembers.message(at: new + slot, self.newBase)
        )
    }

    /// Compares the members of two objects; nil for one that is not there.
    private func compareMembers(
        _ plan: ComparisonPlan,
        _ old: UnsafeRawPointer?,
        _ new: UnsafeRawPointer?,
        _ result: inout Comparison,
        without left: PathElement? = nil
    ) {
        for member in plan.members {
            if let left, member.step == left { continue }
            self.compareMember(member, old, new, &result)
        }
    }

    /// - Parameter without: a member of the member that is left out.
    private func compareMember(
        _ member: ComparisonPlan.Member,
        _ old: UnsafeRawPointer?,
        _ new: UnsafeRawPointer?,
        _ result: inout Comparison,
        without left: PathElement? = nil
    ) {
        let was = old.flatMap { Self.holder(of: member.key, $0, self.oldBase) }
        let now = new.flatMap { Self.holder(of: member.key, $0, self.newBase) }
        if was == nil && now == nil { return }
        var below = Comparison()
        let change = self.compare(member, was, now, &below, without: left)
        result.append(member.step, change, below)
    }

    /// The message that holds a member; nil when the member is left out.
    private static func holder(
        of key: UnsafePointer<JSONKey>,
        _ message: UnsafeRawPointer,
        _ base: UnsafeRawPointer
    ) -> UnsafeRawPointer? {
        let owner = JSONMembers.owner(of: key, message, base)
        return JSONMembers.isWritten(key.pointee.field, owner, base) ? owner : nil
    }

    /// Compares a member, of which one of both may be missing.
    private func compare(
        _ member: ComparisonPlan.Member,
        _ was: UnsafeRawPointer?,
        _ now: UnsafeRawPointer?,
        _ below: inout Comparison,
        without left: PathElement?
    ) -> TypedTree.Change {
        let field = member.key.pointee.field
        let slot = Int(field.pointee.offset)
        switch member.form {
        case .leaf:
            guard let was else { return .added }
            guard let now else { return .removed }
            return self.leavesAreEqual(field, was, now) ? [] : .modified
        case .object(let plan):
            let old = Self.message(field, was, self.oldBase)
            let new = Self.message(field, now, self.newBase)
            self.compareMembers(plan, old, new, &below, without: left)
            // Null and an object without members differ, as leaves do.
            if (old == nil) != (new == nil), was != nil, now != nil, below.isEmpty {
                return .modified
            }
            return Self.containerChange(was, now)
        case .map(let value):
            let old = was.map { Items($0 + slot, self.oldBase, MapLayout.entryBytes) }
            let new = now.map { Items($0 + slot, self.newBase, MapLayout.entryBytes) }
            self.compareMaps(field, value, old, new, &below)
            return Self.containerChange(old, new)
        case .list(let plan, let keys):
            let stride = Int(field.pointee.kind.slotBytes)
            let old = was.map { Items($0 + slot, self.oldBase, stride) }
            let new = now.map { Items($0 + slot, self.newBase, stride) }
            self.compareLists(plan, keys, old, new, &below)
            return Self.containerChange(old, new)
        case .set:
            let stride = Int(field.pointee.kind.slotBytes)
            let old = was.map { Items($0 + slot, self.oldBase, stride) }
            let new = now.map { Items($0 + slot, self.newBase, stride) }
            self.compareSets(old, new, &below)
            return Self.containerChange(old, new)
        case .tree:
            return TypedTree.compare(
                was.flatMap { self.tree(field, $0, self.oldBase) },
                now.flatMap { self.tree(field, $0, self.newBase) },
                member.shape,
                below: &below
            )
        }
    }

    /// The message of a field that is written; nil for null.
    private static func message(
        _ field: UnsafePointer<FieldEntry>,
        _ holder: UnsafeRawPointer?,
        _ base: UnsafeRawPointer
    ) -> UnsafeRawPointer? {
        guard let holder else { return nil }
        switch field.pointee.cardinality {
        case .explicit, .oneof:
            guard MessageTree.isPresent(field, holder) else { return nil }
        case .implicit, .always, .repeated, .packed, .map: break
        }
        return JSONMembers.message(at: holder + Int(field.pointee.offset), base)
    }

    private static func containerChange(
        _ was: UnsafeRawPointer?,
        _ now: UnsafeRawPointer?
    ) -> TypedTree.Change {
        was == nil ? .added : now == nil ? .removed : []
    }

    // MARK: - Leaves

    /// Whether two values that are written become equal JSON.
    private func leavesAreEqual(
        _ field: UnsafePointer<FieldEntry>,
        _ was: UnsafeRawPointer,
        _ now: UnsafeRawPointer
    ) -> Bool {
        let slot = Int(field.pointee.offset)
        let isEqual = MessageTree.fieldsAreEqual(field, self.oldBase, was, self.newBase, now)
        switch field.pointee.cardinality {
        case .repeated, .packed, .map:
            // Null is not the empty list.
            let items = MessageTree.items(was + slot, self.oldBase) == nil
            guard items == (MessageTree.items(now + slot, self.newBase) == nil) else {
                return false
            }
        case .implicit, .always, .explicit, .oneof: break
        }
        let isMap = field.pointee.cardinality == .map
        let kind = isMap ? field.pointee.valueKind : field.pointee.kind
        if ComparisonPlan.isPlain(kind, field.pointee.child) { return isEqual }
        // Times that differ by parts of a second are equal JSON; and equal fields are equal JSON
        // where there are no lists, of which null ones are told from empty ones.
        if isEqual, self.hasNoLists(field) { return true }
        return self.tree(field, was, self.oldBase) == self.tree(field, now, self.newBase)
    }

    /// Whether the values of a field of messages are times and the like.
    private func hasNoLists(_ field: UnsafePointer<FieldEntry>) -> Bool {
        switch field.pointee.child?.pointee.jsonForm {
        case .time, .microTime, .duration, .intOrString: true
        default: false
        }
    }

    private func tree(
        _ field: UnsafePointer<FieldEntry>,
        _ holder: UnsafeRawPointer,
        _ base: UnsafeRawPointer
    ) -> DynamicValue? {
        try? DynamicValue(field, of: holder, base, in: self.root)
    }
}

// MARK: - Lists and maps

extension MessageComparison {
    /// The items of a list or the entries of a map that is written.
    private struct Items {
        /// Nil for null.
        let first: UnsafeRawPointer?
        let count: Int
        let stride: Int
        let base: UnsafeRawPointer

        init(_ slot: UnsafeRawPointer, _ base: UnsafeRawPointer, _ stride: Int) {
            let items = MessageTree.items(slot, base)
            self.first = items?.first
            self.count = items?.count ?? 0
            self.stride = stride
            self.base = base
        }

        /// The slot of an item.
        func slot(_ index: Int) -> UnsafeRawPointer? {
            self.first.map { $0 + index * self.stride }
        }

        /// The text in the slot of an item.
        func text(_ index: Int) -> UnsafeRawBufferPointer {
            guard let slot = self.slot(index) else {
                return UnsafeRawBufferPointer(start: nil, count: 0)
            }
            let extent = slot.loadUnaligned(as: Extent.self)
            return UnsafeRawBufferPointer(
                start: self.base + Int(extent.offset),
                count: Int(extent.count)
            )
        }
    }

    private static func containerChange(_ old: Items?, _ new: Items?) -> TypedTree.Change {
        guard let old else { return .added }
        guard let new else { return .removed }
        // Null and an empty list differ as leaves do.
        let areEmpty = old.count == 0 && new.count == 0
        return areEmpty && (old.first == nil) != (new.first == nil) ? .modified : []
    }

    /// Walks over two sorted runs at once and gives the places of what has the same step.
    private func pair(
        _ left: Int,
        _ right: Int,
        _ compare: (_ left: Int, _ right: Int) -> Int,
        _ body: (_ left: Int?, _ right: Int?) -> Void
    ) {
        var i = 0
        var j = 0
        while i < left || j < right {
            let order = i == left ? 1 : j == right ? -1 : compare(i, j)
            body(order <= 0 ? i : nil, order >= 0 ? j : nil)
            if order <= 0 { i += 1 }
            if order >= 0 { j += 1 }
        }
    }

    /// Entries are in the order of their keys.
    private func compareMaps(
        _ field: UnsafePointer<FieldEntry>,
        _ value: ComparisonPlan.Form,
        _ old: Items?,
        _ new: Items?,
        _ result: inout Comparison
    ) {
        self.pair(old?.count ?? 0, new?.count ?? 0) { i, j in
            guard let old, let new else { return 0 }
            return compareBytes(old.text(i), new.text(j))
        } _: { i, j in
            let was = i.flatMap { old?.slot($0) }
            let now = j.flatMap { new?.slot($0) }
            guard let text = i.flatMap({ old?.text($0) }) ?? j.flatMap({ new?.text($0) }) else {
                return
            }
            var below = Comparison()
            let change = self.compareValues(field, value, was, now, &below)
            if change.isEmpty, below.isEmpty { return }
            result.append(.field(String(decoding: text, as: UTF8.self)), change, below)
        }
    }

    /// Compares the values of two entries of maps.
    private func compareValues(
        _ field: UnsafePointer<FieldEntry>,
        _ form: ComparisonPlan.Form,
        _ was: UnsafeRawPointer?,
        _ now: UnsafeRawPointer?,
        _ below: inout Comparison
    ) -> TypedTree.Change {
        if case .object(let plan) = form {
            self.compareMembers(
                plan,
                was.map { JSONMembers.message(at: $0 + MapLayout.valueOffset, self.oldBase) },
                now.map { JSONMembers.message(at: $0 + MapLayout.valueOffset, self.newBase) },
                &below
            )
            return Self.containerChange(was, now)
        }
        guard let was else { return .added }
        guard let now else { return .removed }
        let isEqual = MessageTree.valuesAreEqual(
            field.pointee.valueKind,
            field.pointee.child,
            self.oldBase,
            was + MapLayout.valueOffset,
            self.newBase,
            now + MapLayout.valueOffset
        )
        return isEqual ? [] : .modified
    }

    private typealias Steps = [(step: PathElement, item: UnsafeRawPointer)]

    private func compareLists(
        _ plan: ComparisonPlan,
        _ keys: [ComparisonPlan.Key],
        _ old: Items?,
        _ new: Items?,
        _ result: inout Comparison
    ) {
        let before = self.steps(old, keys)
        let after = self.steps(new, keys)
        self.pair(before.count, after.count) { i, j in
            before[i].step.order(to: after[j].step)
        } _: { i, j in
            let was = i.map { before[$0].item }
            let now = j.map { after[$0].item }
            guard let step = i.map({ before[$0].step }) ?? j.map({ after[$0].step }) else { return }
            var below = Comparison()
            self.compareMembers(plan, was, now, &below)
            result.append(step, Self.containerChange(was, now), below)
        }
    }

    /// The items of a list in the order of their steps. Of several items with one step the first
    /// counts; one without a step gets its place.
    private func steps(_ items: Items?, _ keys: [ComparisonPlan.Key]) -> Steps {
        guard let items else { return [] }
        var steps: Steps = []
        steps.reserveCapacity(items.count)
        for index in 0..<items.count {
            guard let slot = items.slot(index) else { continue }
            let item = JSONMembers.message(at: slot, items.base)
            steps.append((self.step(to: item, items.base, keys) ?? .index(index), item))
        }
        if steps.count < 2 { return steps }
        let sorted = steps.enumerated().sorted { left, right in
            let order = left.element.step.order(to: right.element.step)
            return order == 0 ? left.offset < right.offset : order < 0
        }
        steps.removeAll(keepingCapacity: true)
        for (_, element) in sorted where steps.last?.step != element.step { steps.append(element) }
        return steps
    }

    /// The step to an item; nil when it has none of the keys.
    private func step(
        to item: UnsafeRawPointer,
        _ base: UnsafeRawPointer,
        _ keys: [ComparisonPlan.Key]
    ) -> PathElement? {
        var writer = JSONWriter(capacity: 64)
        var isEmpty = true
        for key in keys {
            let holder = Self.holder(of: key.key, item, base)
            guard holder != nil || key.fallback != nil else { continue }
            writer.append(raw: isEmpty ? "{" : ",")
            isEmpty = false
            writer.append(string: key.name)
            writer.append(raw: ":")
            if let holder {
                self.write(key.key.pointee.field, holder, base, to: &writer)
            } else if let fallback = key.fallback {
                fallback.withUnsafeBytes { writer.append(raw: $0) }
            }
        }
        if isEmpty { return nil }
        writer.append(raw: "}")
        return writer.withUnsafeBytes { text in
            .key(CanonicalJSON(text: String(decoding: text, as: UTF8.self)))
        }
    }

    /// Writes the JSON of the value of a key.
    private func write(
        _ field: UnsafePointer<FieldEntry>,
        _ holder: UnsafeRawPointer,
        _ base: UnsafeRawPointer,
        to writer: inout JSONWriter
    ) {
        let slot = holder + Int(field.pointee.offset)
        let isPresent =
            switch field.pointee.cardinality {
            case .explicit, .oneof: MessageTree.isPresent(field, holder)
            case .implicit, .always, .repeated, .packed, .map: true
            }
        if isPresent, field.pointee.kind == .string {
            let extent = slot.loadUnaligned(as: Extent.self)
            writer.append(
                string: UnsafeRawBufferPointer(
                    start: base + Int(extent.offset),
                    count: Int(extent.count)
                )
            )
            return
        }
        let tree = self.tree(field, holder, base) ?? .null
        tree.json().withUnsafeBytes { writer.append(raw: $0) }
    }

    private func compareSets(_ old: Items?, _ new: Items?, _ result: inout Comparison) {
        let before = self.members(old)
        let after = self.members(new)
        self.pair(before.count, after.count) { i, j in
            before[i].order(to: after[j])
        } _: { i, j in
            guard (i == nil) != (j == nil) else { return }
            guard let step = i.map({ before[$0] }) ?? j.map({ after[$0] }) else { return }
            result.append(step, i == nil ? .added : .removed, Comparison())
        }
    }

    /// The steps to the items of a set, in their order, each once.
    private func members(_ items: Items?) -> [PathElement] {
        guard let items else { return [] }
        let sorted = (0..<items.count).map { index -> PathElement in
            var writer = JSONWriter(capacity: 64)
            writer.append(string: items.text(index))
            return writer.withUnsafeBytes { text in
                .value(CanonicalJSON(text: String(decoding: text, as: UTF8.self)))
            }
        }.sorted()
        var members: [PathElement] = []
        for step in sorted where members.last != step { members.append(step) }
        return members
    }
}
