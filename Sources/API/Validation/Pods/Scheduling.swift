// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import NameRules
import Protobuf

extension FieldErrors {
    // MARK: - Node affinity

    mutating func validateAffinity(_ affinity: CoreV1.Affinity) {
        self.ifPresent("nodeAffinity", affinity.nodeAffinity) { errors, affinity in
            errors.ifPresent(
                "requiredDuringSchedulingIgnoredDuringExecution",
                affinity.requiredDuringSchedulingIgnoredDuringExecution
            ) { $0.validateNodeSelector($1) }
            errors.forEach(
                "preferredDuringSchedulingIgnoredDuringExecution",
                in: affinity.preferredDuringSchedulingIgnoredDuringExecution
            ) { errors, term in
                errors.validateWeight(term.weight)
                errors.within("preference") { $0.validateTerm(term.preference) }
            }
        }
        self.ifPresent("podAffinity", affinity.podAffinity) { errors, affinity in
            errors.validatePodTerms(
                required: affinity.requiredDuringSchedulingIgnoredDuringExecution,
                preferred: affinity.preferredDuringSchedulingIgnoredDuringExecution
            )
        }
        self.ifPresent("podAntiAffinity", affinity.podAntiAffinity) { errors, affinity in
            errors.validatePodTerms(
                required: affinity.requiredDuringSchedulingIgnoredDuringExecution,
                preferred: affinity.preferredDuringSchedulingIgnoredDuringExecution
            )
        }
    }

    mutating func validateNodeSelector(_ selector: CoreV1.NodeSelector) {
        if selector.nodeSelectorTerms.isEmpty {
            self.required(
                at: "nodeSelectorTerms",
                "must have at least one node selector term"
            )
        }
        self.forEach("nodeSelectorTerms", in: selector.nodeSelectorTerms) { $0.validateTerm($1) }
    }

    private mutating func validateWeight(_ weight: Int32) {
        if !(1...100).contains(weight) {
            self.invalid(at: "weight", .number(weight), "must be in the range 1-100")
        }
    }

    mutating func validateTerm(_ term: CoreV1.NodeSelectorTerm) {
        self.forEach("matchExpressions", in: term.matchExpressions) { errors, requirement in
            switch requirement.operator {
            case "In", "NotIn":
                if requirement.values.isEmpty {
                    errors.required(
                        at: "values",
                        "must be specified when `operator` is 'In' or 'NotIn'"
                    )
                }
            case "Exists", "DoesNotExist":
                if !requirement.values.isEmpty {
                    errors.forbidden(
                        at: "values",
                        "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
                    )
                }
            case "Gt", "Lt":
                if requirement.values.count != 1 {
                    errors.required(
                        at: "values",
                        "must be specified single value when `operator` is 'Lt' or 'Gt'"
                    )
                }
            default:
                errors.invalid(
                    at: "operator",
                    .string(requirement.operator),
                    "not a valid selector operator"
                )
            }
            errors.invalid(
                at: "key",
                .string(requirement.key),
                Formats.labelKey(requirement.key)
            )
            for (index, value) in requirement.values.enumerated() {
                errors.within("values", index: index) {
                    $0.invalid(.string(value), Formats.labelValue(value))
                }
            }
        }
        self.forEach("matchFields", in: term.matchFields) { errors, requirement in
            switch requirement.operator {
            case "In", "NotIn":
                if requirement.values.count != 1 {
                    errors.required(
                        at: "values",
                        "must be only one value when `operator` is 'In' or 'NotIn' for node field "
                            + "selector"
                    )
                }
            default:
                errors.invalid(
                    at: "operator",
                    .string(requirement.operator),
                    "not a valid selector operator"
                )
            }
            guard requirement.key == "metadata.name" else {
                errors.invalid(
                    at: "key",
                    .string(requirement.key),
                    "not a valid field selector key"
                )
                return
            }
            for (index, value) in requirement.values.enumerated() {
                errors.within("values", index: index) {
                    $0.invalid(.string(value), Formats.dns1123Subdomain(value))
                }
            }
        }
    }

    // MARK: - Pod affinity

    private mutating func validatePodTerms(
        required: RepeatedField<CoreV1.PodAffinityTerm>,
        preferred: RepeatedField<CoreV1.WeightedPodAffinityTerm>
    ) {
        self.forEach("requiredDuringSchedulingIgnoredDuringExecution", in: required) {
            $0.validatePodTerm($1)
        }
        self.forEach("preferredDuringSchedulingIgnoredDuringExecution", in: preferred) {
            errors,
            term in
            errors.validateWeight(term.weight)
            errors.within("podAffinityTerm") { $0.validatePodTerm(term.podAffinityTerm) }
        }
    }

