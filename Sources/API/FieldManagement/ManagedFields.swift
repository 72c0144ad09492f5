// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import JSON
import KubernetesAPI
import NameRules
import Protobuf
import Scalars

/// Who owns which fields of an object: `metadata.managedFields`.
struct ManagedFields: Sendable {
    /// What tells managers apart.
    struct Manager: Hashable, Sendable {
        var name: String
        var isApplier: Bool
        /// The version of the fields; one applier is the same in all versions.
        var apiVersion: String
        var subresource: String

        /// As messages about conflicts show it.
        var description: String {
            var text = GoText.quoted(self.name)
            if !self.subresource.isEmpty {
                text += " with subresource \(GoText.quoted(self.subresource))"
            }
            return self.isApplier ? text : text + " using \(self.apiVersion)"
        }

        /// Whether both are the same manager.
        func isSame(as other: Manager) -> Bool {
            self.name == other.name && self.isApplier == other.isApplier
                && self.subresource == other.subresource
                && (self.isApplier || self.apiVersion == other.apiVersion)
        }
    }

    struct Entry: Sendable {
        var manager: Manager
        /// When the manager last changed what it owns, in whole seconds; nil when it is not known.
        var time: Timestamp?
        var fields: FieldSet {
            didSet { self.text = nil }
        }
        /// The text of the fields, as long as they are what was read.
        private(set) var text: Bytes?

        init(manager: Manager, time: Timestamp?, fields: FieldSet, text: Bytes? = nil) {
            self.manager = manager
            self.time = time
            self.fields = fields
            self.text = text
        }
    }

    var entries: [Entry] = []

    var isEmpty: Bool { self.entries.isEmpty }

    init() {}

    private mutating func add(_ entry: Entry) {
        if let index = self.index(of: entry.manager) {
            self.entries[index].fields = self.entries[index].fields.union(entry.fields)
        } else {
            self.entries.append(entry)
        }
    }

    func index(of manager: Manager) -> Int? {
        self.entries.firstIndex { $0.manager.isSame(as: manager) }
    }

    func fields(of manager: Manager) -> FieldSet? {
        self.index(of: manager).map { self.entries[$0].fields }
    }

    /// Sets what a manager owns; nothing removes it.
    mutating func set(_ fields: FieldSet, of manager: Manager, time: Timestamp? = nil) {
        if let index = self.index(of: manager) {
            if fields.isEmpty {
                self.entries.remove(at: index)
                return
            }
            self.entries[index].fields = fields
            self.entries[index].manager = manager
            if let time { self.entries[index].time = time }
        } else if !fields.isEmpty {
            self.entries.append(Entry(manager: manager, time: time, fields: fields))
        }
    }

    /// Notes that a manager has changed what it owns, and owns the same.
    mutating func touch(_ manager: Manager, _ time: Timestamp) {
        if let index = self.index(of: manager) { self.entries[index].time = time }
    }

    /// In upstream's order: appliers, then others; each by time and name.
    fileprivate var sorted: [Entry] {
        if self.entries.count < 2 { return self.entries }
        return self.entries.sorted { a, b in
            if a.manager.isApplier != b.manager.isApplier { return a.manager.isApplier }
            let left = a.time ?? .zero
            let right = b.time ?? .zero
            if left != right { return left < right }
            if a.manager.name != b.manager.name { return a.manager.name < b.manager.name }
            if a.manager.apiVersion != b.manager.apiVersion {
                return a.manager.apiVersion < b.manager.apiVersion
            }
            return a.manager.subresource < b.manager.subresource
        }
    }

    // MARK: - Capping

    /// The most entries of updates that are kept apart.
    static let maximumUpdaters = APILimits.managedFieldsUpdateEntries

    /// The manager that gets what the oldest updaters owned.
    static let ancientChanges = "ancient-changes"

