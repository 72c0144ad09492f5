// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ControllerKit
import KubernetesAPI
import Protobuf
import Scalars
import Testing
import WorkloadControllers

@Suite("Job policies")
struct JobPolicyTests {
    /// Pods as `index:phase[:failures]`, phases `R` running, `S` succeeded, `F` failed, `T` terminating.
    private static func pods(_ text: String) -> [CoreV1.Pod] {
        text.split(separator: " ").map { part in
            let fields = part.split(separator: ":")
            let phase = ["R": "Running", "S": "Succeeded", "F": "Failed", "T": "Running"][
                String(fields[1])
            ]
            var pod = JobTests.pod(
                "p-\(part)",
                phase ?? "",
                index: Int(fields[0])
            )
            if fields[1] == "T" { pod.metadata.deletionTimestamp = MetaV1.Time(Samples.now) }
            if fields.count > 2 {
                pod.metadata.annotations["batch.kubernetes.io/job-index-failure-count"] =
                    String(fields[2])
            }
            // Long ago, so that nothing waits.
            if fields[1] == "F" {
                pod.status.containerStatuses.append(
                    CoreV1.ContainerStatus.with {
                        $0.state.terminated = CoreV1.ContainerStateTerminated.with {
                            $0.exitCode = 1
                            $0.finishedAt = MetaV1.Time(
                                Timestamp(seconds: Samples.now.seconds - 10_000)
                            )
                        }
                    }
                )
            }
            return pod
        }
    }

    @Test(
        "with a limit for each index, failures are handed on from pod to pod",
        arguments: [
            // pods, limit, indexes made with failures before, failed indexes, let go
            ("", 1, "0/0 1/0 2/0", "", 0),
            ("0:F:0", 1, "0/1 1/0 2/0", "", 0),
            ("0:F:0 0:R:1", 1, "1/0 2/0", "", 1),
            ("0:F:1", 1, "1/0 2/0", "0", 1),
            ("0:F:0", 0, "1/0 2/0", "0", 1),
            ("0:F:0 0:F:1", 3, "0/2 1/0 2/0", "", 1),
            ("0:S 1:F:0", 2, "1/1 2/0", "", 1),
            ("0:F:2 1:F:2 2:F:2", 2, "", "0-2", 3),
            ("0:R:0 1:R:0 2:R:0", 1, "", "", 0),
            ("0:F:5", 9, "0/6 1/0 2/0", "", 0),
        ] as [(String, Int32, String, String, Int)]
    )
    func perIndex(
        _ pods: String,
        _ limit: Int32,
        _ made: String,
        _ failed: String,
        _ released: Int
    ) {
        var job = JobTests.job(completions: 3, parallelism: 3, isIndexed: true)
        job.spec.backoffLimit = .max
        job.spec.backoffLimitPerIndex = limit
        let plan = JobPlan(job, pods: Self.pods(pods), now: Samples.now)
        let indexes = zip(plan.indexes, plan.indexFailures).map { "\($0)/\($1)" }
        #expect(indexes.joined(separator: " ") == made)
        #expect(plan.status.failedIndexes == failed)
        #expect(plan.released.count == released)
    }

    @Test("a pod says how often its index has failed before it")
    func annotation() {
        let job = JobTests.job(isIndexed: true)
        let key = "batch.kubernetes.io/job-index-failure-count"
        #expect(JobController.pod(job, index: 1, failures: 2).metadata.annotations[key] == "2")
        #expect(JobController.pod(job, index: 1).metadata.annotations[key] == nil)
    }

    @Test("an indexed pod has its name, labels, host name and variable", arguments: [0, 7])
    func identity(_ index: Int) {
        let pod = JobController.pod(JobTests.job(isIndexed: true), index: index)
        let key = "batch.kubernetes.io/job-completion-index"
        #expect(pod.metadata.generateName == "work-\(index)-")
        #expect(pod.metadata.labels[key] == "\(index)")
        #expect(pod.metadata.annotations[key] == "\(index)")
        #expect(pod.spec.hostname == "work-\(index)")
        #expect(pod.metadata.finalizers == ["batch.kubernetes.io/job-tracking"])
        let variable = pod.spec.containers[0].env.first
        #expect(variable?.name == "JOB_COMPLETION_INDEX")
        #expect(variable?.valueFrom?.fieldRef?.fieldPath == "metadata.labels['\(key)']")
    }

    @Test(
        "a success policy ends a Job early",
        arguments: [
            // succeeded indexes, wanted indexes, wanted count, matched
            ("0", "0", nil, true), ("0,1", "0-2", nil, false), ("0-2", "0-2", nil, true),
            ("0,1", "0-2", 2, true), ("3", "0-2", 1, false), ("3", nil, 1, true),
            ("", nil, 1, false), ("0", nil, 2, false), ("0,4", nil, 2, true),
        ] as [(String, String?, Int32?, Bool)]
    )
    func success(_ done: String, _ indexes: String?, _ count: Int32?, _ isMatched: Bool) {
        var job = JobTests.job(completions: 5, parallelism: 5, isIndexed: true)
        job.status.completedIndexes = done
        job.spec.successPolicy = BatchV1.SuccessPolicy.with {
            $0.rules = [
                BatchV1.SuccessPolicyRule.with {
                    $0.succeededIndexes = indexes
                    $0.succeededCount = count
                }
            ]
        }
        let plan = JobPlan(job, pods: Self.pods("4:R"), now: Samples.now)
        let condition = plan.status.conditions.first { $0.type == "SuccessCriteriaMet" }
        #expect((condition != nil) == isMatched)
        #expect(plan.deletions.count == (isMatched || done.contains("4") ? 1 : 0))
        if isMatched {
            #expect(condition?.reason == "SuccessPolicy")
            #expect(condition?.message == "Matched rules at index 0")
        }
    }

