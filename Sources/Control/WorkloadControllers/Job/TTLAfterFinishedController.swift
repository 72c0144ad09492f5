// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import Clocks
package import ControllerKit
import Informers
package import KubernetesAPI
import Metrics
import ObjectModel
import Protobuf
import ResourceClient
package import Scalars
import WorkQueues

/// Deletes Jobs some time after they have finished.
///
/// Watches: Jobs. Writes: Jobs (delete). Promises: the server's own copy decides, so that a Job whose
/// time was prolonged stays.
package final class TTLAfterFinishedController: Controller {
    package static let name = "ttl-after-finished-controller"

    private let context: ControllerContext
    private let loop: ReconcileLoop<ObjectKey>
    private let jobs: Informer<BatchV1.Job>
    private let client: Client<BatchV1.Job>

    package init(_ context: ControllerContext) {
        self.context = context
        self.loop = ReconcileLoop(Self.name, context)
        self.jobs = context.informer(of: BatchV1.Job.self)
        self.client = context.client()
        let queue = self.loop.queue
        self.jobs.addHandler { event in
            if case .deleted = event { return }
            if Self.expiry(of: event.object) != nil { queue.add(event.object.objectKey) }
        }
    }

    package var isQuiet: Bool { self.loop.isQuiet }

    package func run() async {
        await self.loop.run(workers: 4) {
            await self.jobs.waitForSync()
        } _: { key in
            try await self.reconcile(key)
        }
    }

    /// When a Job is to be deleted; nil for never.
    package static func expiry(of job: BatchV1.Job) -> Timestamp? {
        guard let seconds = job.spec.ttlSecondsAfterFinished,
            job.metadata.deletionTimestamp == nil,
            let finished = job.status.conditions.first(where: {
                ($0.type == "Complete" || $0.type == "Failed") && $0.status == "True"
            })?.lastTransitionTime.timestamp
        else { return nil }
        return finished.advanced(by: .seconds(Int64(seconds)))
    }

    private func isDue(_ job: BatchV1.Job) -> Bool {
        guard let expiry = Self.expiry(of: job) else { return false }
        let left = expiry.since(self.context.clock.now)
        if left > .zero { self.loop.queue.add(job.objectKey, after: left) }
        return left <= .zero
    }

    private func reconcile(_ key: ObjectKey) async throws(StatusError) {
        guard let job = self.jobs.get(key), self.isDue(job) else { return }
        do throws(StatusError) {
            let live = try await self.client.get(key.name, in: key.namespace)
            guard live.metadata.uid == job.metadata.uid, self.isDue(live) else { return }
            try await self.client.delete(
                key.name,
                in: key.namespace,
                DeleteOptions(
                    propagation: .foreground,
                    uid: live.metadata.uid,
                    resourceVersion: live.metadata.resourceVersion
                )
            )
            if let expiry = Self.expiry(of: live) {
                self.context.counts?.jobDeletion.observe(self.context.clock.now.since(expiry))
            }
        } catch {
            if !error.isNotFound { throw error }
        }
    }
}
