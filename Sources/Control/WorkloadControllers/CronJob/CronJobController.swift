// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import Clocks
package import ControllerKit
import EventRecording
import Informers
import KubernetesAPI
import Metrics
import ObjectModel
import Protobuf
import ResourceClient
import Scalars
import WorkQueues

/// Makes Jobs at the times of a schedule.
///
/// Watches: CronJobs, Jobs. Writes: Jobs (create, delete), CronJobs' status. Promises: one Job for
/// each time, as its name is the time's.
package final class CronJobController: Controller {
    package static let name = "cronjob-controller"

    private let context: ControllerContext
    private let loop: ReconcileLoop<ObjectKey>
    private let crons: Informer<BatchV1.CronJob>
    private let jobs: OwnedObjects<BatchV1.Job>
    private let client: Client<BatchV1.CronJob>
    private let jobClient: Client<BatchV1.Job>
    private let barrier = WriteBarrier<ObjectKey>()
    private let jobBarrier = WriteBarrier<ObjectKey>()

    package init(_ context: ControllerContext) {
        self.context = context
        self.loop = ReconcileLoop(Self.name, context)
        self.crons = context.informer(of: BatchV1.CronJob.self)
        self.jobs = OwnedObjects(context.informer(of: BatchV1.Job.self))
        self.client = context.client()
        self.jobClient = context.client()
        let queue = self.loop.queue
        self.crons.addHandler { queue.add($0.object.objectKey) }
        self.jobs.informer.addHandler { event in
            let metadata = event.object.metadata
            guard let owner = metadata.controller, owner.kind == "CronJob" else { return }
            queue.add(ObjectKey(namespace: metadata.namespace, name: owner.name))
        }
    }

    package var isQuiet: Bool { self.loop.isQuiet }

    package func run() async {
        await self.loop.run(workers: 5) {
            await self.crons.waitForSync()
            await self.jobs.informer.waitForSync()
        } _: { key in
            try await self.reconcile(key)
        }
    }

    private func reconcile(_ key: ObjectKey) async throws(StatusError) {
        guard var cron = self.crons.get(key) else {
            self.barrier.forget(key)
            self.jobBarrier.forget(key)
            return
        }
        let queue = self.loop.queue
        guard self.barrier.isReached(key, by: self.crons, { queue.add(key) }),
            self.jobBarrier.isReached(key, by: self.jobs.informer, { queue.add(key) })
        else { return }
        let now = self.context.clock.now
        let plan = CronJobPlan(cron, jobs: self.jobs.owned(by: cron.metadata.uid), now: now)
        for event in plan.events {
            self.tell(cron, event.isWarning ? .warning : .normal, event.reason, event.message)
        }
        for job in plan.expired { try await self.delete(job, cron) }
        for job in plan.replaced { try await self.delete(job, cron) }
        var status = plan.status
        if let start = plan.start { try await self.start(cron, start, &status) }
        if status != cron.status {
            cron.status = status
            let stored = try await self.client.updateStatus(cron)
            self.barrier.wrote(key, stored.metadata.resourceVersion)
        }
        if let next = plan.nextCheck { queue.add(key, after: next) }
    }

    private func start(
        _ cron: BatchV1.CronJob,
        _ time: Timestamp,
        _ status: inout BatchV1.CronJobStatus
    ) async throws(StatusError) {
        let job: BatchV1.Job
        do throws(StatusError) {
            job = try await self.jobClient.create(CronJobPlan.job(cron, at: time))
            self.jobBarrier.wrote(cron.objectKey, job.metadata.resourceVersion)
            self.tell(cron, .normal, "SuccessfulCreate", "Created job \(job.metadata.name)")
            self.context.counts?.jobCreationSkew.observe(self.context.clock.now.since(time))
        } catch {
            if error.isNamespaceTerminating { return }
            guard error.isAlreadyExists else {
                self.tell(cron, .warning, "FailedCreate", "Error creating job: \(error.message)")
                throw error
            }
            // Made before, by a run that did not get to say so.
            let known = try await self.jobClient.get(
                CronJobPlan.name(cron, at: time),
                in: cron.metadata.namespace
            )
            guard known.metadata.isControlled(by: cron.metadata.uid) else { throw error }
            job = known
        }
        if !job.isFinished {
            status.active.append(
                CoreV1.ObjectReference.with {
                    $0.apiVersion = "batch/v1"
                    $0.kind = "Job"
                    $0.namespace = job.metadata.namespace
                    $0.name = job.metadata.name
                    $0.uid = job.metadata.uid
                    $0.resourceVersion = job.metadata.resourceVersion
                }
            )
        }
        status.lastScheduleTime = MetaV1.Time(time)
    }

    private func delete(_ job: BatchV1.Job, _ cron: BatchV1.CronJob) async throws(StatusError) {
        do throws(StatusError) {
            try await self.jobClient.delete(
                job.metadata.name,
                in: job.metadata.namespace,
                DeleteOptions(propagation: .background, uid: job.metadata.uid)
            )
            self.tell(cron, .normal, "SuccessfulDelete", "Deleted job \(job.metadata.name)")
        } catch {
            if error.isNotFound { return }
            self.tell(cron, .warning, "FailedDelete", "Deleted job: \(error.message)")
            throw error
        }
    }

    private func tell(
        _ cron: BatchV1.CronJob,
        _ type: EventRecorder.EventType,
        _ reason: String,
        _ message: String
    ) {
        self.context.recorder.record(type, reason, message, about: cron)
    }
}