    @Test(
        "what a failure policy's exit codes match",
        arguments: [
            ("In", [42], nil, 42, true), ("In", [1, 2], nil, 2, true), ("In", [42], nil, 1, false),
            ("NotIn", [1, 2], nil, 3, true), ("NotIn", [1, 2], nil, 2, false),
            ("NotIn", [1], nil, 0, false), ("In", [42], "main", 42, true),
            ("In", [42], "other", 42, false),
        ] as [(String, [Int32], String?, Int32, Bool)]
    )
    func exitCodes(
        _ comparison: String,
        _ values: [Int32],
        _ container: String?,
        _ code: Int32,
        _ isMatched: Bool
    ) {
        var job = JobTests.job()
        job.spec.podFailurePolicy = BatchV1.PodFailurePolicy.with {
            $0.rules = [
                BatchV1.PodFailurePolicyRule.with {
                    $0.action = "FailJob"
                    $0.onExitCodes = BatchV1.PodFailurePolicyOnExitCodesRequirement.with {
                        $0.operator = comparison
                        $0.values = RepeatedField(values)
                        $0.containerName = container
                    }
                }
            ]
        }
        var pod = JobTests.pod("bad", "Failed")
        pod.status.containerStatuses = [
            CoreV1.ContainerStatus.with {
                $0.name = "main"
                $0.state.terminated = CoreV1.ContainerStateTerminated.with { $0.exitCode = code }
            }
        ]
        let plan = JobPlan(job, pods: [pod], now: Samples.now)
        let condition = plan.status.conditions.first { $0.type == "FailureTarget" }
        #expect((condition?.reason == "PodFailurePolicy") == isMatched)
    }

    @Test(
        "when a pod that is going is replaced",
        arguments: [
            // policy, pods, made, counted as failed at once
            ("TerminatingOrFailed", "0:T", "0 1", 1), ("Failed", "0:T", "1", 0),
            ("Failed", "0:F", "0 1", 1), ("TerminatingOrFailed", "0:F", "0 1", 1),
            ("Failed", "0:T 1:T", "", 0),
        ]
    )
    func replacement(_ policy: String, _ pods: String, _ made: String, _ failed: Int) {
        var job = JobTests.job(completions: 2, parallelism: 2, isIndexed: true)
        job.spec.podReplacementPolicy = policy
        // Failures of long ago are no reason to wait.
        let later = Timestamp(seconds: Samples.now.seconds + 3600)
        let plan = JobPlan(job, pods: Self.pods(pods), now: later)
        #expect(plan.indexes.map(String.init).joined(separator: " ") == made)
        #expect(plan.status.uncountedTerminatedPods?.failed.count ?? 0 == failed)
    }

    @Test(
        "why a Job ends",
        arguments: [
            // failed before, limit, deadline, started ago, succeeded, reason
            (0, 6, nil, 100, 0, nil), (6, 6, nil, 100, 0, nil),
            (7, 6, nil, 100, 0, "BackoffLimitExceeded"), (1, 0, nil, 0, 0, "BackoffLimitExceeded"),
            (0, 6, 60, 59, 0, nil), (0, 6, 60, 60, 0, "DeadlineExceeded"),
            (7, 6, 60, 60, 0, "BackoffLimitExceeded"), (0, 6, nil, 0, 3, "CompletionsReached"),
            (2, 6, nil, 0, 3, "CompletionsReached"), (0, 6, nil, 0, 2, nil),
        ] as [(Int32, Int32, Int64?, Int64, Int32, String?)]
    )
    func ends(
        _ failed: Int32,
        _ limit: Int32,
        _ deadline: Int64?,
        _ age: Int64,
        _ succeeded: Int32,
        _ reason: String?
    ) {
        var job = JobTests.job()
        job.spec.backoffLimit = limit
        job.spec.activeDeadlineSeconds = deadline
        job.status.failed = failed
        job.status.succeeded = succeeded
        job.status.startTime = MetaV1.Time(Timestamp(seconds: Samples.now.seconds - age))
        let plan = JobPlan(job, pods: [], now: Samples.now)
        let conditions = plan.status.conditions.map(\.reason)
        #expect(conditions.first == reason)
        #expect(plan.creations == (reason == nil ? min(2, 3 - Int(succeeded)) : 0))
        if reason == nil, let deadline {
            #expect(plan.nextCheck == .seconds(deadline - age))
        }
    }

    @Test(
        "a finished Job goes after its time",
        arguments: [
            ("Complete", 60, 59, false), ("Complete", 60, 60, true), ("Failed", 0, 0, true),
            ("Suspended", 0, 100, false), ("Complete", nil, 100, false),
        ] as [(String, Int32?, Int64, Bool)]
    )
    func timeToLive(_ condition: String, _ seconds: Int32?, _ age: Int64, _ isDue: Bool) {
        var job = JobTests.job()
        job.spec.ttlSecondsAfterFinished = seconds
        job.status.conditions.append(
            BatchV1.JobCondition.with {
                $0.type = condition
                $0.status = "True"
                $0.lastTransitionTime = MetaV1.Time(
                    Timestamp(seconds: Samples.now.seconds - age)
                )
            }
        )
        let expiry = TTLAfterFinishedController.expiry(of: job)
        #expect((expiry.map { $0 <= Samples.now } ?? false) == isDue)
    }
}
