// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import ObjectModel
import Protobuf

extension Strategy {
    /// Jobs. Unless `manualSelector` says that its writer takes care of it, a Job selects the pods
    /// with its own UID, and its template carries that UID and its name, each under an old name and
    /// a new one. What a writer put there stays, and validation judges it.
    ///
    /// Source: upstream `pkg/registry/batch/job/strategy.go`.
    static let jobs = Strategy(
        generation: .spec,
        dependents: .orphan,
        prepareForCreate: { object, _ in
            object.change(BatchV1.Job.self) { job in
                guard job.spec.manualSelector != true else { return }
                let identity = [
                    (JobLabel.legacyUID, job.metadata.uid), (JobLabel.uid, job.metadata.uid),
                    (JobLabel.legacyName, job.metadata.name), (JobLabel.name, job.metadata.name),
                ]
                for (label, value) in identity
                where job.spec.template.metadata.labels[label] == nil {
                    job.spec.template.metadata.labels[label] = value
                }
                var selector = job.spec.selector ?? MetaV1.LabelSelector()
                if selector.matchLabels[JobLabel.uid] == nil {
                    selector.matchLabels[JobLabel.uid] = job.metadata.uid
                }
                job.spec.selector = selector
            }
        }
    )

    /// The labels by which a Job and its pods find each other.
    private enum JobLabel {
        static let uid = "batch.kubernetes.io/controller-uid"
        static let legacyUID = "controller-uid"
        static let name = "batch.kubernetes.io/job-name"
        static let legacyName = "job-name"
    }
}
