// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import NameRules
import Protobuf

// Source: upstream `pkg/apis/core/validation/validation.go`, ValidatePodSpec.

extension FieldErrors {
    /// - Parameter podName: of a pod; nil for a template.
    mutating func validatePodSpec(_ spec: CoreV1.PodSpec, podName: String? = nil) {
        let pod = PodContext(spec)
        self.validateVolumes(spec, podName: podName)
        self.validateResourceClaims(spec.resourceClaims)
        self.validateContainers(pod)
        self.validateInitContainers(pod)
        self.validateEphemeralContainers(pod)
        self.validatePodResources(spec)
        if spec.hostNetwork {
            self.validateHostNetworkPorts("containers", spec.containers)
            self.validateHostNetworkPorts("initContainers", spec.initContainers)
        }
        self.oneOf("restartPolicy", spec.restartPolicy, ["Always", "OnFailure", "Never"])
        self.oneOf(
            "dnsPolicy",
            spec.dnsPolicy,
            ["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"]
        )
        self.validateLabels(at: "nodeSelector", spec.nodeSelector)
        if spec.shareProcessNamespace == true && spec.hostPID {
            self.invalid(
                at: "shareProcessNamespace",
                true,
                "ShareProcessNamespace and HostPID cannot both be enabled"
            )
        }
        if let context = spec.securityContext { self.validatePodSecurityContext(context, spec) }
        self.ifPresent("affinity", spec.affinity) { $0.validateAffinity($1) }
        self.validateDNS(spec)
        self.forEach("readinessGates", in: spec.readinessGates) { errors, gate in
            errors.invalid(
                at: "conditionType",
                .string(gate.conditionType),
                Formats.labelKey(gate.conditionType)
            )
        }
        self.validateSchedulingGates(spec.schedulingGates)
        self.validateTopology(spec.topologySpreadConstraints)
        self.validateHostUsers(spec)
        self.mayHave("serviceAccountName", spec.serviceAccountName) {
            Formats.dns1123Subdomain($0)
        }
        self.mayHave("nodeName", spec.nodeName) { Formats.dns1123Subdomain($0) }
        if let seconds = spec.activeDeadlineSeconds, !(1...Int64(Int32.max)).contains(seconds) {
            self.invalid(
                at: "activeDeadlineSeconds",
                .integer(seconds),
                Formats.rangeMessage(1, Int64(Int32.max))
            )
        }
        self.mayHave("hostname", spec.hostname) { Formats.dns1123Label($0) }
        self.mayHave("subdomain", spec.subdomain) { Formats.dns1123Label($0) }
        self.validateHostnameOverride(spec)
        self.validateTolerations(spec.tolerations)
        self.forEach("hostAliases", in: spec.hostAliases) { errors, alias in
            errors.add(Formats.ipInLegacyField(errors.path.child("ip"), alias.ip))
            errors.forEach("hostnames", in: alias.hostnames) { errors, name in
                errors.invalid(.string(name), Formats.dns1123Subdomain(name))
            }
        }
        self.mayHave("priorityClassName", spec.priorityClassName) {
            Formats.dns1123Subdomain($0)
        }
        if let name = spec.runtimeClassName {
            self.invalid(
                at: "runtimeClassName",
                .string(name),
                Formats.dns1123Subdomain(name)
            )
        }
        self.oneOf(
            "preemptionPolicy",
            spec.preemptionPolicy,
            ifPresent: ["Never", "PreemptLowerPriority"]
        )
        if !spec.overhead.isEmpty {
            self.within("overhead") { errors in
                errors.validateResources(limits: spec.overhead, requests: [:]) {
                    $0.validateContainerResourceName($1)
                }
            }
        }
        self.validateSystem(spec)
    }

