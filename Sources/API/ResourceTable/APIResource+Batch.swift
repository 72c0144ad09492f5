// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI

extension APIResource {
    /// The resources of `batch`.
    static let batch: [APIResource] = [
        APIResource(
            "cronjobs",
            of: BatchV1.CronJob.self,
            list: BatchV1.CronJobList.self,
            group: "batch",
            version: "v1",
            singular: "cronjob",
            shortNames: ["cj"],
            categories: ["all"],
            scope: .namespaced,
            verbs: .all,
            storage: Storage(
                BatchV1.CronJob.self,
                at: "/registry/cronjobs/",
                group: "batch",
                version: "v1",
                hash: "sd5LIXh4Fjs="
            ),
            behaviour: [.unconditionalUpdate],
            subresources: [
                Subresource("status", of: BatchV1.CronJob.self, verbs: [.get, .patch, .update])
            ]
        ),
        APIResource(
            "jobs",
            of: BatchV1.Job.self,
            list: BatchV1.JobList.self,
            group: "batch",
            version: "v1",
            singular: "job",
            categories: ["all"],
            scope: .namespaced,
            verbs: .all,
            storage: Storage(
                BatchV1.Job.self,
                at: "/registry/jobs/",
                group: "batch",
                version: "v1",
                hash: "mudhfqk/qZY="
            ),
            behaviour: [.unconditionalUpdate],
            subresources: [
                Subresource("status", of: BatchV1.Job.self, verbs: [.get, .patch, .update])
            ]
        ),
    ]
}
