// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import ControllerKit
import Informers
import KubernetesAPI
import ObjectModel
import Protobuf
import ResourceClient
import WorkQueues

/// Keeps a claim that pods use from going.
///
/// Watches: claims, pods. Writes: claims' finalizer `kubernetes.io/pvc-protection`. Promises: the
/// finalizer goes only when the server has no pod that uses the claim.
package final class ClaimProtectionController: Controller {
    package static let name = "persistentvolumeclaim-protection-controller"
    private static let finalizer = "kubernetes.io/pvc-protection"
    private static let index = "claim"

    private let loop: ReconcileLoop<ObjectKey>
    private let claims: Informer<CoreV1.PersistentVolumeClaim>
    private let pods: Informer<CoreV1.Pod>
    private let client: Client<CoreV1.PersistentVolumeClaim>
    private let podClient: Client<CoreV1.Pod>

    package init(_ context: ControllerContext) {
        self.loop = ReconcileLoop(Self.name, context)
        self.claims = context.informer(of: CoreV1.PersistentVolumeClaim.self)
        self.pods = context.informer(of: CoreV1.Pod.self)
        self.client = context.client()
        self.podClient = context.client()
        self.pods.addIndex(Self.index) { pod in
            Self.claims(of: pod).map { "\(pod.metadata.namespace)/\($0)" }
        }
        let queue = self.loop.queue
        self.claims.addHandler { event in
            if case .deleted = event { return }
            queue.add(event.object.objectKey)
        }
        self.pods.addHandler { event in
            if case .updated(let old, let new) = event, old.isTerminal == new.isTerminal { return }
            if case .added = event { return }
            for claim in Self.claims(of: event.object) {
                queue.add(ObjectKey(namespace: event.object.metadata.namespace, name: claim))
            }
        }
    }

    package var isQuiet: Bool { self.loop.isQuiet }

    package func run() async {
        await self.loop.run(workers: 2) {
            await self.claims.waitForSync()
            await self.pods.waitForSync()
        } _: { key in
            try await self.reconcile(key)
        }
    }

    /// Names of the claims that a pod uses.
    private static func claims(of pod: CoreV1.Pod) -> [String] {
        pod.spec.volumes.compactMap { volume in
            if let claim = volume.volumeSource.persistentVolumeClaim { return claim.claimName }
            return volume.volumeSource.ephemeral == nil
                ? nil : "\(pod.metadata.name)-\(volume.name)"
        }
    }

    private func reconcile(_ key: ObjectKey) async throws(StatusError) {
        guard var claim = self.claims.get(key) else { return }
        let isHeld = claim.metadata.finalizers.contains(Self.finalizer)
        if claim.metadata.deletionTimestamp == nil {
            guard !isHeld else { return }
            claim.metadata.finalizers.append(Self.finalizer)
        } else {
            guard isHeld, try await !self.isUsed(key) else { return }
            claim.metadata.finalizers.removeAll { $0 == Self.finalizer }
        }
        do throws(StatusError) {
            _ = try await self.client.update(claim)
        } catch {
            if !error.isNotFound { throw error }
        }
    }

    private func isUsed(_ key: ObjectKey) async throws(StatusError) -> Bool {
        if self.pods.list(index: Self.index, "\(key)").contains(where: { !$0.isTerminal }) {
            return true
        }
        // A pod may have come that the cache does not know yet.
        return try await self.podClient.list(in: key.namespace).items.contains { pod in
            !pod.isTerminal && Self.claims(of: pod).contains(key.name)
        }
    }
}
