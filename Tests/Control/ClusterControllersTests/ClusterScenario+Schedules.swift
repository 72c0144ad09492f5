// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
import ClusterControllers
import ControllerHarness
import KubernetesAPI
import MemoryCluster
import Protobuf
import ResourceClient
import Scalars
import WorkloadControllers

extension ClusterScenario {
    private static let tick = "tick"
    private static let guarded = "guarded"

    /// A CronJob that is due every minute, its Jobs, which go some time after they are done, and a
    /// budget of pods that come and go. In the end nothing runs, all Jobs are to go, and the budget
    /// says what there is; on the way no Job was made twice for one time.
    static let schedules = ClusterScenario(
        name: "schedules",
        resources: ["cronjobs.batch", "jobs.batch", "pods", "poddisruptionbudgets.policy"],
        controllers: { harness, _ in
            [
                CronJobController(harness.context()), JobController(harness.context()),
                TTLAfterFinishedController(harness.context()),
                DisruptionController(harness.context()),
            ]
        },
        disturb: { harness, storm in
            let pods = harness.client(CoreV1.Pod.self)
            let name = "\(Self.guarded)-\(storm.random(below: 4))"
            switch storm.random(below: 5) {
            case 0: _ = try? await harness.client(BatchV1.CronJob.self).create(Self.cronJob())
            case 1:
                _ = try? await harness.client(PolicyV1.PodDisruptionBudget.self)
                    .create(Self.budget())
            case 2:
                _ = try? await pods.create(
                    CoreV1.Pod.with {
                        $0.metadata.name = name
                        $0.metadata.namespace = "default"
                        $0.metadata.labels["app"] = Self.guarded
                    }
                )
            case 3:
                let now = DeleteOptions(gracePeriodSeconds: 0)
                _ = try? await pods.delete(name, in: "default", now)
            default: try await Self.work(harness)
            }
        },
        settle: { harness in
            let jobs = harness.client(BatchV1.CronJob.self)
            guard (try? await jobs.get(Self.tick, in: "default")) != nil else { return }
            try await harness.change(BatchV1.CronJob.self, Self.tick) { $0.spec.suspend = true }
        },
        isDone: { harness in
            try await Self.work(harness)
            let jobs = try await harness.client(BatchV1.Job.self).list().items
            let cronJobs = try await harness.client(BatchV1.CronJob.self).list().items
            guard jobs.allSatisfy({ $0.metadata.deletionTimestamp != nil }),
                cronJobs.allSatisfy({ $0.status.active.isEmpty })
            else { return false }
            let pods = try await harness.client(CoreV1.Pod.self).list().items
                .filter { $0.metadata.labels["app"] == Self.guarded }
            let healthy = Int32(pods.filter(Self.isHealthy).count)
            return try await harness.client(PolicyV1.PodDisruptionBudget.self).list().items
                .allSatisfy {
                    $0.status.expectedPods == Int32(pods.count)
                        && $0.status.currentHealthy == healthy
                        && $0.status.disruptionsAllowed == max(healthy - 1, 0)
                }
        },
        problems: { cluster in
            var problems: [String] = []
            var uids: [String: String] = [:]
            for (version, _, job) in cluster.history(of: BatchV1.Job.self) {
                let uid = job.metadata.uid
                let known = uids.updateValue(uid, forKey: job.metadata.name)
                if let known, known != uid {
                    problems.append("\(job.metadata.name) was made again at \(version)")
                }
            }
            return problems
        }
    )

    private static func isHealthy(_ pod: CoreV1.Pod) -> Bool {
        pod.status.conditions.contains { $0.type == "Ready" && $0.status == "True" }
    }

    /// What kubelets do: pods run, and those of Jobs end.
    private static func work(_ harness: ControllerHarness) async throws {
        try await harness.runPods()
        for pod in try await harness.client(CoreV1.Pod.self).list().items
        where pod.metadata.labels["job"] == self.tick && pod.status.phase == "Running" {
            try await harness.end(pod, phase: "Succeeded")
        }
    }

    private static func budget() -> PolicyV1.PodDisruptionBudget {
        PolicyV1.PodDisruptionBudget.with {
            $0.metadata.name = self.guarded
            $0.metadata.namespace = "default"
            $0.spec.minAvailable = 1
            $0.spec.selector = MetaV1.LabelSelector.with { $0.matchLabels["app"] = self.guarded }
        }
    }

    private static func cronJob() -> BatchV1.CronJob {
        BatchV1.CronJob.with { cronJob in
            cronJob.metadata.name = self.tick
            cronJob.metadata.namespace = "default"
            cronJob.spec.schedule = "* * * * *"
            cronJob.spec.concurrencyPolicy = "Allow"
            cronJob.spec.successfulJobsHistoryLimit = 3
            cronJob.spec.failedJobsHistoryLimit = 1
            cronJob.spec.jobTemplate.spec = BatchV1.JobSpec.with {
                $0.parallelism = 1
                $0.completions = 1
                $0.backoffLimit = 6
                $0.ttlSecondsAfterFinished = 100
                $0.selector = MetaV1.LabelSelector.with { $0.matchLabels["job"] = self.tick }
                $0.template.metadata.labels["job"] = self.tick
                $0.template.spec.restartPolicy = "Never"
                $0.template.spec.containers = [CoreV1.Container.with { $0.name = "main" }]
            }
        }
    }
}
