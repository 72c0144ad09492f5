// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ControllerHarness
import ControllerKit
import KubernetesAPI
import MemoryCluster
import Protobuf
import ResourceClient
import Scalars
import WorkloadControllers

extension Scenario {
    private static let completions = 5
    private static let parallelism = 2

    /// Of the pods of a Job, the first three fail.
    @Sendable private static func work(
        _ harness: ControllerHarness,
        _ storm: Storm
    ) async throws {
        let all = harness.cluster.history(of: CoreV1.Pod.self)
        var failures = Set(
            all.filter { $0.object.status.phase == "Failed" }.map(\.object.metadata.uid)
        ).count
        try await harness.runPods()
        for pod in try await harness.client(CoreV1.Pod.self).list().items
        where pod.isActive && pod.status.phase == "Running" && storm.random(below: 3) > 0 {
            let fails = failures < 3
            if fails { failures += 1 }
            try await harness.end(
                pod,
                phase: fails ? "Failed" : "Succeeded",
                exitCode: fails ? 1 : 0
            )
        }
    }

    static func job(isIndexed: Bool) -> Scenario {
        Scenario(
            name: isIndexed ? "Job: each index once" : "Job: every pod counted once",
            resources: ["pods", "jobs.batch"],
            controllers: { [JobController($0.context())] },
            prepare: { harness in
                var job = JobTests.job(
                    completions: Int32(Self.completions),
                    parallelism: Int32(Self.parallelism),
                    isIndexed: isIndexed
                )
                job.spec.backoffLimit = 100
                _ = try await harness.client(BatchV1.Job.self).create(job)
            },
            phases: [{ _ in }],
            live: Self.work,
            isDone: { harness, _ in
                let job = try await harness.client(BatchV1.Job.self).get("work", in: "default")
                return job.status.conditions.contains { $0.type == "Complete" }
            },
            problems: { cluster in Self.jobProblems(cluster, isIndexed) }
        )
    }

    private static func jobProblems(_ cluster: MemoryCluster, _ isIndexed: Bool) -> [String] {
        var problems: [String] = []
        let most = cluster.mostActive()
        if most > self.parallelism { problems.append("\(most) pods of \(self.parallelism)") }
        var failed: Set<String> = []
        var held: Set<String> = []
        cluster.replayPods { pods, changed, _ in
            if changed.status.phase == "Failed" { failed.insert(changed.metadata.uid) }
            let indexes = pods.values.filter(\.isActive).compactMap {
                $0.metadata.annotations["batch.kubernetes.io/job-completion-index"]
            }
            if Set(indexes).count < indexes.count { problems.append("an index twice: \(indexes)") }
            held = Set(
                pods.values.filter { !$0.metadata.finalizers.isEmpty }.map(\.metadata.name)
            )
        }
        guard let job = cluster.history(of: BatchV1.Job.self).last?.object else {
            return problems + ["no Job"]
        }
        if Int(job.status.succeeded) != self.completions {
            problems.append("\(job.status.succeeded) of \(self.completions) counted as succeeded")
        }
        if Int(job.status.failed) != failed.count {
            problems.append("\(job.status.failed) of \(failed.count) counted as failed")
        }
        if isIndexed, job.status.completedIndexes != "0-4" {
            problems.append("indexes \(job.status.completedIndexes)")
        }
        if !held.isEmpty { problems.append("not let go: \(held.sorted())") }
        return problems
    }

    static let cronJob = Scenario(
        name: "CronJob: one Job for each time",
        resources: ["cronjobs.batch", "jobs.batch"],
        controllers: { [CronJobController($0.context())] },
        prepare: { harness in
            _ = try await harness.client(BatchV1.CronJob.self).create(
                BatchV1.CronJob.with {
                    $0.metadata.name = "tick"
                    $0.metadata.namespace = "default"
                    $0.spec.schedule = "* * * * *"
                    $0.spec.concurrencyPolicy = "Allow"
                    $0.spec.jobTemplate.spec = JobTests.job().spec
                }
            )
        },
        phases: [{ _ in }],
        live: { _, _ in },
        isDone: { harness, _ in
            try await harness.client(BatchV1.Job.self).list().items.count >= 6
        },
        problems: { cluster in
            var times: [String: Set<String>] = [:]
            for (_, _, job) in cluster.history(of: BatchV1.Job.self) {
                let time = job.metadata.annotations[CronJobPlan.scheduledAnnotation] ?? ""
                times[time, default: []].insert(job.metadata.uid)
            }
            return times.filter { $0.value.count > 1 }.map { "\($0.value.count) Jobs at \($0.key)" }
        }
    )
}
