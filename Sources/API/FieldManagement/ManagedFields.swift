// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import NameRules
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
        /// RFC 3339 in whole seconds; nil when it is not known.
        var time: String?
        var fields: FieldSet
    }

    var entries: [Entry] = []

    var isEmpty: Bool { self.entries.isEmpty }

    init() {}

    /// Reads the list; nil when an entry is malformed.
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
            let entry = Entry(manager: manager, time: item["time"]?.string, fields: fields)
            if let index = self.index(of: manager) {
                self.entries[index].fields = self.entries[index].fields.union(fields)
            } else {
                self.entries.append(entry)
            }
        }
    }

    func index(of manager: Manager) -> Int? {
        self.entries.firstIndex { $0.manager.isSame(as: manager) }
    }

    func fields(of manager: Manager) -> FieldSet? {
        self.index(of: manager).map { self.entries[$0].fields }
    }

    /// Sets what a manager owns; nothing removes it.
    mutating func set(_ fields: FieldSet, of manager: Manager, time: String? = nil) {
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

    /// The list, in upstream's order: appliers, then others; each by time and name.
    var list: DynamicValue {
        let sorted = self.entries.sorted { a, b in
            if a.manager.isApplier != b.manager.isApplier { return a.manager.isApplier }
            let left = a.time ?? ""
            let right = b.time ?? ""
            if left != right { return left < right }
            if a.manager.name != b.manager.name { return a.manager.name < b.manager.name }
            if a.manager.apiVersion != b.manager.apiVersion {
                return a.manager.apiVersion < b.manager.apiVersion
            }
            return a.manager.subresource < b.manager.subresource
        }
        return DynamicValue(
            sorted.map { entry in
                var tree: DynamicValue = [
                    "manager": DynamicValue(entry.manager.name),
                    "operation": entry.manager.isApplier ? "Apply" : "Update",
                    "apiVersion": DynamicValue(entry.manager.apiVersion),
                    "fieldsType": "FieldsV1",
                ]
                tree["fieldsV1"] = entry.fields.fieldsV1
                if let time = entry.time { tree["time"] = DynamicValue(time) }
                if !entry.manager.subresource.isEmpty {
                    tree["subresource"] = DynamicValue(entry.manager.subresource)
                }
                return tree
            }
        )
    }

    // MARK: - Capping

    /// The most entries of updates that are kept apart.
    static let maximumUpdaters = APILimits.managedFieldsUpdateEntries

    /// The manager that gets what the oldest updaters owned.
    static let ancientChanges = "ancient-changes"

    /// Merges the oldest updaters of a version into one until few enough are left.
    mutating func capUpdaters() {
        let updaters = self.entries.filter { !$0.manager.isApplier }
            .sorted { ($0.time ?? "", $0.manager.name) < ($1.time ?? "", $1.manager.name) }
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
