// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
import ClusterControllers
import ControllerHarness
import KubernetesAPI
import MemoryCluster
import Protobuf
import ResourceClient
import Scalars

extension ClusterScenario {
    private static let dead = "dead"
    /// Many rounds: a lease is known to be renewed long before, however busy the machine is.
    private static let grace: Duration = .seconds(400)

    /// Some nodes fall silent, some come back. In the end those that are silent are known to be, and
    /// those that speak are ready and without a taint.
    static let silence = ClusterScenario(
        name: "silent nodes",
        resources: ["nodes", "leases"],
        controllers: { harness, _ in
            [
                NodeLifecycleController(
                    harness.context(),
                    grace: Self.grace,
                    startupGrace: Self.grace
                )
            ]
        },
        disturb: { harness, storm in
            let nodes = harness.client(CoreV1.Node.self)
            let name = "node-\(storm.random(below: 5))"
            switch storm.random(below: 4) {
            case 0: _ = try? await nodes.create(Self.node(name, harness.clock.now))
            case 1: _ = try? await nodes.delete(name)
            case 2:
                guard var node = try? await nodes.get(name) else { break }
                let isDead = node.metadata.labels[Self.dead] != nil
                node.metadata.labels[Self.dead] = isDead ? nil : "true"
                _ = try? await nodes.update(node)
            default: break
            }
            try await Self.speak(harness)
        },
        settle: { _ in },
        isDone: { harness in
            try await Self.speak(harness)
            return try await harness.client(CoreV1.Node.self).list().items.allSatisfy { node in
                let isDead = node.metadata.labels[Self.dead] != nil
                let ready = node.status.conditions.first { $0.type == "Ready" }?.status
                let isTainted = node.spec.taints.contains {
                    $0.key == "node.kubernetes.io/unreachable" && $0.effect == "NoSchedule"
                }
                return isDead
                    ? ready == "Unknown" && isTainted : ready == "True" && node.spec.taints.isEmpty
            }
        },
        problems: { _ in [] }
    )

    private static func node(_ name: String, _ now: Timestamp) -> CoreV1.Node {
        CoreV1.Node.with {
            $0.metadata.name = name
            $0.status.conditions = [self.ready(now)]
        }
    }

    private static func ready(_ now: Timestamp) -> CoreV1.NodeCondition {
        CoreV1.NodeCondition.with {
            $0.type = "Ready"
            $0.status = "True"
            $0.lastHeartbeatTime = MetaV1.Time(now)
            $0.lastTransitionTime = MetaV1.Time(now)
        }
    }

    /// What kubelets do: renew their leases, and say that they are ready when somebody doubts it.
    private static func speak(_ harness: ControllerHarness) async throws {
        let nodes = harness.client(CoreV1.Node.self)
        let leases = harness.client(CoordinationV1.Lease.self)
        let now = harness.clock.now
        for var node in try await nodes.list().items where node.metadata.labels[self.dead] == nil {
            let name = node.metadata.name
            if var lease = try? await leases.get(name, in: "kube-node-lease") {
                lease.spec.renewTime = MetaV1.MicroTime(now)
                _ = try? await leases.update(lease)
            } else {
                _ = try? await leases.create(
                    CoordinationV1.Lease.with {
                        $0.metadata.name = name
                        $0.metadata.namespace = "kube-node-lease"
                        $0.spec.renewTime = MetaV1.MicroTime(now)
                    }
                )
            }
            let isReady = node.status.conditions.contains {
                $0.type == "Ready" && $0.status == "True"
            }
            if isReady { continue }
            node.status.conditions = [self.ready(now)]
            _ = try? await nodes.updateStatus(node)
        }
    }
}
