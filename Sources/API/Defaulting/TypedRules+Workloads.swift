// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import KubernetesAPI
import Protobuf

// Source: upstream `pkg/apis/{apps,batch,autoscaling}/*/defaults.go`.

extension TypedRules {
    static var workloads: [String: [TypedRule]] {
        [
            AppsV1.Deployment.schema.fullName: [
                TypedRule(
                    AppsV1.Deployment.self,
                    [
                        "spec.strategy.rollingUpdate.maxUnavailable",
                        "spec.strategy.rollingUpdate.maxSurge",
                    ]
                ) {
                    $0.spec.strategy.type == "RollingUpdate"
                } _: { deployment in
                    var update = deployment.spec.strategy.rollingUpdate ?? .init()
                    if update.maxUnavailable == nil { update.maxUnavailable = "25%" }
                    if update.maxSurge == nil { update.maxSurge = "25%" }
                    deployment.spec.strategy.rollingUpdate = update
                }
            ],
            AppsV1.DaemonSet.schema.fullName: [
                TypedRule(
                    AppsV1.DaemonSet.self,
                    [
                        "spec.updateStrategy.rollingUpdate.maxUnavailable",
                        "spec.updateStrategy.rollingUpdate.maxSurge",
                    ]
                ) {
                    $0.spec.updateStrategy.type == "RollingUpdate"
                } _: { set in
                    var update = set.spec.updateStrategy.rollingUpdate ?? .init()
                    if update.maxUnavailable == nil { update.maxUnavailable = 1 }
                    if update.maxSurge == nil { update.maxSurge = 0 }
                    set.spec.updateStrategy.rollingUpdate = update
                }
            ],
            AppsV1.StatefulSet.schema.fullName: self.statefulSet,
            BatchV1.Job.schema.fullName: self.job,
            AutoscalingV2.HorizontalPodAutoscaler.schema.fullName: [
                TypedRule(AutoscalingV2.HorizontalPodAutoscaler.self, ["spec.metrics"]) {
                    $0.spec.metrics.isEmpty
                } _: { autoscaler in
                    let metric = AutoscalingV2.MetricSpec.with {
                        $0.type = "Resource"
                        $0.resource = .with {
                            $0.name = "cpu"
                            $0.target.type = "Utilization"
                            $0.target.averageUtilization = 80
                        }
                    }
                    autoscaler.spec.metrics = [metric]
                }
            ],
            AutoscalingV2.HorizontalPodAutoscalerBehavior.schema.fullName: [self.scaling],
        ]
    }

    private static var statefulSet: [TypedRule] {
        [
            TypedRule(
                AppsV1.StatefulSet.self,
                [
                    "spec.updateStrategy.type", "spec.updateStrategy.rollingUpdate",
                    "spec.updateStrategy.rollingUpdate.partition",
                    // Behind the gate MaxUnavailableStatefulSet, which is off.
                    "spec.updateStrategy.rollingUpdate.maxUnavailable",
                ]
            ) { set in
                if set.spec.updateStrategy.type.isEmpty {
                    set.spec.updateStrategy.type = "RollingUpdate"
                    if set.spec.updateStrategy.rollingUpdate == nil {
                        set.spec.updateStrategy.rollingUpdate = .init()
                    }
                }
                if set.spec.updateStrategy.type == "RollingUpdate",
                    set.spec.updateStrategy.rollingUpdate != nil,
                    set.spec.updateStrategy.rollingUpdate?.partition == nil
                {
                    set.spec.updateStrategy.rollingUpdate?.partition = 0
                }
            },
            TypedRule(
                AppsV1.StatefulSet.self,
                [
                    "spec.persistentVolumeClaimRetentionPolicy.whenDeleted",
                    "spec.persistentVolumeClaimRetentionPolicy.whenScaled",
                ]
            ) { set in
                var policy = set.spec.persistentVolumeClaimRetentionPolicy ?? .init()
                if policy.whenDeleted.isEmpty { policy.whenDeleted = "Retain" }
                if policy.whenScaled.isEmpty { policy.whenScaled = "Retain" }
                set.spec.persistentVolumeClaimRetentionPolicy = policy
            },
        ]
    }

    private static var job: [TypedRule] {
        [
            TypedRule(BatchV1.Job.self, ["spec.completions"]) {
                $0.spec.completions == nil && $0.spec.parallelism == nil
            } _: { job in
                job.spec.completions = 1
            },
            TypedRule(BatchV1.Job.self, ["spec.backoffLimit"]) {
                $0.spec.backoffLimit == nil
            } _: { job in
                // With a limit for each index there is none for the whole.
                job.spec.backoffLimit = job.spec.backoffLimitPerIndex == nil ? 6 : .max
            },
            TypedRule(BatchV1.Job.self, ["metadata.labels"]) {
                $0.metadata.labels.isEmpty && !$0.spec.template.metadata.labels.isEmpty
            } _: { job in
                job.metadata.labels = job.spec.template.metadata.labels
            },
            TypedRule(BatchV1.Job.self, ["spec.podReplacementPolicy"]) {
                $0.spec.podReplacementPolicy == nil
            } _: { job in
                job.spec.podReplacementPolicy =
                    job.spec.podFailurePolicy == nil ? "TerminatingOrFailed" : "Failed"
            },
        ]
    }

    /// Each direction gets the rules it lacks, once a behaviour is given at all.
    private static var scaling: TypedRule {
        TypedRule(
            AutoscalingV2.HorizontalPodAutoscalerBehavior.self,
            [
                "scaleUp.stabilizationWindowSeconds", "scaleUp.selectPolicy", "scaleUp.policies",
                "scaleDown.selectPolicy", "scaleDown.policies",
            ]
        ) { behavior in
            func policy(_ type: String, _ value: Int32) -> AutoscalingV2.HPAScalingPolicy {
                .with {
                    $0.type = type
                    $0.value = value
                    $0.periodSeconds = 15
                }
            }
            var up = behavior.scaleUp ?? .init()
            if up.stabilizationWindowSeconds == nil { up.stabilizationWindowSeconds = 0 }
            if up.selectPolicy == nil { up.selectPolicy = "Max" }
            // An empty list that is written stays, and is refused by validation.
            if !up.policies.isPresent { up.policies = [policy("Pods", 4), policy("Percent", 100)] }
            behavior.scaleUp = up
            var down = behavior.scaleDown ?? .init()
            if down.selectPolicy == nil { down.selectPolicy = "Max" }
            if !down.policies.isPresent { down.policies = [policy("Percent", 100)] }
            behavior.scaleDown = down
        }
    }
}
