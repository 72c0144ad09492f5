// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
package import ControllerKit
import Informers
import KubernetesAPI
import ObjectModel
import Protobuf
import ResourceClient
import ResourceTable
import Scalars
import Synchronization
import WorkQueues

/// Says how much of each quota is used.
///
/// Admission counts what is being made before it can be seen here. So what appears only ever raises
/// a number; numbers go down when something ends or goes, and when a while has passed since
/// admission counted, in case what it had counted was never made.
///
/// Watches: ResourceQuotas, pods, Services, claims, the metadata of everything. Writes: quotas'
/// status. Promises: counts what is there; admission counts what is being made.
package final class ResourceQuotaController: Controller {
    package static let name = "resourcequota-controller"

    private let loop: ReconcileLoop<ObjectKey>
    private let quotas: Informer<CoreV1.ResourceQuota>
    private let pods: Informer<CoreV1.Pod>
    private let services: Informer<CoreV1.Service>
    private let claims: Informer<CoreV1.PersistentVolumeClaim>
    private let monitor: ResourceMonitor
    private let client: Client<CoreV1.ResourceQuota>
    private let clock: any ComponentClock
    /// From when on a quota's numbers may go down.
    private let fullCounts = Mutex<[ObjectKey: Duration]>([:])

    package convenience init(_ context: ControllerContext) {
        self.init(context, monitor: ResourceMonitor(context))
    }

    package init(_ context: ControllerContext, monitor: ResourceMonitor) {
        let syncPeriod = context.options.quotaSyncPeriod
        self.clock = context.clock
        self.loop = ReconcileLoop(Self.name, context)
        self.quotas = context.informer(of: CoreV1.ResourceQuota.self)
        self.pods = context.informer(of: CoreV1.Pod.self)
        self.services = context.informer(of: CoreV1.Service.self)
        self.claims = context.informer(of: CoreV1.PersistentVolumeClaim.self)
        self.monitor = monitor
        self.client = context.client()
        self.quotas.addHandler { [weak self] event in
            guard case .updated(let old, let new) = event else {
                return self?.count(event.object.objectKey) ?? ()
            }
            if old.spec != new.spec || old.status.hard != new.status.hard {
                self?.count(new.objectKey)
            } else if old.status.used != new.status.used {
                // Somebody counted: whether it was right is seen later.
                self?.plan(new.objectKey, after: syncPeriod)
            }
        }
        self.pods.addHandler { [weak self] event in
            if case .updated(let old, let new) = event, old.isTerminal == new.isTerminal { return }
            self?.take(event)
        }
        self.services.addHandler { [weak self] event in
            if case .updated(let old, let new) = event, old.spec == new.spec { return }
            self?.take(event)
        }
        self.claims.addHandler { [weak self] event in
            if case .updated(let old, let new) = event, old.spec == new.spec { return }
            self?.take(event)
        }
        monitor.addHandler { [weak self] _, event in
            if case .updated = event { return }
            self?.take(event)
        }
    }

    /// Something that quotas count has come, changed or gone.
    private func take<Object: Message>(_ event: InformerEvent<Object>) {
        let namespace = event.object.objectMetadata.namespace
        guard !namespace.isEmpty else { return }
        for quota in self.quotas.list(in: namespace) {
            if case .added = event {
                self.loop.queue.add(quota.objectKey)
            } else {
                self.count(quota.objectKey)
            }
        }
    }

    /// Has everything counted: numbers may go down.
    private func count(_ key: ObjectKey) {
        self.fullCounts.withLock { $0[key] = .zero }
        self.loop.queue.add(key)
    }

    /// Has everything counted later, unless that is due earlier.
    private func plan(_ key: ObjectKey, after delay: Duration) {
        let due = self.clock.uptime + delay
        self.fullCounts.withLock { counts in
            if counts[key] == nil { counts[key] = due }
        }
        self.loop.queue.add(key, after: delay)
    }

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
        guard var quota = self.quotas.get(key) else {
            self.fullCounts.withLock { $0[key] = nil }
            return
        }
        let usage = self.usage(of: key.namespace, quota.spec)
        let now = self.clock.uptime
        let mayLower = self.fullCounts.withLock { counts in
            guard let due = counts[key], due <= now else { return false }
            counts[key] = nil
            return true
        }
        var status = CoreV1.ResourceQuotaStatus()
        status.hard = quota.spec.hard
        for name in quota.spec.hard.keys {
            let counted = usage.amounts[name] ?? .zero
            if !mayLower, let known = try? quota.status.used[name]?.parsed(), known > counted {
                status.used[name] = quota.status.used[name]
            } else {
                status.used[name] = Resource.Quantity(counted)
            }
        }
        guard status != quota.status else { return }
        quota.status = status
        do throws(StatusError) {
            _ = try await self.client.updateStatus(quota)
        } catch {
            if mayLower { self.fullCounts.withLock { $0[key] = .zero } }
            throw error
        }
    }

    private func usage(of namespace: String, _ spec: CoreV1.ResourceQuotaSpec) -> QuotaUsage {
        var usage = QuotaUsage()
        for pod in self.pods.list(in: namespace) where QuotaUsage.matches(pod, spec) {
            usage.add(pod)
        }
        // Scopes are of pods: a quota with any counts nothing else.
        guard spec.scopes.isEmpty, spec.scopeSelector == nil else { return usage }
        for service in self.services.list(in: namespace) { usage.add(service) }
        for claim in self.claims.list(in: namespace) { usage.add(claim) }
        let counted = ["pods", "services", "persistentvolumeclaims"]
        let plain = ["configmaps", "secrets", "replicationcontrollers", "resourcequotas"]
        for (resource, objects) in self.monitor.content(of: namespace) {
            let name = resource.groupResource.description
            guard !counted.contains(name) else { continue }
            usage.count("count/\(name)", objects.count)
            if plain.contains(name) { usage.count(name, objects.count) }
        }
        return usage
    }
}
