// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import NameRules
import Protobuf

extension FieldErrors {
    // MARK: - Daemon sets

    mutating func validateDaemonSet(_ spec: AppsV1.DaemonSetSpec) {
        if let selector = spec.selector {
            self.within("selector") { $0.validateSelector(selector) }
            if selector.isEmpty {
                self.invalid(
                    at: "selector",
                    .message(selector),
                    "empty selector is invalid for daemonset"
                )
            }
        }
        self.within("template") {
            $0.validateTemplate(spec.template, selector: spec.selector, of: "DaemonSet")
        }
        self.nonnegative("minReadySeconds", spec.minReadySeconds)
        self.within("updateStrategy") { $0.validateStrategy(spec.updateStrategy) }
        self.nonnegative("revisionHistoryLimit", spec.revisionHistoryLimit)
    }

    private mutating func validateStrategy(_ strategy: AppsV1.DaemonSetUpdateStrategy) {
        switch strategy.type {
        case "OnDelete": return
        case "RollingUpdate":
            guard let update = strategy.rollingUpdate else {
                self.required(at: "rollingUpdate")
                return
            }
            self.within("rollingUpdate") { errors in
                errors.validateCountOrPercent("maxUnavailable", update.maxUnavailable)
                errors.validateNotOver100Percent("maxUnavailable", update.maxUnavailable)
                errors.validateCountOrPercent("maxSurge", update.maxSurge)
                errors.validateNotOver100Percent("maxSurge", update.maxSurge)
                let unavailable = update.maxUnavailable?.number ?? 0
                let surge = update.maxSurge?.number ?? 0
                if unavailable != 0 && surge != 0 {
                    errors.invalid(
                        at: "maxSurge",
                        .intOrString(update.maxSurge),
                        "may not be set when maxUnavailable is non-zero"
                    )
                } else if unavailable == 0 && surge == 0 {
                    errors.required(
                        at: "maxUnavailable",
                        "cannot be 0 when maxSurge is 0"
                    )
                }
            }
        default:
            self.notSupported(
                at: "type",
                .string(strategy.type),
                supported: ["RollingUpdate", "OnDelete"]
            )
        }
    }

    mutating func validateStatus(_ status: AppsV1.DaemonSetStatus) {
        self.nonnegative("currentNumberScheduled", status.currentNumberScheduled)
        self.nonnegative("numberMisscheduled", status.numberMisscheduled)
        self.nonnegative("desiredNumberScheduled", status.desiredNumberScheduled)
        self.nonnegative("numberReady", status.numberReady)
        self.nonnegative("observedGeneration", status.observedGeneration)
        self.nonnegative("updatedNumberScheduled", status.updatedNumberScheduled)
        self.nonnegative("numberAvailable", status.numberAvailable)
        self.nonnegative("numberUnavailable", status.numberUnavailable)
        self.nonnegative("collisionCount", status.collisionCount)
    }

    // MARK: - Stateful sets

    mutating func validateStatefulSet(_ spec: AppsV1.StatefulSetSpec) {
        switch spec.podManagementPolicy {
        case "": self.required(at: "podManagementPolicy")
        case "OrderedReady", "Parallel": break
        default:
            self.invalid(
                at: "podManagementPolicy",
                .string(spec.podManagementPolicy),
                "must be 'OrderedReady' or 'Parallel'"
            )
        }
        self.validateStrategy(spec.updateStrategy)
        if let policy = spec.persistentVolumeClaimRetentionPolicy {
            self.within("persistentVolumeClaimRetentionPolicy") { errors in
                errors.oneOf(
                    "whenDeleted",
                    policy.whenDeleted,
                    ifPresent: ["Delete", "Retain"]
                )
                errors.oneOf("whenScaled", policy.whenScaled, ifPresent: ["Delete", "Retain"])
            }
        }
        self.nonnegative("replicas", spec.replicas)
        self.nonnegative("minReadySeconds", spec.minReadySeconds)
        self.ifPresent("ordinals", spec.ordinals) { $0.nonnegative("start", $1.start) }
        self.validateControllerSelector(spec.selector, "statefulset")
        guard let selector = spec.selector else { return }
        if selector.parsed == nil {
            self.invalid(at: "selector", .message(selector), "")
        } else {
            let template = Self.withClaims(spec)
            self.within("template") {
                $0.validateTemplate(template, selector: selector, of: "StatefulSet")
            }
        }
    }

