// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
package import Protobuf
package import Scalars

/// What hollow nodes look like.
package struct HollowNodeTemplate: Sendable {
    package var namePrefix = "hollow-node-"
    package var cpu = "4"
    package var memory = "32Gi"
    package var pods = "110"
    /// Over how many zones the nodes are spread; 0 for none.
    package var zones = 0
    package var labels: [String: String] = [:]
    package var version = "v1.36.0-apus"

    package init() {}

    /// The name of the node of a number.
    package func name(_ number: Int) -> String { "\(self.namePrefix)\(number)" }

    /// The address of the node of a number.
    package func address(_ number: Int) -> String {
        "10.\(200 + number >> 16 & 31).\(number >> 8 & 255).\(number & 255)"
    }

    /// The node of a number, as a kubelet registers it.
    package func node(_ number: Int, now: Timestamp) -> CoreV1.Node {
        CoreV1.Node.with {
            let name = self.name(number)
            $0.metadata.name = name
            $0.metadata.labels = [
                "beta.kubernetes.io/arch": "amd64",
                "beta.kubernetes.io/os": "linux",
                "kubernetes.io/arch": "amd64",
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
            ]
            if self.zones > 0 {
                $0.metadata.labels["topology.kubernetes.io/zone"] = "zone-\(number % self.zones)"
            }
            for (key, value) in self.labels { $0.metadata.labels[key] = value }
            $0.spec.providerID = "hollow://\(name)"
            $0.status = self.status(number, now: now)
        }
    }

    private func status(_ number: Int, now: Timestamp) -> CoreV1.NodeStatus {
        CoreV1.NodeStatus.with { status in
            for (resource, amount) in [
                ("cpu", self.cpu), ("memory", self.memory), ("pods", self.pods),
                ("ephemeral-storage", "100Gi"),
            ] {
                let quantity = Resource.Quantity.with { $0.string = amount }
                status.capacity[resource] = quantity
                status.allocatable[resource] = quantity
            }
            status.conditions = self.conditions(now: now)
            for (type, address) in [
                ("InternalIP", self.address(number)), ("Hostname", self.name(number)),
            ] {
                status.addresses.append(
                    .with {
                        $0.type = type
                        $0.address = address
                    }
                )
            }
            status.nodeInfo.architecture = "amd64"
            status.nodeInfo.operatingSystem = "linux"
            status.nodeInfo.kubeletVersion = self.version
            status.nodeInfo.containerRuntimeVersion = "hollow://1"
            status.nodeInfo.osImage = "hollow"
            status.nodeInfo.kernelVersion = "hollow"
        }
    }

    /// The conditions of a node that is well.
    package func conditions(now: Timestamp) -> RepeatedField<CoreV1.NodeCondition> {
        let states = [
            (
                "MemoryPressure", "False", "KubeletHasSufficientMemory",
                "kubelet has sufficient memory available"
            ),
            (
                "DiskPressure", "False", "KubeletHasNoDiskPressure",
                "kubelet has no disk pressure"
            ),
            (
                "PIDPressure", "False", "KubeletHasSufficientPID",
                "kubelet has sufficient PID available"
            ),
            ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
        ]
        return RepeatedField(
            states.map { type, status, reason, message in
                .with {
                    $0.type = type
                    $0.status = status
                    $0.reason = reason
                    $0.message = message
                    $0.lastHeartbeatTime = MetaV1.Time(now)
                    $0.lastTransitionTime = MetaV1.Time(now)
                }
            }
        )
    }

    /// The status of a pod that runs, as a kubelet reports it.
    package func runningStatus(
        of pod: CoreV1.Pod,
        hostAddress: String,
        podAddress: String,
        now: Timestamp
    ) -> CoreV1.PodStatus {
        CoreV1.PodStatus.with { status in
            let time = MetaV1.Time(now)
            status.phase = "Running"
            status.hostIP = hostAddress
            status.hostIPs.append(.with { $0.ip = hostAddress })
            status.podIP = pod.spec.hostNetwork ? hostAddress : podAddress
            status.podIPs.append(.with { $0.ip = pod.spec.hostNetwork ? hostAddress : podAddress })
            status.startTime = time
            for type in [
                "PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady",
            ] {
                status.conditions.append(Self.condition(type, time))
            }
            status.containerStatuses = RepeatedField(
                pod.spec.containers.map { container in
                    .with {
                        $0.name = container.name
                        $0.image = container.image
                        $0.imageID = "hollow://\(container.image)"
                        $0.containerID = "hollow://\(pod.metadata.uid)/\(container.name)"
                        $0.ready = true
                        $0.started = true
                        $0.state.running = .with { $0.startedAt = time }
                    }
                }
            )
        }
    }

    /// The status of a pod whose containers have ended well.
    package func endedStatus(of pod: CoreV1.Pod, now: Timestamp) -> CoreV1.PodStatus {
        CoreV1.PodStatus.with { status in
            let time = MetaV1.Time(now)
            status.phase = "Succeeded"
            for type in ["Ready", "ContainersReady"] {
                var condition = Self.condition(type, time)
                condition.status = "False"
                condition.reason = "PodCompleted"
                status.conditions.append(condition)
            }
            status.containerStatuses = RepeatedField(
                pod.status.containerStatuses.map { old in
                    var container = old
                    container.ready = false
                    container.started = false
                    container.state = .with {
                        $0.terminated = .with {
                            $0.reason = "Completed"
                            $0.finishedAt = time
                            $0.containerID = old.containerID
                        }
                    }
                    return container
                }
            )
        }
    }

    private static func condition(_ type: String, _ time: MetaV1.Time) -> CoreV1.PodCondition {
        .with {
            $0.type = type
            $0.status = "True"
            $0.lastTransitionTime = time
        }
    }
}
