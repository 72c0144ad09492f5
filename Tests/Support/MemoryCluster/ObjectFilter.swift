// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import Bytes
import JSON
import KubernetesAPI
import ObjectModel
import Protobuf
import ResourceTable
import Selectors

/// Which objects a list or watch is about.
struct ObjectFilter {
    private let namespace: String
    private let name: String
    private let resource: String
    private let labels: LabelSelector
    private let fields: FieldSelector

    init(
        _ target: ApusResource.Target?,
        _ labels: String,
        _ fields: String,
        name: String = "",
        resource: String = ""
    ) throws(StatusError) {
        self.namespace = target?.namespace ?? ""
        self.name = name
        self.resource = resource
        do throws(SelectorError) {
            self.labels = try LabelSelector(parsing: labels)
            self.fields = try FieldSelector(parsing: fields)
        } catch {
            throw .badRequest(error.description)
        }
    }

    func matches(_ object: APIObject) -> Bool {
        let metadata = object.metadata
        guard self.namespace.isEmpty || metadata.namespace == self.namespace,
            self.name.isEmpty || metadata.name == self.name
        else { return false }
        let labels = metadata.labels
        guard self.labels.matches(lookup: { labels[$0] }) else { return false }
        guard !self.fields.isEmpty, let tree = try? object.dynamicValue() else {
            return self.fields.isEmpty
        }
        return self.fields.matches(lookup: { field in
            var value: DynamicValue? = tree
            for step in field.split(separator: ".") { value = value?[String(step)] }
            return value?.string ?? ""
        })
    }

    /// What a watcher hears of a change: objects that come into the filter are added, those that
    /// leave it are deleted.
    func event(
        _ change: MemoryCluster.Change,
        _ form: ApusResource.Form
    ) -> ApusResource.WatchEvent? {
        guard change.resource == self.resource else { return nil }
        let was = change.old.map(self.matches) ?? false
        let isNow = change.type != .deleted && self.matches(change.object)
        let type: ApusResource.WatchEvent.Type_
        switch (was, isNow) {
        case (false, false): return nil
        case (false, true): type = .added
        case (true, true): type = .modified
        case (true, false): type = .deleted
        }
        return ApusResource.WatchEvent.with {
            $0.type = type
            $0.resourceVersion = String(change.version)
            $0.object = change.object.wire(form).body
        }
    }
}

extension APIResource {
    /// Versions of a resource share their objects; tests use one version of each.
    var storeName: String { self.groupResource.description }
}

extension APIObject {
    /// The object as an answer carries it.
    func wire(_ form: ApusResource.Form) -> ApusResource.Object {
        ApusResource.Object.with {
            $0.encoding = .protobuf
            if form == .metadata {
                let partial = MetaV1.PartialObjectMetadata.with { $0.metadata = self.metadata }
                $0.body = Bytes(partial.serialized())
            } else {
                $0.body = self.withSerializedBytes { Bytes(copying: $0) }
            }
        }
    }
}
