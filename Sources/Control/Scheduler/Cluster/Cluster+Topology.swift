// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf

// Labels of nodes as numbers, and the order of nodes.

extension Cluster {
    /// The most label columns that are kept; beyond, all are dropped and made as they are needed.
    static let maximumLabelColumns = 256

    /// The column of a label.
    package func labelColumn(_ key: String) -> LabelColumn {
        if let column = self.labelColumns[key], !column.isStale { return column }
        if self.labelColumns.count >= Self.maximumLabelColumns { self.labelColumns = [:] }
        let column = LabelColumn(key: key, rows: self.names.count)
        for row in self.rowOfLiveNode { column.set(self.nodes[row].metadata.labels[key], row) }
        self.labelColumns[key] = column
        return column
    }

    /// The label of nodes that says which zone they are in.
    package static let zoneLabel = "topology.kubernetes.io/zone"
    /// The label of nodes that says which region they are in.
    package static let regionLabel = "topology.kubernetes.io/region"
    /// The label of nodes that tells each from the others.
    package static let hostnameLabel = "kubernetes.io/hostname"

    /// The region and zone of a node as one text, empty when it has neither.
    ///
    /// Source: upstream `k8s.io/component-helpers/node/topology/helpers.go`, GetZoneKey.
    func zone(of node: CoreV1.Node) -> String {
        let labels = node.metadata.labels
        let zone =
            labels["failure-domain.beta.kubernetes.io/zone"] ?? labels[Self.zoneLabel] ?? ""
        let region =
            labels["failure-domain.beta.kubernetes.io/region"] ?? labels[Self.regionLabel] ?? ""
        return zone.isEmpty && region.isEmpty ? "" : "\(region):\u{0}:\(zone)"
    }

    /// The rows of nodes, one of each zone in turn, so that the first few hundred that are looked at
    /// are spread over the zones.
    ///
    /// Source: upstream `pkg/scheduler/backend/cache/node_tree.go`.
    func zoneOrder() -> [Int] {
        var zones: [[Int]] = []
        var numberOfZone: [String: Int] = [:]
        for row in self.rowOfLiveNode.sorted() {
            let zone = self.zone(of: self.nodes[row])
            if let number = numberOfZone[zone] {
                zones[number].append(row)
            } else {
                numberOfZone[zone] = zones.count
                zones.append([row])
            }
        }
        var order: [Int] = []
        order.reserveCapacity(self.rowOfLiveNode.count)
        var position = 0
        while order.count < self.rowOfLiveNode.count {
            for zone in zones where position < zone.count { order.append(zone[position]) }
            position += 1
        }
        return order
    }
}
