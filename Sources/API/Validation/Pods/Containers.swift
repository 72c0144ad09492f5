// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import KubernetesAPI
import NameRules
import Protobuf

/// What the validation of a container must know of its pod.
struct PodContext {
    let spec: CoreV1.PodSpec
    /// The volumes by name.
    let volumes: [String: CoreV1.VolumeSource]
    let claimNames: Set<String>
    let gracePeriodSeconds: Int64

    init(_ spec: CoreV1.PodSpec) {
        self.spec = spec
        self.volumes = Dictionary(
            spec.volumes.map { ($0.name, $0.volumeSource) }
        ) { first, _ in first }
        self.claimNames = Set(spec.resourceClaims.map(\.name))
        self.gracePeriodSeconds = spec.terminationGracePeriodSeconds ?? 30
    }
}

// Source: upstream `pkg/apis/core/validation/validation.go`, validateContainers and what it calls.

extension FieldErrors {
    mutating func validateContainers(_ pod: PodContext) {
        let containers = pod.spec.containers
        if containers.isEmpty {
            self.required(at: "containers")
            return
        }
        var names: Set<String> = []
        self.forEach("containers", in: containers) { errors, container in
            errors.validateContainer(container, pod)
            if !names.insert(container.name).inserted {
                errors.duplicate(at: "name", .string(container.name))
            }
            errors.ifPresent("lifecycle", container.lifecycle) { $0.validateLifecycle($1, pod) }
            errors.validateProbes(of: container, pod)
            errors.validateRestartPolicy(of: container)
        }
        self.validateHostPorts("containers", containers)
    }

    mutating func validateInitContainers(_ pod: PodContext) {
        var names = Set(pod.spec.containers.map(\.name))
        self.forEach("initContainers", in: pod.spec.initContainers) { errors, container in
            errors.validateContainer(container, pod)
            if !names.insert(container.name).inserted {
                errors.duplicate(at: "name", .string(container.name))
            }
            errors.validateRestartPolicy(of: container)
            if container.restartPolicy == "Always" {
                errors.ifPresent("lifecycle", container.lifecycle) {
                    $0.validateLifecycle($1, pod)
                }
                errors.validateProbes(of: container, pod)
                return
            }
            let words = "may not be set for init containers without restartPolicy=Always"
            if container.lifecycle != nil { errors.forbidden(at: "lifecycle", words) }
            if container.livenessProbe != nil { errors.forbidden(at: "livenessProbe", words) }
            if container.readinessProbe != nil { errors.forbidden(at: "readinessProbe", words) }
            if container.startupProbe != nil { errors.forbidden(at: "startupProbe", words) }
        }
        self.validateHostPorts("initContainers", pod.spec.initContainers)
    }

    /// What holds for containers of all kinds.
    mutating func validateContainer(_ container: CoreV1.Container, _ pod: PodContext) {
        self.mustHave("name", container.name) { Formats.dns1123Label($0) }
        if container.image.isEmpty {
            self.required(at: "image")
        } else if container.image.hasOuterWhiteSpace {
            self.invalid(
                at: "image",
                .string(container.image),
                "must not have leading or trailing whitespace"
            )
        }
        self.oneOf(
            "terminationMessagePolicy",
            container.terminationMessagePolicy,
            ["File", "FallbackToLogsOnError"]
        )
        self.validatePorts(container.ports)
        self.validateEnvironment(container.env)
        self.validateEnvironmentSources(container.envFrom)
        self.validateMounts(of: container, pod)
        self.validateDevices(of: container, pod)
        self.oneOf(
            "imagePullPolicy",
            container.imagePullPolicy,
            ["Always", "IfNotPresent", "Never"]
        )
        self.within("resources") {
            $0.validateContainerResources(container.resources, claimNames: pod.claimNames)
        }
        self.validateResizePolicy(container.resizePolicy, pod)
        self.ifPresent("securityContext", container.securityContext) {
            $0.validateSecurityContext($1, pod)
        }
    }

