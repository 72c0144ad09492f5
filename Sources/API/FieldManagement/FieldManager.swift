// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import JSON
import KubernetesAPI
public import ObjectModel
public import Protobuf
public import Scalars
public import SchemaRules

/// Server-side apply, and the record of who set which field.
///
/// An applied configuration says what its manager wants; the live object becomes that, fields of
/// others stay, and fields that the manager applied before and no longer names go unless somebody
/// else applies them. Every other write is recorded as an update by its manager.
///
/// Works on trees of built-in kinds and, with a ``ValueType`` of theirs, of custom ones. Sets of
/// fields in another version of the kind are compared by the names of their fields.
///
/// Source: KEP-555; apimachinery `pkg/util/managedfields`, sigs.k8s.io/structured-merge-diff `merge`.
public enum FieldManager {
    /// Who writes, and through which path.
    public struct Writer: Sendable {
        public var manager: String
        public var apiVersion: String
        public var subresource: String

        public init(manager: String, apiVersion: String, subresource: String = "") {
            self.manager = manager
            self.apiVersion = apiVersion
            self.subresource = subresource
        }
    }

    /// Fields of metadata and type that nobody owns.
    static let unowned: FieldSet = {
        var set = FieldSet()
        set.insert([.field("apiVersion")])
        set.insert([.field("kind")])
        set.insert([.field("metadata")])
        for name in [
            "name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName",
            "generation", "managedFields", "resourceVersion",
        ] {
            set.insert([.field("metadata"), .field(name)])
        }
        return set
    }()

    /// Leaves out what nobody owns.
    private static func owned(_ set: FieldSet) -> FieldSet {
        set.subtracting(self.unowned)
    }

    // MARK: - Apply

    /// Applies a configuration.
    ///
    /// - Parameters:
    ///   - live: the object as it is; nil when it is to be created.
    ///   - applied: the configuration, with `apiVersion` and `kind`.
    ///   - force: take fields from their owners.
    ///   - ignoring: fields that the path of the request does not write, such as `status`; they
    ///     neither change nor are owned.
    /// - Returns: the object, with `metadata.managedFields`.
    public static func apply(
        live: DynamicValue?,
        applied: DynamicValue,
        schema: MessageSchema,
        manager: String,
        apiVersion: String,
        subresource: String? = nil,
        force: Bool,
        ignoring: FieldSet = FieldSet(),
        now: Timestamp
    ) throws(ApplyError) -> DynamicValue {
        try self.apply(
            live: live,
            applied: applied,
            type: ValueType.of(schema),
            empty: self.emptyObject(of: schema),
            Writer(manager: manager, apiVersion: apiVersion, subresource: subresource ?? ""),
            force: force,
            ignoring: ignoring,
            now: now
        )
    }

    /// Applies a configuration to an object of a type.
    ///
    /// - Parameter empty: what a new object of the kind looks like.
    public static func apply(
        live: DynamicValue?,
        applied: DynamicValue,
        type: ValueType,
        empty: DynamicValue,
        _ writer: Writer,
        force: Bool,
        ignoring: FieldSet = FieldSet(),
        now: Timestamp
    ) throws(ApplyError) -> DynamicValue {
        let shape = FieldType.Shape.value(type)
        let configuration = try self.checked(applied, shape, writer)
        let me = ManagedFields.Manager(
            name: writer.manager,
            isApplier: true,
            apiVersion: writer.apiVersion,
            subresource: writer.subresource
        )
        var managed = live.flatMap { ManagedFields($0.managedFields) } ?? ManagedFields()
        let current = (live ?? empty).withoutManagedFields
        if live != nil && managed.isEmpty {
            // What is there was written before anybody applied, and stays its writer's.
            let before = ManagedFields.Manager(
                name: "before-first-apply",
                isApplier: false,
                apiVersion: writer.apiVersion,
                subresource: ""
            )
            let all = TypedTree.compare(empty, current, shape)
            managed.set(self.owned(all.added.union(all.modified)), of: before)
        }
        let wanted = TypedTree.remove(ignoring, from: configuration, shape)
        var merged = TypedTree.merge(current, wanted, shape)
        let last = managed.fields(of: me)
        let fields = self.owned(TypedTree.fieldSet(of: wanted, shape))
        managed.set(fields, of: me)
        merged = self.pruned(merged, shape, last, managed)
        let comparison = TypedTree.compare(current, merged, shape).excluding(ignoring)
        try self.takeOver(&managed, comparison, by: me, force: force)
        let hasChanged = current != merged || last != fields
        managed.set(fields, of: me, time: hasChanged ? now : nil)
        managed.capUpdaters()
        return merged.with(managed)
    }

