// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ControllerHarness
import ControllerKit
import KubernetesAPI
import MemoryCluster
import Protobuf
import ResourceClient
import ServiceControllers
import WorkloadControllers

extension Scenario {
    /// Pods get a node and run, each in its own time.
    @Sendable static func runPods(_ harness: ControllerHarness, _ storm: Storm) async throws {
        try await harness.runPods()
    }

    static let replicaSet = Scenario(
        name: "ReplicaSet: 5, 2, 4 replicas",
        resources: ["pods", "replicasets.apps"],
        controllers: { [ReplicaSetController($0.context())] },
        prepare: { harness in
            var set = Samples.set(replicas: 5)
            set.status = AppsV1.ReplicaSetStatus()
            _ = try await harness.client(AppsV1.ReplicaSet.self).create(set)
        },
        phases: [
            { _ in }, { try await Self.scale($0, 2) }, { try await Self.scale($0, 4) },
        ],
        live: Self.runPods,
        isDone: { harness, _ in
            let set = try await harness.client(AppsV1.ReplicaSet.self).get("web-1", in: "default")
            let pods = try await harness.client(CoreV1.Pod.self).list().items
            return pods.count == Int(set.spec.replicas ?? 0) && pods.allSatisfy(\.isReady)
                && set.status.readyReplicas == set.spec.replicas
                && set.status.observedGeneration == set.metadata.generation
        },
        problems: { cluster in
            let most = cluster.mostActive()
            return most > 5 ? ["\(most) pods of 5"] : []
        }
    )

    private static func scale(_ harness: ControllerHarness, _ replicas: Int32) async throws {
        try await harness.change(AppsV1.ReplicaSet.self, "web-1") { $0.spec.replicas = replicas }
    }

    static let deployment = Scenario(
        name: "Deployment: rolls out, and again",
        resources: ["pods", "replicasets.apps", "deployments.apps"],
        controllers: {
            [DeploymentController($0.context()), ReplicaSetController($0.context())]
        },
        prepare: { harness in
            _ = try await harness.client(AppsV1.Deployment.self).create(
                Samples.deployment(replicas: 4, surge: 1, unavailable: 1)
            )
        },
        phases: [
            { _ in },
            { harness in
                try await harness.change(AppsV1.Deployment.self, "web") {
                    $0.spec.template = Samples.template("web:2")
                }
            },
        ],
        live: Self.runPods,
        isDone: { harness, phase in
            let deployment = try await harness.client(AppsV1.Deployment.self)
                .get("web", in: "default")
            let pods = try await harness.client(CoreV1.Pod.self).list().items
            return DeploymentProgress.isComplete(deployment, deployment.status) && pods.count == 4
                && pods.allSatisfy { $0.spec.containers[0].image == "web:\(phase)" }
        },
        problems: { cluster in
            var problems: [String] = []
            let most = cluster.mostActive()
            if most > 5 { problems.append("\(most) pods of 4 and 1") }
            var wereReady = false
            cluster.replayPods { pods, _, _ in
                let ready = pods.values.filter { $0.isActive && $0.isReady }.count
                if ready == 4 { wereReady = true }
                if wereReady, ready < 3 { problems.append("\(ready) available pods of 4") }
            }
            let sets = Set(cluster.history(of: AppsV1.ReplicaSet.self).map(\.object.metadata.uid))
            if sets.count != 2 { problems.append("\(sets.count) ReplicaSets for 2 templates") }
            return problems
        }
    )

    static let statefulSet = Scenario(
        name: "StatefulSet: one after the other",
        resources: ["pods", "statefulsets.apps", "controllerrevisions.apps"],
        controllers: { [StatefulSetController($0.context())] },
        prepare: { harness in
            var set = StatefulSetPlanTests.set(replicas: 3)
            set.spec.volumeClaimTemplates = [
                CoreV1.PersistentVolumeClaim.with { $0.metadata.name = "data" }
            ]
            _ = try await harness.client(AppsV1.StatefulSet.self).create(set)
        },
        phases: [
            { _ in },
            { harness in
                try await harness.change(AppsV1.StatefulSet.self, "db") {
                    $0.spec.template = Samples.template("web:2")
                }
            },
        ],
        live: Self.runPods,
        isDone: { harness, phase in
            let set = try await harness.client(AppsV1.StatefulSet.self).get("db", in: "default")
            let pods = try await harness.client(CoreV1.Pod.self).list().items
            let claims = try await harness.client(CoreV1.PersistentVolumeClaim.self).list().items
            return pods.count == 3 && claims.count == 3 && set.status.readyReplicas == 3
                && set.status.currentRevision == set.status.updateRevision
                && pods.allSatisfy {
                    $0.isActive && $0.isReady && $0.spec.containers[0].image == "web:\(phase)"
                }
        },
        problems: { cluster in
            var problems: [String] = []
            var wereReady = false
            cluster.replayPods { pods, changed, isNew in
                let ready = pods.values.filter { $0.isActive && $0.isReady }.count
                if ready == 3 { wereReady = true }
                if wereReady, ready < 2 { problems.append("\(ready) ready pods of 3") }
                guard isNew, let last = changed.metadata.name.last.flatMap({ Int(String($0)) })
                else { return }
                for ordinal in 0..<last where pods["db-\(ordinal)"]?.isReady != true {
                    problems.append("\(changed.metadata.name) before db-\(ordinal)")
                }
            }
            let claims = cluster.history(of: CoreV1.PersistentVolumeClaim.self)
            if Set(claims.map(\.object.metadata.uid)).count != 3 {
                problems.append("claims were made anew")
            }
            return problems
        }
    )

