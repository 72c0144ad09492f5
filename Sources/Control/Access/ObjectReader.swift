// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import ObjectModel
public import ResourceTable

/// Objects of the cluster as authenticators, authorizers and admission see them: from the API
/// server's watch caches, in their storage versions.
///
/// Reading never suspends and costs no copies. What is read may lag behind the store by an event or
/// two; who must know goes on with ``current(_:namespace:name:)``. What a client of
/// this server has been answered is there, for resources that decide about others (`Strategy`).
public protocol ObjectReader: Sendable {
    /// An object; nil when there is none. `namespace` is empty for what has none.
    func get(_ resource: GroupResource, namespace: String, name: String) -> APIObject?

    /// All objects of a resource, in the order of their keys; of one namespace unless it is nil.
    func list(_ resource: GroupResource, namespace: String?) -> [APIObject]

    /// The objects whose field has a value. The field is one that the resource can be selected by;
    /// `spec.nodeName` of pods is looked up in an index.
    func list(
        _ resource: GroupResource,
        namespace: String?,
        field: String,
        equals value: String
    ) -> [APIObject]

    /// All objects of a resource in a namespace as the store has them now.
    func currentList(
        _ resource: GroupResource,
        namespace: String
    ) async throws(StatusError) -> [APIObject]

    /// A number that differs whenever the objects of a resource do: the key of what is computed
    /// from all of them, such as the rules of roles.
    func generation(of resource: GroupResource) -> UInt64

    /// An object as the store has it now; nil when there is none.
    func current(
        _ resource: GroupResource,
        namespace: String,
        name: String
    ) async throws(StatusError) -> APIObject?
}

/// The few writes of the API server's own parts, which nobody authorizes: they go past admission,
/// and through defaulting, validation and storage as every write does.
public protocol ObjectWriter: ObjectReader {
    /// Creates an object.
    /// - Throws: `AlreadyExists` among others.
    @discardableResult
    func create(
        _ resource: GroupResource,
        _ object: APIObject
    ) async throws(StatusError) -> APIObject

    /// Replaces an object, or its status, that has not changed since it was read (by its
    /// `resourceVersion`).
    /// - Throws: `Conflict` among others.
    @discardableResult
    func update(
        _ resource: GroupResource,
        subresource: String,
        _ object: APIObject
    ) async throws(StatusError) -> APIObject
}
