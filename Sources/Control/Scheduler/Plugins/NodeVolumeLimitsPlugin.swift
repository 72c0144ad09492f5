// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf

/// Refuses nodes that have as many volumes attached as their CSI driver takes.
///
/// Source: upstream `plugins/nodevolumelimits/csi.go`.
package struct NodeVolumeLimitsPlugin: FilterPlugin {
    package let name = PluginName.nodeVolumeLimits
    package let interest: ChangeKinds = [.nodeAdded, .placedPodRemoved, .volumeObject]

    static let refusal = Rejection.resolvable("node(s) exceed max volume count")

    package init() {}

    package func prepareFilter(_ pod: PodInfo, _ cluster: Cluster) -> FilterPreparation {
        let wanted = Self.attachments(pod, cluster)
        return wanted.isEmpty || cluster.volumes.nodes.isEmpty
            ? .skip : .check(Check(wanted: wanted))
    }

    package func mayHelp(_ change: ClusterChange, _ pod: PodInfo, _ cluster: Cluster) -> Bool {
        switch change {
        case .nodeAdded, .volumeObject(.csiNode), .volumeObject(.claim),
            .volumeObject(.attachment):
            true
        case .placedPodRemoved(let removed): !removed.volumes.claims.isEmpty
        case .volumeObject, .nodeUpdated, .nodeRemoved, .podPlaced, .placedPodUpdated, .podUpdated,
            .namespaceChanged:
            false
        }
    }

    /// What a pod has attached, by driver.
    static func attachments(_ pod: PodInfo, _ cluster: Cluster) -> [String: Set<String>] {
        var result: [String: Set<String>] = [:]
        for item in pod.volumes.claims {
            guard let claim = cluster.volumes.claim(item.name, of: pod),
                let attachment = cluster.volumes.attachment(claim)
            else { continue }
            result[attachment.driver, default: []].insert(attachment.handle)
        }
        return result
    }

    private final class Check: NodeCheck {
        let wanted: [String: Set<String>]

        init(wanted: [String: Set<String>]) {
            self.wanted = wanted
        }

        func refusal(_ row: Int, _ cluster: Cluster) -> Rejection? {
            guard let node = cluster.volumes.nodes[cluster.names[row]] else { return nil }
            var attached: [String: Set<String>]?
            for (driver, handles) in self.wanted {
                guard
                    let limit = node.spec.drivers.first(where: { $0.name == driver })?
                        .allocatable?.count
                else { continue }
                let all = attached ?? self.attached(row, cluster)
                attached = all
                let used = all[driver] ?? []
                let new = handles.subtracting(used)
                if !new.isEmpty, used.count + new.count > Int(limit) {
                    return NodeVolumeLimitsPlugin.refusal
                }
            }
            return nil
        }

        private func attached(_ row: Int, _ cluster: Cluster) -> [String: Set<String>] {
            var result: [String: Set<String>] = [:]
            for pod in cluster.pods[row] where !pod.volumes.claims.isEmpty {
                for (driver, handles) in NodeVolumeLimitsPlugin.attachments(pod, cluster) {
                    result[driver, default: []].formUnion(handles)
                }
            }
            for attachment in cluster.volumes.attachments(of: cluster.names[row]) {
                result[attachment.driver, default: []].insert(attachment.handle)
            }
            return result
        }
    }
}
