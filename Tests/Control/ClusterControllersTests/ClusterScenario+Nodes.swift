// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ClusterControllers
import ControllerHarness
import KubernetesAPI
import MemoryCluster
import Protobuf
import ResourceClient

extension ClusterScenario {
    private static let tolerant = "tolerant"
    private static let taint = CoreV1.Taint.with {
        $0.key = "example.com/out"
        $0.effect = "NoExecute"
    }

    /// Nodes come, go and are tainted, with pods on them. In the end each node has its range and its
    /// time, and no pod is on a node that is gone or that it does not tolerate. On the way no range
    /// was given twice or taken back, and no pod had to leave that did not have to.
    static let nodes = ClusterScenario(
        name: "nodes",
        resources: ["nodes", "pods"],
        controllers: { harness, _ in
            let ranges = [AddressRange("10.0.0.0/16", partPrefix: 24)].compactMap { $0 }
            return [
                NodeIPAMController(harness.context(), ranges: ranges, reserved: []),
                NodeTTLController(harness.context()),
                TaintEvictionController(harness.context()),
                PodGarbageCollector(harness.context(), threshold: 0),
            ]
        },
        disturb: { harness, storm in
            let nodes = harness.client(CoreV1.Node.self)
            let pods = harness.client(CoreV1.Pod.self)
            let present = try await nodes.list().items
                .sorted { $0.metadata.name < $1.metadata.name }
            // A name is never used again, so that who was there when can be told.
            let number = harness.cluster.writeCount
            guard !present.isEmpty, storm.random(below: 4) > 0 else {
                _ = try? await nodes.create(
                    CoreV1.Node.with { $0.metadata.name = "node-\(number)" }
                )
                return
            }
            var node = present[storm.random(below: present.count)]
            switch storm.random(below: 6) {
            case 0: _ = try? await nodes.delete(node.metadata.name)
            case 1:
                node.spec.taints = node.spec.taints.isEmpty ? [Self.taint] : []
                _ = try? await nodes.update(node)
            default:
                let name = node.metadata.name
                let isTolerant = storm.random(below: 2) == 0
                _ = try? await pods.create(Self.pod("pod-\(number)", on: name, isTolerant))
            }
        },
        settle: { _ in },
        isDone: { harness in
            // What the kubelets do: pods that are to go are gone.
            try await harness.runPods()
            let nodes = try await harness.client(CoreV1.Node.self).list().items
            let pods = try await harness.client(CoreV1.Pod.self).list().items
            let ranges = nodes.flatMap { Array($0.spec.podCIDRs) }
            let byName = Dictionary(grouping: nodes, by: \.metadata.name)
            return ranges.count == nodes.count && Set(ranges).count == nodes.count
                && nodes.allSatisfy {
                    $0.metadata.annotations[NodeTTLController.annotation] == "0"
                }
                && pods.allSatisfy { pod in
                    guard let node = byName[pod.spec.nodeName]?.first else { return false }
                    return node.spec.taints.isEmpty || !pod.spec.tolerations.isEmpty
                }
        },
        problems: { cluster in Self.brokenRanges(cluster) + Self.brokenEvictions(cluster) }
    )

    private static func pod(_ name: String, on node: String, _ isTolerant: Bool) -> CoreV1.Pod {
        CoreV1.Pod.with {
            $0.metadata.name = name
            $0.metadata.namespace = "default"
            $0.spec.nodeName = node
            if isTolerant {
                $0.spec.tolerations = [CoreV1.Toleration.with { $0.operator = "Exists" }]
            }
        }
    }

    private static func brokenRanges(_ cluster: MemoryCluster) -> [String] {
        var problems: [String] = []
        var ranges: [String: String] = [:]
        for (version, isDeleted, node) in cluster.history(of: CoreV1.Node.self) {
            let name = node.metadata.name
            if isDeleted {
                ranges[name] = nil
                continue
            }
            let range = node.spec.podCIDRs.first ?? ""
            if let known = ranges[name], known != range {
                problems.append("\(name) had \(known) and has \(range) at \(version)")
            }
            guard !range.isEmpty else { continue }
            if let other = ranges.first(where: { $0.value == range && $0.key != name }) {
                problems.append("\(name) and \(other.key) have \(range) at \(version)")
            }
            ranges[name] = range
        }
        return problems
    }

    private static func brokenEvictions(_ cluster: MemoryCluster) -> [String] {
        var problems: [String] = []
        var present: [(version: Int, name: String, isThere: Bool)] = []
        for (version, isDeleted, node) in cluster.history(of: CoreV1.Node.self) {
            present.append((version, node.metadata.name, !isDeleted))
        }
        var last: [String: CoreV1.Pod] = [:]
        for (version, isDeleted, pod) in cluster.history(of: CoreV1.Pod.self) {
            let name = pod.metadata.name
            guard isDeleted else {
                if pod.metadata.deletionTimestamp != nil, !pod.spec.tolerations.isEmpty {
                    problems.append("\(name), which tolerates all, was to go at \(version)")
                }
                last[name] = pod
                continue
            }
            guard let before = last[name], before.metadata.deletionTimestamp == nil else {
                continue
            }
            // Gone without having been asked to: then its node must have been gone.
            let isThere =
                present.last { $0.version < version && $0.name == before.spec.nodeName }?.isThere
            if isThere == true { problems.append("\(name) went at \(version), its node did not") }
        }
        return problems
    }
}
