// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import KubernetesAPI
import NameRules
import Protobuf

// Source: upstream `pkg/apis/core/validation/validation.go`, ValidatePodUpdate and its kin.

extension FieldErrors {
    mutating func validatePodUpdate(_ new: CoreV1.Pod, old: CoreV1.Pod) {
        self.within("metadata") { errors in
            errors.within("annotations") { errors in
                let key = "kubernetes.io/config.mirror"
                if new.metadata.annotations[key] != old.metadata.annotations[key] {
                    errors.within(key: key) {
                        $0.forbidden("may not add, remove or change mirror pod annotation")
                    }
                }
            }
        }
        self.within("spec") { errors in
            errors.validatePodSpec(new.spec, podName: new.metadata.name)
            if new.spec.containers.count != old.spec.containers.count {
                errors.forbidden(
                    at: "containers",
                    "pod updates may not add or remove containers"
                )
                return
            }
            if new.spec.initContainers.count != old.spec.initContainers.count {
                errors.forbidden(
                    at: "initContainers",
                    "pod updates may not add or remove containers"
                )
                return
            }
            errors.validateDeadlineUpdate(new.spec, old: old.spec)
            errors.validateTolerationsUpdate(new.spec, old: old.spec)
            errors.validateGatesUpdate(new.spec, old: old.spec)
            errors.validateRestUnchanged(new.spec, old: old.spec)
        }
    }

    private mutating func validateDeadlineUpdate(
        _ new: CoreV1.PodSpec,
        old: CoreV1.PodSpec
    ) {
        guard let before = old.activeDeadlineSeconds else { return }
        guard let after = new.activeDeadlineSeconds else {
            self.invalid(
                at: "activeDeadlineSeconds",
                .null,
                "must not update from a positive integer to nil value"
            )
            return
        }
        if after > before {
            self.invalid(
                at: "activeDeadlineSeconds",
                .integer(after),
                "must be less than or equal to previous value"
            )
        }
    }

    private mutating func validateTolerationsUpdate(
        _ new: CoreV1.PodSpec,
        old: CoreV1.PodSpec
    ) {
        func withoutTime(_ toleration: CoreV1.Toleration) -> CoreV1.Toleration {
            var copy = toleration
            copy.tolerationSeconds = nil
            return copy
        }
        let kept = new.tolerations.map(withoutTime)
        for toleration in old.tolerations where !kept.contains(withoutTime(toleration)) {
            self.forbidden(
                at: "tolerations",
                "existing toleration can not be modified except its tolerationSeconds"
            )
        }
    }

    private mutating func validateGatesUpdate(_ new: CoreV1.PodSpec, old: CoreV1.PodSpec) {
        let before = Set(old.schedulingGates.map(\.name))
        self.forEach("schedulingGates", in: new.schedulingGates) { errors, gate in
            if !before.contains(gate.name) {
                errors.forbidden(
                    "only deletion is allowed, but found new scheduling gate '\(gate.name)'"
                )
            }
        }
    }

    /// Everything but the few fields that an update may change.
    private mutating func validateRestUnchanged(_ new: CoreV1.PodSpec, old: CoreV1.PodSpec) {
        var munged = new
        for index in munged.containers.indices {
            munged.containers[index].image = old.containers[index].image
        }
        for index in munged.initContainers.indices {
            munged.initContainers[index].image = old.initContainers[index].image
        }
        munged.activeDeadlineSeconds = old.activeDeadlineSeconds
        munged.tolerations = old.tolerations
        munged.schedulingGates = old.schedulingGates
        if let before = old.terminationGracePeriodSeconds, before < 0,
            new.terminationGracePeriodSeconds == 1
        {
            munged.terminationGracePeriodSeconds = before
        }
        // While gates keep a pod from being scheduled, it may be told where to go.
        if !old.schedulingGates.isEmpty {
            self.validateGatedSelector(new, old: old)
            munged.nodeSelector = old.nodeSelector
            munged.affinity = old.affinity
        }
        munged.ephemeralContainers = old.ephemeralContainers
        if new.ephemeralContainers != old.ephemeralContainers {
            munged.ephemeralContainers = new.ephemeralContainers
        }
        if munged != old {
            self.forbidden(
                "pod updates may not change fields other than `spec.containers[*].image`,"
                    + "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
                    + "`spec.tolerations` (only additions to existing tolerations),"
                    + "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was "
                    + "previously negative)\n" + TreeDifference.text(old, munged)
            )
        }
    }

    private mutating func validateGatedSelector(_ new: CoreV1.PodSpec, old: CoreV1.PodSpec) {
        for (key, value) in old.nodeSelector where new.nodeSelector[key] != value {
            self.invalid(
                at: "nodeSelector",
                .map(new.nodeSelector),
                "only additions to spec.nodeSelector are allowed (no modifications or deletions)"
            )
            break
        }
    }

    // MARK: - Subresources