    private mutating func validateResourceClaims(
        _ claims: RepeatedField<CoreV1.PodResourceClaim>
    ) {
        var names: Set<String> = []
        self.forEach("resourceClaims", in: claims) { errors, claim in
            if claim.name.isEmpty {
                errors.required(at: "name")
            } else if !names.insert(claim.name).inserted {
                errors.duplicate(at: "name", .string(claim.name))
            } else {
                errors.invalid(at: "name", .string(claim.name), Formats.dns1123Label(claim.name))
            }
            switch (claim.resourceClaimName, claim.resourceClaimTemplateName) {
            case (nil, nil):
                errors.invalid(
                    .message(claim),
                    "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"
                )
            case (_?, _?):
                errors.invalid(
                    .message(claim),
                    "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be "
                        + "specified"
                )
            case (let name?, nil):
                errors.invalid(
                    at: "resourceClaimName",
                    .string(name),
                    Formats.dns1123Subdomain(name)
                )
            case (nil, let name?):
                errors.invalid(
                    at: "resourceClaimTemplateName",
                    .string(name),
                    Formats.dns1123Subdomain(name)
                )
            }
        }
    }

    private mutating func validateSchedulingGates(
        _ gates: RepeatedField<CoreV1.PodSchedulingGate>
    ) {
        var names: Set<String> = []
        self.forEach("schedulingGates", in: gates) { errors, gate in
            errors.invalid(.string(gate.name), Formats.labelKey(gate.name))
            if !names.insert(gate.name).inserted { errors.duplicate(.string(gate.name)) }
        }
    }

    private mutating func validateDNS(_ spec: CoreV1.PodSpec) {
        let isOwn = spec.dnsPolicy == "None"
        guard let config = spec.dnsConfig else {
            if isOwn {
                self.required(
                    at: "dnsConfig",
                    "must provide `dnsConfig` when `dnsPolicy` is None"
                )
            }
            return
        }
        self.within("dnsConfig") { errors in
            if isOwn && config.nameservers.isEmpty {
                errors.required(
                    at: "nameservers",
                    "must provide at least one DNS nameserver when `dnsPolicy` is None"
                )
            }
            if config.nameservers.count > APILimits.dnsNameserversMax {
                errors.invalid(
                    at: "nameservers",
                    .init(config.nameservers),
                    "must not have more than \(APILimits.dnsNameserversMax) nameservers"
                )
            }
            errors.forEach("nameservers", in: config.nameservers) { errors, address in
                errors.add(Formats.ipInLegacyField(errors.path, address))
            }
            if config.searches.count > APILimits.dnsSearchesMax {
                errors.invalid(
                    at: "searches",
                    .init(config.searches),
                    "must not have more than \(APILimits.dnsSearchesMax) search paths"
                )
            }
            if config.searches.joined(separator: " ").utf8.count > APILimits.dnsSearchesCharsMax {
                errors.invalid(
                    at: "searches",
                    .init(config.searches),
                    "must not have more than \(APILimits.dnsSearchesCharsMax) characters "
                        + "(including spaces) in the search list"
                )
            }
            errors.forEach("searches", in: config.searches) { errors, search in
                if search == "." { return }
                let name = search.hasSuffix(".") ? String(search.dropLast()) : search
                errors.invalid(
                    .string(search),
                    Formats.dns1123SubdomainWithUnderscore(name)
                )
            }
            errors.forEach("options", in: config.options) { errors, option in
                if option.name.isEmpty { errors.required("must not be empty") }
            }
        }
    }

    private mutating func validateHostUsers(_ spec: CoreV1.PodSpec) {
        guard spec.hostUsers == false, spec.securityContext != nil else { return }
        let words = "when `hostUsers` is false"
        if spec.hostNetwork { self.forbidden(at: "hostNetwork", words) }
        if spec.hostPID { self.forbidden(at: "hostPID", words) }
        if spec.hostIPC { self.forbidden(at: "hostIPC", words) }
        for (name, containers) in [
            ("containers", spec.containers), ("initContainers", spec.initContainers),
        ] {
            self.forEach(name, in: containers) { errors, container in
                if !container.volumeDevices.isEmpty {
                    errors.forbidden(at: "volumeDevices", words)
                }
            }
        }
    }

    private mutating func validateHostnameOverride(_ spec: CoreV1.PodSpec) {
        guard let name = spec.hostnameOverride else { return }
        if spec.hostNetwork {
            self.forbidden(
                at: "hostnameOverride",
                "may not be specified when hostNetwork is true"
            )
        }
        if spec.setHostnameAsFQDN == true {
            self.forbidden(
                at: "hostnameOverride",
                "may not be specified when setHostnameAsFQDN is true"
            )
        }
        self.invalid(at: "hostnameOverride", .string(name), Formats.dns1123Subdomain(name))
        if name.utf8.count > 64 { self.tooLong(at: "hostnameOverride", limit: 64) }
    }

