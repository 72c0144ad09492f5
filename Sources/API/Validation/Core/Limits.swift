// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import NameRules
import Protobuf
import Scalars

extension FieldErrors {
    mutating func validateLimitRange(_ range: CoreV1.LimitRange) {
        var types: Set<String> = []
        self.within("spec") { errors in
            errors.forEach("limits", in: range.spec.limits) { errors, item in
                if errors.mustHave("type", item.type) {
                    errors.invalid(at: "type", .string(item.type), Formats.labelKey(item.type))
                    let known = ["Container", "PersistentVolumeClaim", "Pod"]
                    if !item.type.contains("/") && !known.contains(item.type) {
                        errors.invalid(
                            at: "type",
                            .string(item.type),
                            "must be a standard limit type or fully qualified"
                        )
                    }
                }
                if !types.insert(item.type).inserted {
                    errors.duplicate(at: "type", .string(item.type))
                }
                errors.validateLimits(item)
            }
        }
    }

    private mutating func validateLimits(_ item: CoreV1.LimitRangeItem) {
        if item.type == "Pod" {
            let words = "may not be specified when `type` is 'Pod'"
            if !item.default.isEmpty { self.forbidden(at: "default", words) }
            if !item.defaultRequest.isEmpty { self.forbidden(at: "defaultRequest", words) }
        }
        if item.type == "PersistentVolumeClaim", item.min["storage"] == nil,
            item.max["storage"] == nil
        {
            self.required(
                at: "limits",
                "either minimum or maximum storage value is required, but neither was provided"
            )
        }
        var names: Set<String> = []
        for list in [
            item.max, item.min, item.default, item.defaultRequest, item.maxLimitRequestRatio,
        ] {
            names.formUnion(list.keys)
        }
        for name in names.sorted() { self.validateLimits(item, of: name) }
    }

    private mutating func validateLimits(_ item: CoreV1.LimitRangeItem, of name: String) {
        let least = try? item.min[name]?.parsed()
        let most = try? item.max[name]?.parsed()
        let normal = try? item.default[name]?.parsed()
        let request = try? item.defaultRequest[name]?.parsed()
        func fault(
            _ errors: inout FieldErrors,
            _ list: String,
            _ value: Quantity,
            _ words: String
        ) {
            errors.within(list) { errors in
                errors.within(key: name) { $0.invalid(.string(value.description), words) }
            }
        }
        if let least, let most, least > most {
            fault(&self, "min", least, "min value \(least) is greater than max value \(most)")
        }
        if let request, let least, least > request {
            fault(
                &self,
                "defaultRequest",
                request,
                "min value \(least) is greater than default request value \(request)"
            )
        }
        if let request, let most, request > most {
            fault(
                &self,
                "defaultRequest",
                request,
                "default request value \(request) is greater than max value \(most)"
            )
        }
        if let request, let normal, request > normal {
            fault(
                &self,
                "defaultRequest",
                request,
                "default request value \(request) is greater than default limit value \(normal)"
            )
        }
        if let normal, let least, least > normal {
            fault(
                &self,
                "default",
                least,
                "min value \(least) is greater than default value \(normal)"
            )
        }
        if let normal, let most, normal > most {
            fault(
                &self,
                "default",
                most,
                "default value \(normal) is greater than max value \(most)"
            )
        }
        if let ratio = try? item.maxLimitRequestRatio[name]?.parsed(), ratio < Quantity(1) {
            fault(&self, "maxLimitRequestRatio", ratio, "ratio \(ratio) is less than 1")
        }
        if !ResourceName.allowsOvercommit(name), let normal, let request, normal != request {
            fault(
                &self,
                "defaultRequest",
                request,
                "default value \(normal) must equal to defaultRequest value \(request) in \(name)"
            )
        }
    }

    // MARK: - Quotas

    mutating func validateQuota(_ spec: CoreV1.ResourceQuotaSpec) {
        self.validateQuotaAmounts("hard", spec.hard)
        let scopes = Set(spec.scopes)
        if !scopes.isSubset(of: Self.quotaScopes) {
            self.invalid(at: "scopes", .init(spec.scopes), "unsupported scope")
        }
        for pair in [["BestEffort", "NotBestEffort"], ["NotTerminating", "Terminating"]]
        where scopes.isSuperset(of: pair) {
            self.invalid(at: "scopes", .init(spec.scopes), "conflicting scopes")
        }
        self.ifPresent("scopeSelector", spec.scopeSelector) { errors, selector in
            errors.within("matchExpressions") { errors in
                for requirement in selector.matchExpressions { errors.validateScope(requirement) }
            }
        }
    }

    private static let quotaScopes: Set<String> = [
        "BestEffort", "CrossNamespacePodAffinity", "NotBestEffort", "NotTerminating",
        "PriorityClass", "Terminating", "VolumeAttributesClass",
    ]

    private mutating func validateScope(
        _ requirement: CoreV1.ScopedResourceSelectorRequirement
    ) {
        if !Self.quotaScopes.contains(requirement.scopeName) {
            self.invalid(
                at: "scopeName",
                .string(requirement.scopeName),
                "unsupported scope"
            )
        }
        let hasValues = ["PriorityClass", "VolumeAttributesClass"].contains(requirement.scopeName)
        if !hasValues && requirement.operator != "Exists" {
            self.invalid(
                at: "operator",
                .string(requirement.operator),
                "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, "
                    + "ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, "
                    + "ResourceQuotaScopeNotBestEffort or "
                    + "ResourceQuotaScopeCrossNamespacePodAffinity"
            )
        }
        switch requirement.operator {
        case "In", "NotIn":
            if requirement.values.isEmpty {
                self.required(
                    at: "values",
                    "must be at least one value when `operator` is 'In' or 'NotIn' for scope "
                        + "selector"
                )
            }
        case "Exists", "DoesNotExist":
            if !requirement.values.isEmpty {
                self.invalid(
                    at: "values",
                    .init(requirement.values),
                    "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope "
                        + "selector"
                )
            }
        default:
            self.invalid(
                at: "operator",
                .string(requirement.operator),
                "not a valid selector operator"
            )
        }
    }

    private mutating func validateQuotaAmounts(_ name: String, _ amounts: Quantities) {
        guard !amounts.isEmpty else { return }
        self.within(name) { errors in
            for (resource, amount) in amounts {
                errors.within(key: resource) { errors in
                    let messages = Formats.labelKey(resource)
                    errors.invalid(.string(resource), messages)
                    if messages.isEmpty && !resource.contains("/")
                        && !ResourceName.isStandardForQuota(resource)
                    {
                        errors.invalid(
                            .string(resource),
                            "must be a standard resource for quota"
                        )
                    }
                    errors.validateAmount(resource, amount)
                }
            }
        }
    }

    mutating func validateQuotaUpdate(
        _ new: CoreV1.ResourceQuota,
        old: CoreV1.ResourceQuota,
        _ subresource: String?
    ) {
        if subresource == "status" {
            self.within("status") { errors in
                errors.validateQuotaAmounts("hard", new.status.hard)
                errors.validateQuotaAmounts("used", new.status.used)
            }
        } else if subresource == nil {
            self.within("spec") { errors in
                errors.validateQuota(new.spec)
                if Set(new.spec.scopes) != Set(old.spec.scopes) {
                    errors.immutable(at: "scopes", .init(new.spec.scopes))
                }
                errors.immutable(
                    at: "scopeSelector",
                    new.spec.scopeSelector,
                    old.spec.scopeSelector
                )
            }
        }
    }
}