    /// The configuration, when it is one of its type.
    private static func checked(
        _ applied: DynamicValue,
        _ shape: FieldType.Shape,
        _ writer: Writer
    ) throws(ApplyError) -> DynamicValue {
        guard applied.kind == .object else {
            throw .badRequest("error decoding YAML: expected an object")
        }
        let version = applied["apiVersion"]?.string ?? ""
        if version != writer.apiVersion {
            throw .badRequest(
                "incorrect version specified in apply patch. Specified patch version: \(version), "
                    + "expected: \(writer.apiVersion)"
            )
        }
        if applied.managedFields.count > 0 {
            throw .badRequest("metadata.managedFields must be nil")
        }
        let problems = TypedTree.problems(with: applied, shape)
        guard problems.isEmpty else {
            let metadata = applied["metadata"]
            let name = metadata?["name"]?.string ?? ""
            let place = metadata?["namespace"]?.string.map { "\($0)/\(name)" } ?? "/\(name)"
            let kind = applied["kind"]?.string ?? ""
            let text =
                problems.count == 1
                ? problems[0] : "errors:\n  " + problems.joined(separator: "\n  ")
            throw .untypable(
                "failed to create typed patch object (\(place); \(version), Kind=\(kind)): \(text)"
            )
        }
        return applied.withoutManagedFields
    }

    /// The object without what the manager applied before and nobody claims now.
    private static func pruned(
        _ merged: DynamicValue,
        _ shape: FieldType.Shape,
        _ last: FieldSet?,
        _ managed: ManagedFields
    ) -> DynamicValue {
        guard let last, !last.isEmpty else { return merged }
        let claimed = managed.entries.reduce(FieldSet()) { $0.union($1.fields) }
        let abandoned = TypedTree.withNamedFields(last, shape)
            .subtracting(TypedTree.withNamedFields(claimed, shape))
        return TypedTree.remove(abandoned, from: merged, shape)
    }

    /// Takes changed and removed fields from their owners.
    private static func takeOver(
        _ managed: inout ManagedFields,
        _ comparison: Comparison,
        by me: ManagedFields.Manager,
        force: Bool
    ) throws(ApplyError) {
        let changed = comparison.modified.union(comparison.added)
        var conflicts: [ApplyError.Conflict] = []
        var remaining: [(ManagedFields.Manager, FieldSet)] = []
        for entry in managed.entries where !entry.manager.isSame(as: me) {
            let disputed = entry.fields.intersection(changed)
            conflicts += disputed.paths.map { path in
                ApplyError.Conflict(
                    manager: entry.manager.description,
                    path: path.map(\.description).joined()
                )
            }
            remaining.append(
                (entry.manager, entry.fields.subtracting(disputed).subtracting(comparison.removed))
            )
        }
        if !force && !conflicts.isEmpty {
            let sorted = conflicts.sorted { ($0.manager, $0.path) < ($1.manager, $1.path) }
            throw .conflicts(sorted)
        }
        for (manager, fields) in remaining { managed.set(fields, of: manager) }
    }

    // MARK: - Other writes

    /// Records a create, update or patch.
    ///
    /// - Parameters:
    ///   - live: the object before; nil when it is new.
    ///   - new: the object after, which may bring `managedFields` of its own.
    /// - Returns: the new object with `metadata.managedFields`.
    public static func track(
        live: DynamicValue?,
        new: DynamicValue,
        schema: MessageSchema,
        manager: String,
        apiVersion: String,
        subresource: String? = nil,
        ignoring: FieldSet = FieldSet(),
        now: Timestamp
    ) -> DynamicValue {
        self.track(
            live: live,
            new: new,
            type: ValueType.of(schema),
            empty: self.emptyObject(of: schema),
            Writer(manager: manager, apiVersion: apiVersion, subresource: subresource ?? ""),
            ignoring: ignoring,
            now: now
        )
    }

    /// Records a create, update or patch of an object of a type.
    public static func track(
        live: DynamicValue?,
        new: DynamicValue,
        type: ValueType,
        empty: DynamicValue,
        _ writer: Writer,
        ignoring: FieldSet = FieldSet(),
        now: Timestamp
    ) -> DynamicValue {
        let shape = FieldType.Shape.value(type)
        let after = new.withoutManagedFields
        // One empty entry is the word for starting anew.
        let list = new.managedFields
        let isReset = list.count == 1 && list[0].count == 0
        var managed = ManagedFields()
        if !isReset {
            let own = ManagedFields(list).flatMap { $0.isEmpty ? nil : $0 }
            managed = own ?? live.flatMap { ManagedFields($0.managedFields) } ?? ManagedFields()
        }
        // An object that nobody tracked until now goes on untracked.
        if live != nil && managed.isEmpty { return after }
        self.record(
            TypedTree.compare((live ?? empty).withoutManagedFields, after, shape),
            &managed,
            writer,
            ignoring: ignoring,
            now: now
        )
        return after.with(managed)
    }

