// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import ControllerKit
import Informers
import KubernetesAPI
import ObjectModel
import Protobuf
import ResourceClient
import WorkQueues

/// Keeps a volume that is bound to a claim from going.
///
/// Watches: volumes. Writes: their finalizer `kubernetes.io/pv-protection`.
package final class VolumeProtectionController: Controller {
    package static let name = "persistentvolume-protection-controller"
    private static let finalizer = "kubernetes.io/pv-protection"

    private let loop: ReconcileLoop<String>
    private let volumes: Informer<CoreV1.PersistentVolume>
    private let client: Client<CoreV1.PersistentVolume>

    package init(_ context: ControllerContext) {
        self.loop = ReconcileLoop(Self.name, context)
        self.volumes = context.informer(of: CoreV1.PersistentVolume.self)
        self.client = context.client()
        let queue = self.loop.queue
        self.volumes.addHandler { event in
            if case .deleted = event { return }
            queue.add(event.object.metadata.name)
        }
    }

    package var isQuiet: Bool { self.loop.isQuiet }

    package func run() async {
        await self.loop.run(workers: 1) {
            await self.volumes.waitForSync()
        } _: { name in
            try await self.reconcile(name)
        }
    }

    private func reconcile(_ name: String) async throws(StatusError) {
        guard var volume = self.volumes.get(name) else { return }
        let isHeld = volume.metadata.finalizers.contains(Self.finalizer)
        if volume.metadata.deletionTimestamp == nil {
            guard !isHeld else { return }
            volume.metadata.finalizers.append(Self.finalizer)
        } else {
            guard isHeld, volume.status.phase != "Bound" else { return }
            volume.metadata.finalizers.removeAll { $0 == Self.finalizer }
        }
        do throws(StatusError) {
            _ = try await self.client.update(volume)
        } catch {
            if !error.isNotFound { throw error }
        }
    }
}
