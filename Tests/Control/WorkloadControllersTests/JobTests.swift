// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ControllerHarness
import ControllerKit
import KubernetesAPI
import Protobuf
import ResourceClient
import Scalars
import Testing
import WorkloadControllers

@Suite("Job")
struct JobTests {
    static func job(
        completions: Int32? = 3,
        parallelism: Int32 = 2,
        isIndexed: Bool = false
    ) -> BatchV1.Job {
        BatchV1.Job.with {
            $0.metadata.name = "work"
            $0.metadata.namespace = "default"
            $0.spec.completions = completions
            $0.spec.parallelism = parallelism
            $0.spec.backoffLimit = 2
            $0.spec.completionMode = isIndexed ? "Indexed" : "NonIndexed"
            $0.spec.selector = Samples.selector
            $0.spec.template = Samples.template()
            $0.spec.template.spec.restartPolicy = "Never"
        }
    }

    static func pod(_ name: String, _ phase: String, index: Int? = nil) -> CoreV1.Pod {
        var pod = Samples.pod(name, phase: phase, ready: phase == "Running")
        pod.metadata.finalizers = ["batch.kubernetes.io/job-tracking"]
        if let index {
            pod.metadata.annotations["batch.kubernetes.io/job-completion-index"] = String(index)
        }
        return pod
    }

    @Test(
        "indexes as text",
        arguments: [
            ([], ""), ([3], "3"), ([1, 2], "1,2"), ([0, 1, 2], "0-2"),
            ([5, 0, 1, 2, 7, 8], "0-2,5,7,8"),
        ]
    )
    func indexes(_ indexes: [Int], _ text: String) {
        #expect(IndexSet(indexes).text == text)
        #expect(IndexSet(parsing: text, below: 100).all == indexes.sorted())
        #expect(IndexSet(parsing: "a,5-3,1-2-x,4", below: 4).all == [1, 2])
    }

    @Test(
        "how many pods are made",
        arguments: [
            // completions, parallelism, running, succeeded before, made
            (3, 2, 0, 0, 2), (3, 2, 2, 0, 0), (3, 5, 0, 0, 3), (3, 2, 0, 2, 1), (3, 2, 1, 2, 0),
            (3, 0, 0, 0, 0),
        ] as [(Int32, Int32, Int, Int32, Int)]
    )
    func sizes(
        _ completions: Int32,
        _ parallelism: Int32,
        _ running: Int,
        _ succeeded: Int32,
        _ made: Int
    ) {
        var job = Self.job(completions: completions, parallelism: parallelism)
        job.status.succeeded = succeeded
        let pods = (0..<running).map { Self.pod("p\($0)", "Running") }
        #expect(JobPlan(job, pods: pods, now: Samples.now).creations == made)
    }

    @Test("a pod that ended is written down, let go, and counted, each once")
    func counts() {
        var job = Self.job()
        let done = Self.pod("a", "Succeeded")
        let first = JobPlan(job, pods: [done], now: Samples.now)
        #expect(first.status.uncountedTerminatedPods?.succeeded == ["uid-a"])
        #expect(first.status.succeeded == 0)
        #expect(first.released.map(\.metadata.name) == ["a"])
        #expect(first.creations == 2)
        job.status = first.status
        // Stopped before the finalizer went: nothing is counted twice.
        let again = JobPlan(job, pods: [done], now: Samples.now)
        #expect(again.status.uncountedTerminatedPods?.succeeded == ["uid-a"])
        #expect(again.released.map(\.metadata.name) == ["a"])
        var free = done
        free.metadata.finalizers = []
        let flushed = JobPlan(job, pods: [free], now: Samples.now)
        #expect(flushed.status.succeeded == 1)
        #expect(flushed.status.uncountedTerminatedPods?.succeeded.isEmpty == true)
        job.status = flushed.status
        #expect(JobPlan(job, pods: [free], now: Samples.now).status.succeeded == 1)
        #expect(JobPlan(job, pods: [], now: Samples.now).status.succeeded == 1)
    }

    @Test("one pod for each index, the oldest of doubles stays")
    func doubles() {
        let job = Self.job(completions: 4, parallelism: 4, isIndexed: true)
        var old = Self.pod("old", "Running", index: 1)
        old.metadata.creationTimestamp = MetaV1.Time(Timestamp(seconds: 1))
        let plan = JobPlan(
            job,
            pods: [
                Self.pod("done", "Succeeded", index: 0), Self.pod("young", "Running", index: 1),
                old,
                Self.pod("odd", "Running", index: 9),
            ],
            now: Samples.now
        )
        #expect(plan.status.completedIndexes == "0")
        #expect(plan.indexes == [2, 3])
        #expect(Set(plan.deletions.map(\.metadata.name)) == ["young", "odd"])
    }

