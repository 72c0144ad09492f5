// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
package import Protobuf
package import ResourceClient

/// Objects of one resource by key, with indexes. A value without locks: its informer has one.
package struct ObjectStore<Object: Message> {
    package typealias IndexFunction = @Sendable (Object) -> [String]

    private struct Index {
        var function: IndexFunction
        var keys: [String: Set<ObjectKey>] = [:]
    }

    package private(set) var objects: [ObjectKey: Object] = [:]
    private var namespaces: [String: Set<ObjectKey>] = [:]
    private var indexes: [String: Index] = [:]

    package init() {}

    /// Adds an index; does nothing when there is one of the name.
    package mutating func addIndex(_ name: String, _ function: @escaping IndexFunction) {
        guard self.indexes[name] == nil else { return }
        var index = Index(function: function)
        for (key, object) in self.objects {
            for value in function(object) { index.keys[value, default: []].insert(key) }
        }
        self.indexes[name] = index
    }

    package func objects(in namespace: String) -> [Object] {
        if namespace.isEmpty { return Array(self.objects.values) }
        return self.namespaces[namespace]?.compactMap { self.objects[$0] } ?? []
    }

    /// How many objects a namespace has.
    package func count(in namespace: String) -> Int { self.namespaces[namespace]?.count ?? 0 }

    /// Objects that an index has at a value.
    ///
    /// - Precondition: the index was added.
    package func objects(index name: String, _ value: String) -> [Object] {
        guard let index = self.indexes[name] else {
            preconditionFailure("no index named \(name) of \(Object.schema.fullName)")
        }
        return index.keys[value]?.compactMap { self.objects[$0] } ?? []
    }

    /// The values that an index has, in no order.
    package func values(ofIndex name: String) -> [String] {
        self.indexes[name].map { Array($0.keys.keys) } ?? []
    }

    // MARK: Changes

    /// Takes an object in. Nil when it is the version that is known.
    package mutating func put(_ object: Object) -> [InformerEvent<Object>] {
        let key = object.objectKey
        guard let old = self.objects[key] else {
            self.set(key, object)
            return [.added(object)]
        }
        let was = old.objectMetadata
        let metadata = object.objectMetadata
        if was.resourceVersion == metadata.resourceVersion, was.uid == metadata.uid { return [] }
        self.change(key, old, object)
        if was.uid != metadata.uid {
            // Another object of the same name: the deletion between was missed.
            return [.deleted(old, isFinalStateKnown: false), .added(object)]
        }
        return [.updated(old: old, new: object)]
    }

    /// Forgets an object that was deleted.
    package mutating func remove(_ object: Object) -> [InformerEvent<Object>] {
        let key = object.objectKey
        guard let old = self.objects.removeValue(forKey: key) else { return [] }
        self.unindex(key, old)
        return [.deleted(object, isFinalStateKnown: true)]
    }

    /// Makes the store what a list says.
    package mutating func replace(_ list: [Object]) -> [InformerEvent<Object>] {
        var events: [InformerEvent<Object>] = []
        let present = Set(list.map(\.objectKey))
        for (key, object) in self.objects where !present.contains(key) {
            events.append(.deleted(object, isFinalStateKnown: false))
        }
        for event in events {
            let key = event.object.objectKey
            self.objects[key] = nil
            self.unindex(key, event.object)
        }
        for object in list { events.append(contentsOf: self.put(object)) }
        return events
    }

    private mutating func set(_ key: ObjectKey, _ object: Object) {
        self.objects[key] = object
        if !key.namespace.isEmpty { self.namespaces[key.namespace, default: []].insert(key) }
        // Names alone: who goes through the indexes themselves makes each change copy all of one.
        for name in Array(self.indexes.keys) {
            guard let values = self.indexes[name]?.function(object) else { continue }
            for value in values { self.indexes[name]?.keys[value, default: []].insert(key) }
        }
    }

    /// Replaces an object by another version; indexes change only where its values do.
    private mutating func change(_ key: ObjectKey, _ old: Object, _ new: Object) {
        self.objects[key] = new
        // Names alone: who goes through the indexes themselves makes each change copy all of one.
        for name in Array(self.indexes.keys) {
            guard let function = self.indexes[name]?.function else { continue }
            let (was, values) = (function(old), function(new))
            if was == values { continue }
            for value in was { self.remove(key, fromIndex: name, value) }
            for value in values { self.indexes[name]?.keys[value, default: []].insert(key) }
        }
    }

    private mutating func unindex(_ key: ObjectKey, _ object: Object) {
        if !key.namespace.isEmpty { Self.remove(key, from: &self.namespaces, key.namespace) }
        for name in Array(self.indexes.keys) {
            guard let values = self.indexes[name]?.function(object) else { continue }
            for value in values { self.remove(key, fromIndex: name, value) }
        }
    }

    private mutating func remove(_ key: ObjectKey, fromIndex name: String, _ value: String) {
        guard var keys = self.indexes[name]?.keys else { return }
        // Taken out meanwhile, so that it is changed in place.
        self.indexes[name]?.keys = [:]
        Self.remove(key, from: &keys, value)
        self.indexes[name]?.keys = keys
    }

    private static func remove(
        _ key: ObjectKey,
        from keys: inout [String: Set<ObjectKey>],
        _ value: String
    ) {
        keys[value]?.remove(key)
        if keys[value]?.isEmpty == true { keys[value] = nil }
    }
}
