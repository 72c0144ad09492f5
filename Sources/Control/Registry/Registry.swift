// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
package import JSON
package import KeyValueStore
import ObjectModel
import Protobuf
package import ResourceTable
package import WatchCache

/// All resources of a store: a ``ResourceStore`` for each hub, and the versions that are served of
/// them.
package final class Registry: Sendable {
    /// The resources that are served, in the order of discovery.
    package let table: ResourceTable
    package let shared: StoreCache
    private let entries: [String: [String: Entry]]
    private let stores: [GroupResource: ResourceStore]

    /// A served resource.
    package final class Entry: Sendable {
        /// The row of the version that is served.
        package let resource: APIResource
        package let version: HubVersion
        package let store: ResourceStore
        /// What the objects say they are.
        package let typeMeta: TypeMeta

        init(_ resource: APIResource, _ version: HubVersion, _ store: ResourceStore) {
            self.resource = resource
            self.version = version
            self.store = store
            self.typeMeta = TypeMeta(resource.schema)
        }
    }

    package init(table: ResourceTable, store: any KeyValueStore) {
        self.table = table
        let leases = LeasePool(store: store)
        var caches: [String: ResourceCache] = [:]
        var hubs: [String: APIResource] = [:]
        for resource in table.resources {
            guard let storage = resource.storage else { continue }
            let hub = Self.hub(of: resource, storage)
            // Another version of the same objects may have been met.
            if let known = hubs[storage.prefix], known.version == storage.version { continue }
            hubs[storage.prefix] = hub
            caches[storage.prefix] = ResourceCache(
                prefix: Bytes(utf8: storage.prefix),
                form: StoredForm(
                    schema: hub.schema,
                    storedSchema: storage.encoding == .json ? hub.schema : storage.type.schema,
                    encoding: storage.encoding,
                    fields: SelectableFields.builtin(hub.groupResource)
                )
            )
        }
        let shared = StoreCache(store: store, caches: Array(caches.values))
        self.shared = shared
        var stores: [String: ResourceStore] = [:]
        for (prefix, cache) in caches {
            guard let hub = hubs[prefix] else { continue }
            stores[prefix] = ResourceStore(hub, cache: cache, shared: shared, leases: leases)
        }
        var entries: [String: [String: Entry]] = [:]
        var byResource: [GroupResource: ResourceStore] = [:]
        for resource in table.resources {
            guard let storage = resource.storage, let store = stores[storage.prefix] else {
                continue
            }
            if byResource[resource.groupResource] == nil {
                byResource[resource.groupResource] = store
            }
            entries[resource.apiVersion, default: [:]][resource.plural] = Entry(
                resource,
                HubVersion(
                    schema: resource.schema,
                    conversion: HubVersion.Conversion.between(resource)
                ),
                store
            )
        }
        self.entries = entries
        self.stores = byResource
    }

    /// The row that the server works with for a resource: the stored version when that is another
    /// row, else the resource itself, whose fields are the stored ones'.
    private static func hub(of resource: APIResource, _ storage: APIResource.Storage) -> APIResource
    {
        guard HubVersion.Conversion.between(resource) != nil else { return resource }
        return ResourceTable.builtin.resource(
            apiVersion: APIGroup.apiVersion(storage.group, storage.version),
            plural: resource.plural
        ) ?? resource
    }

    /// The resource at a path; nil for what is not stored.
    package func entry(apiVersion: String, plural: String) -> Entry? {
        self.entries[apiVersion]?[plural]
    }

    /// The objects of a resource in any of its versions.
    package func store(_ resource: GroupResource) -> ResourceStore? { self.stores[resource] }

    /// How many objects there are of each resource.
    package var counts: [(GroupResource, Int)] {
        var seen: Set<String> = []
        return self.table.resources.compactMap { resource in
            guard let prefix = resource.storage?.prefix, seen.insert(prefix).inserted,
                let entry = self.entry(apiVersion: resource.apiVersion, plural: resource.plural)
            else { return nil }
            return (entry.store.groupResource, entry.store.cache.count)
        }
    }
}
