// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ControllerKit
import KubernetesAPI
import Protobuf
import Testing
import WorkloadControllers

@Suite("ReplicaPlan")
struct ReplicaPlanTests {
    @Test(
        "creates what is missing and deletes what is too much, 500 at most",
        arguments: [
            (3, 0, 3, 0), (3, 3, 0, 0), (3, 5, 0, 2), (0, 2, 0, 2), (2000, 10, 500, 0),
            (0, 700, 0, 500),
        ]
    )
    func sizes(_ wanted: Int32, _ have: Int, _ creations: Int, _ deletions: Int) {
        let pods = (0..<have).map { Samples.pod("p\($0)") }
        let plan = ReplicaPlan(
            Samples.set(replicas: wanted),
            pods: pods,
            related: pods,
            now: Samples.now
        )
        #expect(plan.creations == creations)
        #expect(plan.deletions.count == deletions)
        #expect(plan.status.replicas == Int32(have))
    }

    @Test("ended and terminating pods do not count; a set that goes does nothing")
    func counts() {
        var going = Samples.pod("going")
        going.metadata.deletionTimestamp = MetaV1.Time(Samples.now)
        let pods = [
            Samples.pod("ok"), Samples.pod("failed", phase: "Failed"),
            Samples.pod("done", phase: "Succeeded"), going, Samples.pod("slow", ready: false),
        ]
        var set = Samples.set(replicas: 4)
        let plan = ReplicaPlan(set, pods: pods, related: pods, now: Samples.now)
        #expect(plan.creations == 2)
        #expect(plan.status.replicas == 2)
        #expect(plan.status.readyReplicas == 1)
        #expect(plan.status.terminatingReplicas == 1)
        set.metadata.deletionTimestamp = MetaV1.Time(Samples.now)
        #expect(ReplicaPlan(set, pods: pods, related: pods, now: Samples.now).creations == 0)
    }

    @Test("how much older deleted pods are than the youngest, when there is a choice")
    func ageRatios() {
        let pods = [
            Samples.pod("old", readyFor: 400, created: -400),
            Samples.pod("middle", readyFor: 250, created: -250),
            Samples.pod("young", readyFor: 100, created: -100),
            Samples.pod("slow", ready: false, created: -900),
        ]
        func ratios(_ wanted: Int32) -> [Double] {
            ReplicaPlan(
                Samples.set(replicas: wanted),
                pods: pods,
                related: pods,
                now: Samples.now
            ).deletionAgeRatios
        }
        // The one that is not ready goes first and does not count; then the youngest.
        #expect(ratios(3) == [])
        #expect(ratios(2) == [1])
        #expect(ratios(1) == [1, 2])
        #expect(ratios(0) == [])
    }

    @Test("a pod is available after minReadySeconds, and the plan says when")
    func minReady() {
        var set = Samples.set(replicas: 2)
        set.spec.minReadySeconds = 30
        let pods = [Samples.pod("old", readyFor: 31), Samples.pod("new", readyFor: 10)]
        let plan = ReplicaPlan(set, pods: pods, related: pods, now: Samples.now)
        #expect(plan.status.readyReplicas == 2)
        #expect(plan.status.availableReplicas == 1)
        #expect(plan.nextCheck == .seconds(20))
    }

    @Test("deletes in upstream's order")
    func order() {
        var cheap = Samples.pod("cheap")
        cheap.metadata.annotations["controller.kubernetes.io/pod-deletion-cost"] = "-1"
        var restarted = Samples.pod("restarted", node: "c")
        restarted.status.containerStatuses = [CoreV1.ContainerStatus.with { $0.restartCount = 3 }]
        let expected = [
            Samples.pod("unscheduled", phase: "Pending", ready: false, node: ""),
            Samples.pod("pending", phase: "Pending", ready: false),
            Samples.pod("unknown", phase: "Unknown", ready: false),
            Samples.pod("notready", ready: false),
            cheap,
            Samples.pod("crowded", node: "a"),
            Samples.pod("fresh", node: "d", readyFor: 2),
            restarted,
            Samples.pod("young", node: "e", created: -10),
            Samples.pod("settled", node: "f"),
        ]
        let related = expected + (0..<5).map { Samples.pod("x\($0)", node: "a") }
        let order = DeletionOrder(related: related, now: Samples.now)
        let sorted = expected.shuffled().sorted(by: order.precedes).map(\.metadata.name)
        #expect(sorted.prefix(6) == expected.map(\.metadata.name).prefix(6))
        #expect(sorted[6] == "fresh")
        #expect(sorted[7] == "restarted")
        #expect(sorted[8] == "young")
    }
}
