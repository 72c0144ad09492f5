// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ControllerKit
import Informers
import KubernetesAPI
import Metrics
import ObjectModel
import Protobuf
import ResourceClient
import Synchronization

/// What is to be done to the slices of one Service.
protocol SliceChanges {
    var creations: [DiscoveryV1.EndpointSlice] { get }
    var updates: [DiscoveryV1.EndpointSlice] { get }
    var deletions: [DiscoveryV1.EndpointSlice] { get }
}

/// The EndpointSlices that one controller manages: which there are for a Service, and changing them.
///
/// It knows what the controller itself wrote before the cache does. A write whose outcome is not
/// known makes it ask the server the next time: a slice that was made without our knowing would be
/// made again.
struct ManagedSlices: ~Copyable {
    let informer: Informer<DiscoveryV1.EndpointSlice>
    private let managedBy: String
    private let client: Client<DiscoveryV1.EndpointSlice>
    /// Changes by operation; nil when nobody counts.
    private let counted: MetricFamily<Counter>?
    private let barrier = WriteBarrier<ObjectKey>()
    private let doubtful = Mutex<Set<ObjectKey>>([])

    /// - Parameters:
    ///   - managedBy: The value of the label by which the controller marks its slices. It also names
    ///     the index of the shared cache.
    ///   - counted: Where changes are counted, by operation.
    ///   - changed: Called with the key of the Service when one of its slices changes.
    init(
        _ context: ControllerContext,
        managedBy: String,
        counted: MetricFamily<Counter>?,
        changed: @escaping @Sendable (ObjectKey) -> Void
    ) {
        self.informer = context.informer(of: DiscoveryV1.EndpointSlice.self)
        self.client = context.client()
        self.managedBy = managedBy
        self.counted = counted
        self.informer.addIndex(managedBy) { slice in
            Self.owner(slice, managedBy).map { ["\($0)"] } ?? []
        }
        self.informer.addHandler { event in
            if let key = Self.owner(event.object, managedBy) { changed(key) }
        }
    }

    /// The Service of a slice that the controller manages.
    private static func owner(
        _ slice: DiscoveryV1.EndpointSlice,
        _ managedBy: String
    ) -> ObjectKey? {
        let labels = slice.metadata.labels
        guard labels[EndpointSlicePlan.managedByLabel] == managedBy,
            let name = labels[EndpointSlicePlan.serviceLabel]
        else { return nil }
        return ObjectKey(namespace: slice.metadata.namespace, name: name)
    }

    /// Whether the cache has seen what was written for `key`; if not, `wake` is called when it has.
    func isReached(_ key: ObjectKey, _ wake: @escaping @Sendable () -> Void) -> Bool {
        self.barrier.isReached(key, by: self.informer, wake)
    }

    /// The slices of a Service that are not being deleted.
    func known(_ key: ObjectKey) async throws(StatusError) -> [DiscoveryV1.EndpointSlice] {
        var all = self.informer.list(index: self.managedBy, "\(key)")
        if self.doubtful.withLock({ $0.contains(key) }) {
            all = try await self.client.list(in: key.namespace).items
                .filter { Self.owner($0, self.managedBy) == key }
            for slice in all { self.barrier.wrote(key, slice.metadata.resourceVersion) }
            self.doubtful.withLock { _ = $0.remove(key) }
        }
        return all.filter { $0.metadata.deletionTimestamp == nil }
    }

    /// Drops what is remembered of a Service that is gone.
    func forget(_ key: ObjectKey) {
        self.barrier.forget(key)
        self.doubtful.withLock { _ = $0.remove(key) }
    }

    func carryOut(_ changes: some SliceChanges, _ key: ObjectKey) async throws(StatusError) {
        do throws(StatusError) {
            for slice in changes.creations {
                let stored = try await self.client.create(slice)
                self.barrier.wrote(key, stored.metadata.resourceVersion)
                self.counted?.with("create").increment()
            }
            for slice in changes.updates {
                let stored = try await self.client.update(slice)
                self.barrier.wrote(key, stored.metadata.resourceVersion)
                self.counted?.with("update").increment()
            }
            try await self.delete(changes.deletions)
        } catch {
            if error.isDoubtful { self.doubtful.withLock { _ = $0.insert(key) } }
            throw error
        }
    }

    /// Deletes slices, also when others have done so before.
    func delete(_ slices: [DiscoveryV1.EndpointSlice]) async throws(StatusError) {
        for slice in slices {
            do throws(StatusError) {
                try await self.client.delete(
                    slice.metadata.name,
                    in: slice.metadata.namespace,
                    DeleteOptions(uid: slice.metadata.uid)
                )
                self.counted?.with("delete").increment()
            } catch {
                if !error.isNotFound { throw error }
            }
        }
    }
}
