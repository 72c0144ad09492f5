// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Access
import Bytes
import KubernetesAPI
import ObjectModel
import Registry
import ResourceTable
import Selectors
import WatchCache

/// What authorizers and admission read and write: the registry itself, from its caches.
struct RegistryReader: ObjectWriter {
    let registry: Registry

    func get(_ resource: GroupResource, namespace: String, name: String) -> APIObject? {
        guard let store = self.registry.store(resource),
            let cached = store.cache.object(store.key(namespace, name))
        else { return nil }
        return try? store.decode(cached)
    }

    func list(_ resource: GroupResource, namespace: String?) -> [APIObject] {
        guard let store = self.registry.store(resource) else { return [] }
        return self.list(store, store.cache.snapshot(applied: 0), namespace) { _ in true }
    }

    func list(
        _ resource: GroupResource,
        namespace: String?,
        field: String,
        equals value: String
    ) -> [APIObject] {
        guard let store = self.registry.store(resource),
            let filter = try? store.filter(
                namespace: namespace ?? "",
                labels: .everything,
                fields: FieldSelector([.init(field, value)])
            )
        else { return [] }
        let snapshot = store.cache.snapshot(applied: 0, for: filter)
        return self.list(store, snapshot, namespace) { filter.matchesSelectors($0) }
    }

    private func list(
        _ store: ResourceStore,
        _ snapshot: ResourceCache.Snapshot,
        _ namespace: String?,
        _ isWanted: (CachedObject) -> Bool
    ) -> [APIObject] {
        let prefix = namespace.map { Bytes(utf8: $0 + "/") } ?? Bytes()
        var objects: [APIObject] = []
        snapshot.objects.forEach(within: prefix) { cached in
            guard isWanted(cached), let object = try? store.decode(cached) else { return }
            objects.append(object)
        }
        return objects
    }

    func currentList(
        _ resource: GroupResource,
        namespace: String
    ) async throws(StatusError) -> [APIObject] {
        guard let store = self.registry.store(resource) else { return [] }
        let filter = try store.filter(
            namespace: namespace,
            labels: .everything,
            fields: .everything
        )
        return try await store.list(ListQuery(filter: filter)).objects.map {
            cached throws(StatusError) in try store.decode(cached)
        }
    }

    func generation(of resource: GroupResource) -> UInt64 {
        self.registry.store(resource)?.cache.changeCount ?? 0
    }

    func current(
        _ resource: GroupResource,
        namespace: String,
        name: String
    ) async throws(StatusError) -> APIObject? {
        guard let store = self.registry.store(resource) else { return nil }
        do throws(StatusError) {
            return try store.decode(try await store.get(namespace, name))
        } catch {
            if error.reason == .notFound { return nil }
            throw error
        }
    }

    @discardableResult
    func create(
        _ resource: GroupResource,
        _ object: APIObject
    ) async throws(StatusError) -> APIObject {
        guard let store = self.registry.store(resource) else {
            throw .notFound(resource, object.metadata.name)
        }
        var object = object
        ObjectRules.setDefaults(&object)
        return try await store.create(object, WriteContext())
    }

    @discardableResult
    func update(
        _ resource: GroupResource,
        subresource: String,
        _ object: APIObject
    ) async throws(StatusError) -> APIObject {
        guard let store = self.registry.store(resource) else {
            throw .notFound(resource, object.metadata.name)
        }
        let scope: UpdateScope =
            switch subresource {
            case "": .object
            case "status": .status
            default: .subresource(subresource)
            }
        return try await store.update(
            object.metadata.namespace,
            object.metadata.name,
            scope: scope,
            WriteContext()
        ) { _ throws(StatusError) in object }.object
    }
}
