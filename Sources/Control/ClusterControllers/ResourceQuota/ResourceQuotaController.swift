// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import ControllerKit
import Informers
import KubernetesAPI
import ObjectModel
import Protobuf
import ResourceClient
import ResourceTable
import Scalars
import WorkQueues

/// Says how much of each quota is used.
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

    package convenience init(_ context: ControllerContext) {
        self.init(context, monitor: ResourceMonitor(context))
    }

    package init(_ context: ControllerContext, monitor: ResourceMonitor) {
        self.loop = ReconcileLoop(Self.name, context)
        self.quotas = context.informer(of: CoreV1.ResourceQuota.self)
        self.pods = context.informer(of: CoreV1.Pod.self)
        self.services = context.informer(of: CoreV1.Service.self)
        self.claims = context.informer(of: CoreV1.PersistentVolumeClaim.self)
        self.monitor = monitor
        self.client = context.client()
        let queue = self.loop.queue
        let quotas = self.quotas
        quotas.addHandler { event in
            if case .updated(let old, let new) = event, old.spec == new.spec,
                old.status.hard == new.status.hard
            {
                return
            }
            queue.add(event.object.objectKey)
        }
        @Sendable func all(_ namespace: String) {
            for quota in quotas.list(in: namespace) { queue.add(quota.objectKey) }
        }
        self.pods.addHandler { event in
            if case .updated(let old, let new) = event, old.isTerminal == new.isTerminal { return }
            all(event.object.metadata.namespace)
        }
        self.services.addHandler { event in
            if case .updated(let old, let new) = event, old.spec == new.spec { return }
            all(event.object.metadata.namespace)
        }
        self.claims.addHandler { event in
            if case .updated(let old, let new) = event, old.spec == new.spec { return }
            all(event.object.metadata.namespace)
        }
        monitor.addHandler { _, event in
            if case .updated = event { return }
            let namespace = event.object.metadata.namespace
            if !namespace.isEmpty { all(namespace) }
        }
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
        guard var quota = self.quotas.get(key) else { return }
        let usage = self.usage(of: key.namespace, quota.spec)
        var status = CoreV1.ResourceQuotaStatus()
        status.hard = quota.spec.hard
        for name in quota.spec.hard.keys {
            status.used[name] = Resource.Quantity(usage.amounts[name] ?? .zero)
        }
        guard status != quota.status else { return }
        quota.status = status
        _ = try await self.client.updateStatus(quota)
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
