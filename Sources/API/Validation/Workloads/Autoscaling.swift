// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import NameRules
import Protobuf
import Scalars

extension FieldErrors {
    mutating func validateAutoscaler(_ spec: AutoscalingV2.HorizontalPodAutoscalerSpec) {
        self.validateBounds(minimum: spec.minReplicas, maximum: spec.maxReplicas)
        self.within("scaleTargetRef") {
            $0.validateTarget(kind: spec.scaleTargetRef.kind, name: spec.scaleTargetRef.name)
        }
        self.forEach("metrics", in: spec.metrics) { $0.validateMetric($1) }
        self.ifPresent("behavior", spec.behavior) { errors, behavior in
            errors.ifPresent("scaleUp", behavior.scaleUp) { $0.validateScaling($1) }
            errors.ifPresent("scaleDown", behavior.scaleDown) { $0.validateScaling($1) }
        }
    }

    mutating func validateAutoscaler(_ spec: AutoscalingV1.HorizontalPodAutoscalerSpec) {
        self.validateBounds(minimum: spec.minReplicas, maximum: spec.maxReplicas)
        self.within("scaleTargetRef") {
            $0.validateTarget(kind: spec.scaleTargetRef.kind, name: spec.scaleTargetRef.name)
        }
        if let percent = spec.targetCPUUtilizationPercentage, percent < 1 {
            self.invalid(
                at: "targetCPUUtilizationPercentage",
                .number(percent),
                "must be greater than 0"
            )
        }
    }

    private mutating func validateBounds(minimum: Int32?, maximum: Int32) {
        if let minimum, minimum < 1 {
            self.invalid(
                at: "minReplicas",
                .number(minimum),
                "must be greater than or equal to 1"
            )
        }
        if maximum < 1 {
            self.invalid(at: "maxReplicas", .number(maximum), "must be greater than 0")
        }
        if let minimum, maximum < minimum {
            self.invalid(
                at: "maxReplicas",
                .number(maximum),
                "must be greater than or equal to `minReplicas`"
            )
        }
    }

    private mutating func validateTarget(kind: String, name: String) {
        self.mustHave("kind", kind) { Formats.pathSegmentName($0) }
        self.mustHave("name", name) { Formats.pathSegmentName($0) }
    }

    private mutating func validateMetric(_ metric: AutoscalingV2.MetricSpec) {
        guard self.mustHave("type", metric.type, "must specify a metric source type") else {
            return
        }
        let fields = [
            "Object": ("object", metric.object != nil), "Pods": ("pods", metric.pods != nil),
            "Resource": ("resource", metric.resource != nil),
            "External": ("external", metric.external != nil),
            "ContainerResource": ("containerResource", metric.containerResource != nil),
        ]
        guard let (own, isSet) = fields[metric.type] else {
            self.notSupported(
                at: "type",
                .string(metric.type),
                supported: ["ContainerResource", "External", "Object", "Pods", "Resource"]
            )
            return
        }
        if !isSet {
            self.required(
                at: own,
                "must populate information for the given metric source"
            )
        }
        for (type, field) in fields.sorted(by: { $0.key < $1.key })
        where type != metric.type && field.1 {
            self.forbidden(
                at: field.0,
                "must populate the given metric source only"
            )
        }
        self.ifPresent("object", metric.object) { errors, source in
            errors.within("describedObject") {
                $0.validateTarget(
                    kind: source.describedObject.kind,
                    name: source.describedObject.name
                )
            }
            errors.validateIdentifier(source.metric)
            errors.validateTarget(source.target)
            if source.target.value == nil && source.target.averageValue == nil {
                errors.required(
                    at: "target.averageValue",
                    "must set either a target value or averageValue"
                )
            }
        }
        self.ifPresent("external", metric.external) { errors, source in
            errors.validateIdentifier(source.metric)
            errors.validateTarget(source.target)
            switch (source.target.value, source.target.averageValue) {
            case (nil, nil):
                errors.required(
                    at: "target.averageValue",
                    "must set either a target value for metric or a per-pod target"
                )
            case (_?, _?):
                errors.forbidden(
                    at: "target.value",
                    "may not set both a target value for metric and a per-pod target"
                )
            default: return
            }
        }
        self.ifPresent("pods", metric.pods) { errors, source in
            errors.validateIdentifier(source.metric)
            errors.validateTarget(source.target)
            if source.target.averageValue == nil {
                errors.required(
                    at: "target.averageValue",
                    "must specify a positive target averageValue"
                )
            }
        }
        self.ifPresent("containerResource", metric.containerResource) { errors, source in
            errors.mustHave("name", source.name, "must specify a resource name")
            errors.mustHave("container", source.container, "must specify a container")
            errors.validateResourceTarget(source.target)
        }
        self.ifPresent("resource", metric.resource) { errors, source in
            errors.mustHave("name", source.name, "must specify a resource name")
            errors.validateResourceTarget(source.target)
        }
    }

