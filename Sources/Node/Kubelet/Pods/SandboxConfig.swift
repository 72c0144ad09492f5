// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import NodeAPI
import PodLifecycle
import Protobuf
import Scalars

/// What a pod's sandbox is made from.
///
/// Source: upstream `pkg/kubelet/kuberuntime/kuberuntime_sandbox.go`.
struct SandboxConfig: Sendable {
    let settings: KubeletSettings
    let cgroups: PodCgroups?

    func make(_ pod: CoreV1.Pod, attempt: UInt32) -> CRI.PodSandboxConfig {
        let names = NameResolution(settings: self.settings)
        return CRI.PodSandboxConfig.with { config in
            config.metadata = CRI.PodSandboxMetadata.with {
                $0.name = pod.metadata.name
                $0.namespace = pod.metadata.namespace
                $0.uid = pod.metadata.uid
                $0.attempt = attempt
            }
            config.hostname = pod.usesHostNetwork ? "" : names.kernelHostname(pod)
            config.logDirectory = PodPaths(pod, self.settings).logs
            config.dnsConfig = names.resolver(pod).config
            config.labels = pod.metadata.labels
            config.labels[RuntimeLabels.podName] = pod.metadata.name
            config.labels[RuntimeLabels.podNamespace] = pod.metadata.namespace
            config.labels[RuntimeLabels.podUID] = pod.metadata.uid
            config.annotations = pod.metadata.annotations
            config.portMappings = Self.ports(pod)
            config.linux = self.linux(pod)
        }
    }

    private static func ports(_ pod: CoreV1.Pod) -> RepeatedField<CRI.PortMapping> {
        var result = RepeatedField<CRI.PortMapping>()
        guard !pod.usesHostNetwork else { return result }
        for spec in pod.initSpecs + pod.regularSpecs where spec.kind != .initial {
            for port in spec.container.ports where port.hostPort != 0 {
                result.append(
                    CRI.PortMapping.with {
                        $0.protocol =
                            switch port.protocol {
                            case "UDP": .udp
                            case "SCTP": .sctp
                            default: .tcp
                            }
                        $0.containerPort = port.containerPort
                        $0.hostPort = port.hostPort
                        $0.hostIp = port.hostIP
                    }
                )
            }
        }
        return result
    }

    private func linux(_ pod: CoreV1.Pod) -> CRI.LinuxPodSandboxConfig {
        CRI.LinuxPodSandboxConfig.with { linux in
            if let cgroups = self.cgroups { linux.cgroupParent = cgroups.path(pod) }
            linux.securityContext = CRI.LinuxSandboxSecurityContext.with {
                $0.privileged = pod.allSpecs.contains {
                    $0.container.securityContext?.privileged ?? false
                }
                $0.seccomp = CRI.SecurityProfile.with { $0.profileType = .runtimeDefault }
                $0.namespaceOptions = SecurityConfig.namespaces(pod)
                guard let context = pod.spec.securityContext else { return }
                if let user = context.runAsUser {
                    $0.runAsUser = CRI.Int64Value.with { $0.value = user }
                }
                if let group = context.runAsGroup, context.runAsUser != nil {
                    $0.runAsGroup = CRI.Int64Value.with { $0.value = group }
                }
                $0.supplementalGroups = RepeatedField(
                    (context.fsGroup.map { [$0] } ?? []) + context.supplementalGroups
                )
                if let options = context.seLinuxOptions {
                    $0.selinuxOptions = SecurityConfig.selinux(options)
                }
            }
            for sysctl in pod.spec.securityContext?.sysctls ?? [] {
                linux.sysctls[SysctlAllowlist.normalized(sysctl.name)] = sysctl.value
            }
            let resources = PodResources(of: pod)
            linux.resources = CRI.LinuxContainerResources.with {
                $0.cpuShares = ResourceMath.shares(milli: resources.cpuRequestMilli)
                if resources.limited.contains("cpu"), self.settings.enforcesCPULimits {
                    $0.cpuPeriod = ResourceMath.quotaPeriod
                    $0.cpuQuota = ResourceMath.quota(
                        milli: resources.limits["cpu"]?.milliValue ?? 0
                    )
                }
                if resources.limited.contains("memory") {
                    $0.memoryLimitInBytes = resources.limits["memory"]?.value ?? 0
                }
            }
        }
    }
}
