// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import NameRules
import Protobuf

extension FieldErrors {
    // MARK: - Namespaces

    mutating func validateNamespaceUpdate(
        _ new: CoreV1.Namespace,
        old: CoreV1.Namespace,
        _ subresource: String?
    ) {
        switch subresource {
        case "finalize":
            self.within("spec") { errors in
                errors.forEach("finalizers", in: new.spec.finalizers) { errors, name in
                    errors.invalid(.string(name), Formats.labelKey(name))
                    if !name.contains("/") && name != "kubernetes" {
                        errors.invalid(
                            .string(name),
                            "name is neither a standard finalizer name nor is it fully qualified"
                        )
                    }
                }
            }
        case "status":
            let phase = new.status.phase
            self.within("status") { errors in
                if new.metadata.deletionTimestamp == nil && phase != "Active" {
                    errors.invalid(
                        at: "Phase",
                        .string(phase),
                        "may only be 'Active' if `deletionTimestamp` is empty"
                    )
                }
                if new.metadata.deletionTimestamp != nil && phase != "Terminating" {
                    errors.invalid(
                        at: "Phase",
                        .string(phase),
                        "may only be 'Terminating' if `deletionTimestamp` is not empty"
                    )
                }
            }
        default: return
        }
    }

    // MARK: - Nodes

    mutating func validateNode(_ node: CoreV1.Node) {
        self.within("spec") { errors in
            errors.validateTaints(node.spec.taints)
            errors.validateRanges(node.spec)
        }
        self.within("status") { errors in
            for (name, list) in [
                ("capacity", node.status.capacity), ("allocatable", node.status.allocatable),
            ] {
                guard !list.isEmpty else { continue }
                errors.within(name) { errors in
                    for (resource, amount) in list {
                        errors.within(key: resource) { $0.validateAmount(resource, amount) }
                    }
                }
            }
        }
    }

    private mutating func validateTaints(_ taints: RepeatedField<CoreV1.Taint>) {
        var known: Set<[String]> = []
        self.forEach("taints", in: taints) { errors, taint in
            errors.invalid(at: "key", .string(taint.key), Formats.labelKey(taint.key))
            let messages = Formats.labelValue(taint.value)
            if !messages.isEmpty {
                errors.invalid(
                    at: "value",
                    .string(taint.value),
                    messages.joined(separator: ";")
                )
            }
            errors.oneOf(
                "effect",
                taint.effect,
                ["NoSchedule", "PreferNoSchedule", "NoExecute"]
            )
            if !known.insert([taint.key, taint.effect]).inserted {
                errors.duplicate(.message(taint))
            }
        }
    }

    private mutating func validateRanges(_ spec: CoreV1.NodeSpec) {
        self.forEach("podCIDRs", in: spec.podCIDRs) { errors, range in
            errors.add(Formats.cidrInLegacyField(errors.path, range))
        }
        if spec.podCIDRs.count > 2 {
            self.invalid(
                at: "podCIDRs",
                .init(spec.podCIDRs),
                "may specify no more than one CIDR for each IP family"
            )
        }
    }

    mutating func validateNodeUpdate(
        _ new: CoreV1.Node,
        old: CoreV1.Node,
        _ subresource: String?
    ) {
        self.validateNode(new)
        self.within("status") { errors in
            var addresses: Set<[String]> = []
            errors.forEach("addresses", in: new.status.addresses) { errors, address in
                if !addresses.insert([address.type, address.address]).inserted {
                    errors.duplicate(.message(address))
                }
            }
        }
        self.within("spec") { errors in
            if !old.spec.podCIDRs.isEmpty && new.spec.podCIDRs != old.spec.podCIDRs {
                errors.forbidden(
                    at: "podCIDRs",
                    "node updates may not change podCIDR except from \"\" to valid"
                )
            }
            if !old.spec.providerID.isEmpty && new.spec.providerID != old.spec.providerID {
                errors.forbidden(
                    at: "providerID",
                    "node updates may not change providerID except from \"\" to valid"
                )
            }
        }
    }

    // MARK: - Priorities, leases, runtimes

    mutating func validatePriorityClass(_ priority: SchedulingV1.PriorityClass) {
        let name = priority.metadata.name
        let reserved = "priority class names with 'system-' prefix are reserved for system use only"
        if name.hasPrefix("system-") {
            let values: [String: Int32] = [
                "system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000,
            ]
            if let value = values[name], value != priority.value {
                self.within("metadata") {
                    $0.forbidden(
                        at: "name",
                        reserved + ". error: value of \(name) PriorityClass must be \(value)"
                    )
                }
            } else if values[name] == nil {
                self.within("metadata") {
                    $0.forbidden(
                        at: "name",
                        reserved + ". error: \(name) is not a known system priority class"
                    )
                }
            }
        } else if priority.value > Int32(APILimits.priorityUserMax) {
            self.forbidden(
                at: "value",
                "maximum allowed value of a user defined priority is "
                    + "\(APILimits.priorityUserMax)"
            )
        }
        self.oneOf(
            "preemptionPolicy",
            priority.preemptionPolicy,
            ifPresent: ["Never", "PreemptLowerPriority"]
        )
    }

    mutating func validateLease(_ lease: CoordinationV1.Lease) {
        self.within("spec") { errors in
            if let seconds = lease.spec.leaseDurationSeconds, seconds <= 0 {
                errors.invalid(
                    at: "leaseDurationSeconds",
                    .number(seconds),
                    "must be greater than 0"
                )
            }
            errors.nonnegative("leaseTransitions", lease.spec.leaseTransitions)
            if lease.spec.preferredHolder?.isEmpty == false, lease.spec.strategy == nil {
                errors.forbidden(
                    at: "preferredHolder",
                    "may only be specified when `strategy` is defined"
                )
            }
        }
    }

    mutating func validateRuntimeClass(_ runtime: NodeV1.RuntimeClass) {
        self.invalid(at: "handler", .string(runtime.handler), Formats.dns1123Label(runtime.handler))
        self.ifPresent("overhead", runtime.overhead) { errors, overhead in
            errors.within("podFixed") { errors in
                errors.validateResources(limits: overhead.podFixed, requests: [:]) {
                    $0.validateContainerResourceName($1)
                }
            }
        }
        self.ifPresent("scheduling", runtime.scheduling) { errors, scheduling in
            errors.validateLabels(at: "nodeSelector", scheduling.nodeSelector)
            errors.validateTolerations(scheduling.tolerations)
        }
    }

    mutating func validateEvent(_ event: CoreV1.Event) {
        let own = event.metadata.namespace
        let other = event.involvedObject.namespace
        if other.isEmpty {
            if own != "default" && own != "kube-system" {
                self.invalid(
                    at: "involvedObject.namespace",
                    .string(other),
                    "does not match event.namespace"
                )
            }
        } else if own != other {
            self.invalid(
                at: "involvedObject.namespace",
                .string(other),
                "does not match event.namespace"
            )
        }
    }
}
