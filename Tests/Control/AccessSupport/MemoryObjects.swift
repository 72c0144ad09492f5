// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Access
import KubernetesAPI
public import ObjectModel
public import Protobuf
public import ResourceTable
import Synchronization

/// Objects in memory, for tests of what reads and writes them.
public final class MemoryObjects: ObjectWriter {
    private struct State {
        var objects: [GroupResource: [String: APIObject]] = [:]
        var generations: [GroupResource: UInt64] = [:]
        var revision: UInt64 = 0
        var late: Set<GroupResource> = []
        var currentLists = 0
    }

    private let state = Mutex(State())

    public init() {}

    /// Puts an object in, whatever was there.
    public func put<M: Message>(_ resource: GroupResource, _ message: M) {
        self.store(resource, APIObject(message))
    }

    /// Puts an object of a core resource in.
    public func put<M: Message>(_ resource: String, group: String = "", _ message: M) {
        self.put(GroupResource(group: group, resource: resource), message)
    }

    /// Takes an object out.
    public func remove(_ resource: GroupResource, namespace: String, name: String) {
        self.state.withLock { state in
            state.objects[resource]?["\(namespace)/\(name)"] = nil
            state.generations[resource, default: 0] += 1
        }
    }

    @discardableResult
    private func store(_ resource: GroupResource, _ object: APIObject) -> APIObject {
        self.state.withLock { state in
            state.revision += 1
            state.generations[resource, default: 0] += 1
            var object = object
            object.metadata.resourceVersion = "\(state.revision)"
            let key = "\(object.metadata.namespace)/\(object.metadata.name)"
            state.objects[resource, default: [:]][key] = object
            return object
        }
    }

    public func get(_ resource: GroupResource, namespace: String, name: String) -> APIObject? {
        self.state.withLock { $0.objects[resource]?["\(namespace)/\(name)"] }
    }

    /// How often somebody asked for what there is now.
    public var currentLists: Int { self.state.withLock { $0.currentLists } }

    /// Has ``list(_:namespace:)`` find nothing of a resource, as a cache that is behind; or not.
    public func setLate(_ resource: GroupResource, _ isLate: Bool) {
        self.state.withLock { state in
            if isLate { state.late.insert(resource) } else { state.late.remove(resource) }
        }
    }

    public func list(_ resource: GroupResource, namespace: String?) -> [APIObject] {
        if self.state.withLock({ $0.late.contains(resource) }) { return [] }
        return self.all(resource, namespace: namespace)
    }

    public func currentList(
        _ resource: GroupResource,
        namespace: String
    ) async throws(StatusError) -> [APIObject] {
        self.state.withLock { $0.currentLists += 1 }
        return self.all(resource, namespace: namespace)
    }

    private func all(_ resource: GroupResource, namespace: String?) -> [APIObject] {
        let all = self.state.withLock { $0.objects[resource] ?? [:] }
        return all.sorted { $0.key < $1.key }.map(\.value).filter {
            namespace == nil || $0.metadata.namespace == namespace
        }
    }

    public func list(
        _ resource: GroupResource,
        namespace: String?,
        field: String,
        equals value: String
    ) -> [APIObject] {
        precondition(field == "spec.nodeName", "no index of \(field)")
        return self.list(resource, namespace: namespace).filter {
            $0.message(as: CoreV1.Pod.self)?.spec.nodeName == value
        }
    }

    public func generation(of resource: GroupResource) -> UInt64 {
        self.state.withLock { $0.generations[resource] ?? 0 }
    }

    public func current(
        _ resource: GroupResource,
        namespace: String,
        name: String
    ) async throws(StatusError) -> APIObject? {
        self.get(resource, namespace: namespace, name: name)
    }

    public func create(
        _ resource: GroupResource,
        _ object: APIObject
    ) async throws(StatusError) -> APIObject {
        let (namespace, name) = (object.metadata.namespace, object.metadata.name)
        guard self.get(resource, namespace: namespace, name: name) == nil else {
            throw .alreadyExists(resource, name)
        }
        return self.store(resource, object)
    }

    public func update(
        _ resource: GroupResource,
        subresource: String,
        _ object: APIObject
    ) async throws(StatusError) -> APIObject {
        let (namespace, name) = (object.metadata.namespace, object.metadata.name)
        guard let old = self.get(resource, namespace: namespace, name: name) else {
            throw .notFound(resource, name)
        }
        guard old.metadata.resourceVersion == object.metadata.resourceVersion else {
            throw .modified(resource, name)
        }
        return self.store(resource, object)
    }
}
