// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import Glibc
import JSON
import KubernetesAPI
import NodeAPI
import NodeHost
import PodLifecycle
import Protobuf
import Scalars

/// What a container is made from.
///
/// The same spec gives the same container at every start (CVE-2019-11245): nothing here depends on
/// how often it was started but the number of its log.
///
/// Source: upstream `pkg/kubelet/kuberuntime/kuberuntime_container.go`.
struct ContainerConfig: Sendable {
    /// The container cannot be made as its spec says.
    struct Invalid: Error, Sendable, CustomStringConvertible {
        let description: String
    }

    let pod: CoreV1.Pod
    let spec: ContainerSpec
    let settings: KubeletSettings
    /// Of the node, in bytes.
    let nodeMemory: Int64
    let environment: Environment
    let volumes: [String: MountedVolume]
    let image: CRI.Image?
    let imageReference: String
    /// The id of the container that an ephemeral one looks into.
    let targetID: String

    func make(restarts: UInt32) throws -> CRI.ContainerConfig {
        let container = self.spec.container
        let security = try SecurityConfig.make(
            self.spec,
            self.pod,
            target: self.targetID,
            image: self.image,
            self.settings
        )
        let value = { (name: String) in
            self.environment.entries.first { $0.name == name }?.value
        }
        let mounts = try self.mounts(value)
        return CRI.ContainerConfig.with { config in
            config.metadata = CRI.ContainerMetadata.with {
                $0.name = self.spec.name
                $0.attempt = restarts
            }
            config.image = CRI.ImageSpec.with {
                $0.image = self.imageReference
                $0.userSpecifiedImage = container.image
            }
            config.command = RepeatedField(
                container.command.map { VariableExpansion.expand($0, value) }
            )
            config.args = RepeatedField(
                container.args.map { VariableExpansion.expand($0, value) }
            )
            config.workingDir = container.workingDir
            for entry in self.environment.entries {
                config.envs.append(
                    CRI.KeyValue.with {
                        $0.key = entry.name
                        $0.value = Bytes(utf8: entry.value)
                    }
                )
            }
            config.mounts = RepeatedField(mounts)
            config.labels = [
                RuntimeLabels.podName: self.pod.metadata.name,
                RuntimeLabels.podNamespace: self.pod.metadata.namespace,
                RuntimeLabels.podUID: self.pod.metadata.uid,
                RuntimeLabels.containerName: self.spec.name,
            ]
            config.annotations = self.annotations(restarts)
            config.logPath = "\(self.spec.name)/\(restarts).log"
            config.stdin = container.stdin
            config.stdinOnce = container.stdinOnce
            config.tty = container.tty
            config.stopSignal = Self.signal(container.lifecycle?.stopSignal ?? "")
            config.linux = CRI.LinuxContainerConfig.with {
                $0.securityContext = security
                $0.resources = self.resources()
            }
        }
    }

    private func annotations(_ restarts: UInt32) -> MapField<String, String> {
        let container = self.spec.container
        var result: MapField<String, String> = [
            RuntimeLabels.hash: ContainerHash.text(of: container),
            RuntimeLabels.restartCount: "\(restarts)",
            RuntimeLabels.messagePath: container.terminationMessagePath,
            RuntimeLabels.messagePolicy: container.terminationMessagePolicy,
        ]
        if let grace = self.pod.spec.terminationGracePeriodSeconds {
            result[RuntimeLabels.podGracePeriod] = "\(grace)"
        }
        if let preStop = container.lifecycle?.preStop, let json = try? preStop.jsonText() {
            result[RuntimeLabels.preStop] = json
        }
        return result
    }

