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
import WorkQueues

/// Keeps EndpointSlices for Endpoints that people make by hand for a Service without a selector.
///
/// Watches: Endpoints, Services, EndpointSlices. Writes: EndpointSlices that it manages. Promises:
/// one slice for each subset and address family, which goes when the Service gets a selector or the
/// Endpoints go.
package final class EndpointSliceMirroringController: Controller {
    package static let name = "endpointslice-mirroring-controller"

    private let context: ControllerContext
    private let loop: ReconcileLoop<ObjectKey>
    private let endpoints: Informer<CoreV1.Endpoints>
    private let services: Informer<CoreV1.Service>
    private let slices: ManagedSlices

    package init(_ context: ControllerContext) {
        self.context = context
        self.loop = ReconcileLoop(Self.name, context)
        self.endpoints = context.informer(of: CoreV1.Endpoints.self)
        self.services = context.informer(of: CoreV1.Service.self)
        let queue = self.loop.queue
        self.slices = ManagedSlices(
            context,
            managedBy: MirroredSlicePlan.managedBy,
            counted: context.counts?.mirroring.changes
        ) {
            queue.add($0)
        }
        let period = context.options.mirroringBatchPeriod
        self.endpoints.addHandler { queue.add($0.object.objectKey, after: period) }
        self.services.addHandler { event in
            // Only whether there is a selector matters.
            if case .updated(let old, let new) = event,
                old.spec.selector.isEmpty == new.spec.selector.isEmpty
            {
                return
            }
            queue.add(event.object.objectKey)
        }
    }

    package var isQuiet: Bool { self.loop.isQuiet }

    package func run() async {
        await self.loop.run(workers: 5) {
            await self.endpoints.waitForSync()
            await self.services.waitForSync()
            await self.slices.informer.waitForSync()
        } _: { key in
            try await self.reconcile(key)
        }
    }

    private func reconcile(_ key: ObjectKey) async throws(StatusError) {
        let queue = self.loop.queue
        guard self.slices.isReached(key, { queue.add(key) }) else { return }
        let slices = try await self.slices.known(key)
        guard let endpoints = self.endpoints.get(key),
            MirroredSlicePlan.isMirrored(endpoints, of: self.services.get(key))
        else {
            if self.endpoints.get(key) == nil { self.slices.forget(key) }
            self.context.counts?.mirroring.totals.note(key, nil)
            try await self.slices.delete(slices)
            return
        }
        let plan = MirroredSlicePlan(
            endpoints,
            slices: slices,
            maximum: self.context.options.maximumMirroredEndpoints
        )
        self.context.counts?.mirroring.skippedPerSync.observe(Double(plan.skippedCount))
        self.tell(plan, endpoints)
        let started = self.context.clock.uptime
        do throws(StatusError) {
            try await self.slices.carryOut(plan, key)
            self.count(plan, slices, key, since: started)
        } catch {
            if error.isNamespaceTerminating { return }
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

    private func count(
        _ plan: MirroredSlicePlan,
        _ known: [DiscoveryV1.EndpointSlice],
        _ key: ObjectKey,
        since started: Duration
    ) {
        guard let counts = self.context.counts?.mirroring else { return }
        let maximum = self.context.options.maximumMirroredEndpoints
        let numbers = SliceNumbers(known, plan, maximum: maximum)
        counts.addedPerSync.observe(Double(numbers.added))
        counts.updatedPerSync.observe(Double(numbers.updated))
        counts.removedPerSync.observe(Double(numbers.removed))
        counts.syncSeconds.observe(self.context.clock.uptime - started)
        counts.totals.note(
            key,
            SliceTotals.Share(
                slices: numbers.slices,
                desiredSlices: numbers.desiredSlices,
                endpoints: numbers.endpoints
            )
        )
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
                "A max of \(self.context.options.maximumMirroredEndpoints) addresses can be mirrored to"
                    + " EndpointSlices per Endpoints subset. \(plan.skippedCount) addresses were"
                    + " skipped",
                about: endpoints
            )
        }
    }
}
