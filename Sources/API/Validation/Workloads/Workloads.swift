// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import NameRules
import Protobuf

// Source: upstream `pkg/apis/{apps,batch,core,autoscaling,policy}/validation/validation.go`.

extension KindRules {
    static var workloads: [String: KindRules] {
        Dictionary(uniqueKeysWithValues: [
            self.ofSpec(
                AppsV1.Deployment.self,
                spec: { $0.validateDeployment($1.spec) },
                update: { $0.immutable(at: "selector", $1.spec.selector, $2.spec.selector) },
                status: { $0.validateStatus($1.status, old: $2.status) }
            ),
            self.ofSpec(
                AppsV1.ReplicaSet.self,
                spec: { $0.validateReplicaSet($1.spec) },
                update: { $0.immutable(at: "selector", $1.spec.selector, $2.spec.selector) },
                status: { errors, new, _ in
                    errors.validateReplicaCounts(
                        replicas: new.status.replicas,
                        labeled: new.status.fullyLabeledReplicas,
                        ready: new.status.readyReplicas,
                        available: new.status.availableReplicas
                    )
                }
            ),
            self.ofSpec(
                AppsV1.DaemonSet.self,
                spec: { $0.validateDaemonSet($1.spec) },
                update: { $0.immutable(at: "selector", $1.spec.selector, $2.spec.selector) },
                status: { errors, new, _ in errors.validateStatus(new.status) }
            ),
            self.of(AppsV1.StatefulSet.self) { errors, set in
                errors.within("spec") { $0.validateStatefulSet(set.spec) }
            } update: { errors, new, old, subresource in
                if subresource == "status" {
                    errors.within("status") { $0.validateStatus(new.status) }
                } else if subresource == nil {
                    errors.validateStatefulSetUpdate(new, old: old)
                }
            },
            self.of(AppsV1.ControllerRevision.self) { errors, revision in
                errors.nonnegative("revision", revision.revision)
            } update: { errors, new, old, _ in
                errors.nonnegative("revision", new.revision)
                if new.data != old.data { errors.immutable(at: "data", .message(new.data)) }
            },
            self.ofSpec(
                CoreV1.ReplicationController.self,
                spec: { $0.validateController($1.spec) },
                status: { errors, new, _ in
                    errors.validateReplicaCounts(
                        replicas: new.status.replicas,
                        labeled: new.status.fullyLabeledReplicas,
                        ready: new.status.readyReplicas,
                        available: new.status.availableReplicas
                    )
                }
            ),
            self.of(BatchV1.Job.self) { errors, job in
                errors.within("spec") { $0.validateJob(job.spec) }
            } update: { errors, new, old, subresource in
                if subresource == "status" {
                    errors.within("status") { $0.validateStatus(new, old: old) }
                } else if subresource == nil {
                    errors.validateJobUpdate(new, old: old)
                }
            },
            self.ofSpec(BatchV1.CronJob.self, spec: { $0.validateCronJob($1.spec) }),
            self.ofSpec(
                AutoscalingV2.HorizontalPodAutoscaler.self,
                spec: { $0.validateAutoscaler($1.spec) }
            ),
            self.ofSpec(
                AutoscalingV1.HorizontalPodAutoscaler.self,
                spec: { $0.validateAutoscaler($1.spec) }
            ),
            self.ofSpec(
                AutoscalingV1.Scale.self,
                spec: { $0.nonnegative("replicas", $1.spec.replicas) }
            ),
            self.ofSpec(PolicyV1.PodDisruptionBudget.self, spec: { $0.validateBudget($1.spec) }),
        ])
    }
}

