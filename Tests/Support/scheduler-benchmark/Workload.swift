// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf
import Scheduler

/// Pods to be scheduled, and what runs already.
struct Workload: Sendable {
    let name: String
    var nodes: Int
    var pods: Int
    /// Pods that run on each node before.
    var running = 0
    let change: @Sendable (inout CoreV1.Pod) -> Void

    static let all: [Workload] = [
        Workload(name: "plain", nodes: 500, pods: 10_000) { _ in },
        Workload(name: "plain", nodes: 1000, pods: 10_000) { _ in },
        Workload(name: "plain", nodes: 5000, pods: 10_000) { _ in },
        Workload(name: "anti-affinity", nodes: 1000, pods: 900) { pod in
            pod.spec.affinity = .with {
                $0.podAntiAffinity = .with {
                    $0.requiredDuringSchedulingIgnoredDuringExecution = [
                        .with {
                            $0.topologyKey = "kubernetes.io/hostname"
                            $0.labelSelector = .with { $0.matchLabels = ["app": "web"] }
                        }
                    ]
                }
            }
        },
        Workload(name: "topology spread", nodes: 1000, pods: 10_000) { pod in
            pod.spec.topologySpreadConstraints = [
                .with {
                    $0.maxSkew = 5
                    $0.topologyKey = "topology.kubernetes.io/zone"
                    $0.whenUnsatisfiable = "DoNotSchedule"
                    $0.labelSelector = .with { $0.matchLabels = ["app": "web"] }
                }
            ]
        },
        Workload(name: "preferred affinity", nodes: 1000, pods: 5_000) { pod in
            pod.spec.affinity = .with {
                $0.podAffinity = .with {
                    $0.preferredDuringSchedulingIgnoredDuringExecution = [
                        .with {
                            $0.weight = 1
                            $0.podAffinityTerm.topologyKey = "topology.kubernetes.io/zone"
                            $0.podAffinityTerm.labelSelector = .with {
                                $0.matchLabels = ["app": "web"]
                            }
                        }
                    ]
                }
            }
        },
        Workload(name: "preemption", nodes: 500, pods: 500, running: 4) { pod in
            pod.spec.priority = 100
            pod.spec.containers[0].resources.requests["cpu"] = .with { $0.string = "3" }
        },
    ]

    /// The workload of a name in another size; nil when there is none of that name.
    static func named(_ name: String, nodes: Int, pods: Int) -> Workload? {
        guard var workload = self.all.first(where: { $0.name == name }) else { return nil }
        workload.nodes = nodes
        workload.pods = pods
        return workload
    }

    func node(_ number: Int) -> CoreV1.Node {
        .with {
            $0.metadata.name = "node-\(number)"
            $0.metadata.labels = [
                "kubernetes.io/hostname": "node-\(number)",
                "topology.kubernetes.io/zone": "zone-\(number % 10)",
            ]
            for (resource, amount) in [("cpu", "4"), ("memory", "32Gi"), ("pods", "110")] {
                $0.status.allocatable[resource] = .with { $0.string = amount }
            }
        }
    }

    private func plain(_ name: String, cpu: String) -> CoreV1.Pod {
        .with {
            $0.metadata.name = name
            $0.metadata.uid = name
            $0.metadata.namespace = "default"
            $0.metadata.labels = ["app": "web"]
            $0.spec.schedulerName = "default-scheduler"
            $0.spec.containers = [
                .with {
                    $0.name = "main"
                    $0.image = "registry.k8s.io/pause:3.10"
                    $0.resources.requests["cpu"] = .with { $0.string = cpu }
                    $0.resources.requests["memory"] = .with { $0.string = "100Mi" }
                }
            ]
        }
    }

    func pod(_ number: Int) -> CoreV1.Pod {
        var pod = self.plain("pod-\(number)", cpu: self.nodes < 1000 ? "100m" : "50m")
        self.change(&pod)
        return pod
    }

    /// A pod that runs before.
    func old(_ node: Int, _ number: Int) -> CoreV1.Pod {
        var pod = self.plain("old-\(node)-\(number)", cpu: "900m")
        pod.spec.nodeName = "node-\(node)"
        return pod
    }
}
