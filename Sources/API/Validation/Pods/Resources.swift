// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import NameRules
import Protobuf
import Scalars

/// What is known of the names of resources.
///
/// Source: upstream `pkg/apis/core/helper/helpers.go`.
enum ResourceName {
    static let hugePagePrefix = "hugepages-"

    static func isHugePage(_ name: String) -> Bool { name.hasPrefix(self.hugePagePrefix) }

    static func isQuotaHugePage(_ name: String) -> Bool {
        self.isHugePage(name) || name.hasPrefix("requests." + self.hugePagePrefix)
    }

    /// Kubernetes' own: without a domain, or of the domain kubernetes.io.
    static func isNative(_ name: String) -> Bool {
        !name.contains("/") || name.contains("kubernetes.io/")
    }

    static func isExtended(_ name: String) -> Bool {
        !self.isNative(name) && !name.hasPrefix("requests.")
            && Formats.isLabelKey("requests." + name)
    }

    static func allowsOvercommit(_ name: String) -> Bool {
        self.isNative(name) && !self.isHugePage(name)
    }

    /// Of containers.
    static func isForContainers(_ name: String) -> Bool {
        name == "cpu" || name == "memory" || name == "ephemeral-storage" || self.isHugePage(name)
    }

    /// Counted in whole numbers.
    static func isCounted(_ name: String) -> Bool {
        self.counted.contains(name) || self.isExtended(name)
    }

    private static let counted: Set<String> = [
        "configmaps", "persistentvolumeclaims", "pods", "replicationcontrollers",
        "resourcequotas", "secrets", "services", "services.loadbalancers", "services.nodeports",
    ]

    /// Known without a domain.
    static func isStandard(_ name: String) -> Bool {
        self.standard.contains(name) || self.isQuotaHugePage(name)
    }

    private static let standard: Set<String> = [
        "configmaps", "cpu", "ephemeral-storage", "limits.cpu", "limits.ephemeral-storage",
        "limits.memory", "memory", "persistentvolumeclaims", "pods", "replicationcontrollers",
        "requests.cpu", "requests.ephemeral-storage", "requests.memory", "requests.storage",
        "resourcequotas", "secrets", "services", "services.loadbalancers", "services.nodeports",
        "storage",
    ]

    /// Known in quotas.
    static func isStandardForQuota(_ name: String) -> Bool {
        name != "storage" && self.standard.contains(name) || self.isQuotaHugePage(name)
    }

    static let computeResources: Set<String> = ["cpu", "memory"]
}

extension FieldErrors {
    typealias Quantities = MapField<String, KubernetesAPI.Resource.Quantity>

    /// The resources of a container.
    mutating func validateContainerResources(
        _ resources: CoreV1.ResourceRequirements,
        claimNames: Set<String>
    ) {
        self.validateResources(
            limits: resources.limits,
            requests: resources.requests
        ) { $0.validateContainerResourceName($1) }
        var hugePages = false
        var compute = false
        for list in [resources.limits, resources.requests] {
            for (name, _) in list {
                hugePages = hugePages || ResourceName.isHugePage(name)
                compute = compute || ResourceName.computeResources.contains(name)
            }
        }
        if hugePages && !compute { self.forbidden("HugePages require cpu or memory") }
        self.validateClaims(resources.claims, claimNames)
    }

    /// Limits and requests, and how they go together.
    mutating func validateResources(
        limits: Quantities,
        requests: Quantities,
        _ validateName: (inout FieldErrors, String) -> Void
    ) {
        if !limits.isEmpty {
            self.within("limits") { errors in
                for (name, amount) in limits {
                    errors.within(key: name) { errors in
                        validateName(&errors, name)
                        errors.validateAmount(name, amount)
                    }
                }
            }
        }
        if requests.isEmpty { return }
        for (name, amount) in requests {
            self.within("requests") { errors in
                errors.within(key: name) { errors in
                    validateName(&errors, name)
                    errors.validateAmount(name, amount)
                }
            }
            guard let limit = limits[name] else {
                if !ResourceName.allowsOvercommit(name) {
                    self.required(
                        at: "limits",
                        "Limit must be set for non overcommitable resources"
                    )
                }
                continue
            }
            guard let requested = try? amount.parsed(), let most = try? limit.parsed() else {
                continue
            }
            let order = requested.compare(to: most)
            if order != 0 && !ResourceName.allowsOvercommit(name) {
                self.invalid(
                    at: "requests",
                    .string(requested.description),
                    "must be equal to \(name) limit of \(most)"
                )
            } else if order > 0 {
                self.invalid(
                    at: "requests",
                    .string(requested.description),
                    "must be less than or equal to \(name) limit of \(most)"
                )
            }
        }
    }