    private mutating func validatePodTerm(_ term: CoreV1.PodAffinityTerm) {
        self.ifPresent("labelSelector", term.labelSelector) { $0.validateSelector($1) }
        self.ifPresent("namespaceSelector", term.namespaceSelector) { $0.validateSelector($1) }
        for name in term.namespaces {
            self.invalid(at: "namespace", .string(name), Formats.dns1123Label(name))
        }
        self.validateLabelKeys(term.matchLabelKeys, "matchLabelKeys", term.labelSelector)
        self.validateLabelKeys(term.mismatchLabelKeys, "mismatchLabelKeys", term.labelSelector)
        for (index, key) in term.matchLabelKeys.enumerated()
        where term.mismatchLabelKeys.contains(key) {
            self.within("matchLabelKeys", index: index) {
                $0.invalid(.string(key), "exists in both matchLabelKeys and mismatchLabelKeys")
            }
        }
        if self.mustHave("topologyKey", term.topologyKey, "can not be empty") {
            self.invalid(
                at: "topologyKey",
                .string(term.topologyKey),
                Formats.labelKey(term.topologyKey)
            )
        }
    }

    private mutating func validateLabelKeys(
        _ keys: RepeatedField<String>,
        _ name: String,
        _ selector: MetaV1.LabelSelector?
    ) {
        if keys.isEmpty { return }
        if selector == nil {
            self.forbidden(at: name, "must not be specified when labelSelector is not set")
        }
        self.forEach(name, in: keys) { errors, key in
            errors.invalid(.string(key), Formats.labelKey(key))
        }
    }

    // MARK: - Topology

    mutating func validateTopology(
        _ constraints: RepeatedField<CoreV1.TopologySpreadConstraint>
    ) {
        var known: Set<[String]> = []
        self.forEach("topologySpreadConstraints", in: constraints) { errors, constraint in
            let action = constraint.whenUnsatisfiable
            if constraint.maxSkew <= 0 {
                errors.invalid(
                    at: "maxSkew",
                    .number(constraint.maxSkew),
                    "must be greater than zero"
                )
            }
            if errors.mustHave("topologyKey", constraint.topologyKey, "can not be empty") {
                errors.invalid(
                    at: "topologyKey",
                    .string(constraint.topologyKey),
                    Formats.labelKey(constraint.topologyKey)
                )
            }
            if action != "DoNotSchedule" && action != "ScheduleAnyway" {
                errors.notSupported(
                    at: "whenUnsatisfiable",
                    .string(action),
                    supported: ["DoNotSchedule", "ScheduleAnyway"]
                )
            }
            if !known.insert([constraint.topologyKey, action]).inserted {
                errors.duplicate(
                    at: "{topologyKey, whenUnsatisfiable}",
                    .string("{\(constraint.topologyKey), \(action)}")
                )
            }
            if let minimum = constraint.minDomains {
                if minimum <= 0 {
                    errors.invalid(
                        at: "minDomains",
                        .number(minimum),
                        "must be greater than zero"
                    )
                }
                if action != "DoNotSchedule" {
                    errors.invalid(
                        at: "minDomains",
                        .number(minimum),
                        "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not \(action)"
                    )
                }
            }
            errors.oneOf(
                "nodeAffinityPolicy",
                constraint.nodeAffinityPolicy,
                ifPresent: ["Honor", "Ignore"]
            )
            errors.oneOf(
                "nodeTaintsPolicy",
                constraint.nodeTaintsPolicy,
                ifPresent: ["Honor", "Ignore"]
            )
            errors.validateLabelKeys(
                constraint.matchLabelKeys,
                "matchLabelKeys",
                constraint.labelSelector
            )
            errors.ifPresent("labelSelector", constraint.labelSelector) {
                $0.validateSelector($1)
            }
        }
    }

    // MARK: - Tolerations

    mutating func validateTolerations(_ tolerations: RepeatedField<CoreV1.Toleration>) {
        self.forEach("tolerations", in: tolerations) { errors, toleration in
            errors.mayHave("key", toleration.key) { Formats.labelKey($0) }
            if toleration.key.isEmpty && toleration.operator != "Exists" {
                errors.invalid(
                    at: "operator",
                    .string(toleration.operator),
                    "operator must be Exists when `key` is empty, which means \"match all values "
                        + "and all keys\""
                )
            }
            if toleration.tolerationSeconds != nil && toleration.effect != "NoExecute" {
                errors.invalid(
                    at: "effect",
                    .string(toleration.effect),
                    "effect must be 'NoExecute' when `tolerationSeconds` is set"
                )
            }
            switch toleration.operator {
            case "Equal", "":
                let messages = Formats.labelValue(toleration.value)
                if !messages.isEmpty {
                    errors.invalid(
                        at: "operator",
                        .string(toleration.value),
                        messages.joined(separator: ";")
                    )
                }
            case "Exists":
                if !toleration.value.isEmpty {
                    errors.invalid(
                        at: "operator",
                        .message(toleration),
                        "value must be empty when `operator` is 'Exists'"
                    )
                }
            default:
                errors.notSupported(
                    at: "operator",
                    .string(toleration.operator),
                    supported: ["Equal", "Exists"]
                )
            }
            if !toleration.effect.isEmpty {
                errors.oneOf(
                    "effect",
                    toleration.effect,
                    ["NoSchedule", "PreferNoSchedule", "NoExecute"]
                )
            }
        }
    }
}