    private mutating func validateRestartPolicy(of container: CoreV1.Container) {
        self.oneOf(
            "restartPolicy",
            container.restartPolicy,
            ifPresent: ["Always", "Never", "OnFailure"]
        )
        if container.restartPolicyRules.isEmpty { return }
        if container.restartPolicy == nil {
            self.required(
                at: "restartPolicy",
                "must specify restartPolicy when restart rules are used"
            )
        }
        if container.restartPolicyRules.count > 20 {
            self.tooMany(
                at: "restartPolicyRules",
                count: container.restartPolicyRules.count,
                limit: 20
            )
        }
        self.forEach("restartPolicyRules", in: container.restartPolicyRules) { errors, rule in
            errors.oneOf("action", rule.action, ["Restart", "RestartAllContainers"])
            guard let codes = rule.exitCodes else {
                errors.required(at: "exitCodes", "must be specified")
                return
            }
            errors.within("exitCodes") { errors in
                errors.oneOf("operator", codes.operator, ["In", "NotIn"])
                if codes.values.isEmpty {
                    errors.required(at: "values", "must specify at least one value")
                } else if codes.values.count > 255 {
                    errors.tooMany(at: "values", count: codes.values.count, limit: 255)
                }
            }
        }
    }

    // MARK: - Ports

    private mutating func validatePorts(_ ports: RepeatedField<CoreV1.ContainerPort>) {
        var names: Set<String> = []
        self.forEach("ports", in: ports) { errors, port in
            if !port.name.isEmpty {
                let messages = Formats.portName(port.name)
                errors.invalid(at: "name", .string(port.name), messages)
                if messages.isEmpty && !names.insert(port.name).inserted {
                    errors.duplicate(at: "name", .string(port.name))
                }
            }
            if port.containerPort == 0 {
                errors.required(at: "containerPort")
            } else {
                errors.invalid(
                    at: "containerPort",
                    .number(port.containerPort),
                    Formats.portNumber(Int64(port.containerPort))
                )
            }
            if port.hostPort != 0 {
                errors.invalid(
                    at: "hostPort",
                    .number(port.hostPort),
                    Formats.portNumber(Int64(port.hostPort))
                )
            }
            errors.oneOf("protocol", port.protocol, ["SCTP", "TCP", "UDP"])
        }
    }

    /// A port of the node can be taken once.
    private mutating func validateHostPorts(
        _ name: String,
        _ containers: RepeatedField<CoreV1.Container>
    ) {
        var taken: Set<String> = []
        self.forEach(name, in: containers) { errors, container in
            errors.forEach("ports", in: container.ports) { errors, port in
                guard port.hostPort != 0 else { return }
                let key = "\(port.protocol)/\(port.hostIP)/\(port.hostPort)"
                if !taken.insert(key).inserted {
                    errors.duplicate(at: "hostPort", .string(key))
                }
            }
        }
    }

    /// In the network of the node, the port of a container is that of the node.
    mutating func validateHostNetworkPorts(
        _ name: String,
        _ containers: RepeatedField<CoreV1.Container>
    ) {
        self.forEach(name, in: containers) { errors, container in
            errors.forEach("ports", in: container.ports) { errors, port in
                if port.hostPort != port.containerPort {
                    errors.invalid(
                        at: "containerPort",
                        .number(port.containerPort),
                        "must match `hostPort` when `hostNetwork` is true"
                    )
                }
            }
        }
    }

    private mutating func validateResizePolicy(
        _ policies: RepeatedField<CoreV1.ContainerResizePolicy>,
        _ pod: PodContext
    ) {
        // Faults stand at the list, not at the item.
        var resources: Set<String> = []
        for policy in policies {
            if !resources.insert(policy.resourceName).inserted {
                self.duplicate(at: "resizePolicy", .string(policy.resourceName))
            }
            self.oneOf("resizePolicy", policy.resourceName, ["cpu", "memory"])
            self.oneOf("resizePolicy", policy.restartPolicy, ["NotRequired", "RestartContainer"])
            if pod.spec.restartPolicy == "Never" && policy.restartPolicy == "RestartContainer" {
                self.invalid(
                    at: "resizePolicy",
                    .string(policy.restartPolicy),
                    "must be 'NotRequired' when `restartPolicy` is 'Never'"
                )
            }
        }
    }
}

extension String {
    /// Whether white space stands at an end.
    var hasOuterWhiteSpace: Bool {
        func isSpace(_ scalar: Unicode.Scalar?) -> Bool {
            scalar?.properties.isWhitespace ?? false
        }
        return isSpace(self.unicodeScalars.first) || isSpace(self.unicodeScalars.last)
    }
}
