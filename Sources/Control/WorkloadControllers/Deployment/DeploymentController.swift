// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
package import ControllerKit
import EventRecording
import Informers
import KubernetesAPI
import ObjectModel
import Protobuf
import ResourceClient
import Selectors
import WorkQueues

/// Brings the pods of a Deployment to its template, by way of ReplicaSets.
///
/// Watches: Deployments, ReplicaSets, pods. Writes: ReplicaSets, Deployments' status and revision
/// annotation. Promises: never more pods than replicas and surge, never fewer available ones than
/// its strategy allows by its own doing.
package final class DeploymentController: Controller {
    package static let name = "deployment-controller"

    let context: ControllerContext
    private let loop: ReconcileLoop<ObjectKey>
    private let deployments: Informer<AppsV1.Deployment>
    private let sets: OwnedObjects<AppsV1.ReplicaSet>
    private let pods: OwnedObjects<CoreV1.Pod>
    let client: Client<AppsV1.Deployment>
    let setClient: Client<AppsV1.ReplicaSet>
    private let ownership: Ownership<AppsV1.Deployment, AppsV1.ReplicaSet>
    /// Of Deployments, and of ReplicaSets: by key of the Deployment.
    private let barrier = WriteBarrier<ObjectKey>()
    private let setBarrier = WriteBarrier<ObjectKey>()

    package init(_ context: ControllerContext) {
        self.context = context
        self.loop = ReconcileLoop(Self.name, context)
        self.deployments = context.informer(of: AppsV1.Deployment.self)
        self.sets = OwnedObjects(context.informer(of: AppsV1.ReplicaSet.self))
        self.pods = OwnedObjects(context.informer(of: CoreV1.Pod.self))
        self.client = context.client()
        self.setClient = context.client()
        self.ownership = Ownership(owners: self.client, objects: self.setClient)
        let queue = self.loop.queue
        self.deployments.addHandler { queue.add($0.object.objectKey) }
        let deployments = self.deployments
        self.sets.informer.addHandler { event in
            if case .updated(let old, _) = event { Self.enqueue(old.metadata, deployments, queue) }
            Self.enqueue(event.object.metadata, deployments, queue)
        }
        let sets = self.sets.informer
        self.pods.informer.addHandler { event in
            // Only a Recreate waits for pods themselves to be gone.
            guard case .deleted(let pod, _) = event, let owner = pod.metadata.controller,
                owner.kind == "ReplicaSet",
                let set = sets.get(owner.name, in: pod.metadata.namespace),
                let controller = set.metadata.controller, controller.kind == "Deployment",
                let deployment = deployments.get(controller.name, in: pod.metadata.namespace),
                !deployment.isRolling
            else { return }
            queue.add(deployment.objectKey)
        }
    }

    package var isQuiet: Bool { self.loop.isQuiet }

    package func run() async {
        await self.loop.run(workers: 5) {
            await self.deployments.waitForSync()
            await self.sets.informer.waitForSync()
            await self.pods.informer.waitForSync()
        } _: { key in
            try await self.reconcile(key)
        }
    }

    private static func enqueue(
        _ set: MetaV1.ObjectMeta,
        _ deployments: Informer<AppsV1.Deployment>,
        _ queue: WorkQueue<ObjectKey>
    ) {
        if let controller = set.controller {
            guard controller.kind == "Deployment" else { return }
            queue.add(ObjectKey(namespace: set.namespace, name: controller.name))
            return
        }
        for deployment in deployments.list(in: set.namespace)
        where LabelSelector(deployment.spec.selector).matches(set) {
            queue.add(deployment.objectKey)
        }
    }

    // MARK: Work

    private func reconcile(_ key: ObjectKey) async throws(StatusError) {
        guard let deployment = self.deployments.get(key) else {
            self.barrier.forget(key)
            self.setBarrier.forget(key)
            return
        }
        let queue = self.loop.queue
        guard self.barrier.isReached(key, by: self.deployments, { queue.add(key) }),
            self.setBarrier.isReached(key, by: self.sets.informer, { queue.add(key) })
        else { return }
        let selector = LabelSelector(deployment.spec.selector)
        if selector.isEmpty {
            self.context.recorder.record(
                .warning,
                "SelectingAll",
                "This deployment is selecting all pods. A non-empty selector is required.",
                about: deployment
            )
            return
        }
        let owned = try await self.ownership.claim(
            deployment,
            selector,
            owned: self.sets.owned(by: deployment.metadata.uid),
            orphans: self.sets.orphans(in: key.namespace)
        )
        var rollout = DeploymentRollout(
            controller: self,
            deployment: deployment,
            sets: DeploymentSets(deployment, owned),
            now: self.context.clock.now
        )
        let pods = self.pods
        let next = try await rollout.run { set in pods.owned(by: set.metadata.uid) }
        if let next { queue.add(key, after: next) }
    }

    // MARK: Writing, for a rollout

    func store(_ deployment: AppsV1.Deployment) async throws(StatusError) -> AppsV1.Deployment {
        let stored = try await self.client.updateStatus(deployment)
        self.barrier.wrote(stored.objectKey, stored.metadata.resourceVersion)
        return stored
    }

    func wrote(_ set: AppsV1.ReplicaSet, of deployment: AppsV1.Deployment) {
        self.setBarrier.wrote(deployment.objectKey, set.metadata.resourceVersion)
    }

    func wrote(_ deployment: AppsV1.Deployment) {
        self.barrier.wrote(deployment.objectKey, deployment.metadata.resourceVersion)
    }
}
