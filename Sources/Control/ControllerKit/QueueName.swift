// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// What upstream's metrics call the work queues of controllers.
///
/// Source: the names given to `workqueue.TypedRateLimitingQueueConfig` in upstream `pkg/controller`.
package enum QueueName {
    private static let names: [String: String] = [
        "bootstrap-signer-controller": "bootstrap_signer_queue",
        "certificatesigningrequest-approving-controller": "certificate",
        "certificatesigningrequest-signing-controller": "certificate",
        "clusterrole-aggregation-controller": "ClusterRoleAggregator",
        "cronjob-controller": "cronjob",
        "daemonset-controller": "daemonset",
        "deployment-controller": "deployment",
        "disruption-controller": "disruption",
        "endpoints-controller": "endpoint",
        "endpointslice-controller": "endpoint_slice",
        "endpointslice-mirroring-controller": "endpoint_slice_mirroring",
        "ephemeral-volume-controller": "ephemeral_volume",
        "garbage-collector-controller": "garbage_collector_attempt_to_delete",
        "job-controller": "job",
        "namespace-controller": "namespace",
        "node-lifecycle-controller": "node_lifecycle_controller",
        "persistentvolume-binder-controller": "claims",
        "persistentvolume-protection-controller": "pvprotection",
        "persistentvolumeclaim-protection-controller": "pvcprotection",
        "replicaset-controller": "replicaset",
        "replicationcontroller-controller": "replicationmanager",
        "resourcequota-controller": "resourcequota_primary",
        "root-ca-certificate-publisher-controller": "root_ca_cert_publisher",
        "serviceaccount-controller": "serviceaccount",
        "serviceaccount-token-controller": "serviceaccount_tokens_secret",
        "statefulset-controller": "statefulset",
        "taint-eviction-controller": "noexec_taint_pod",
        "token-cleaner-controller": "token_cleaner",
        "ttl-after-finished-controller": "ttl_jobs_to_delete",
        "ttl-controller": "ttlcontroller",
    ]

    /// Queues that upstream does not have are called as their controller.
    package static func of(_ controller: String) -> String {
        self.names[controller] ?? String(controller.map { $0 == "-" ? "_" : $0 })
    }
}
