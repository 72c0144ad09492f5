// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import ControllerKit
package import Informers
package import KubernetesAPI
import Metrics
import ObjectModel
import Protobuf
package import ResourceClient
package import ResourceTable
import Synchronization

/// The metadata of every object of every resource that can be deleted, custom ones as they come:
/// what the garbage collector and the namespace controller both work from.
///
/// Each resource is watched once, for both.
package final class ResourceMonitor: Sendable {
    package typealias Event = InformerEvent<MetaV1.PartialObjectMetadata>
    package typealias Handler = @Sendable (ResourceName, Event) -> Void

    private struct State {
        var informers: [ResourceName: Informer<MetaV1.PartialObjectMetadata>] = [:]
        /// Resources of a CustomResourceDefinition by its name.
        var custom: [String: ResourceName] = [:]
        var handlers: [Handler] = []
        var tasks: [ResourceName: Task<Void, Never>] = [:]
        var isRunning = false
    }

    private let context: ControllerContext
    private let definitions: Informer<ApiextensionsV1.CustomResourceDefinition>
    private let state = Mutex(State())

    /// Resources that are not collected: they come and go by themselves, or are no objects.
    package static let ignored: Set<String> = ["events", "events.events.k8s.io"]

    package init(_ context: ControllerContext) {
        self.context = context
        self.definitions = context.informer(of: ApiextensionsV1.CustomResourceDefinition.self)
        for resource in Self.builtin { self.add(resource) }
        self.definitions.addHandler { [weak self] event in self?.take(event) }
    }

    /// Built-in resources whose objects can be listed, watched and deleted, each in one version.
    private static var builtin: [ResourceName] {
        let needed: APIResource.Verbs = [.delete, .list, .watch]
        var seen: Set<GroupResource> = []
        return ResourceTable.served.resources.compactMap { resource in
            guard resource.verbs.isSuperset(of: needed),
                !self.ignored.contains(resource.groupResource.description),
                seen.insert(resource.groupResource).inserted
            else { return nil }
            return ResourceName(resource)
        }
    }

    /// Hears of every change. To be called before ``run()``.
    package func addHandler(_ handler: @escaping Handler) {
        let informers = self.state.withLock { state in
            state.handlers.append(handler)
            return state.informers
        }
        for (resource, informer) in informers {
            informer.addHandler { handler(resource, $0) }
        }
    }

    /// All resources that are known now.
    package var resources: [ResourceName] { self.state.withLock { Array($0.informers.keys) } }

    /// The resource of a kind.
    package func resource(_ kind: GroupVersionKind) -> ResourceName? {
        self.state.withLock { state in
            state.informers.keys.first { $0.group == kind.group && $0.kind == kind.kind }
        }
    }

    package func object(_ resource: ResourceName, _ key: ObjectKey) -> MetaV1.PartialObjectMetadata?
    {
        self.state.withLock { $0.informers[resource] }?.get(key)
    }

    /// What a namespace has of each resource.
    package func content(of namespace: String) -> [(ResourceName, [MetaV1.PartialObjectMetadata])] {
        self.state.withLock { $0.informers }.compactMap { resource, informer in
            guard resource.isNamespaced else { return nil }
            let objects = informer.list(in: namespace)
            return objects.isEmpty ? nil : (resource, objects)
        }
    }

    /// Whether a namespace has nothing of a resource.
    package func isEmpty(_ resource: ResourceName, in namespace: String) -> Bool {
        (self.state.withLock { $0.informers[resource] }?.count(in: namespace) ?? 0) == 0
    }

    /// Returns when every resource that is known now has been listed.
    package func waitForSync() async {
        await self.definitions.waitForSync()
        for informer in self.state.withLock({ Array($0.informers.values) }) {
            await informer.waitForSync()
        }
    }

    // MARK: Custom resources

    private func take(_ event: InformerEvent<ApiextensionsV1.CustomResourceDefinition>) {
        let definition = event.object
        let name = definition.metadata.name
        if case .deleted = event { return self.remove(name) }
        let isEstablished = definition.status.conditions.contains {
            $0.type == "Established" && $0.status == "True"
        }
        guard isEstablished, definition.metadata.deletionTimestamp == nil,
            let version = definition.spec.versions.first(where: \.storage_)
                ?? definition.spec.versions.first(where: \.served)
        else { return }
        let resource = ResourceName(
            group: definition.spec.group,
            version: version.name,
            plural: definition.spec.names.plural,
            kind: definition.spec.names.kind,
            isNamespaced: definition.spec.scope == "Namespaced"
        )
        let known = self.state.withLock { $0.custom.updateValue(resource, forKey: name) }
        if known == resource { return }
        if let known { self.stop(known) }
        self.add(resource)
    }

    private func remove(_ name: String) {
        if let resource = self.state.withLock({ $0.custom.removeValue(forKey: name) }) {
            self.stop(resource)
        }
    }

    private func stop(_ resource: ResourceName) {
        self.state.withLock { state in
            state.informers[resource] = nil
            return state.tasks.removeValue(forKey: resource)
        }?.cancel()
    }

    private func add(_ resource: ResourceName) {
        let context = self.context
        let informer = Informer(
            Client<MetaV1.PartialObjectMetadata>(context.channel, resource: resource),
            clock: context.clock,
            transform: { $0.withoutManagedFields() },
            failed: { error in
                context.counts?.garbageFailures.increment()
                context.log("cannot watch \(resource): \(error.message)")
            }
        )
        let (handlers, isRunning) = self.state.withLock { state in
            state.informers[resource] = informer
            return (state.handlers, state.isRunning)
        }
        for handler in handlers { informer.addHandler { handler(resource, $0) } }
        if isRunning { self.start(resource, informer) }
    }

    private func start(
        _ resource: ResourceName,
        _ informer: Informer<MetaV1.PartialObjectMetadata>
    ) {
        // The task belongs to the monitor: it ends with the resource, or with `run`.
        let task = Task { await informer.run() }
        self.state.withLock { $0.tasks[resource] = task }
    }

    /// Watches until the task is cancelled.
    package func run() async {
        let informers = self.state.withLock { state in
            state.isRunning = true
            return state.informers
        }
        for (resource, informer) in informers { self.start(resource, informer) }
        let (stream, end) = AsyncStream<Void>.makeStream()
        await withTaskCancellationHandler {
            for await _ in stream {}
        } onCancel: {
            end.finish()
        }
        let tasks = self.state.withLock { state in
            state.isRunning = false
            defer { state.tasks = [:] }
            return state.tasks
        }
        for task in tasks.values { task.cancel() }
        for task in tasks.values { await task.value }
    }
}