    @Test("failed pods are replaced after 10 s, 20 s, ..., and too many end the Job")
    func backsOff() {
        var job = Self.job(completions: 1, parallelism: 1)
        var failed = Self.pod("a", "Failed")
        failed.status.containerStatuses = [
            CoreV1.ContainerStatus.with {
                $0.state.terminated = CoreV1.ContainerStateTerminated.with {
                    $0.exitCode = 1
                    $0.finishedAt = MetaV1.Time(Samples.now)
                }
            }
        ]
        let plan = JobPlan(job, pods: [failed], now: Samples.now)
        #expect(plan.creations == 0)
        #expect(plan.nextCheck == .seconds(10))
        job.status = plan.status
        let later = Timestamp(seconds: Samples.now.seconds + 10)
        #expect(JobPlan(job, pods: [failed], now: later).creations == 1)
        job.status.failed = 3
        let ended = JobPlan(job, pods: [], now: later)
        let condition = ended.status.conditions.first { $0.type == "FailureTarget" }
        #expect(condition?.reason == "BackoffLimitExceeded")
        #expect(condition?.message == "Job has reached the specified backoff limit")
    }

    @Test("a failure policy ends the Job, or leaves a failure out")
    func policy() {
        var job = Self.job()
        job.spec.podFailurePolicy = BatchV1.PodFailurePolicy.with {
            $0.rules = [
                BatchV1.PodFailurePolicyRule.with {
                    $0.action = "Ignore"
                    $0.onPodConditions = [
                        BatchV1.PodFailurePolicyOnPodConditionsPattern.with {
                            $0.type = "DisruptionTarget"
                            $0.status = "True"
                        }
                    ]
                },
                BatchV1.PodFailurePolicyRule.with {
                    $0.action = "FailJob"
                    $0.onExitCodes = BatchV1.PodFailurePolicyOnExitCodesRequirement.with {
                        $0.operator = "In"
                        $0.values = [42]
                    }
                },
            ]
        }
        var bad = Self.pod("bad", "Failed")
        bad.status.containerStatuses = [
            CoreV1.ContainerStatus.with {
                $0.name = "main"
                $0.state.terminated = CoreV1.ContainerStateTerminated.with { $0.exitCode = 42 }
            }
        ]
        let ended = JobPlan(job, pods: [bad], now: Samples.now)
        let condition = ended.status.conditions.first { $0.type == "FailureTarget" }
        #expect(condition?.reason == "PodFailurePolicy")
        #expect(
            condition?.message == "Container main for pod default/bad failed with exit code 42"
                + " matching FailJob rule at index 1"
        )
        var evicted = Self.pod("evicted", "Failed")
        evicted.status.conditions.append(
            CoreV1.PodCondition.with {
                $0.type = "DisruptionTarget"
                $0.status = "True"
            }
        )
        let ignored = JobPlan(job, pods: [evicted], now: Samples.now)
        #expect(ignored.failed == 0)
        #expect(ignored.released.count == 1)
        #expect(ignored.creations == 2)
    }

    @Test("a suspended Job has no pods, and begins anew when it is resumed")
    func suspends() {
        var job = Self.job()
        job.spec.suspend = true
        let plan = JobPlan(job, pods: [Self.pod("a", "Running")], now: Samples.now)
        #expect(plan.deletions.count == 1)
        #expect(plan.creations == 0)
        #expect(plan.events.map(\.reason) == ["Suspended"])
        job.status = plan.status
        job.spec.suspend = false
        let resumed = JobPlan(job, pods: [], now: Samples.now)
        #expect(resumed.creations == 2)
        #expect(resumed.events.map(\.reason) == ["Resumed"])
        #expect(resumed.status.startTime?.timestamp == Samples.now)
    }

    @Test("runs to completion with pods that fail on the way", arguments: [false, true])
    func endToEnd(_ isIndexed: Bool) async throws {
        let harness = ControllerHarness()
        let jobs = harness.client(BatchV1.Job.self)
        let pods = harness.client(CoreV1.Pod.self)
        try await harness.run([JobController(harness.context("job-controller"))]) {
            _ = try await jobs.create(
                Self.job(completions: 6, parallelism: 3, isIndexed: isIndexed)
            )
            var failures = 0
            let isDone = try await harness.poll {
                for pod in try await pods.list().items where !pod.isTerminal {
                    if pod.spec.nodeName.isEmpty {
                        try await harness.runPods()
                    } else if failures < 2 {
                        failures += 1
                        try await harness.end(pod, phase: "Failed", exitCode: 1)
                    } else {
                        try await harness.end(pod, phase: "Succeeded")
                    }
                }
                #expect(try await pods.list().items.filter(\.isActive).count <= 3)
                harness.advance(by: .seconds(1))
                let job = try await jobs.get("work", in: "default")
                return job.status.conditions.contains { $0.type == "Complete" }
            }
            #expect(isDone)
            let job = try await jobs.get("work", in: "default")
            #expect(job.status.succeeded == 6)
            #expect(job.status.failed == 2)
            #expect(job.status.active == 0)
            if isIndexed { #expect(job.status.completedIndexes == "0-5") }
            let held = try await pods.list().items.filter { !$0.metadata.finalizers.isEmpty }
            #expect(held.isEmpty)
        }
    }
}
