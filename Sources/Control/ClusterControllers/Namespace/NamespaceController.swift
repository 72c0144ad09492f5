// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import Clocks
package import ControllerKit
import Informers
import KubernetesAPI
import ObjectModel
import Protobuf
import ResourceClient
import Selectors
import Synchronization
import WorkQueues

/// Empties namespaces that are being deleted, then lets them go.
///
/// Watches: namespaces, the metadata of everything. Writes: deletes everything in the namespace; its
/// status and `finalize`. Promises: a namespace goes when nothing is left in it, and says what is.
package final class NamespaceController: Controller {
    package static let name = "namespace-controller"
    private static let finalizer = "kubernetes"
    /// From a change of what remains until the conditions say so.
    private static let reportDelay: Duration = .milliseconds(500)

    private let context: ControllerContext
    private let monitor: ResourceMonitor
    private let loop: ReconcileLoop<String>
    private let namespaces: Informer<CoreV1.Namespace>
    private let client: Client<CoreV1.Namespace>
    /// What was asked to go, by the namespace's name: once is enough, while nothing new appears.
    private let asked = Mutex<[String: Asked]>([:])

    private struct Asked {
        /// Of the namespace: another one of the same name has content of its own.
        var uid: String
        var resources: Set<ResourceName> = []
        /// When the conditions were last written.
        var reported: Duration?
    }

    package convenience init(_ context: ControllerContext) {
        self.init(context, monitor: ResourceMonitor(context))
    }

    package init(_ context: ControllerContext, monitor: ResourceMonitor) {
        self.context = context
        self.monitor = monitor
        self.loop = ReconcileLoop(Self.name, context)
        self.namespaces = context.informer(of: CoreV1.Namespace.self)
        self.client = context.client()
        let queue = self.loop.queue
        let namespaces = self.namespaces
        namespaces.addHandler { event in
            if event.object.metadata.deletionTimestamp != nil {
                queue.add(event.object.metadata.name)
            }
        }
        monitor.addHandler { [weak self] resource, event in
            let namespace = event.object.metadata.namespace
            guard !namespace.isEmpty,
                namespaces.get(namespace)?.metadata.deletionTimestamp != nil
            else { return }
            switch event {
            case .added:
                // Something that came late must be asked to go as well.
                self?.asked.withLock { _ = $0[namespace]?.resources.remove(resource) }
                queue.add(namespace)
            case .deleted where self?.monitor.isEmpty(resource, in: namespace) ?? true:
                queue.add(namespace)
            case .deleted, .updated:
                // Only what the conditions say changes: they are not written for each of thousands.
                queue.add(namespace, after: Self.reportDelay)
            }
        }
    }

    package var isQuiet: Bool { self.loop.isQuiet }

    package func run() async {
        await self.loop.run(workers: 10) {
            await self.namespaces.waitForSync()
            await self.monitor.waitForSync()
        } _: { name in
            try await self.reconcile(name)
        }
    }

    private func reconcile(_ name: String) async throws(StatusError) {
        // The cache may show a namespace that is gone, while another one of its name lives. What the
        // server has stays as long as this controller's finalizer is on it.
        guard self.namespaces.get(name)?.metadata.deletionTimestamp != nil,
            var namespace = try await self.current(name),
            namespace.metadata.deletionTimestamp != nil
        else {
            self.asked.withLock { $0[name] = nil }
            return
        }
        if namespace.status.phase != "Terminating" {
            namespace.status.phase = "Terminating"
            namespace = try await self.client.updateStatus(namespace)
        }
        guard namespace.spec.finalizers.contains(Self.finalizer) else { return }
        var remains = NamespaceRemains()
        let failures = await self.deleteContent(of: name, namespace.metadata.uid)
        for (resource, failure) in failures {
            remains.failures.append("\(failure.message) for resource \(resource)")
        }
        for (resource, objects) in self.monitor.content(of: name) {
            remains.resources[resource.description] = objects.count
            for finalizer in objects.flatMap(\.metadata.finalizers) {
                remains.finalizers[finalizer, default: 0] += 1
            }
        }
        if remains.isEmpty {
            // The cache may be behind: what it does not know yet, the server does. It may also go
            // before the cache ever hears of it, so that no event tells.
            remains = try await self.verify(name)
            if !remains.isEmpty { self.loop.queue.add(name, after: Self.reportDelay) }
        }
        try await self.finish(namespace, remains)
        // What could not be deleted is tried again; everything else is followed by an event.
        if let first = failures.first { throw first.1 }
    }

    private func current(_ name: String) async throws(StatusError) -> CoreV1.Namespace? {
        do throws(StatusError) {
            return try await self.client.get(name)
        } catch {
            guard error.isNotFound else { throw error }
            return nil
        }
    }

    /// Asks everything in the namespace to go.
    private func deleteContent(
        of name: String,
        _ uid: String
    ) async -> [(ResourceName, StatusError)] {
        let asked = self.asked.withLock { all -> Set<ResourceName> in
            if all[name]?.uid != uid { all[name] = Asked(uid: uid) }
            return all[name]?.resources ?? []
        }
        let isFirst = asked.isEmpty
        let present = Set(self.monitor.content(of: name).map(\.0))
        // The first time all resources are asked, since the cache may not know of some yet.
        let resources = self.monitor.resources
            .filter { $0.isNamespaced && !asked.contains($0) && (isFirst || present.contains($0)) }
        self.asked.withLock { $0[name]?.resources.formUnion(resources) }
        let channel = self.context.channel
        let failures = await withTaskGroup(of: (ResourceName, StatusError)?.self) { group in
            for resource in resources {
                group.addTask {
                    let client = Client<MetaV1.PartialObjectMetadata>(channel, resource: resource)
                    do throws(StatusError) {
                        try await client.deleteCollection(
                            in: name,
                            DeleteOptions(propagation: .background)
                        )
                        return nil
                    } catch {
                        return error.isNotFound || error.code == 405 ? nil : (resource, error)
                    }
                }
            }
            return await group.reduce(into: [(ResourceName, StatusError)]()) { all, failure in
                if let failure { all.append(failure) }
            }
        }
        self.asked.withLock { asked in
            for (resource, _) in failures { asked[name]?.resources.remove(resource) }
        }
        return failures
    }

    /// What the server still has in the namespace.
    private func verify(_ name: String) async throws(StatusError) -> NamespaceRemains {
        var remains = NamespaceRemains()
        for resource in self.monitor.resources where resource.isNamespaced {
            let client = Client<MetaV1.PartialObjectMetadata>(
                self.context.channel,
                resource: resource
            )
            do throws(StatusError) {
                let objects = try await client.list(in: name).items
                guard !objects.isEmpty else { continue }
                self.asked.withLock { _ = $0[name]?.resources.remove(resource) }
                remains.resources[resource.description] = objects.count
                for finalizer in objects.flatMap(\.metadata.finalizers) {
                    remains.finalizers[finalizer, default: 0] += 1
                }
            } catch {
                if error.isNotFound || error.code == 405 { continue }
                throw error
            }
        }
        return remains
    }

    private func finish(
        _ namespace: CoreV1.Namespace,
        _ remains: NamespaceRemains
    ) async throws(StatusError) {
        var namespace = namespace
        let conditions = remains.conditions(
            Array(namespace.status.conditions),
            now: self.context.clock.now
        )
        do throws(StatusError) {
            if !remains.isEmpty {
                guard Array(namespace.status.conditions) != conditions else { return }
                if let wait = self.waitToReport(namespace.metadata.name) {
                    return self.loop.queue.add(namespace.metadata.name, after: wait)
                }
                namespace.status.conditions = RepeatedField(conditions)
                _ = try await self.client.updateStatus(namespace)
                return
            }
            namespace.spec.finalizers.removeAll { $0 == Self.finalizer }
            _ = try await self.client.update(namespace, subresource: "finalize")
        } catch {
            if error.isNotFound { return }
            throw error
        }
    }

    /// How long until the conditions may be written again; nil when they may be now.
    private func waitToReport(_ name: String) -> Duration? {
        let now = self.context.clock.uptime
        return self.asked.withLock { asked in
            if let reported = asked[name]?.reported, now < reported + Self.reportDelay {
                return reported + Self.reportDelay - now
            }
            asked[name]?.reported = now
            return nil
        }
    }
}
