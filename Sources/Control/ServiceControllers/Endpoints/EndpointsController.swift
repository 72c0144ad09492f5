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
import Scalars
import Selectors
import WorkQueues

/// Keeps the Endpoints of every Service with a selector, for those who do not know EndpointSlices.
///
/// Watches: Services, pods, Endpoints. Writes: Endpoints. Promises: at most 1000 addresses, the ready
/// ones first.
package final class EndpointsController: Controller {
    package static let name = "endpoints-controller"

    private let context: ControllerContext
    private let loop: ReconcileLoop<ObjectKey>
    private let services: ServiceIndex
    private let pods: Informer<CoreV1.Pod>
    private let endpoints: Informer<CoreV1.Endpoints>
    private let client: Client<CoreV1.Endpoints>
    private let barrier = WriteBarrier<ObjectKey>()

    package init(_ context: ControllerContext) {
        self.context = context
        self.loop = ReconcileLoop(Self.name, context)
        self.services = ServiceIndex(context.informer(of: CoreV1.Service.self))
        self.pods = context.informer(of: CoreV1.Pod.self)
        self.endpoints = context.informer(of: CoreV1.Endpoints.self)
        self.client = context.client()
        let queue = self.loop.queue
        let services = self.services
        services.services.addHandler { queue.add($0.object.objectKey) }
        let period = context.options.endpointsBatchPeriod
        self.pods.addHandler { services.services(of: $0) { queue.add($0, after: period) } }
        self.endpoints.addHandler { event in
            if case .added = event { return }
            queue.add(event.object.objectKey)
        }
    }

    package var isQuiet: Bool { self.loop.isQuiet }

    package func run() async {
        await self.loop.run(workers: 5) {
            await self.services.services.waitForSync()
            await self.pods.waitForSync()
            await self.endpoints.waitForSync()
            // What nobody selects any more goes with its Service.
            for endpoints in self.endpoints.list()
            where endpoints.metadata.labels[EndpointsPlan.managedByLabel] == EndpointsPlan.managedBy
                && self.services.services.get(endpoints.objectKey) == nil
            {
                self.loop.queue.add(endpoints.objectKey)
            }
        } _: { key in
            try await self.reconcile(key)
        }
    }

    private func reconcile(_ key: ObjectKey) async throws(StatusError) {
        let queue = self.loop.queue
        guard self.barrier.isReached(key, by: self.endpoints, { queue.add(key) }) else { return }
        let current = self.endpoints.get(key)
        guard let service = self.services.services.get(key) else {
            self.barrier.forget(key)
            try await self.deleteOrphan(current)
            return
        }
        guard service.spec.type != "ExternalName", !service.spec.selector.isEmpty else { return }
        let selector = LabelSelector(equalTo: service.spec.selector)
        let pods = self.pods.list(in: key.namespace, selector)
        let wanted = EndpointsPlan.endpoints(service, pods: pods, current: current)
        var compared = wanted
        compared.metadata.annotations = current?.metadata.annotations ?? MapField()
        let isOver = wanted.metadata.annotations[EndpointsPlan.overCapacity]
        if let current, compared == current,
            current.metadata.annotations[EndpointsPlan.overCapacity] == isOver
        {
            return
        }
        var endpoints = wanted
        endpoints.metadata.annotations[EndpointSlicePlan.triggerAnnotation] =
            self.context.clock.now.text(as: .time)
        do throws(StatusError) {
            let stored =
                current == nil
                ? try await self.client.create(endpoints)
                : try await self.client.update(endpoints)
            self.barrier.wrote(key, stored.metadata.resourceVersion)
        } catch {
            if error.isNamespaceTerminating { return }
            if !error.isConflict && !error.isAlreadyExists {
                self.context.recorder.record(
                    .warning,
                    current == nil ? "FailedToCreateEndpoint" : "FailedToUpdateEndpoint",
                    "Failed to \(current == nil ? "create" : "update") endpoint for service"
                        + " \(key): \(error.message)",
                    about: endpoints
                )
            }
            throw error
        }
    }

    private func deleteOrphan(_ endpoints: CoreV1.Endpoints?) async throws(StatusError) {
        guard let endpoints else { return }
        do throws(StatusError) {
            try await self.client.delete(
                endpoints.metadata.name,
                in: endpoints.metadata.namespace,
                DeleteOptions(uid: endpoints.metadata.uid)
            )
        } catch {
            if !error.isNotFound { throw error }
        }
    }
}