extension FieldErrors {
    /// What the pods of a controller must be like, at the template.
    mutating func validateTemplate(
        _ template: CoreV1.PodTemplateSpec,
        selector: MetaV1.LabelSelector?,
        of kind: String
    ) {
        // No selector selects nothing; an empty one is a fault of its own.
        let isSelected = selector.map { $0.isEmpty || $0.matches(template.metadata.labels) }
        if isSelected != true {
            self.invalid(
                at: "metadata.labels",
                .map(template.metadata.labels),
                "`selector` does not match template `labels`"
            )
        }
        self.validateTemplate(template)
        self.within("spec") { errors in
            let policy = template.spec.restartPolicy
            if policy != "Always" {
                errors.notSupported(
                    at: "restartPolicy",
                    .string(policy),
                    supported: ["Always"]
                )
            }
            if template.spec.activeDeadlineSeconds != nil && !kind.isEmpty {
                errors.forbidden(
                    at: "activeDeadlineSeconds",
                    "activeDeadlineSeconds in \(kind) is not Supported"
                )
            }
        }
    }

    /// The selector of a controller, which must select something.
    mutating func validateControllerSelector(
        _ selector: MetaV1.LabelSelector?,
        _ word: String
    ) {
        guard let selector else {
            self.required(at: "selector")
            return
        }
        self.within("selector") { $0.validateSelector(selector) }
        if selector.isEmpty {
            self.invalid(
                at: "selector",
                .message(selector),
                "empty selector is invalid for \(word)"
            )
        }
    }

    mutating func validateReplicaCounts(
        replicas: Int32,
        labeled: Int32,
        ready: Int32,
        available: Int32
    ) {
        self.nonnegative("replicas", replicas)
        self.nonnegative("fullyLabeledReplicas", labeled)
        self.nonnegative("readyReplicas", ready)
        self.nonnegative("availableReplicas", available)
        let words = "cannot be greater than status.replicas"
        if labeled > replicas {
            self.invalid(at: "fullyLabeledReplicas", .number(labeled), words)
        }
        if ready > replicas { self.invalid(at: "readyReplicas", .number(ready), words) }
        if available > replicas {
            self.invalid(at: "availableReplicas", .number(available), words)
        }
        if available > ready {
            self.invalid(
                at: "availableReplicas",
                .number(available),
                "cannot be greater than readyReplicas"
            )
        }
    }

    // MARK: - Deployments and replica sets

    mutating func validateDeployment(_ spec: AppsV1.DeploymentSpec) {
        self.nonnegative("replicas", spec.replicas)
        self.validateControllerSelector(spec.selector, "deployment")
        if let selector = spec.selector {
            if selector.parsed == nil {
                self.invalid(at: "selector", .message(selector), "invalid label selector")
            } else {
                self.within("template") {
                    $0.validateTemplate(spec.template, selector: selector, of: "ReplicaSet")
                }
            }
        }
        self.within("strategy") { $0.validateStrategy(spec.strategy) }
        self.nonnegative("minReadySeconds", spec.minReadySeconds)
        self.nonnegative("revisionHistoryLimit", spec.revisionHistoryLimit)
        if let seconds = spec.progressDeadlineSeconds {
            self.nonnegative("progressDeadlineSeconds", seconds)
            if seconds <= spec.minReadySeconds {
                self.invalid(
                    at: "progressDeadlineSeconds",
                    .number(seconds),
                    "must be greater than minReadySeconds"
                )
            }
        }
    }

    private mutating func validateStrategy(_ strategy: AppsV1.DeploymentStrategy) {
        switch strategy.type {
        case "Recreate":
            if strategy.rollingUpdate != nil {
                self.forbidden(
                    at: "rollingUpdate",
                    "may not be specified when strategy `type` is 'Recreate'"
                )
            }
        case "RollingUpdate":
            guard let update = strategy.rollingUpdate else {
                self.required(
                    at: "rollingUpdate",
                    "this should be defaulted and never be nil"
                )
                return
            }
            self.within("rollingUpdate") { errors in
                errors.validateCountOrPercent("maxUnavailable", update.maxUnavailable)
                errors.validateCountOrPercent("maxSurge", update.maxSurge)
                if update.maxUnavailable?.number == 0 && update.maxSurge?.number == 0 {
                    errors.invalid(
                        at: "maxUnavailable",
                        .intOrString(update.maxUnavailable),
                        "may not be 0 when `maxSurge` is 0"
                    )
                }
                errors.validateNotOver100Percent("maxUnavailable", update.maxUnavailable)
            }
        default:
            self.notSupported(
                at: "type",
                .string(strategy.type),
                supported: ["Recreate", "RollingUpdate"]
            )
        }
    }

