// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI

extension ResourceTable {
    /// The table with `metrics.k8s.io`, whose objects are measured when they are asked for and are
    /// never stored. Upstream leaves the group to an extension server, metrics-server.
    public var withMetrics: ResourceTable {
        let group = "metrics.k8s.io"
        let version = "v1beta1"
        return ResourceTable(
            groups: self.groups + [
                APIGroup(
                    group,
                    preferred: version,
                    versions: [.init(version, groupPriority: 100, priority: 100)]
                )
            ],
            resources: self.resources + [
                APIResource(
                    "nodes",
                    of: MetricsV1beta1.NodeMetrics.self,
                    list: MetricsV1beta1.NodeMetricsList.self,
                    group: group,
                    version: version,
                    singular: "",
                    scope: .cluster,
                    verbs: [.get, .list]
                ),
                APIResource(
                    "pods",
                    of: MetricsV1beta1.PodMetrics.self,
                    list: MetricsV1beta1.PodMetricsList.self,
                    group: group,
                    version: version,
                    singular: "",
                    scope: .namespaced,
                    verbs: [.get, .list]
                ),
            ]
        )
    }
}