    mutating func validatePodStatus(_ new: CoreV1.Pod, old: CoreV1.Pod) {
        self.within("status") { errors in
            errors.validateConditions(new.status.conditions)
            let nominated = new.status.nominatedNodeName
            if !nominated.isEmpty {
                errors.invalid(
                    at: "nominatedNodeName",
                    .string(nominated),
                    Formats.dns1123Subdomain(nominated)
                )
            }
            errors.validateAddresses(new.status)
            errors.validateContainerStates(new, old: old)
        }
    }

    private mutating func validateConditions(
        _ conditions: RepeatedField<CoreV1.PodCondition>
    ) {
        let known: Set<String> = [
            "ContainersReady", "Initialized", "PodScheduled", "Ready",
        ]
        self.forEach("conditions", in: conditions) { errors, condition in
            if known.contains(condition.type) { return }
            errors.invalid(
                at: "type",
                .string(condition.type),
                Formats.labelKey(condition.type)
            )
        }
    }

    private mutating func validateAddresses(_ status: CoreV1.PodStatus) {
        self.forEach("podIPs", in: status.podIPs) { errors, address in
            errors.add(Formats.ipInLegacyField(errors.path, address.ip))
        }
        if status.podIPs.count > 2 {
            self.invalid(
                at: "podIPs",
                .list(status.podIPs),
                "may specify no more than one IP for each IP family"
            )
        }
    }

    /// A container that has ended in a pod that does not restart it does not run again.
    private mutating func validateContainerStates(_ new: CoreV1.Pod, old: CoreV1.Pod) {
        guard old.spec.restartPolicy == "Never" || old.spec.restartPolicy == "OnFailure" else {
            return
        }
        let after = Dictionary(
            new.status.containerStatuses.map { ($0.name, $0) }
        ) { first, _ in first }
        for (index, before) in old.status.containerStatuses.enumerated() {
            guard let ended = before.state.terminated,
                old.spec.restartPolicy == "Never" || ended.exitCode == 0,
                old.spec.containers.first(where: { $0.name == before.name })?.restartPolicy == nil,
                let status = after[before.name], status.state.terminated == nil
            else { continue }
            self.within("containerStatuses", index: index) { errors in
                errors.forbidden(
                    at: "state",
                    "may not be transitioned to non-terminated state"
                )
            }
        }
    }

    /// Ephemeral containers can be added, nothing else.
    mutating func validateEphemeralUpdate(_ new: CoreV1.Pod, old: CoreV1.Pod) {
        let pod = PodContext(new.spec)
        self.within("spec") { errors in
            errors.validateEphemeralContainers(pod)
            let after = Dictionary(
                new.spec.ephemeralContainers.map { ($0.ephemeralContainerCommon.name, $0) }
            ) { first, _ in first }
            for before in old.spec.ephemeralContainers {
                let name = before.ephemeralContainerCommon.name
                guard let kept = after[name] else {
                    errors.forbidden(
                        at: "ephemeralContainers",
                        "existing ephemeral containers \(GoText.quoted(name)) may not be removed\n"
                    )
                    continue
                }
                if kept != before {
                    errors.forbidden(
                        at: "ephemeralContainers",
                        "existing ephemeral containers \(GoText.quoted(name)) may not be changed\n"
                            + TreeDifference.text(before, kept)
                    )
                }
            }
        }
    }

    /// Resources of containers can change, within the pod's class of service.
    mutating func validateResize(_ new: CoreV1.Pod, old: CoreV1.Pod) {
        self.within("spec") { errors in
            errors.validatePodSpec(new.spec, podName: new.metadata.name)
            guard new.spec.containers.count == old.spec.containers.count,
                new.spec.initContainers.count == old.spec.initContainers.count
            else {
                errors.forbidden("containers may not be added or removed on resize")
                return
            }
            var munged = new.spec
            for index in munged.containers.indices {
                munged.containers[index].resources = old.spec.containers[index].resources
            }
            for index in munged.initContainers.indices
            where munged.initContainers[index].restartPolicy == "Always" {
                munged.initContainers[index].resources = old.spec.initContainers[index].resources
            }
            munged.resources = old.spec.resources
            if munged != old.spec {
                errors.forbidden("only cpu and memory resources are mutable")
            }
            errors.forEach("containers", in: new.spec.containers) { errors, container in
                guard let before = old.spec.containers.first(where: { $0.name == container.name })
                else { return }
                errors.validateResize(of: container.resources, from: before.resources)
            }
        }
    }

    private mutating func validateResize(
        of new: CoreV1.ResourceRequirements,
        from old: CoreV1.ResourceRequirements
    ) {
        self.within("resources") { errors in
            for (name, list, before) in [
                ("limits", new.limits, old.limits), ("requests", new.requests, old.requests),
            ] {
                for (resource, _) in before
                where list[resource] == nil && ResourceName.computeResources.contains(resource) {
                    errors.forbidden(at: name, "resource \(name) cannot be removed")
                    break
                }
                for (resource, amount) in list
                where !ResourceName.computeResources.contains(resource)
                    && before[resource] != amount
                {
                    errors.forbidden(at: name, "only cpu and memory resources are mutable")
                    break
                }
            }
        }
    }
}
