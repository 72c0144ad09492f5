// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
package import ObjectModel
import Protobuf
package import RPCInterface
import ResourceClient
package import Scheduler
import Selectors

/// Why a pod goes where it goes, worked out from the cluster as it is, and told to people.
package struct PodExplanation: Sendable {
    package let pod: String
    package let nodes: [NodeExplanation]

    /// Asks the API server for all that matters and looks at every node.
    package init(
        _ name: String,
        in namespace: String,
        profiles: [Profile] = [.standard],
        channel: any RPCChannel
    ) async throws(StatusError) {
        let pods = Client<CoreV1.Pod>(channel)
        let pod = try await pods.get(name, in: namespace)
        let core = SchedulerCore(profiles: profiles)
        for node in try await Client<CoreV1.Node>(channel).list().items {
            core.setNode(node, now: .zero)
        }
        for namespace in try await Client<CoreV1.Namespace>(channel).list().items {
            core.setNamespace(
                namespace.metadata.name,
                LabelSet(namespace.metadata.labels),
                now: .zero
            )
        }
        for service in try await Client<CoreV1.Service>(channel).list(in: namespace).items {
            core.cluster.workloads.setService(
                service.metadata.namespace,
                service.metadata.name,
                service.spec.selector.map { $0 }
            )
        }
        for set in try await Client<AppsV1.ReplicaSet>(channel).list(in: namespace).items {
            core.cluster.workloads.setOwner(
                Workloads.Owner(
                    kind: "ReplicaSet",
                    namespace: namespace,
                    name: set.metadata.name
                ),
                try? LabelSelector(set.spec.selector)
            )
        }
        try await Self.loadVolumes(into: core, channel)
        for pod in try await pods.list().items where !pod.spec.nodeName.isEmpty {
            core.setPod(pod, now: .zero)
        }
        guard let nodes = core.explain(pod) else {
            throw .badRequest("no profile is named \(pod.spec.schedulerName)")
        }
        self.pod = "\(namespace)/\(name)"
        self.nodes = nodes
    }

    private static func loadVolumes(
        into core: SchedulerCore,
        _ channel: any RPCChannel
    ) async throws(StatusError) {
        try await Self.load(CoreV1.PersistentVolumeClaim.self, core, channel) { .claim($0) }
        try await Self.load(CoreV1.PersistentVolume.self, core, channel) { .volume($0) }
        try await Self.load(StorageV1.StorageClass.self, core, channel) { .storageClass($0) }
        try await Self.load(StorageV1.CSINode.self, core, channel) { .csiNode($0) }
        try await Self.load(StorageV1.CSIDriver.self, core, channel) { .csiDriver($0) }
        try await Self.load(StorageV1.CSIStorageCapacity.self, core, channel) { .capacity($0) }
        try await Self.load(StorageV1.VolumeAttachment.self, core, channel) { .attachment($0) }
    }

    private static func load<Object: Message>(
        _ type: Object.Type,
        _ core: SchedulerCore,
        _ channel: any RPCChannel,
        _ wrap: (Object) -> SchedulerCore.VolumeObject
    ) async throws(StatusError) {
        for object in try await Client<Object>(channel).list().items {
            core.setVolumeObject(wrap(object), now: .zero)
        }
    }

    /// A table: a line for each node, with its total and its scores or what it is refused for.
    package var text: String {
        var rows = [["NODE", "SCORE", "PLUGINS"]]
        for node in self.nodes {
            guard let total = node.total else {
                let reasons = node.refusals.map { refusal in
                    "\(refusal.plugin.rawValue): \(refusal.reasons.joined(separator: ", "))"
                }
                rows.append([node.node, "-", reasons.joined(separator: "; ")])
                continue
            }
            let scores = node.scores.map { "\($0.plugin.rawValue) \($0.normalized)*\($0.weight)" }
            rows.append([node.node, "\(total)", scores.joined(separator: ", ")])
        }
        let widths = (0..<2).map { column in rows.map { $0[column].count }.max() ?? 0 }
        let lines = rows.map { row in
            let cells = widths.indices.map { column in
                row[column] + String(repeating: " ", count: widths[column] - row[column].count)
            }
            return (cells + [row[2]]).joined(separator: "   ")
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
