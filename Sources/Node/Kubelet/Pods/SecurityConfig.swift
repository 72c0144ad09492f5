// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import NodeAPI
import PodLifecycle
import Protobuf

/// Security contexts of pods and containers as CRI has them.
///
/// Source: upstream `pkg/kubelet/kuberuntime/security_context.go`, `pkg/securitycontext/util.go`.
enum SecurityConfig {
    /// A security context that cannot be honoured.
    struct Refused: Error, Sendable, CustomStringConvertible {
        let description: String
    }

    static let maskedPaths = [
        "/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys",
        "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
        "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap",
    ]
    static let readOnlyPaths = [
        "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
    ]

    static func namespaces(_ pod: CoreV1.Pod, target: String = "") -> CRI.NamespaceOption {
        CRI.NamespaceOption.with {
            $0.network = pod.spec.hostNetwork ? .node : .pod
            $0.ipc = pod.spec.hostIPC ? .node : .pod
            if pod.spec.hostPID {
                $0.pid = .node
            } else if pod.spec.shareProcessNamespace ?? false {
                $0.pid = .pod
            } else if !target.isEmpty {
                $0.pid = .target
                $0.targetId = target
            } else {
                $0.pid = .container
            }
        }
    }

    static func selinux(_ options: CoreV1.SELinuxOptions) -> CRI.SELinuxOption {
        CRI.SELinuxOption.with {
            $0.user = options.user
            $0.role = options.role
            $0.type = options.type
            $0.level = options.level
        }
    }

    /// The profile of a container: its own, or the pod's, or the node's default.
    ///
    /// A local profile without a name is an error, never "unconfined" (CVE-2023-2431).
    static func seccomp(
        _ own: CoreV1.SeccompProfile?,
        _ pod: CoreV1.SeccompProfile?,
        _ settings: KubeletSettings
    ) throws(Refused) -> CRI.SecurityProfile {
        var result = CRI.SecurityProfile()
        guard let profile = own ?? pod else {
            result.profileType = settings.seccompDefault ? .runtimeDefault : .unconfined
            return result
        }
        switch profile.type {
        case "RuntimeDefault": result.profileType = .runtimeDefault
        case "Unconfined": result.profileType = .unconfined
        case "Localhost":
            let name = profile.localhostProfile ?? ""
            guard !name.isEmpty, !name.hasPrefix("/"), !name.split(separator: "/").contains("..")
            else {
                throw Refused(
                    description:
                        "localhostProfile must be set if seccompProfile type is Localhost."
                )
            }
            result.profileType = .localhost
            result.localhostRef = "\(settings.rootDirectory)/seccomp/\(name)"
        default:
            throw Refused(description: "unknown seccomp profile type \(profile.type)")
        }
        return result
    }

    /// The context of a container, from its own and the pod's.
    ///
    /// - Parameters:
    ///   - target: the container whose processes an ephemeral one sees.
    ///   - imageUser: who the image runs as; nil when it does not say.
    static func make(
        _ spec: ContainerSpec,
        _ pod: CoreV1.Pod,
        target: String,
        image: CRI.Image?,
        _ settings: KubeletSettings
    ) throws(Refused) -> CRI.LinuxContainerSecurityContext {
        let own = spec.container.securityContext ?? CoreV1.SecurityContext()
        let shared = pod.spec.securityContext ?? CoreV1.PodSecurityContext()
        let isPrivileged = own.privileged ?? false
        let seccomp = try Self.seccomp(own.seccompProfile, shared.seccompProfile, settings)
        try Self.checkNonRoot(own, shared, pod, spec.name, image)
        return CRI.LinuxContainerSecurityContext.with { context in
            context.privileged = isPrivileged
            context.namespaceOptions = Self.namespaces(pod, target: target)
            context.readonlyRootfs = own.readOnlyRootFilesystem ?? false
            context.noNewPrivs = own.allowPrivilegeEscalation == false
            if let capabilities = own.capabilities {
                context.capabilities = CRI.Capability.with {
                    $0.addCapabilities = capabilities.add
                    $0.dropCapabilities = capabilities.drop
                }
            }
            if let user = own.runAsUser ?? shared.runAsUser {
                context.runAsUser = CRI.Int64Value.with { $0.value = user }
            } else if let user = image?.uid {
                context.runAsUser = user
            } else {
                context.runAsUsername = image?.username ?? ""
            }
            if let group = own.runAsGroup ?? shared.runAsGroup {
                context.runAsGroup = CRI.Int64Value.with { $0.value = group }
                if context.runAsUser == nil, context.runAsUsername.isEmpty {
                    // A group needs a user; an image without one runs as root.
                    context.runAsUser = CRI.Int64Value()
                }
            }
            context.supplementalGroups = RepeatedField(
                (shared.fsGroup.map { [$0] } ?? []) + shared.supplementalGroups
            )
            context.supplementalGroupsPolicy =
                shared.supplementalGroupsPolicy == "Strict" ? .strict : .merge
            if let options = own.seLinuxOptions ?? shared.seLinuxOptions {
                context.selinuxOptions = Self.selinux(options)
            }
            context.seccomp =
                isPrivileged
                ? CRI.SecurityProfile.with { $0.profileType = .unconfined } : seccomp
            if !isPrivileged, own.procMount != "Unmasked" {
                context.maskedPaths = RepeatedField(Self.maskedPaths)
                context.readonlyPaths = RepeatedField(Self.readOnlyPaths)
            }
            if let profile = own.appArmorProfile ?? shared.appArmorProfile {
                context.apparmor = CRI.SecurityProfile.with {
                    switch profile.type {
                    case "Unconfined": $0.profileType = .unconfined
                    case "Localhost":
                        $0.profileType = .localhost
                        $0.localhostRef = profile.localhostProfile ?? ""
                    default: $0.profileType = .runtimeDefault
                    }
                }
            }
        }
    }

    private static func checkNonRoot(
        _ own: CoreV1.SecurityContext,
        _ shared: CoreV1.PodSecurityContext,
        _ pod: CoreV1.Pod,
        _ name: String,
        _ image: CRI.Image?
    ) throws(Refused) {
        guard own.runAsNonRoot ?? shared.runAsNonRoot ?? false else { return }
        let place = "(pod: \"\(pod.fullName)\", container: \(name))"
        if let user = own.runAsUser ?? shared.runAsUser {
            guard user == 0 else { return }
            throw Refused(
                description: "container's runAsUser breaks non-root policy \(place)"
            )
        }
        if let user = image?.uid {
            guard user.value == 0 else { return }
            throw Refused(
                description: "container has runAsNonRoot and image will run as root \(place)"
            )
        }
        let username = image?.username ?? ""
        if username.isEmpty {
            throw Refused(
                description: "container has runAsNonRoot and image will run as root \(place)"
            )
        }
        throw Refused(
            description: "container has runAsNonRoot and image has non-numeric user "
                + "(\(username)), cannot verify user is non-root \(place)"
        )
    }
}
