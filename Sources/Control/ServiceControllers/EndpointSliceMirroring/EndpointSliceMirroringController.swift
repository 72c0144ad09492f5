// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import ControllerKit
import EventRecording
import Informers
import KubernetesAPI
import ObjectModel
import Protobuf
import ResourceClient
import Synchronization
import WorkQueues

/// Keeps EndpointSlices for Endpoints that people make by hand for a Service without a selector.
///
/// Watches: Endpoints, Services, EndpointSlices. Writes: EndpointSlices that it manages. Promises:
/// one slice for each subset and address family, which goes when the Service gets a selector or the
/// Endpoints go.
package final class EndpointSliceMirroringController: Controller {
    package static let name = "endpointslice-mirroring-controller"
    private static let index = "mirrored"

    private let context: ControllerContext
    private let loop: ReconcileLoop<ObjectKey>
    private let endpoints: Informer<CoreV1.Endpoints>
    private let services: Informer<CoreV1.Service>
    private let slices: Informer<DiscoveryV1.EndpointSlice>
    private let client: Client<DiscoveryV1.EndpointSlice>
    private let barrier = WriteBarrier<ObjectKey>()
    private let doubtful = Mutex<Set<ObjectKey>>([])

    package init(_ context: ControllerContext) {
        self.context = context
        self.loop = ReconcileLoop(Self.name, context)
        self.endpoints = context.informer(of: CoreV1.Endpoints.self)
        self.services = context.informer(of: CoreV1.Service.self)
        self.slices = context.informer(of: DiscoveryV1.EndpointSlice.self)
        self.client = context.client()
        self.slices.addIndex(Self.index) { slice in Self.owner(slice).map { ["\($0)"] } ?? [] }
        let queue = self.loop.queue
        self.endpoints.addHandler { queue.add($0.object.objectKey) }
        self.services.addHandler { event in
            // Only whether there is a selector matters.
            if case .updated(let old, let new) = event,
                old.spec.selector.isEmpty == new.spec.selector.isEmpty
            {
                return
            }
            queue.add(event.object.objectKey)
        }
        self.slices.addHandler { if let key = Self.owner($0.object) { queue.add(key) } }
    }

    package var isQuiet: Bool { self.loop.isQuiet }

    package func run() async {
        await self.loop.run(workers: 5) {
            await self.endpoints.waitForSync()
            await self.services.waitForSync()
            await self.slices.waitForSync()
        } _: { key in
            try await self.reconcile(key)
        }
    }

    /// The Endpoints of a slice that this controller manages.
    private static func owner(_ slice: DiscoveryV1.EndpointSlice) -> ObjectKey? {
        let labels = slice.metadata.labels
        guard labels[EndpointSlicePlan.managedByLabel] == MirroredSlicePlan.managedBy,
            let name = labels[EndpointSlicePlan.serviceLabel]
        else { return nil }
        return ObjectKey(namespace: slice.metadata.namespace, name: name)
    }

    private func reconcile(_ key: ObjectKey) async throws(StatusError) {
        let queue = self.loop.queue
        guard self.barrier.isReached(key, by: self.slices, { queue.add(key) }) else { return }
        let slices = try await self.known(key)
        guard let endpoints = self.endpoints.get(key),
            MirroredSlicePlan.isMirrored(endpoints, of: self.services.get(key))
        else {
            if self.endpoints.get(key) == nil { self.barrier.forget(key) }
            for slice in slices { try await self.delete(slice) }
            return
        }
        let plan = MirroredSlicePlan(endpoints, slices: slices)
        self.tell(plan, endpoints)
        do throws(StatusError) {
            try await self.carryOut(plan, key)
        } catch {
            if error.isNamespaceTerminating { return }
            if error.isDoubtful { self.doubtful.withLock { _ = $0.insert(key) } }
            if !error.isConflict {
                self.context.recorder.record(
                    .warning,
                    "FailedToUpdateEndpointSlices",
                    "Error updating EndpointSlices for \(key): \(error.message)",
                    about: endpoints
                )
            }
            throw error
        }
    }

    /// The slices of a key, from the cache or, when a write is in doubt, from the server.
    private func known(_ key: ObjectKey) async throws(StatusError) -> [DiscoveryV1.EndpointSlice] {
        var all = self.slices.list(index: Self.index, "\(key)")
        if self.doubtful.withLock({ $0.contains(key) }) {
            all = try await self.client.list(in: key.namespace).items
                .filter { Self.owner($0) == key }
            for slice in all { self.barrier.wrote(key, slice.metadata.resourceVersion) }
            self.doubtful.withLock { _ = $0.remove(key) }
        }
        return all.filter { $0.metadata.deletionTimestamp == nil }
    }

    private func tell(_ plan: MirroredSlicePlan, _ endpoints: CoreV1.Endpoints) {
        if plan.invalidCount > 0 {
            self.context.recorder.record(
                .warning,
                "InvalidIPAddress",
                "Skipped \(plan.invalidCount) invalid IP addresses when mirroring to EndpointSlices",
                about: endpoints
            )
        }
        if plan.skippedCount > plan.invalidCount {
            self.context.recorder.record(
                .warning,
                "TooManyAddressesToMirror",
                "A max of \(MirroredSlicePlan.defaultMaximum) addresses can be mirrored to"
                    + " EndpointSlices per Endpoints subset. \(plan.skippedCount) addresses were"
                    + " skipped",
                about: endpoints
            )
        }
    }

    private func carryOut(_ plan: MirroredSlicePlan, _ key: ObjectKey) async throws(StatusError) {
        for slice in plan.creations {
            let stored = try await self.client.create(slice)
            self.barrier.wrote(key, stored.metadata.resourceVersion)
        }
        for slice in plan.updates {
            let stored = try await self.client.update(slice)
            self.barrier.wrote(key, stored.metadata.resourceVersion)
        }
        for slice in plan.deletions { try await self.delete(slice) }
    }

    private func delete(_ slice: DiscoveryV1.EndpointSlice) async throws(StatusError) {
        do throws(StatusError) {
            try await self.client.delete(
                slice.metadata.name,
                in: slice.metadata.namespace,
                DeleteOptions(uid: slice.metadata.uid)
            )
        } catch {
            if !error.isNotFound { throw error }
        }
    }
}
