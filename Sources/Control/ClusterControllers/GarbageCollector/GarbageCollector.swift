// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
package import ControllerKit
import EventRecording
import Informers
import JSON
import KubernetesAPI
import ObjectModel
import Protobuf
import ResourceClient
import ResourceTable
import Synchronization
import WorkQueues

/// Deletes what nobody owns any more, and lets owners wait for their dependents or leave them.
///
/// Watches: the metadata of everything. Writes: deletes objects; their owner references and
/// finalizers. Promises: nothing is deleted whose owner the server still has.
package final class GarbageCollector: Controller {
    package static let name = "garbage-collector-controller"
    /// Owners known to be gone, kept to spare the server the question; upstream's number.
    private static let maximumAbsent = 500
    /// From when an owner is found that the graph does not know until it is looked for again.
    private static let unknownOwnerDelay: Duration = .seconds(10)

    private let context: ControllerContext
    private let monitor: ResourceMonitor
    private let loop: ReconcileLoop<String>
    private let graph = Mutex(OwnerGraph())
    /// UIDs of owners that the server does not have.
    private let absent = Mutex<Set<String>>([])

    package convenience init(_ context: ControllerContext) {
        self.init(context, monitor: ResourceMonitor(context))
    }

    package init(_ context: ControllerContext, monitor: ResourceMonitor) {
        self.context = context
        self.monitor = monitor
        self.loop = ReconcileLoop(Self.name, context)
        monitor.addHandler { [weak self] resource, event in self?.take(resource, event) }
    }

    package var isQuiet: Bool { self.loop.isQuiet }

    package func run() async {
        await self.loop.run(workers: 20) {
            await self.monitor.waitForSync()
        } _: { uid in
            try await self.reconcile(uid)
        }
    }

    private func take(_ resource: ResourceName, _ event: ResourceMonitor.Event) {
        let affected = self.graph.withLock { graph in
            switch event {
            case .added(let object), .updated(_, let object):
                graph.put(OwnerGraph.Node(resource, object.metadata))
            case .deleted(let object, _): graph.remove(object.metadata.uid)
            }
        }
        for uid in affected { self.loop.queue.add(uid) }
    }

    // MARK: Work

    private func reconcile(_ uid: String) async throws(StatusError) {
        guard let node = self.graph.withLock({ $0[uid] }) else { return }
        if node.isOrphaning { return try await self.orphan(node) }
        if node.isDeletingDependents { return try await self.waitForDependents(node) }
        guard !node.owners.isEmpty, !node.isDeleting else { return }
        var states: [String: GarbageDecision.OwnerState] = [:]
        for owner in node.owners { states[owner.uid] = try await self.state(of: owner, node) }
        let decision = GarbageDecision.decide(
            node,
            owners: states,
            hasDependents: self.graph.withLock { !$0.dependents(of: uid).isEmpty }
        )
        switch decision {
        case .keep: break
        case .dropOwners(let lost): try await self.dropOwners(of: node, lost)
        case .delete(let propagation): try await self.delete(node, propagation)
        }
    }

    /// Whether an owner exists: as the graph says, or else as the server does.
    private func state(
        of owner: MetaV1.OwnerReference,
        _ node: OwnerGraph.Node
    ) async throws(StatusError) -> GarbageDecision.OwnerState {
        if let known = self.graph.withLock({ $0[owner.uid] }) {
            // A namespaced owner counts within its namespace only.
            if known.resource.isNamespaced, known.key.namespace != node.key.namespace {
                self.warnOfNamespace(owner, node)
                return .gone
            }
            return known.isDeletingDependents && owner.blockOwnerDeletion == true
                ? .waiting : .present
        }
        let absentKey = "\(node.key.namespace)/\(owner.uid)"
        if self.absent.withLock({ $0.contains(absentKey) }) { return .gone }
        let kind = GroupVersionKind(apiVersion: owner.apiVersion, kind: owner.kind)
        guard let resource = self.monitor.resource(kind) else {
            // A kind that is not served now may be again; nothing is deleted on a guess.
            return .present
        }
        let client = Client<MetaV1.PartialObjectMetadata>(self.context.channel, resource: resource)
        do throws(StatusError) {
            let namespace = resource.isNamespaced ? node.key.namespace : ""
            let live = try await client.get(owner.name, in: namespace)
            if live.metadata.uid == owner.uid {
                // The graph will know it soon; should it go before that, no event will tell.
                self.loop.queue.add(node.uid, after: Self.unknownOwnerDelay)
                return .present
            }
        } catch {
            guard error.isNotFound else { throw error }
        }
        self.absent.withLock { absent in
            if absent.count >= Self.maximumAbsent { absent.removeAll() }
            absent.insert(absentKey)
        }
        return .gone
    }

    private func warnOfNamespace(_ owner: MetaV1.OwnerReference, _ node: OwnerGraph.Node) {
        let reference = CoreV1.ObjectReference.with {
            $0.kind = node.resource.kind
            $0.apiVersion = node.resource.apiVersion
            $0.namespace = node.key.namespace
            $0.name = node.key.name
            $0.uid = node.uid
        }
        self.context.recorder.record(
            .warning,
            "OwnerRefInvalidNamespace",
            "ownerRef [\(owner.apiVersion)/\(owner.kind), namespace: \(node.key.namespace),"
                + " name: \(owner.name), uid: \(owner.uid)] does not exist in namespace"
                + " \"\(node.key.namespace)\"",
            about: reference
        )
    }

    /// A foreground deletion is over when nothing that blocks it is left.
    private func waitForDependents(_ node: OwnerGraph.Node) async throws(StatusError) {
        let blockers = self.graph.withLock { $0.blockers(of: node.uid) }
        if blockers.isEmpty { return try await self.removeFinalizer(OwnerGraph.foreground, node) }
        for blocker in blockers where !blocker.isDeletingDependents {
            self.loop.queue.add(blocker.uid)
        }
    }

    private func orphan(_ node: OwnerGraph.Node) async throws(StatusError) {
        for dependent in self.graph.withLock({ $0.dependents(of: node.uid) }) {
            try await self.dropOwners(of: dependent, [node.uid])
        }
        try await self.removeFinalizer(OwnerGraph.orphan, node)
    }

    // MARK: Writes

    private func client(_ node: OwnerGraph.Node) -> Client<MetaV1.PartialObjectMetadata> {
        Client(self.context.channel, resource: node.resource)
    }

    private func delete(
        _ node: OwnerGraph.Node,
        _ propagation: ApusResource.Propagation
    ) async throws(StatusError) {
        // The object as the server has it now decides: its owners may have changed.
        do throws(StatusError) {
            let live = try await self.client(node).get(node.key.name, in: node.key.namespace)
            guard live.metadata.uid == node.uid else { return self.forget(node) }
            let current = OwnerGraph.Node(node.resource, live.metadata)
            guard current.owners == node.owners else {
                self.take(node.resource, .updated(old: live, new: live))
                return
            }
            try await self.client(node).delete(
                node.key.name,
                in: node.key.namespace,
                DeleteOptions(
                    propagation: propagation,
                    uid: node.uid,
                    resourceVersion: live.metadata.resourceVersion
                )
            )
        } catch {
            if error.isNotFound { return self.forget(node) }
            throw error
        }
    }

    /// The server does not have the object any more, whatever the graph says.
    private func forget(_ node: OwnerGraph.Node) {
        let affected = self.graph.withLock { $0.remove(node.uid) }
        for uid in affected { self.loop.queue.add(uid) }
    }

    private func dropOwners(
        of node: OwnerGraph.Node,
        _ lost: [String]
    ) async throws(StatusError) {
        try await self.change(node) { metadata in
            let rest = metadata.ownerReferences.filter { !lost.contains($0.uid) }
            guard rest.count != metadata.ownerReferences.count else { return nil }
            return ["ownerReferences": rest.isEmpty ? .null : DynamicValue(rest.map(\.tree))]
        }
    }

    private func removeFinalizer(
        _ finalizer: String,
        _ node: OwnerGraph.Node
    ) async throws(StatusError) {
        try await self.change(node) { metadata in
            guard metadata.finalizers.contains(finalizer) else { return nil }
            let rest = metadata.finalizers.filter { $0 != finalizer }
            return [
                "finalizers": rest.isEmpty ? .null : DynamicValue(rest.map { DynamicValue($0) })
            ]
        }
    }

    /// Changes the metadata that the server has now.
    private func change(
        _ node: OwnerGraph.Node,
        _ patch: (MetaV1.ObjectMeta) -> DynamicValue?
    ) async throws(StatusError) {
        do throws(StatusError) {
            let live = try await self.client(node).get(node.key.name, in: node.key.namespace)
            guard live.metadata.uid == node.uid, var change = patch(live.metadata) else { return }
            change["uid"] = DynamicValue(node.uid)
            change["resourceVersion"] = DynamicValue(live.metadata.resourceVersion)
            _ = try await self.client(node).patch(
                node.key.name,
                in: node.key.namespace,
                .merge,
                ["metadata": change]
            )
        } catch {
            if error.isNotFound { return }
            throw error
        }
    }
}