    private mutating func validateSystem(_ spec: CoreV1.PodSpec) {
        guard let system = spec.os else { return }
        self.within("os") { $0.oneOf("name", system.name, ["linux", "windows"]) }
        guard system.name == "windows" else {
            if system.name == "linux", spec.securityContext?.windowsOptions != nil {
                self.forbidden(
                    at: "securityContext.windowsOptions",
                    "windows options cannot be set for a linux pod"
                )
            }
            return
        }
        let words = "cannot be set for a windows pod"
        if spec.hostPID { self.forbidden(at: "hostPID", words) }
        if spec.hostIPC { self.forbidden(at: "hostIPC", words) }
        if spec.hostUsers != nil { self.forbidden(at: "hostUsers", words) }
        if spec.shareProcessNamespace != nil {
            self.forbidden(at: "shareProcessNamespace", words)
        }
        guard let context = spec.securityContext else { return }
        self.within("securityContext") { errors in
            if context.seLinuxOptions != nil { errors.forbidden(at: "seLinuxOptions", words) }
            if context.seccompProfile != nil { errors.forbidden(at: "seccompProfile", words) }
            if context.fsGroup != nil { errors.forbidden(at: "fsGroup", words) }
            if context.fsGroupChangePolicy != nil {
                errors.forbidden(at: "fsGroupChangePolicy", words)
            }
            if !context.sysctls.isEmpty { errors.forbidden(at: "sysctls", words) }
            if context.runAsUser != nil { errors.forbidden(at: "runAsUser", words) }
            if context.runAsGroup != nil { errors.forbidden(at: "runAsGroup", words) }
            if context.supplementalGroups.isPresent {
                errors.forbidden(at: "supplementalGroups", words)
            }
        }
    }

    // MARK: - Ephemeral containers

    /// Containers that look into a running pod: what they cannot have is a fault.
    mutating func validateEphemeralContainers(_ pod: PodContext) {
        var names = Set(pod.spec.containers.map(\.name))
            .union(pod.spec.initContainers.map(\.name))
        self.forEach("ephemeralContainers", in: pod.spec.ephemeralContainers) {
            errors,
            ephemeral in
            let container = ephemeral.ephemeralContainerCommon.container
            errors.validateContainer(container, pod)
            if !names.insert(container.name).inserted {
                errors.duplicate(at: "name", .string(container.name))
            }
            let target = ephemeral.targetContainerName
            let isKnown =
                pod.spec.containers.contains { $0.name == target }
                || pod.spec.initContainers.contains { $0.name == target }
            if !target.isEmpty && !isKnown {
                errors.notFound(at: "targetContainerName", .string(target))
            }
            let words = "cannot be set for an Ephemeral Container"
            if !container.ports.isEmpty { errors.forbidden(at: "ports", words) }
            if container.livenessProbe != nil { errors.forbidden(at: "livenessProbe", words) }
            if container.readinessProbe != nil { errors.forbidden(at: "readinessProbe", words) }
            if container.startupProbe != nil { errors.forbidden(at: "startupProbe", words) }
            if container.lifecycle != nil { errors.forbidden(at: "lifecycle", words) }
            if !container.resources.limits.isEmpty || !container.resources.requests.isEmpty {
                errors.forbidden(at: "resources", words)
            }
            if container.restartPolicy != nil { errors.forbidden(at: "restartPolicy", words) }
            errors.forEach("volumeMounts", in: container.volumeMounts) { errors, mount in
                if !mount.subPath.isEmpty { errors.forbidden(at: "subPath", words) }
                if !mount.subPathExpr.isEmpty { errors.forbidden(at: "subPathExpr", words) }
            }
        }
    }
}

extension CoreV1.EphemeralContainerCommon {
    /// The same container as one of the ordinary type: the two are alike field by field.
    var container: CoreV1.Container {
        self.withSerializedBytes { bytes in
            (try? CoreV1.Container(serialized: bytes)) ?? CoreV1.Container()
        }
    }
}
