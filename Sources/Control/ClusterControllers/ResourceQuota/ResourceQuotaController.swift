// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
package import ControllerKit
import Informers
import KubernetesAPI
import ObjectModel
import Protobuf
import Quotas
import ResourceClient
import ResourceTable
import Scalars
import Synchronization
import WorkQueues

/// Says how much of each quota is used.
///
/// Admission counts what is being made before it can be seen here. So what appears only ever raises
/// a number, and it goes down by what has gone: see ``QuotaLedger``. After a while without
/// admissions numbers are what is there, in case what was counted was never made.
///
/// Watches: ResourceQuotas, pods, Services, claims, the metadata of everything. Writes: quotas'
/// status. Promises: counts what is there; admission counts what is being made.
package final class ResourceQuotaController: Controller {
    package static let name = "resourcequota-controller"

    private let context: ControllerContext
    private let loop: ReconcileLoop<ObjectKey>
    private let quotas: Informer<CoreV1.ResourceQuota>
    private let pods: Informer<CoreV1.Pod>
    private let services: Informer<CoreV1.Service>
    private let claims: Informer<CoreV1.PersistentVolumeClaim>
    private let monitor: ResourceMonitor
    private let client: Client<CoreV1.ResourceQuota>
    private let ledgers = Mutex<[ObjectKey: QuotaLedger]>([:])

    package convenience init(_ context: ControllerContext) {
        self.init(context, monitor: ResourceMonitor(context))
    }

    package init(_ context: ControllerContext, monitor: ResourceMonitor) {
        self.context = context
        self.loop = ReconcileLoop(Self.name, context)
        self.quotas = context.informer(of: CoreV1.ResourceQuota.self)
        self.pods = context.informer(of: CoreV1.Pod.self)
        self.services = context.informer(of: CoreV1.Service.self)
        self.claims = context.informer(of: CoreV1.PersistentVolumeClaim.self)
        self.monitor = monitor
        self.client = context.client()
        self.quotas.addHandler { [weak self] event in self?.take(quota: event) }
        self.pods.addHandler { [weak self] event in
            self?.take(event) { spec, pod in
                ObjectUsage.matches(spec, pod) ? ObjectUsage.usage(pod) : [:]
            }
        }
        self.services.addHandler { [weak self] event in
            self?.take(event) { spec, service in
                ObjectUsage.hasScopes(spec) ? [:] : ObjectUsage.usage(service)
            }
        }
        self.claims.addHandler { [weak self] event in
            self?.take(event) { spec, claim in
                ObjectUsage.hasScopes(spec) ? [:] : ObjectUsage.usage(claim)
            }
        }
        monitor.addHandler { [weak self] resource, event in
            let resource = resource.groupResource
            if case .updated = event { return }
            if QuotaContent.typed.contains(resource.description) { return }
            self?.take(event) { spec, _ in
                ObjectUsage.hasScopes(spec) ? [:] : ObjectUsage.count(resource)
            }
        }
    }

    // MARK: Hearing of changes

    private func take(quota event: InformerEvent<CoreV1.ResourceQuota>) {
        let key = event.object.objectKey
        switch event {
        case .added:
            // What went while nobody looked is seen when nothing can be under way any more.
            self.recount(key, after: QuotaLedger.settling)
            self.loop.queue.add(key)
        case .updated(let old, let new):
            if old.spec != new.spec { self.loop.queue.add(key) }
            guard old.status.used != new.status.used else { return }
            // Somebody counted: whether it was right is seen later.
            let period = self.context.options.quotaSyncPeriod
            let now = self.context.clock.uptime
            self.ledgers.withLock {
                $0[key, default: QuotaLedger()].charge(at: now, recountAfter: period)
            }
            self.loop.queue.add(key, after: period)
        case .deleted:
            self.ledgers.withLock { $0[key] = nil }
        }
    }

    /// Something that quotas count has come, changed or gone.
    private func take<Object: Message>(
        _ event: InformerEvent<Object>,
        _ usage: (CoreV1.ResourceQuotaSpec, Object) -> ResourceAmounts
    ) {
        let namespace = event.object.objectMetadata.namespace
        guard !namespace.isEmpty, self.quotas.count(in: namespace) > 0 else { return }
        for quota in self.quotas.list(in: namespace) {
            let key = quota.objectKey
            switch event {
            case .added: self.loop.queue.add(key)
            case .updated(let old, let new):
                let before = usage(quota.spec, old)
                let now = usage(quota.spec, new)
                if before != now { self.release(key, PodResources.difference(before, now)) }
            case .deleted(let object, _): self.release(key, usage(quota.spec, object))
            }
        }
    }

    private func release(_ key: ObjectKey, _ amounts: ResourceAmounts) {
        self.ledgers.withLock { $0[key, default: QuotaLedger()].release(amounts) }
        self.loop.queue.add(key)
    }

    /// Has everything counted after a time, unless that is due earlier.
    private func recount(_ key: ObjectKey, after delay: Duration) {
        let due = self.context.clock.uptime + delay
        self.ledgers.withLock { $0[key, default: QuotaLedger()].recount(at: due) }
        self.loop.queue.add(key, after: delay)
    }

    // MARK: Counting

    package var isQuiet: Bool { self.loop.isQuiet }

    package func run() async {
        await self.loop.run(workers: 5) {
            await self.quotas.waitForSync()
            await self.pods.waitForSync()
            await self.services.waitForSync()
            await self.claims.waitForSync()
            await self.monitor.waitForSync()
        } _: { key in
            try await self.reconcile(key)
        }
    }

    private func reconcile(_ key: ObjectKey) async throws(StatusError) {
        guard let known = self.quotas.get(key) else { return }
        let now = self.context.clock.uptime
        let round = self.ledgers.withLock { $0[key, default: QuotaLedger()].begin(at: now) }
        if let time = round.lookAgain { self.loop.queue.add(key, after: time - now) }
        do throws(StatusError) {
            // What has gone is taken from what stands there now: what is known here may be older.
            let quota =
                round.released.isEmpty
                ? known : try await self.client.get(key.name, in: key.namespace)
            let isWritten = try await self.write(quota, round)
            if !isWritten, !round.released.isEmpty {
                self.recount(key, after: QuotaLedger.settling)
            }
        } catch {
            if error.isNotFound { return }
            if error.isConflict {
                self.ledgers.withLock {
                    $0[key, default: QuotaLedger()].giveBack(round, at: now)
                }
            } else {
                // It may have been written: what has gone must not be taken twice.
                self.recount(key, after: QuotaLedger.settling)
            }
            throw error
        }
    }

    /// Writes a quota's status.
    ///
    /// - Returns: whether there was anything to write.
    private func write(
        _ quota: CoreV1.ResourceQuota,
        _ round: QuotaLedger.Round
    ) async throws(StatusError) -> Bool {
        let usage = try await self.content(quota).usage(quota.spec)
        var status = CoreV1.ResourceQuotaStatus()
        status.hard = quota.spec.hard
        for name in quota.spec.hard.keys {
            let known = quota.status.used[name]
            let used = round.used(
                name,
                known: known.flatMap { try? $0.parsed() },
                counted: usage[name] ?? .zero
            )
            status.used[name] = Resource.Quantity(used)
        }
        guard status != quota.status else { return false }
        var quota = quota
        quota.status = status
        _ = try await self.client.updateStatus(quota)
        return true
    }

    /// What a quota counts: from the informers, or from the server when something is counted for the
    /// first time.
    private func content(_ quota: CoreV1.ResourceQuota) async throws(StatusError) -> QuotaContent {
        let namespace = quota.metadata.namespace
        let unknown = quota.spec.hard.keys.filter { quota.status.used[$0] == nil }
        if !unknown.isEmpty {
            return try await QuotaContent.current(
                of: namespace,
                quota.spec.hard.keys,
                self.monitor.resources,
                self.context
            )
        }
        return QuotaContent(
            pods: self.pods.list(in: namespace),
            services: self.services.list(in: namespace),
            claims: self.claims.list(in: namespace),
            others: self.monitor.content(of: namespace).compactMap { resource, objects in
                let name = resource.groupResource
                return QuotaContent.typed.contains(name.description) ? nil : (name, objects.count)
            }
        )
    }
}
