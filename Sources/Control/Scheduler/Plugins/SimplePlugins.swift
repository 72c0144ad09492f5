// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf

/// Keeps pods with scheduling gates out of the queue.
package struct SchedulingGatesPlugin: PreEnqueuePlugin {
    package let name = PluginName.schedulingGates
    package let interest: ChangeKinds = .podUpdated

    package init() {}

    package func refusal(of pod: PodInfo) -> Rejection? {
        let gates = pod.schedulingGates
        if gates.isEmpty { return nil }
        return .unresolvable("waiting for scheduling gates: [\(gates.joined(separator: " "))]")
    }

    package func mayHelp(_ change: ClusterChange, _ pod: PodInfo, _ cluster: Cluster) -> Bool {
        guard case .podUpdated(_, let new) = change else { return false }
        return new.schedulingGates.isEmpty
    }
}

/// Refuses all nodes but the one that the pod names.
package struct NodeNamePlugin: FilterPlugin {
    package let name = PluginName.nodeName
    package let interest: ChangeKinds = .nodeAdded

    static let refusal = Rejection.unresolvable("node(s) didn't match the requested node name")

    package init() {}

    package func prepareFilter(_ pod: PodInfo, _ cluster: Cluster) -> FilterPreparation {
        pod.nodeName.isEmpty ? .skip : .check(Check(row: cluster.row(pod.nodeName)))
    }

    package func mayHelp(_ change: ClusterChange, _ pod: PodInfo, _ cluster: Cluster) -> Bool {
        guard case .nodeAdded(let node) = change else { return false }
        return node.metadata.name == pod.nodeName
    }

    private final class Check: NodeCheck {
        let row: Int?

        init(row: Int?) {
            self.row = row
        }

        func refusal(_ row: Int, _ cluster: Cluster) -> Rejection? {
            row == self.row ? nil : NodeNamePlugin.refusal
        }
    }
}

/// Refuses cordoned nodes.
package struct NodeUnschedulablePlugin: FilterPlugin {
    package let name = PluginName.nodeUnschedulable
    package let interest: ChangeKinds = [.node, .podUpdated]

    static let refusal = Rejection.unresolvable("node(s) were unschedulable")

    package init() {}

    package func prepareFilter(_ pod: PodInfo, _ cluster: Cluster) -> FilterPreparation {
        pod.tolerations.tolerate(.unschedulable) ? .skip : .check(Check())
    }

    package func mayHelp(_ change: ClusterChange, _ pod: PodInfo, _ cluster: Cluster) -> Bool {
        switch change {
        case .nodeAdded(let node): !node.spec.unschedulable
        case .nodeUpdated(let old, let new, _): old.spec.unschedulable && !new.spec.unschedulable
        case .podUpdated(_, let new): new.tolerations.tolerate(.unschedulable)
        case .nodeRemoved, .podPlaced, .placedPodUpdated, .placedPodRemoved, .namespaceChanged,
            .volumeObject:
            false
        }
    }

    private final class Check: NodeCheck {
        func refusal(_ row: Int, _ cluster: Cluster) -> Rejection? {
            cluster.isUnschedulable[row] ? NodeUnschedulablePlugin.refusal : nil
        }
    }
}

/// Refuses nodes on which a port that the pod wants is taken.
package struct NodePortsPlugin: FilterPlugin {
    package let name = PluginName.nodePorts
    package let interest: ChangeKinds = [.nodeAdded, .placedPodRemoved, .placedPodUpdated]

    static let refusal = Rejection.resolvable(
        "node(s) didn't have free ports for the requested pod ports"
    )

    package init() {}

    package func prepareFilter(_ pod: PodInfo, _ cluster: Cluster) -> FilterPreparation {
        pod.hostPorts.isEmpty ? .skip : .check(Check(ports: pod.hostPorts))
    }

    package func mayHelp(_ change: ClusterChange, _ pod: PodInfo, _ cluster: Cluster) -> Bool {
        switch change {
        case .nodeAdded: true
        case .placedPodRemoved(let removed): Self.conflict(pod.hostPorts, removed.hostPorts)
        case .placedPodUpdated, .nodeUpdated, .nodeRemoved, .podPlaced, .podUpdated,
            .namespaceChanged, .volumeObject:
            false
        }
    }

    private static func conflict(_ left: [HostPort], _ right: [HostPort]) -> Bool {
        left.contains { port in right.contains { $0.conflicts(with: port) } }
    }

    private final class Check: NodeCheck {
        let ports: [HostPort]

        init(ports: [HostPort]) {
            self.ports = ports
        }

        func refusal(_ row: Int, _ cluster: Cluster) -> Rejection? {
            guard let taken = cluster.hostPorts[row] else { return nil }
            return NodePortsPlugin.conflict(self.ports, taken) ? NodePortsPlugin.refusal : nil
        }
    }
}