    /// Merges the oldest updaters of a version into one until few enough are left.
    mutating func capUpdaters() {
        if self.entries.count <= Self.maximumUpdaters { return }
        let updaters = self.entries.filter { !$0.manager.isApplier }
            .sorted { ($0.time ?? .zero, $0.manager.name) < ($1.time ?? .zero, $1.manager.name) }
        var count = updaters.count
        var firsts: [String: Manager] = [:]
        for entry in updaters {
            if count <= Self.maximumUpdaters { return }
            let version = entry.manager.apiVersion
            guard let first = firsts[version] else {
                firsts[version] = entry.manager
                continue
            }
            let bucket = Manager(
                name: Self.ancientChanges,
                isApplier: false,
                apiVersion: version,
                subresource: ""
            )
            if self.index(of: bucket) == nil, let fields = self.fields(of: first) {
                self.set(FieldSet(), of: first)
                self.set(fields, of: bucket)
            }
            let fields = (self.fields(of: bucket) ?? FieldSet()).union(entry.fields)
            if !entry.manager.isSame(as: bucket) { self.set(FieldSet(), of: entry.manager) }
            self.set(fields, of: bucket, time: entry.time)
            count -= 1
        }
    }
}

// MARK: - Forms

extension ManagedFields {
    /// Reads a tree's list; nil when an entry is malformed.
    init?(_ list: DynamicValue) {
        for item in list.items {
            let operation = item["operation"]?.string ?? ""
            guard operation == "Apply" || operation == "Update",
                item["fieldsType"]?.string ?? "FieldsV1" == "FieldsV1",
                let fields = FieldSet(fieldsV1: item["fieldsV1"] ?? .emptyObject)
            else { return nil }
            let manager = Manager(
                name: item["manager"]?.string ?? "",
                isApplier: operation == "Apply",
                apiVersion: item["apiVersion"]?.string ?? "",
                subresource: item["subresource"]?.string ?? ""
            )
            let time = item["time"]?.string.flatMap { try? Timestamp(parsing: $0, as: .time) }
            self.add(Entry(manager: manager, time: time, fields: fields))
        }
    }

    /// The list for a tree.
    var list: DynamicValue {
        DynamicValue(
            self.sorted.map { entry in
                var tree: DynamicValue = [
                    "manager": DynamicValue(entry.manager.name),
                    "operation": entry.manager.isApplier ? "Apply" : "Update",
                    "apiVersion": DynamicValue(entry.manager.apiVersion),
                    "fieldsType": "FieldsV1",
                ]
                tree["fieldsV1"] = entry.fields.fieldsV1
                if let time = entry.time { tree["time"] = DynamicValue(time.text(as: .time)) }
                if !entry.manager.subresource.isEmpty {
                    tree["subresource"] = DynamicValue(entry.manager.subresource)
                }
                return tree
            }
        )
    }

    /// Reads a message's list; nil when an entry is malformed.
    init?(_ list: RepeatedField<MetaV1.ManagedFieldsEntry>) {
        for item in list {
            let operation = item.operation
            guard operation == "Apply" || operation == "Update",
                ["", "FieldsV1"].contains(item.fieldsType),
                let fields = FieldSetCache.fields(item.fieldsV1?.raw)
            else { return nil }
            let manager = Manager(
                name: item.manager,
                isApplier: operation == "Apply",
                apiVersion: item.apiVersion,
                subresource: item.subresource
            )
            self.add(
                Entry(
                    manager: manager,
                    time: item.time?.timestamp,
                    fields: fields.set,
                    text: fields.text
                )
            )
        }
    }

    /// The list for a message.
    var messages: RepeatedField<MetaV1.ManagedFieldsEntry> {
        var list = RepeatedField<MetaV1.ManagedFieldsEntry>()
        for entry in self.sorted {
            list.append(
                .with {
                    $0.manager = entry.manager.name
                    $0.operation = entry.manager.isApplier ? "Apply" : "Update"
                    $0.apiVersion = entry.manager.apiVersion
                    $0.time = entry.time.map { MetaV1.Time($0) }
                    $0.fieldsType = "FieldsV1"
                    $0.fieldsV1 = .with { $0.raw = entry.text ?? Bytes(entry.fields.fieldsV1JSON) }
                    $0.subresource = entry.manager.subresource
                }
            )
        }
        return list
    }
}
