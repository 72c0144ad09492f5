// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
import ControllerKit
package import KubernetesAPI
import Protobuf
package import Scalars

/// What a silent or troubled node gets: conditions and taints. Pure.
///
/// Source: upstream `pkg/controller/nodelifecycle/node_lifecycle_controller.go`.
package enum NodeHealth {
    package static let notReady = "node.kubernetes.io/not-ready"
    package static let unreachable = "node.kubernetes.io/unreachable"
    private static let watched = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"]

    /// The conditions of a node that has been silent for too long; nil when they say so already.
    package static func silentConditions(
        _ node: CoreV1.Node,
        now: Timestamp
    ) -> [CoreV1.NodeCondition]? {
        var conditions = Array(node.status.conditions)
        var changed = false
        for type in self.watched {
            if let index = conditions.firstIndex(where: { $0.type == type }) {
                guard conditions[index].status != "Unknown" else { continue }
                conditions[index].status = "Unknown"
                conditions[index].reason = "NodeStatusUnknown"
                conditions[index].message = "Kubelet stopped posting node status."
                conditions[index].lastTransitionTime = MetaV1.Time(now)
            } else {
                conditions.append(
                    CoreV1.NodeCondition.with {
                        $0.type = type
                        $0.status = "Unknown"
                        $0.reason = "NodeStatusNeverUpdated"
                        $0.message = "Kubelet never posted node status."
                        $0.lastHeartbeatTime = node.metadata.creationTimestamp
                        $0.lastTransitionTime = MetaV1.Time(now)
                    }
                )
            }
            changed = true
        }
        return changed ? conditions : nil
    }

    /// Taints that keep pods off, as conditions and the spec have it.
    package static func schedulingTaints(_ node: CoreV1.Node) -> Set<String> {
        var keys: Set<String> = []
        for condition in node.status.conditions {
            switch (condition.type, condition.status) {
            case ("Ready", "False"): keys.insert(self.notReady)
            case ("Ready", "Unknown"): keys.insert(self.unreachable)
            case ("MemoryPressure", "True"): keys.insert("node.kubernetes.io/memory-pressure")
            case ("DiskPressure", "True"): keys.insert("node.kubernetes.io/disk-pressure")
            case ("PIDPressure", "True"): keys.insert("node.kubernetes.io/pid-pressure")
            case ("NetworkUnavailable", "True"):
                keys.insert("node.kubernetes.io/network-unavailable")
            default: break
            }
        }
        if node.spec.unschedulable { keys.insert("node.kubernetes.io/unschedulable") }
        return keys
    }

    /// The taint that drives pods away, if the node is to have one.
    package static func evictionTaint(_ node: CoreV1.Node) -> String? {
        switch node.readyStatus {
        case "False": self.notReady
        case "Unknown": self.unreachable
        default: nil
        }
    }

    private static let schedulingKeys: Set<String> = [
        notReady, unreachable, "node.kubernetes.io/memory-pressure",
        "node.kubernetes.io/disk-pressure", "node.kubernetes.io/pid-pressure",
        "node.kubernetes.io/network-unavailable", "node.kubernetes.io/unschedulable",
    ]

    /// The taints of a node with those of this controller brought up to date.
    ///
    /// - Parameter mayEvict: whether a taint that drives pods away may be added now.
    package static func taints(
        _ node: CoreV1.Node,
        mayEvict: Bool,
        now: Timestamp
    ) -> [CoreV1.Taint] {
        let scheduling = self.schedulingTaints(node)
        let eviction = self.evictionTaint(node)
        var taints = Array(node.spec.taints).filter { taint in
            switch taint.effect {
            case "NoSchedule":
                !self.schedulingKeys.contains(taint.key) || scheduling.contains(taint.key)
            case "NoExecute":
                (taint.key != self.notReady && taint.key != self.unreachable)
                    || taint.key == eviction
            default: true
            }
        }
        func add(_ key: String, _ effect: String) {
            guard !taints.contains(where: { $0.key == key && $0.effect == effect }) else { return }
            taints.append(
                CoreV1.Taint.with {
                    $0.key = key
                    $0.effect = effect
                    $0.timeAdded = MetaV1.Time(now)
                }
            )
        }
        for key in scheduling.sorted() { add(key, "NoSchedule") }
        if let eviction, mayEvict { add(eviction, "NoExecute") }
        return taints
    }
}

extension CoreV1.Node {
    var readyStatus: String {
        self.status.conditions.first { $0.type == "Ready" }?.status ?? ""
    }

    /// The zone of a node, as failures are counted.
    var failureZone: String {
        let labels = self.metadata.labels
        let region = labels["topology.kubernetes.io/region"] ?? ""
        let zone = labels["topology.kubernetes.io/zone"] ?? ""
        return region.isEmpty && zone.isEmpty ? "" : "\(region):\(zone)"
    }
}