    /// Enforced resources.
    private func resources() -> CRI.LinuxContainerResources {
        let container = self.spec.container
        let amount = { (map: MapField<String, Resource.Quantity>, name: String) in
            (try? map[name]?.parsed()) ?? nil
        }
        let limit = amount(container.resources.limits, "cpu")?.milliValue ?? 0
        let request = amount(container.resources.requests, "cpu")?.milliValue ?? limit
        return CRI.LinuxContainerResources.with {
            $0.cpuShares = ResourceMath.shares(milli: request)
            if self.settings.enforcesCPULimits, limit > 0 {
                $0.cpuPeriod = ResourceMath.quotaPeriod
                $0.cpuQuota = ResourceMath.quota(milli: limit)
            }
            $0.memoryLimitInBytes = amount(container.resources.limits, "memory")?.value ?? 0
            $0.oomScoreAdj = ResourceMath.oomScore(
                of: container,
                in: self.pod,
                nodeMemory: self.nodeMemory
            )
        }
    }

    static func signal(_ name: String) -> CRI.Signal {
        guard !name.isEmpty, let number = CRI.Signal.schema.number(of: name) else {
            return .runtimeDefault
        }
        return CRI.Signal(rawValue: number)
    }

    // MARK: - Mounts

    private func mounts(_ value: (String) -> String?) throws -> [CRI.Mount] {
        var result: [CRI.Mount] = []
        for (index, mount) in self.spec.container.volumeMounts.enumerated() {
            result.append(try self.mount(mount, index, value))
        }
        let paths = PodPaths(self.pod, self.settings)
        let taken = Set(self.spec.container.volumeMounts.map(\.mountPath))
        if !taken.contains("/etc/hosts") {
            result.append(
                CRI.Mount.with {
                    $0.containerPath = "/etc/hosts"
                    $0.hostPath = paths.hosts
                    $0.selinuxRelabel = true
                }
            )
        }
        let message = self.spec.container.terminationMessagePath
        if !message.isEmpty {
            let folder = paths.container(self.spec.name)
            try HostFiles.makeDirectory(folder, mode: 0o750)
            let name = String(UInt32.random(in: .min ... .max), radix: 16)
            let file = "\(folder)/\(String(repeating: "0", count: 8 - name.utf8.count))\(name)"
            try HostFiles.write([], to: file, mode: 0o666)
            // The mask of the process does not count: any user of the pod may write.
            chmod(file, 0o666)
            result.append(
                CRI.Mount.with {
                    $0.containerPath = message
                    $0.hostPath = file
                    $0.selinuxRelabel = true
                }
            )
        }
        return result
    }

    private func mount(
        _ mount: CoreV1.VolumeMount,
        _ index: Int,
        _ value: (String) -> String?
    ) throws -> CRI.Mount {
        guard let volume = self.volumes[mount.name] else {
            throw Invalid(
                description: "cannot find volume \"\(mount.name)\" to mount into container "
                    + "\"\(self.spec.name)\""
            )
        }
        var subPath = mount.subPath
        if !mount.subPathExpr.isEmpty {
            let missing = VariableExpansion.missing(in: mount.subPathExpr, value)
            if !missing.isEmpty {
                throw Invalid(
                    description: "missing value for \(missing.joined(separator: " "))"
                )
            }
            subPath = VariableExpansion.expand(mount.subPathExpr, value)
        }
        var path = volume.path
        if !subPath.isEmpty {
            guard !subPath.hasPrefix("/") else {
                throw Invalid(
                    description: "error SubPath `\(subPath)` must not be an absolute path"
                )
            }
            let target = PodPaths(self.pod, self.settings).subpath(
                volume: mount.name,
                container: self.spec.name,
                index: index
            )
            if Mounts.isMounted(target) { try Mounts.unmount(target) }
            do throws(HostError) {
                try Subpath.bind(subPath, of: path, to: target)
            } catch {
                throw Invalid(
                    description: "failed to prepare subPath for volumeMount \"\(mount.name)\" of "
                        + "container \"\(self.spec.name)\""
                )
            }
            path = target
        }
        return CRI.Mount.with {
            $0.containerPath =
                mount.mountPath.hasPrefix("/") ? mount.mountPath : "/\(mount.mountPath)"
            $0.hostPath = path
            $0.readonly = mount.readOnly || volume.isReadOnly
            $0.selinuxRelabel = volume.isOwned
            $0.propagation =
                switch mount.mountPropagation {
                case "HostToContainer": .propagationHostToContainer
                case "Bidirectional": .propagationBidirectional
                default: .propagationPrivate
                }
        }
    }
}
