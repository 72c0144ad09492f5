// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ControllerHarness
import ControllerKit
import KubernetesAPI
import Protobuf
import ResourceClient
import Scalars
import Testing
import WorkloadControllers

@Suite("Deployment")
struct DeploymentTests {
    @Test(
        "how much may be there and be missing",
        arguments: [
            (10, "25%", "25%", 13, 8), (10, "0", "0", 10, 9), (1, "25%", "25%", 2, 1),
            (4, "1", "0", 5, 4), (3, "100%", "50%", 6, 2), (2, "0", "10", 2, 0),
            (0, "25%", "25%", 0, 0),
        ]
    )
    func numbers(
        _ replicas: Int32,
        _ surge: String,
        _ unavailable: String,
        _ maxTotal: Int,
        _ minAvailable: Int
    ) {
        func value(_ text: String) -> IntStr.IntOrString {
            Int32(text).map { IntStr.IntOrString(.int($0)) } ?? IntStr.IntOrString(.string(text))
        }
        let numbers = DeploymentNumbers(
            Samples.deployment(
                replicas: replicas,
                surge: value(surge),
                unavailable: value(unavailable)
            )
        )
        #expect(numbers.maxTotal == maxTotal)
        #expect(numbers.minAvailable == minAvailable)
    }

    @Test(
        "old ReplicaSets shrink as far as availability allows, broken pods first",
        arguments: [
            // replicas, new size, new available, old (size, available), expected old size
            (10, 0, 0, 10, 10, 9), (10, 2, 0, 9, 9, 9), (10, 2, 2, 9, 9, 7), (10, 0, 0, 10, 8, 9),
            (10, 2, 2, 8, 5, 7), (10, 10, 10, 1, 1, 0), (10, 11, 9, 0, 0, 0),
        ]
    )
    func shrinks(
        _ replicas: Int32,
        _ newSize: Int32,
        _ newAvailable: Int32,
        _ oldSize: Int32,
        _ oldAvailable: Int32,
        _ expected: Int
    ) {
        let old = Samples.set("old", replicas: oldSize, available: oldAvailable)
        let changes = DeploymentScaling.shrinkOld(
            Samples.deployment(replicas: replicas, image: "web:2"),
            new: Samples.set("new", replicas: newSize, available: newAvailable, image: "web:2"),
            old: [old]
        )
        #expect((changes.first?.size ?? Int(oldSize)) == expected)
    }

    @Test("a new size is spread in proportion, what is left over goes to the largest")
    func proportional() {
        var deployment = Samples.deployment(replicas: 20, surge: 3, unavailable: 2)
        deployment.spec.template = Samples.template("web:3")
        let marks = [
            "deployment.kubernetes.io/desired-replicas": "10",
            "deployment.kubernetes.io/max-replicas": "13",
        ]
        let sets = DeploymentSets(
            deployment,
            [
                Samples.set("a", replicas: 8, image: "web:1", created: 0, annotations: marks),
                Samples.set("b", replicas: 5, image: "web:3", created: 10, annotations: marks),
            ]
        )
        #expect(DeploymentScaling.isDue(DeploymentNumbers(deployment), sets))
        let changes = DeploymentScaling.proportional(deployment, sets)
        #expect(changes.map(\.set.metadata.name) == ["a", "b"])
        #expect(changes.map(\.size).reduce(0, +) == 23)
        #expect(changes.map(\.size) == [14, 9])
    }

    @Test("recognises its ReplicaSet by the template, whatever its hash")
    func recognises() {
        var set = Samples.set(replicas: 1)
        set.spec.template.metadata.labels["pod-template-hash"] = "abc"
        let sets = DeploymentSets(Samples.deployment(replicas: 1), [set])
        #expect(sets.new?.metadata.name == "web-1")
        let other = DeploymentSets(Samples.deployment(replicas: 1, image: "web:9"), [set])
        #expect(other.new == nil)
        #expect(other.old.count == 1)
    }

    @Test("a rollout that does not get on is told of after its deadline")
    func progress() {
        var deployment = Samples.deployment(replicas: 2)
        let sets = DeploymentSets(deployment, [Samples.set(replicas: 2, available: 1)])
        let first = DeploymentProgress.rolloutStatus(deployment, sets, now: Samples.now)
        #expect(
            first.conditions.contains { $0.reason == "ReplicaSetUpdated" && $0.status == "True" }
        )
        #expect(first.conditions.contains { $0.type == "Available" && $0.status == "True" })
        deployment.status = first
        #expect(
            DeploymentProgress.nextCheck(deployment, first, now: Samples.now) == .seconds(601)
        )
        let late = Timestamp(seconds: Samples.now.seconds + 601)
        let stuck = DeploymentProgress.rolloutStatus(deployment, sets, now: late)
        #expect(
            stuck.conditions.contains {
                $0.reason == "ProgressDeadlineExceeded" && $0.status == "False"
                    && $0.message == "ReplicaSet \"web-1\" has timed out progressing."
            }
        )
        deployment.status = stuck
        let done = DeploymentSets(deployment, [Samples.set(replicas: 2, available: 2)])
        let complete = DeploymentProgress.rolloutStatus(deployment, done, now: late)
        #expect(
            complete.conditions.contains {
                $0.reason == "NewReplicaSetAvailable"
                    && $0.message == "ReplicaSet \"web-1\" has successfully progressed."
            }
        )
    }

    @Test("rolls out, rolls over to a new template within its bounds, and rolls back")
    func endToEnd() async throws {
        let harness = ControllerHarness()
        let controllers: [any Controller] = [
            DeploymentController(harness.context("deployment-controller")),
            ReplicaSetController(harness.context("replicaset-controller")),
        ]
        let deployments = harness.client(AppsV1.Deployment.self)
        let sets = harness.client(AppsV1.ReplicaSet.self)
        let pods = harness.client(CoreV1.Pod.self)
        try await harness.run(controllers) {
            func isDone() async throws -> Bool {
                try await harness.runPods()
                let all = try await pods.list().items.filter(\.isActive)
                #expect(all.count <= 6)
                let deployment = try await deployments.get("web", in: "default")
                return DeploymentProgress.isComplete(deployment, deployment.status)
            }
            _ = try await deployments.create(
                Samples.deployment(replicas: 5, surge: 1, unavailable: 1)
            )
            #expect(try await harness.poll(isDone))
            #expect(try await sets.list().items.count == 1)
            var deployment = try await deployments.get("web", in: "default")
            #expect(deployment.metadata.annotations["deployment.kubernetes.io/revision"] == "1")
            deployment.spec.template = Samples.template("web:2")
            _ = try await deployments.update(deployment)
            #expect(
                try await harness.poll {
                    let isDone = try await isDone()
                    let images = try await pods.list().items.map { $0.spec.containers[0].image }
                    return isDone && images.allSatisfy { $0 == "web:2" }
                }
            )
            #expect(try await sets.list().items.count == 2)
            deployment = try await deployments.get("web", in: "default")
            deployment.spec.template = Samples.template("web:1")
            _ = try await deployments.update(deployment)
            #expect(
                try await harness.poll {
                    let isDone = try await isDone()
                    let images = try await pods.list().items.map { $0.spec.containers[0].image }
                    return isDone && images.allSatisfy { $0 == "web:1" }
                }
            )
            let final = try await sets.list().items
            #expect(final.count == 2)
            let current = final.first { $0.spec.replicas == 5 }
            let annotations = current?.metadata.annotations
            #expect(annotations?["deployment.kubernetes.io/revision"] == "3")
            #expect(annotations?["deployment.kubernetes.io/revision-history"] == "1")
        }
    }
}
