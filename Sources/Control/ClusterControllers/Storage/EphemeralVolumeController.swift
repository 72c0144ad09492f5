// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import ControllerKit
import EventRecording
import Informers
import KubernetesAPI
import Metrics
import ObjectModel
import Protobuf
import ResourceClient
import WorkQueues

/// Makes the claims of pods' ephemeral volumes, which the pods own.
///
/// Watches: pods, claims. Writes: claims. Promises: never takes over a claim that is another's.
package final class EphemeralVolumeController: Controller {
    package static let name = "ephemeral-volume-controller"

    private let context: ControllerContext
    private let loop: ReconcileLoop<ObjectKey>
    private let pods: Informer<CoreV1.Pod>
    private let claims: Informer<CoreV1.PersistentVolumeClaim>
    private let client: Client<CoreV1.PersistentVolumeClaim>

    package init(_ context: ControllerContext) {
        self.context = context
        self.loop = ReconcileLoop(Self.name, context)
        self.pods = context.informer(of: CoreV1.Pod.self)
        self.claims = context.informer(of: CoreV1.PersistentVolumeClaim.self)
        self.client = context.client()
        let queue = self.loop.queue
        self.pods.addHandler { event in
            guard case .added(let pod) = event,
                pod.spec.volumes.contains(where: { $0.volumeSource.ephemeral != nil })
            else { return }
            queue.add(pod.objectKey)
        }
        self.claims.addHandler { event in
            guard case .deleted(let claim, _) = event, let owner = claim.metadata.controller,
                owner.kind == "Pod"
            else { return }
            queue.add(ObjectKey(namespace: claim.metadata.namespace, name: owner.name))
        }
    }

    package var isQuiet: Bool { self.loop.isQuiet }

    package func run() async {
        await self.loop.run(workers: 2) {
            await self.pods.waitForSync()
            await self.claims.waitForSync()
        } _: { key in
            try await self.reconcile(key)
        }
    }

    private func reconcile(_ key: ObjectKey) async throws(StatusError) {
        guard let pod = self.pods.get(key), pod.metadata.deletionTimestamp == nil else { return }
        for volume in pod.spec.volumes {
            guard let template = volume.volumeSource.ephemeral?.volumeClaimTemplate else {
                continue
            }
            try await self.make("\(key.name)-\(volume.name)", template, pod)
        }
    }

    private func make(
        _ name: String,
        _ template: CoreV1.PersistentVolumeClaimTemplate,
        _ pod: CoreV1.Pod
    ) async throws(StatusError) {
        if let claim = self.claims.get(name, in: pod.metadata.namespace) {
            guard claim.metadata.isControlled(by: pod.metadata.uid) else {
                throw .internalError(
                    "PVC \"\(claim.objectKey)\" was not created for pod \"\(pod.objectKey)\""
                        + " (pod is not owner)"
                )
            }
            return
        }
        let counts = self.context.counts?.ephemeralVolumes
        counts?.creations.increment()
        do throws(StatusError) {
            _ = try await self.client.create(
                CoreV1.PersistentVolumeClaim.with {
                    $0.metadata.name = name
                    $0.metadata.namespace = pod.metadata.namespace
                    $0.metadata.labels = template.metadata.labels
                    $0.metadata.annotations = template.metadata.annotations
                    $0.metadata.ownerReferences = [.controller(pod)]
                    $0.spec = template.spec
                }
            )
        } catch {
            counts?.failures.increment()
            if error.isAlreadyExists || error.isNamespaceTerminating { return }
            self.context.recorder.record(
                .warning,
                "EphemeralVolumeCreateFailed",
                "ephemeral volume \(name): create PVC: \(error.message)",
                about: pod
            )
            throw error
        }
    }
}