    /// Records a create, update or patch of an object of a built-in kind in its
    /// `metadata.managedFields`.
    ///
    /// - Parameters:
    ///   - new: the object after, which may bring `managedFields` of its own.
    ///   - live: the object before; nil when it is new.
    public static func track(
        _ new: inout APIObject,
        live: APIObject?,
        _ writer: Writer,
        ignoring: FieldSet = FieldSet(),
        now: Timestamp
    ) {
        let list = new.metadata.managedFields
        // One empty entry is the word for starting anew.
        let isReset = list.count == 1 && list[0] == MetaV1.ManagedFieldsEntry()
        var managed = ManagedFields()
        if !isReset {
            let own = ManagedFields(list).flatMap { $0.isEmpty ? nil : $0 }
            managed =
                own ?? live.flatMap { ManagedFields($0.metadata.managedFields) } ?? ManagedFields()
        }
        // An object that nobody tracked until now goes on untracked.
        if live != nil && managed.isEmpty {
            new.metadata.managedFields = []
            return
        }
        guard let changes = self.changes(live, new, ignoring: ignoring) else {
            new.metadata.managedFields = []
            return
        }
        self.record(changes, &managed, writer, ignoring: ignoring, now: now)
        new.metadata.managedFields = managed.messages
    }

    /// What has changed between two states of an object of a built-in kind; nil when one of them
    /// has no JSON.
    private static func changes(
        _ live: APIObject?,
        _ new: APIObject,
        ignoring: FieldSet
    ) -> Comparison? {
        if let changes = MessageComparison.compare(live, new, ignoring: ignoring) {
            return changes
        }
        var after = new
        var before = live ?? APIObject(MessageStorage(), new.schema)
        after.metadata.managedFields = []
        before.metadata.managedFields = []
        guard let old = try? before.dynamicValue(), let next = try? after.dynamicValue() else {
            return nil
        }
        return TypedTree.compare(old, next, .value(ValueType.of(new.schema)))
    }

    /// Makes what has changed the writer's.
    private static func record(
        _ changes: Comparison,
        _ managed: inout ManagedFields,
        _ writer: Writer,
        ignoring: FieldSet,
        now: Timestamp
    ) {
        let comparison = changes.excluding(ignoring)
        let me = ManagedFields.Manager(
            name: writer.manager,
            isApplier: false,
            apiVersion: writer.apiVersion,
            subresource: writer.subresource
        )
        let changed = comparison.modified.union(comparison.added)
        let gone = changed.union(comparison.removed)
        let taken = self.owned(changed)
        if !gone.isEmpty {
            let lost = gone.subtracting(taken)
            for entry in managed.entries {
                let isKept =
                    entry.manager.isSame(as: me) && entry.fields.isSuperset(of: taken)
                    ? entry.fields.isDisjoint(with: lost) : entry.fields.isDisjoint(with: gone)
                if isKept, !entry.fields.isEmpty { continue }
                managed.set(entry.fields.subtracting(gone), of: entry.manager)
            }
        }
        if !taken.isEmpty {
            let own = managed.fields(of: me)
            if let own, own.isSuperset(of: taken) {
                managed.touch(me, now)
            } else {
                managed.set((own ?? FieldSet()).union(taken), of: me, time: now)
            }
        }
        managed.capUpdaters()
    }

    /// What a new object of a kind looks like: Go's values are there, its pointers are not.
    private static func emptyObject(of schema: MessageSchema) -> DynamicValue {
        (try? DynamicValue(MessageStorage(), schema)) ?? .emptyObject
    }
}

extension DynamicValue {
    /// `metadata.managedFields`; an empty list when it is absent.
    fileprivate var managedFields: DynamicValue {
        self["metadata"]?["managedFields"] ?? .emptyList
    }

    fileprivate var withoutManagedFields: DynamicValue {
        guard self["metadata"]?["managedFields"] != nil else { return self }
        var result = self
        result["metadata"]?["managedFields"] = nil
        return result
    }

    fileprivate func with(_ managed: ManagedFields) -> DynamicValue {
        if managed.isEmpty { return self }
        var result = self
        if result["metadata"]?.kind != .object { result["metadata"] = .emptyObject }
        result["metadata"]?["managedFields"] = managed.list
        return result
    }
}