    private mutating func validateIdentifier(_ metric: AutoscalingV2.MetricIdentifier) {
        self.within("metric") { errors in
            errors.mustHave("name", metric.name) { Formats.pathSegmentName($0) }
        }
    }

    private mutating func validateResourceTarget(_ target: AutoscalingV2.MetricTarget) {
        self.validateTarget(target)
        switch (target.averageUtilization, target.averageValue) {
        case (nil, nil):
            self.required(
                at: "target.averageUtilization",
                "must set either a target raw value or a target utilization"
            )
        case (_?, _?):
            self.forbidden(
                at: "target.averageValue",
                "may not set both a target raw value and a target utilization"
            )
        default: return
        }
    }

    private mutating func validateTarget(_ target: AutoscalingV2.MetricTarget) {
        self.within("target") { errors in
            if target.type.isEmpty {
                errors.required(at: "type", "must specify a metric target type")
            } else if !["Utilization", "Value", "AverageValue"].contains(target.type) {
                errors.invalid(
                    at: "type",
                    .string(target.type),
                    "must be either Utilization, Value, or AverageValue"
                )
            }
            for (name, quantity) in [
                ("value", target.value), ("averageValue", target.averageValue),
            ] {
                guard let amount = try? quantity?.parsed(), amount.sign != 1 else { continue }
                errors.invalid(at: name, .string(amount.description), "must be positive")
            }
            if let percent = target.averageUtilization, percent < 1 {
                errors.invalid(
                    at: "averageUtilization",
                    .number(percent),
                    "must be greater than 0"
                )
            }
        }
    }

    private mutating func validateScaling(_ rules: AutoscalingV2.HPAScalingRules) {
        let most = Int32(APILimits.hpaStabilizationMax)
        if let seconds = rules.stabilizationWindowSeconds {
            self.nonnegative("stabilizationWindowSeconds", seconds)
            if seconds > most {
                self.invalid(
                    at: "stabilizationWindowSeconds",
                    .number(seconds),
                    "must be less than or equal to \(most)"
                )
            }
        }
        self.oneOf("selectPolicy", rules.selectPolicy, ifPresent: ["Disabled", "Max", "Min"])
        if rules.policies.isEmpty {
            self.required(at: "policies", "must specify at least one Policy")
        }
        let longest = Int32(APILimits.hpaPeriodSecondsMax)
        self.forEach("policies", in: rules.policies) { errors, policy in
            errors.oneOf("type", policy.type, ifPresent: ["Percent", "Pods"])
            if policy.value <= 0 {
                errors.invalid(at: "value", .number(policy.value), "must be greater than zero")
            }
            if policy.periodSeconds <= 0 {
                errors.invalid(
                    at: "periodSeconds",
                    .number(policy.periodSeconds),
                    "must be greater than zero"
                )
            }
            if policy.periodSeconds > longest {
                errors.invalid(
                    at: "periodSeconds",
                    .number(policy.periodSeconds),
                    "must be less than or equal to \(longest)"
                )
            }
        }
        if let tolerance = rules.tolerance { self.validateNonnegative(at: "tolerance", tolerance) }
    }

    // MARK: - Disruption budgets

    mutating func validateBudget(_ spec: PolicyV1.PodDisruptionBudgetSpec) {
        if spec.minAvailable != nil && spec.maxUnavailable != nil {
            self.invalid(
                .message(spec),
                "minAvailable and maxUnavailable cannot be both set"
            )
        }
        self.validateCountOrPercent("minAvailable", spec.minAvailable)
        self.validateNotOver100Percent("minAvailable", spec.minAvailable)
        self.validateCountOrPercent("maxUnavailable", spec.maxUnavailable)
        self.validateNotOver100Percent("maxUnavailable", spec.maxUnavailable)
        self.ifPresent("selector", spec.selector) { $0.validateSelector($1) }
        self.oneOf(
            "unhealthyPodEvictionPolicy",
            spec.unhealthyPodEvictionPolicy,
            ifPresent: ["AlwaysAllow", "IfHealthyBudget"]
        )
    }
}
