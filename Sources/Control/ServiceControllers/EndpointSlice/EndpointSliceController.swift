// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
package import ControllerKit
import EventRecording
import Informers
import KubernetesAPI
import Metrics
import ObjectModel
import Protobuf
import ResourceClient
import Selectors
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
    private let slices: ManagedSlices

    package init(_ context: ControllerContext) {
        self.context = context
        self.loop = ReconcileLoop(Self.name, context)
        self.services = ServiceIndex(context.informer(of: CoreV1.Service.self))
        self.pods = context.informer(of: CoreV1.Pod.self)
        self.nodes = context.informer(of: CoreV1.Node.self)
        let queue = self.loop.queue
        self.slices = ManagedSlices(
            context,
            managedBy: EndpointSlicePlan.managedBy,
            counted: context.counts?.endpointSlices.changes
        ) {
            queue.add($0)
        }
        let services = self.services
        services.services.addHandler { queue.add($0.object.objectKey) }
        let period = context.options.slicesBatchPeriod
        self.pods.addHandler { services.services(of: $0) { queue.add($0, after: period) } }
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
            await self.slices.informer.waitForSync()
        } _: { key in
            try await self.reconcile(key)
        }
    }

    private func reconcile(_ key: ObjectKey) async throws(StatusError) {
        let queue = self.loop.queue
        guard self.slices.isReached(key, { queue.add(key) }) else { return }
        guard let service = self.services.services.get(key),
            service.metadata.deletionTimestamp == nil
        else {
            // The garbage collector takes the slices of a Service that is gone.
            self.slices.forget(key)
            self.context.counts?.endpointSlices.totals.note(key, nil)
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
        let known = try await self.slices.known(key)
        let plan = EndpointSlicePlan(
            service,
            pods: pods,
            nodes: nodes,
            slices: known,
            trigger: self.context.clock.now,
            maximum: self.context.options.maximumEndpointsPerSlice
        )
        let syncs = self.context.counts?.endpointSlices.syncs
        do throws(StatusError) {
            try await self.slices.carryOut(plan, key)
            syncs?.with("success").increment()
            self.count(plan, known, service)
        } catch {
            if error.isNamespaceTerminating { return }
            syncs?.with("error").increment()
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

    private func count(
        _ plan: EndpointSlicePlan,
        _ known: [DiscoveryV1.EndpointSlice],
        _ service: CoreV1.Service
    ) {
        guard let counts = self.context.counts?.endpointSlices else { return }
        let maximum = self.context.options.maximumEndpointsPerSlice
        let numbers = SliceNumbers(known, plan, maximum: maximum)
        let distribution = service.spec.trafficDistribution ?? ""
        counts.addedPerSync.observe(Double(numbers.added))
        counts.removedPerSync.observe(Double(numbers.removed))
        counts.changedSlicesPerSync.with("Disabled", distribution)
            .observe(Double(numbers.changedSlices))
        counts.totals.note(
            service.objectKey,
            SliceTotals.Share(
                slices: numbers.slices,
                desiredSlices: numbers.desiredSlices,
                endpoints: numbers.endpoints,
                distribution: distribution
            )
        )
    }
}
