// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import Clocks
package import ControllerKit
import EventRecording
import Informers
import JSON
package import KubernetesAPI
import Metrics
import ObjectModel
import Protobuf
import ResourceClient
import Scalars
import Selectors
import Synchronization
import Tasks
import WorkQueues

/// Runs pods until enough of them have succeeded.
///
/// Watches: Jobs, pods. Writes: pods (create, delete, finalizers, adopt, release), Jobs' status.
/// Promises: every pod is counted once, whatever crashes; never more pods than parallelism; one
/// active pod for each index by its own doing.
package final class JobController: Controller {
    package static let name = "job-controller"
    private static let ownManager = "kubernetes.io/job-controller"

    private let context: ControllerContext
    private let loop: ReconcileLoop<ObjectKey>
    private let jobs: Informer<BatchV1.Job>
    private let pods: OwnedObjects<CoreV1.Pod>
    private let client: Client<BatchV1.Job>
    private let podControl: PodControl
    private let ownership: Ownership<BatchV1.Job, CoreV1.Pod>
    private let barrier = WriteBarrier<ObjectKey>()
    private let jobBarrier = WriteBarrier<ObjectKey>()
    private let doubtful = Mutex<Set<ObjectKey>>([])

    package init(_ context: ControllerContext) {
        self.context = context
        self.loop = ReconcileLoop(Self.name, context)
        self.jobs = context.informer(of: BatchV1.Job.self)
        self.pods = OwnedObjects(context.informer(of: CoreV1.Pod.self))
        self.client = context.client()
        self.podControl = PodControl(context)
        self.ownership = Ownership(owners: self.client, objects: self.podControl.client)
        let queue = self.loop.queue
        let jobs = self.jobs
        let counts = context.counts?.jobs
        jobs.addHandler { event in
            if case .added(let job) = event, let manager = job.spec.managedBy,
                manager != Self.ownManager
            {
                counts?.external.with(manager).increment()
            }
            queue.add(event.object.objectKey)
        }
        self.pods.informer.addHandler { event in
            let pod = event.object
            if let counts { JobPods.noteTracked(event, counts) }
            if let owner = pod.metadata.controller {
                guard owner.kind == "Job" else { return }
                queue.add(ObjectKey(namespace: pod.metadata.namespace, name: owner.name))
                return
            }
            if case .updated(let old, _) = event, let owner = old.metadata.controller,
                owner.kind == "Job"
            {
                queue.add(ObjectKey(namespace: pod.metadata.namespace, name: owner.name))
            }
            for job in jobs.list(in: pod.metadata.namespace)
            where LabelSelector(job.spec.selector).matches(pod.metadata) {
                queue.add(job.objectKey)
            }
        }
    }

    package var isQuiet: Bool { self.loop.isQuiet }

    package func run() async {
        await self.loop.run(workers: 5) {
            await self.jobs.waitForSync()
            await self.pods.informer.waitForSync()
            // Pods whose Job is gone must not be held for ever.
            for pod in self.pods.informer.list()
            where pod.metadata.finalizers.contains(JobPods.finalizer) {
                if let owner = pod.metadata.controller, owner.kind == "Job" {
                    self.loop.queue.add(
                        ObjectKey(namespace: pod.metadata.namespace, name: owner.name)
                    )
                }
            }
        } _: { key in
            try await self.reconcile(key)
        }
    }

    // MARK: Work

    private func reconcile(_ key: ObjectKey) async throws(StatusError) {
        guard let job = self.jobs.get(key) else {
            self.barrier.forget(key)
            self.jobBarrier.forget(key)
            return try await self.releaseOrphans(key)
        }
        if let manager = job.spec.managedBy, manager != Self.ownManager { return }
        let queue = self.loop.queue
        guard self.jobBarrier.isReached(key, by: self.jobs, { queue.add(key) }),
            self.barrier.isReached(key, by: self.pods.informer, { queue.add(key) })
        else { return }
        if job.metadata.deletionTimestamp != nil {
            let held = self.pods.owned(by: job.metadata.uid)
                .filter { $0.metadata.finalizers.contains(JobPods.finalizer) }
            return try await self.release(held, key)
        }
        let pods = try await self.claim(job, key)
        let plan = JobPlan(job, pods: pods, now: self.context.clock.now)
        let start = self.context.clock.uptime
        var result = "error"
        defer {
            self.context.counts?.jobs.noteSync(
                plan.labels(of: job, result: result),
                self.context.clock.uptime - start
            )
        }
        try await self.carryOut(plan, job, key)
        result = "success"
    }

    private func claim(
        _ job: BatchV1.Job,
        _ key: ObjectKey
    ) async throws(StatusError) -> [CoreV1.Pod] {
        var owned = self.pods.owned(by: job.metadata.uid)
        var orphans = self.pods.orphans(in: key.namespace)
        if self.doubtful.withLock({ $0.contains(key) }) {
            let live = try await self.podControl.client.list(in: key.namespace).items
            owned = live.filter { $0.metadata.isControlled(by: job.metadata.uid) }
            orphans = live.filter { $0.metadata.controller == nil }
            for pod in owned { self.barrier.wrote(key, pod.metadata.resourceVersion) }
            self.doubtful.withLock { _ = $0.remove(key) }
        }
        return try await self.ownership.claim(
            job,
            LabelSelector(job.spec.selector),
            owned: owned,
            orphans: orphans,
            finalizer: JobPods.finalizer
        )
    }

    private func carryOut(
        _ plan: JobPlan,
        _ job: BatchV1.Job,
        _ key: ObjectKey
    ) async throws(StatusError) {
        let (control, barrier) = (self.podControl, self.barrier)
        // What ended is written down before its pods may go.
        var job = job
        let previous = job
        if plan.status != job.status {
            job.status = plan.status
            job = try await self.client.updateStatus(job)
            self.jobBarrier.wrote(key, job.metadata.resourceVersion)
            if let counts = self.context.counts?.jobs { plan.count(since: previous, counts) }
        }
        for event in plan.events {
            self.context.recorder.record(
                event.isWarning ? .warning : .normal,
                event.reason,
                event.message,
                about: job
            )
        }
        try await self.release(plan.released, key)
        let owner = job
        let failures = await plan.deletions.failuresOfEach { pod throws(StatusError) in
            barrier.wrote(key, try await control.delete(pod, of: owner))
        }
        if failures.contains(where: \.isDoubtful) {
            self.doubtful.withLock { _ = $0.insert(key) }
        }
        if let failure = failures.first { throw failure }
        try await self.create(plan, job, key)
        if let next = plan.nextCheck { self.loop.queue.add(key, after: next) }
    }

    private func create(
        _ plan: JobPlan,
        _ job: BatchV1.Job,
        _ key: ObjectKey
    ) async throws(StatusError) {
        guard plan.creations > 0 else { return }
        let (control, barrier) = (self.podControl, self.barrier)
        let pods = (0..<plan.creations).map { number in
            Self.pod(
                job,
                index: plan.indexes.isEmpty ? nil : plan.indexes[number],
                failures: plan.indexFailures.isEmpty ? nil : plan.indexFailures[number]
            )
        }
        let counts = self.context.counts?.jobs
        let reason = plan.creationReason(of: job)
        let result = await SlowStart.run(pods.count) { index throws(StatusError) in
            do throws(StatusError) {
                let created = try await control.create(pods[index], of: job)
                barrier.wrote(key, created.metadata.resourceVersion)
                counts?.podCreations.with(reason, "succeeded").increment()
            } catch {
                counts?.podCreations.with(reason, "failed").increment()
                throw error
            }
        }
        guard let failure = result.failure else { return }
        if failure.isDoubtful { self.doubtful.withLock { _ = $0.insert(key) } }
        if !failure.isNamespaceTerminating { throw failure }
    }

    /// A pod of the Job, with its index where it has one, and how often that has failed before where
    /// there is a limit for it.
    package static func pod(_ job: BatchV1.Job, index: Int?, failures: Int? = nil) -> CoreV1.Pod {
        var pod = PodControl.pod(job.spec.template, of: job)
        if !pod.metadata.finalizers.contains(JobPods.finalizer) {
            pod.metadata.finalizers.append(JobPods.finalizer)
        }
        guard let index else { return pod }
        let text = String(index)
        pod.metadata.generateName = "\(job.metadata.name)-\(index)-"
        pod.metadata.annotations[JobPods.indexKey] = text
        pod.metadata.labels[JobPods.indexKey] = text
        if let failures { pod.metadata.annotations[JobPods.indexFailuresKey] = String(failures) }
        pod.spec.hostname = "\(job.metadata.name)-\(index)"
        let variable = CoreV1.EnvVar.with {
            $0.name = "JOB_COMPLETION_INDEX"
            $0.valueFrom = CoreV1.EnvVarSource.with {
                $0.fieldRef = CoreV1.ObjectFieldSelector.with {
                    $0.fieldPath = "metadata.labels['\(JobPods.indexKey)']"
                }
            }
        }
        for position in pod.spec.containers.indices {
            guard !pod.spec.containers[position].env.contains(where: { $0.name == variable.name })
            else { continue }
            pod.spec.containers[position].env.append(variable)
        }
        for position in pod.spec.initContainers.indices {
            guard
                !pod.spec.initContainers[position].env.contains(where: { $0.name == variable.name })
            else { continue }
            pod.spec.initContainers[position].env.append(variable)
        }
        return pod
    }

    /// Takes the finalizer off pods.
    private func release(_ pods: [CoreV1.Pod], _ key: ObjectKey) async throws(StatusError) {
        let client = self.podControl.client
        let failures = await pods.failuresOfEach { pod throws(StatusError) in
            let metadata = pod.metadata
            let rest = metadata.finalizers.filter { $0 != JobPods.finalizer }
            do throws(StatusError) {
                _ = try await client.patch(
                    metadata.name,
                    in: metadata.namespace,
                    .merge,
                    [
                        "metadata": [
                            "uid": DynamicValue(metadata.uid),
                            "resourceVersion": DynamicValue(metadata.resourceVersion),
                            "finalizers": rest.isEmpty
                                ? .null : DynamicValue(rest.map { DynamicValue($0) }),
                        ]
                    ]
                )
            } catch {
                if !error.isNotFound { throw error }
            }
        }
        if let failure = failures.first { throw failure }
    }

    private func releaseOrphans(_ key: ObjectKey) async throws(StatusError) {
        let held = self.pods.informer.list(in: key.namespace).filter { pod in
            pod.metadata.finalizers.contains(JobPods.finalizer)
                && pod.metadata.controller?.kind == "Job"
                && pod.metadata.controller?.name == key.name
        }
        try await self.release(held, key)
    }
}