    mutating func validateStatus(
        _ status: AppsV1.DeploymentStatus,
        old: AppsV1.DeploymentStatus
    ) {
        self.nonnegative("observedGeneration", status.observedGeneration)
        self.nonnegative("replicas", status.replicas)
        self.nonnegative("updatedReplicas", status.updatedReplicas)
        self.nonnegative("readyReplicas", status.readyReplicas)
        self.nonnegative("availableReplicas", status.availableReplicas)
        self.nonnegative("unavailableReplicas", status.unavailableReplicas)
        self.nonnegative("collisionCount", status.collisionCount)
        let words = "cannot be greater than status.replicas"
        if status.updatedReplicas > status.replicas {
            self.invalid(at: "updatedReplicas", .number(status.updatedReplicas), words)
        }
        if status.readyReplicas > status.replicas {
            self.invalid(at: "readyReplicas", .number(status.readyReplicas), words)
        }
        if status.availableReplicas > status.replicas {
            self.invalid(at: "availableReplicas", .number(status.availableReplicas), words)
        }
        if status.availableReplicas > status.readyReplicas {
            self.invalid(
                at: "availableReplicas",
                .number(status.availableReplicas),
                "cannot be greater than readyReplicas"
            )
        }
        if let before = old.collisionCount, status.collisionCount ?? -1 < before {
            self.invalid(
                at: "collisionCount",
                .optional(status.collisionCount),
                "cannot be decremented"
            )
        }
    }

    mutating func validateReplicaSet(_ spec: AppsV1.ReplicaSetSpec) {
        self.nonnegative("replicas", spec.replicas)
        self.nonnegative("minReadySeconds", spec.minReadySeconds)
        self.validateControllerSelector(spec.selector, "deployment")
        if let selector = spec.selector {
            if selector.parsed == nil {
                self.invalid(at: "selector", .message(selector), "invalid label selector")
            } else {
                self.within("template") {
                    $0.validateTemplate(spec.template, selector: selector, of: "ReplicaSet")
                }
            }
        }
    }

    mutating func validateController(_ spec: CoreV1.ReplicationControllerSpec) {
        self.nonnegative("minReadySeconds", spec.minReadySeconds)
        if spec.selector.isEmpty { self.required(at: "selector") }
        if let replicas = spec.replicas {
            self.nonnegative("replicas", replicas)
        } else {
            self.required(at: "replicas")
        }
        guard let template = spec.template else {
            self.required(at: "template")
            return
        }
        self.within("template") { errors in
            if !spec.selector.isEmpty,
                !spec.selector.allSatisfy({ template.metadata.labels[$0.key] == $0.value })
            {
                errors.invalid(
                    at: "metadata.labels",
                    .map(template.metadata.labels),
                    "`selector` does not match template `labels`"
                )
            }
            errors.validateTemplate(template)
            errors.within("spec") { errors in
                if template.spec.restartPolicy != "Always" {
                    errors.notSupported(
                        at: "restartPolicy",
                        .string(template.spec.restartPolicy),
                        supported: ["Always"]
                    )
                }
                if template.spec.activeDeadlineSeconds != nil {
                    errors.forbidden(
                        at: "activeDeadlineSeconds",
                        "activeDeadlineSeconds in ReplicationController is not Supported"
                    )
                }
            }
        }
    }
}