    /// The template with a volume for each claim that the set makes, as its pods will have them:
    /// containers may mount these, and they take the place of volumes of the same name.
    private static func withClaims(_ spec: AppsV1.StatefulSetSpec) -> CoreV1.PodTemplateSpec {
        var template = spec.template
        for claim in spec.volumeClaimTemplates {
            let name = claim.metadata.name
            template.spec.volumes.removeAll { $0.name == name }
            template.spec.volumes.append(
                CoreV1.Volume.with {
                    $0.name = name
                    $0.volumeSource.persistentVolumeClaim =
                        CoreV1.PersistentVolumeClaimVolumeSource.with { $0.claimName = name }
                }
            )
        }
        return template
    }

    private mutating func validateStrategy(_ strategy: AppsV1.StatefulSetUpdateStrategy) {
        self.within("updateStrategy") { errors in
            switch strategy.type {
            case "": errors.required()
            case "OnDelete":
                if let update = strategy.rollingUpdate {
                    errors.invalid(
                        at: "rollingUpdate",
                        .message(update),
                        "only allowed for updateStrategy 'RollingUpdate'"
                    )
                }
            case "RollingUpdate":
                guard let update = strategy.rollingUpdate else { return }
                errors.within("rollingUpdate") { errors in
                    errors.nonnegative("partition", update.partition)
                    errors.validateCountOrPercent("maxUnavailable", update.maxUnavailable)
                    errors.validateNotOver100Percent("maxUnavailable", update.maxUnavailable)
                    if update.maxUnavailable?.number == 0 {
                        errors.invalid(
                            at: "maxUnavailable",
                            .intOrString(update.maxUnavailable),
                            "cannot be 0"
                        )
                    }
                }
            default:
                errors.invalid(.message(strategy), "must be 'RollingUpdate' or 'OnDelete'")
            }
        }
    }

    mutating func validateStatefulSetUpdate(
        _ new: AppsV1.StatefulSet,
        old: AppsV1.StatefulSet
    ) {
        self.within("spec") { errors in
            errors.validateStatefulSet(new.spec)
            var munged = new.spec
            munged.replicas = old.spec.replicas
            munged.template = old.spec.template
            munged.updateStrategy = old.spec.updateStrategy
            munged.minReadySeconds = old.spec.minReadySeconds
            munged.ordinals = old.spec.ordinals
            munged.revisionHistoryLimit = old.spec.revisionHistoryLimit
            munged.persistentVolumeClaimRetentionPolicy =
                old.spec.persistentVolumeClaimRetentionPolicy
            if munged != old.spec {
                errors.forbidden(
                    "updates to statefulset spec for fields other than 'replicas', 'ordinals', "
                        + "'template', 'updateStrategy', 'revisionHistoryLimit', "
                        + "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are "
                        + "forbidden"
                )
            }
        }
    }

    mutating func validateStatus(_ status: AppsV1.StatefulSetStatus) {
        self.nonnegative("replicas", status.replicas)
        self.nonnegative("readyReplicas", status.readyReplicas)
        self.nonnegative("currentReplicas", status.currentReplicas)
        self.nonnegative("updatedReplicas", status.updatedReplicas)
        self.nonnegative("availableReplicas", status.availableReplicas)
        self.nonnegative("observedGeneration", status.observedGeneration)
        self.nonnegative("collisionCount", status.collisionCount)
        let words = "cannot be greater than status.replicas"
        for (name, count) in [
            ("readyReplicas", status.readyReplicas), ("currentReplicas", status.currentReplicas),
            ("updatedReplicas", status.updatedReplicas),
            ("availableReplicas", status.availableReplicas),
        ] where count > status.replicas {
            self.invalid(at: name, .number(count), words)
        }
        if status.availableReplicas > status.readyReplicas {
            self.invalid(
                at: "availableReplicas",
                .number(status.availableReplicas),
                "cannot be greater than status.readyReplicas"
            )
        }
    }
}