    static let daemonSet = Scenario(
        name: "DaemonSet: a pod on each node, updated one by one",
        resources: ["pods", "daemonsets.apps", "nodes", "controllerrevisions.apps"],
        controllers: { [DaemonSetController($0.context())] },
        prepare: { harness in
            for name in ["a", "b", "c", "d"] {
                _ = try await harness.client(CoreV1.Node.self).create(DaemonSetPlanTests.node(name))
            }
            _ = try await harness.client(AppsV1.DaemonSet.self).create(DaemonSetPlanTests.set())
        },
        phases: [
            { _ in },
            { harness in
                try await harness.change(AppsV1.DaemonSet.self, "agent") {
                    $0.spec.template = Samples.template("web:2")
                }
            },
        ],
        live: { harness, _ in try await harness.runPods(place: DaemonPod.node(of:)) },
        isDone: { harness, phase in
            let set = try await harness.client(AppsV1.DaemonSet.self).get("agent", in: "default")
            let pods = try await harness.client(CoreV1.Pod.self).list().items
            return set.status.numberReady == 4 && set.status.updatedNumberScheduled == 4
                && pods.count == 4
                && pods.allSatisfy {
                    $0.isActive && $0.isReady && $0.spec.containers[0].image == "web:\(phase)"
                }
        },
        problems: { cluster in
            var problems: [String] = []
            var wereReady = false
            cluster.replayPods { pods, _, _ in
                let active = pods.values.filter(\.isActive)
                let nodes = Dictionary(grouping: active, by: DaemonPod.node(of:))
                for (node, pods) in nodes where pods.count > 1 {
                    problems.append("\(pods.count) pods on \(node)")
                }
                let ready = active.filter(\.isReady).count
                if ready == 4 { wereReady = true }
                if wereReady, ready < 3 { problems.append("\(ready) ready pods of 4") }
            }
            return problems
        }
    )

    static let endpointSlice = Scenario(
        name: "EndpointSlice: the ready pods, each once",
        resources: ["pods", "services", "endpointslices.discovery.k8s.io"],
        controllers: {
            [EndpointSliceController($0.context()), ReplicaSetController($0.context())]
        },
        prepare: { harness in
            _ = try await harness.client(CoreV1.Service.self).create(
                CoreV1.Service.with {
                    $0.metadata.name = "web"
                    $0.metadata.namespace = "default"
                    $0.spec.selector["app"] = "web"
                    $0.spec.clusterIP = "10.96.0.1"
                    $0.spec.ports.append(CoreV1.ServicePort.with { $0.port = 80 })
                }
            )
            var set = Samples.set(replicas: 5)
            set.status = AppsV1.ReplicaSetStatus()
            _ = try await harness.client(AppsV1.ReplicaSet.self).create(set)
        },
        phases: [{ _ in }, { try await Self.scale($0, 2) }, { try await Self.scale($0, 3) }],
        live: Self.runPods,
        isDone: { harness, _ in
            let set = try await harness.client(AppsV1.ReplicaSet.self).get("web-1", in: "default")
            let pods = try await harness.client(CoreV1.Pod.self).list().items
            let slices = try await harness.client(DiscoveryV1.EndpointSlice.self).list().items
            let endpoints = slices.flatMap { Array($0.endpoints) }
            return pods.count == Int(set.spec.replicas ?? 0) && slices.count == 1
                && endpoints.compactMap { $0.targetRef?.uid }.sorted()
                    == pods.map(\.metadata.uid).sorted()
                && endpoints.allSatisfy { $0.conditions.ready == true }
        },
        problems: { _ in [] }
    )
}
