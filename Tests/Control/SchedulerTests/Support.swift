// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf
import Scalars

@testable import Scheduler

/// A node with room for something.
func node(
    _ name: String,
    cpu: String = "4",
    memory: String = "8Gi",
    pods: String = "110",
    more: [String: String] = [:],
    labels: [String: String] = [:],
    taints: [(String, String, String)] = [],
    unschedulable: Bool = false,
    images: [(String, Int64)] = []
) -> CoreV1.Node {
    .with {
        $0.metadata.name = name
        $0.metadata.labels = MapField(
            labels.merging([Cluster.hostnameLabel: name]) { own, _ in own }
        )
        var amounts = ["cpu": cpu, "memory": memory, "pods": pods, "ephemeral-storage": "100Gi"]
        amounts.merge(more) { _, new in new }
        for (resource, amount) in amounts { $0.status.allocatable[resource] = quantity(amount) }
        $0.spec.unschedulable = unschedulable
        for (key, value, effect) in taints {
            $0.spec.taints.append(
                .with {
                    $0.key = key
                    $0.value = value
                    $0.effect = effect
                }
            )
        }
        for (name, bytes) in images {
            $0.status.images.append(
                .with {
                    $0.names = [name]
                    $0.sizeBytes = bytes
                }
            )
        }
    }
}

func quantity(_ text: String) -> Resource.Quantity {
    .with { $0.string = text }
}

/// A pod with one container.
func pod(
    _ name: String,
    cpu: String? = nil,
    memory: String? = nil,
    more: [String: String] = [:],
    on node: String = "",
    namespace: String = "default",
    labels: [String: String] = [:],
    priority: Int32 = 0,
    ports: [Int32] = [],
    image: String = "web",
    change: (inout CoreV1.Pod) -> Void = { _ in }
) -> CoreV1.Pod {
    var pod = CoreV1.Pod.with {
        $0.metadata.name = name
        $0.metadata.namespace = namespace
        $0.metadata.uid = "\(namespace)/\(name)"
        $0.metadata.labels = MapField(labels)
        $0.spec.schedulerName = "default-scheduler"
        $0.spec.nodeName = node
        $0.spec.priority = priority
        $0.spec.containers.append(
            .with {
                $0.name = "main"
                $0.image = image
                if let cpu { $0.resources.requests["cpu"] = quantity(cpu) }
                if let memory { $0.resources.requests["memory"] = quantity(memory) }
                for (resource, amount) in more {
                    $0.resources.requests[resource] = quantity(amount)
                }
                for port in ports { $0.ports.append(.with { $0.hostPort = port }) }
            }
        )
    }
    change(&pod)
    return pod
}

func selector(_ labels: [String: String]) -> MetaV1.LabelSelector {
    .with { $0.matchLabels = MapField(labels) }
}

func affinityTerm(
    _ labels: [String: String],
    _ topologyKey: String = Cluster.hostnameLabel,
    namespaces: [String] = []
) -> CoreV1.PodAffinityTerm {
    .with {
        $0.labelSelector = selector(labels)
        $0.topologyKey = topologyKey
        $0.namespaces = RepeatedField(namespaces)
    }
}

func spread(
    _ labels: [String: String],
    _ key: String,
    maxSkew: Int32 = 1,
    hard: Bool = true,
    change: (inout CoreV1.TopologySpreadConstraint) -> Void = { _ in }
) -> CoreV1.TopologySpreadConstraint {
    var constraint = CoreV1.TopologySpreadConstraint.with {
        $0.labelSelector = selector(labels)
        $0.topologyKey = key
        $0.maxSkew = maxSkew
        $0.whenUnsatisfiable = hard ? "DoNotSchedule" : "ScheduleAnyway"
    }
    change(&constraint)
    return constraint
}

/// A cluster of nodes and pods.
func cluster(_ nodes: [CoreV1.Node], _ pods: [CoreV1.Pod] = []) -> Cluster {
    let cluster = Cluster()
    for node in nodes { cluster.setNode(node) }
    for pod in pods { cluster.setPod(PodInfo(pod), on: pod.spec.nodeName) }
    return cluster
}

/// A scheduler that knows nodes and pods.
func scheduler(_ nodes: [CoreV1.Node], _ pods: [CoreV1.Pod] = []) -> SchedulerCore {
    let core = SchedulerCore(seed: 1)
    for node in nodes { core.setNode(node, now: .zero) }
    for pod in pods { core.setPod(pod, now: .zero) }
    return core
}

/// What a plugin says of each node, by name: nil when the node will do.
func verdicts(
    _ plugin: any FilterPlugin,
    _ pod: CoreV1.Pod,
    _ cluster: Cluster
) -> [String: [String]] {
    let info = PodInfo(pod)
    var result: [String: [String]] = [:]
    switch plugin.prepareFilter(info, cluster) {
    case .skip:
        break
    case .refuse(let rejection):
        for row in cluster.order { result[cluster.names[row]] = rejection.reasons }
    case .check(let check, let rows):
        for row in cluster.order {
            if let rows, !rows.contains(row) {
                result[cluster.names[row]] = ["elsewhere"]
            } else if let rejection = check.refusal(row, cluster) {
                result[cluster.names[row]] = rejection.reasons
            }
        }
    }
    return result
}

/// The normalized scores of a plugin, by node; nil when it has no preference.
func scores(
    _ plugin: any ScorePlugin,
    _ pod: CoreV1.Pod,
    _ cluster: Cluster
) -> [String: Int64]? {
    let rows = cluster.order
    guard let scorer = plugin.prepareScore(PodInfo(pod), rows, cluster) else { return nil }
    var scores = scorer.scores(rows, cluster)
    scorer.normalize(&scores, rows)
    return Dictionary(
        zip(rows.map { cluster.names[$0] }, scores),
        uniquingKeysWith: { first, _ in first }
    )
}

extension SchedulerCore.Decision {
    /// The node that was chosen.
    var node: String? {
        switch self {
        case .bind(_, let node, _): node
        case .unschedulable: nil
        }
    }

    /// What is said when none was.
    var refused: SchedulerCore.Refused? {
        switch self {
        case .bind: nil
        case .unschedulable(let refused): refused
        }
    }
}