    /// The name of a resource, at the field at hand.
    mutating func validateResourceName(_ name: String) {
        let messages = Formats.labelKey(name)
        self.invalid(.string(name), messages)
        if messages.isEmpty && !name.contains("/") && !ResourceName.isStandard(name) {
            self.invalid(
                .string(name),
                "must be a standard resource type or fully qualified"
            )
        }
    }

    mutating func validateContainerResourceName(_ name: String) {
        self.validateResourceName(name)
        if !name.contains("/") {
            if !ResourceName.isForContainers(name) {
                self.invalid(.string(name), "must be a standard resource for containers")
            }
        } else if !ResourceName.isNative(name) && !ResourceName.isExtended(name) {
            self.invalid(.string(name), "doesn't follow extended resource name standard")
        }
    }

    /// The amount of a resource, at the field at hand.
    mutating func validateAmount(_ name: String, _ quantity: KubernetesAPI.Resource.Quantity) {
        self.validateNonnegative(quantity)
        guard ResourceName.isCounted(name), let amount = try? quantity.parsed() else { return }
        if amount.milliValue % 1000 != 0 {
            self.invalid(.json(GoText.json(amount.description)), "must be an integer")
        }
    }

    private mutating func validateClaims(
        _ claims: RepeatedField<CoreV1.ResourceClaim>,
        _ podClaims: Set<String>
    ) {
        var names: Set<String> = []
        self.forEach("claims", in: claims) { errors, claim in
            guard errors.mustHave("name", claim.name) else { return }
            let key = claim.request.isEmpty ? claim.name : "\(claim.name)/\(claim.request)"
            if !names.insert(key).inserted {
                errors.duplicate(.string(key))
            }
            if !podClaims.contains(claim.name) {
                errors.notFound(at: "name", .string(claim.name))
            }
        }
    }

    /// The resources of the whole pod.
    mutating func validatePodResources(_ spec: CoreV1.PodSpec) {
        guard let resources = spec.resources else { return }
        self.within("resources") { errors in
            if !resources.claims.isEmpty {
                errors.forbidden(at: "claims", "claims may not be set for Resources at pod-level")
            }
            errors.validateResources(limits: resources.limits, requests: resources.requests) {
                errors,
                name in
                errors.validateContainerResourceName(name)
                if !ResourceName.computeResources.contains(name) && !ResourceName.isHugePage(name) {
                    errors.notSupported(.string(name), supported: ["cpu", "hugepages-", "memory"])
                }
            }
            errors.validateSums(spec, resources)
        }
    }

    /// What the containers ask for together fits in what the pod asks for.
    private mutating func validateSums(
        _ spec: CoreV1.PodSpec,
        _ resources: CoreV1.ResourceRequirements
    ) {
        var requests: [String: Quantity] = [:]
        for container in spec.containers {
            for (name, amount) in container.resources.requests {
                guard let amount = try? amount.parsed() else { continue }
                requests[name, default: .zero].add(amount)
            }
        }
        for (name, quantity) in resources.requests {
            guard let most = try? quantity.parsed(), let sum = requests[name],
                sum.compare(to: most) > 0
            else { continue }
            self.within("requests") { errors in
                errors.within(key: name) { errors in
                    errors.invalid(
                        .string(most.description),
                        "must be greater than or equal to aggregate container requests of \(sum)"
                    )
                }
            }
        }
        for (index, container) in spec.containers.enumerated() {
            for (name, quantity) in container.resources.limits {
                guard let most = try? resources.limits[name]?.parsed(),
                    let limit = try? quantity.parsed(), limit.compare(to: most) > 0
                else { continue }
                let path = "limits[\(name)]"
                self.add(
                    .invalid(
                        FieldPath("spec").child("containers").index(index).child(
                            "resources",
                            path
                        ),
                        .string(limit.description),
                        "must be less than or equal to pod limits of \(most)"
                    )
                )
            }
        }
    }
}
