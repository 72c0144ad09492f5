// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
package import ControllerKit
import EventRecording
import Informers
import KubernetesAPI
import ObjectModel
import Protobuf
import ResourceClient
import Selectors
import Synchronization
import WorkQueues

/// Keeps the EndpointSlices of every Service with a selector.
///
/// Watches: Services, pods, nodes, EndpointSlices. Writes: EndpointSlices that it manages.
/// Promises: every ready pod that a Service selects is in exactly one slice of each address family.
package final class EndpointSliceController: Controller {
    package static let name = "endpointslice-controller"

    private let context: ControllerContext
    private let loop: ReconcileLoop<ObjectKey>
    private let services: ServiceIndex
    private let pods: Informer<CoreV1.Pod>
    private let nodes: Informer<CoreV1.Node>
    private let slices: Informer<DiscoveryV1.EndpointSlice>
    private let client: Client<DiscoveryV1.EndpointSlice>
    private let barrier = WriteBarrier<ObjectKey>()
    private let doubtful = Mutex<Set<ObjectKey>>([])
    private static let index = "service"

    package init(_ context: ControllerContext) {
        self.context = context
        self.loop = ReconcileLoop(Self.name, context)
        self.services = ServiceIndex(context.informer(of: CoreV1.Service.self))
        self.pods = context.informer(of: CoreV1.Pod.self)
        self.nodes = context.informer(of: CoreV1.Node.self)
        self.slices = context.informer(of: DiscoveryV1.EndpointSlice.self)
        self.client = context.client()
        self.slices.addIndex(Self.index) { slice in
            Self.owner(slice).map { ["\($0)"] } ?? []
        }
        let queue = self.loop.queue
        let services = self.services
        services.services.addHandler { queue.add($0.object.objectKey) }
        self.pods.addHandler { services.services(of: $0) { queue.add($0) } }
        self.slices.addHandler { if let key = Self.owner($0.object) { queue.add(key) } }
        self.nodes.addHandler { event in
            // Zones of nodes stand in endpoints; they change when a node does, which is rare.
            let zone = "topology.kubernetes.io/zone"
            if case .updated(let old, let new) = event,
                old.metadata.labels[zone] == new.metadata.labels[zone]
            {
                return
            }
            for service in services.services.list() { queue.add(service.objectKey) }
        }
    }

    package var isQuiet: Bool { self.loop.isQuiet }

    package func run() async {
        await self.loop.run(workers: 5) {
            await self.services.services.waitForSync()
            await self.pods.waitForSync()
            await self.nodes.waitForSync()
            await self.slices.waitForSync()
        } _: { key in
            try await self.reconcile(key)
        }
    }

    /// The Service of a slice that this controller manages.
    private static func owner(_ slice: DiscoveryV1.EndpointSlice) -> ObjectKey? {
        let labels = slice.metadata.labels
        guard labels[EndpointSlicePlan.managedByLabel] == EndpointSlicePlan.managedBy,
            let name = labels[EndpointSlicePlan.serviceLabel]
        else { return nil }
        return ObjectKey(namespace: slice.metadata.namespace, name: name)
    }

    private func reconcile(_ key: ObjectKey) async throws(StatusError) {
        let queue = self.loop.queue
        guard self.barrier.isReached(key, by: self.slices, { queue.add(key) }) else { return }
        guard let service = self.services.services.get(key),
            service.metadata.deletionTimestamp == nil
        else {
            // The garbage collector takes the slices of a Service that is gone.
            self.barrier.forget(key)
            self.doubtful.withLock { _ = $0.remove(key) }
            return
        }
        guard service.spec.type != "ExternalName", !service.spec.selector.isEmpty else { return }
        let selector = LabelSelector(equalTo: service.spec.selector)
        let pods = self.pods.list(in: key.namespace, selector)
            .sorted { $0.metadata.name < $1.metadata.name }
        var nodes: [String: CoreV1.Node] = [:]
        for name in Set(pods.map(\.spec.nodeName)) where !name.isEmpty {
            nodes[name] = self.nodes.get(name)
        }
        let plan = EndpointSlicePlan(
            service,
            pods: pods,
            nodes: nodes,
            slices: try await self.known(key),
            trigger: self.context.clock.now
        )
        do throws(StatusError) {
            try await self.carryOut(plan, key)
        } catch {
            if error.isNamespaceTerminating { return }
            if error.isDoubtful { self.doubtful.withLock { _ = $0.insert(key) } }
            if !error.isConflict {
                self.context.recorder.record(
                    .warning,
                    "FailedToUpdateEndpointSlices",
                    "Error updating Endpoint Slices for Service \(key): \(error.message)",
                    about: service
                )
            }
            throw error
        }
    }

    /// The slices of a key, from the cache or, when a write is in doubt, from the server: a slice that
    /// was made without our knowing would be made again.
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

    private func carryOut(_ plan: EndpointSlicePlan, _ key: ObjectKey) async throws(StatusError) {
        for slice in plan.creations {
            self.note(try await self.client.create(slice), key)
        }
        for slice in plan.updates {
            self.note(try await self.client.update(slice), key)
        }
        for slice in plan.deletions {
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

    private func note(_ slice: DiscoveryV1.EndpointSlice, _ key: ObjectKey) {
        self.barrier.wrote(key, slice.metadata.resourceVersion)
    }
}
