// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ControllerKit
import KubernetesAPI
import Protobuf
import Scalars
import Testing
import WorkloadControllers

@Suite("Where and when pods count")
struct SelectionTests {
    @Test(
        "availability",
        arguments: [
            // ready, ready for, minReadySeconds, available, seconds left
            (true, 0, 0, true, nil), (false, 100, 0, false, nil), (true, 9, 10, false, 1),
            (true, 10, 10, true, nil), (true, 11, 10, true, nil), (false, 9, 10, false, nil),
        ] as [(Bool, Int64, Int32, Bool, Int64?)]
    )
    func availability(
        _ isReady: Bool,
        _ seconds: Int64,
        _ least: Int32,
        _ isAvailable: Bool,
        _ left: Int64?
    ) {
        let pod = Samples.pod("p", ready: isReady, readyFor: seconds)
        #expect(pod.isAvailable(minReadySeconds: least, now: Samples.now) == isAvailable)
        #expect(
            pod.timeUntilAvailable(minReadySeconds: least, now: Samples.now)
                == left.map { .seconds($0) }
        )
    }

    @Test(
        "a percentage of a number",
        arguments: [
            ("25%", 10, 3, 2), ("25%", 4, 1, 1), ("0%", 10, 0, 0), ("100%", 7, 7, 7),
            ("33%", 3, 1, 0), ("150%", 2, 3, 3), ("1%", 0, 0, 0), ("7", 10, 0, 0), ("x%", 10, 0, 0),
        ]
    )
    func scaled(_ text: String, _ total: Int, _ up: Int, _ down: Int) {
        let value = IntStr.IntOrString(.string(text))
        #expect(value.scaled(of: total, roundingUp: true) == up)
        #expect(value.scaled(of: total, roundingUp: false) == down)
        #expect(IntStr.IntOrString(.int(7)).scaled(of: total, roundingUp: true) == 7)
    }

    @Test(
        "tolerations",
        arguments: [
            // key, operator, value, effect of the toleration; tolerated is `k=v:NoSchedule`
            ("k", "Equal", "v", "NoSchedule", true), ("k", "", "v", "NoSchedule", true),
            ("k", "Equal", "w", "NoSchedule", false), ("k", "Equal", "v", "", true),
            ("k", "Equal", "v", "NoExecute", false), ("k", "Exists", "", "NoSchedule", true),
            ("j", "Exists", "", "NoSchedule", false), ("", "Exists", "", "", true),
            ("", "Exists", "", "NoExecute", false), ("k", "Other", "v", "", false),
        ]
    )
    func tolerations(
        _ key: String,
        _ comparison: String,
        _ value: String,
        _ effect: String,
        _ isTolerated: Bool
    ) {
        let toleration = CoreV1.Toleration.with {
            $0.key = key
            $0.operator = comparison
            $0.value = value
            $0.effect = effect
        }
        let taint = CoreV1.Taint.with {
            $0.key = "k"
            $0.value = "v"
            $0.effect = "NoSchedule"
        }
        #expect(toleration.tolerates(taint) == isTolerated)
    }

    @Test(
        "node affinity",
        arguments: [
            ("zone", "In", ["a", "b"], true), ("zone", "In", ["b"], false),
            ("zone", "NotIn", ["b"], true), ("zone", "NotIn", ["a"], false),
            ("none", "NotIn", ["a"], true), ("zone", "Exists", [], true),
            ("none", "Exists", [], false), ("none", "DoesNotExist", [], true),
            ("zone", "DoesNotExist", [], false), ("size", "Gt", ["4"], true),
            ("size", "Gt", ["5"], false), ("size", "Lt", ["6"], true), ("size", "Lt", ["5"], false),
            ("zone", "Gt", ["1"], false), ("none", "Lt", ["1"], false), ("zone", "Odd", [], false),
        ]
    )
    func affinity(_ key: String, _ comparison: String, _ values: [String], _ fits: Bool) {
        let node = CoreV1.Node.with {
            $0.metadata.name = "n"
            $0.metadata.labels = ["zone": "a", "size": "5"]
        }
        let term = CoreV1.NodeSelectorTerm.with {
            $0.matchExpressions.append(
                CoreV1.NodeSelectorRequirement.with {
                    $0.key = key
                    $0.operator = comparison
                    $0.values = RepeatedField(values)
                }
            )
        }
        #expect(NodeAffinityMatcher.matches(term, node) == fits)
        #expect(!NodeAffinityMatcher.matches(CoreV1.NodeSelectorTerm(), node))
    }

    @Test(
        "where a daemon belongs",
        arguments: [
            // taint, toleration's key and effect, should run, may stay
            ("", "", "", true, true), ("own:NoSchedule", "", "", false, true),
            ("own:NoExecute", "", "", false, false), ("own:PreferNoSchedule", "", "", true, true),
            ("own:NoSchedule", "own", "NoSchedule", true, true),
            ("own:NoExecute", "own", "NoSchedule", false, false),
            ("own:NoExecute", "", "", false, false),
            ("node.kubernetes.io/not-ready:NoExecute", "", "", true, true),
            ("node.kubernetes.io/not-ready:NoSchedule", "", "", false, true),
            ("node.kubernetes.io/unreachable:NoExecute", "", "", true, true),
            ("node.kubernetes.io/unschedulable:NoSchedule", "", "", true, true),
            ("node.kubernetes.io/memory-pressure:NoSchedule", "", "", true, true),
            ("node.kubernetes.io/disk-pressure:NoSchedule", "", "", true, true),
            ("node.kubernetes.io/pid-pressure:NoSchedule", "", "", true, true),
            ("node.kubernetes.io/network-unavailable:NoSchedule", "", "", false, true),
        ]
    )
    func daemons(
        _ taint: String,
        _ key: String,
        _ effect: String,
        _ shouldRun: Bool,
        _ mayStay: Bool
    ) {
        var set = DaemonSetPlanTests.set()
        if !key.isEmpty {
            set.spec.template.spec.tolerations.append(
                CoreV1.Toleration.with {
                    $0.key = key
                    $0.operator = "Exists"
                    $0.effect = effect
                }
            )
        }
        let parts = taint.split(separator: ":").map(String.init)
        let node = DaemonSetPlanTests.node(
            "n",
            taint: parts.count == 2 ? (parts[0], parts[1]) : nil
        )
        let fit = DaemonPod.fit(set, node)
        #expect(fit.shouldRun == shouldRun)
        #expect(fit.mayStay == mayStay)
    }

    @Test(
        "a daemon on the host's network tolerates that the node has none",
        arguments: [(true, true), (false, false)]
    )
    func hostNetwork(_ isHost: Bool, _ shouldRun: Bool) {
        var set = DaemonSetPlanTests.set()
        set.spec.template.spec.hostNetwork = isHost
        let taint = ("node.kubernetes.io/network-unavailable", "NoSchedule")
        #expect(
            DaemonPod.fit(set, DaemonSetPlanTests.node("n", taint: taint)).shouldRun == shouldRun
        )
    }

    @Test(
        "the next size of the newest ReplicaSet",
        arguments: [
            // replicas, surge, strategy, current, old size, next
            (10, 3, "RollingUpdate", 0, 10, 3), (10, 3, "RollingUpdate", 3, 10, 3),
            (10, 3, "RollingUpdate", 3, 7, 6), (10, 3, "RollingUpdate", 8, 0, 10),
            (10, 0, "RollingUpdate", 0, 9, 1), (10, 3, "RollingUpdate", 0, 0, 10),
            (10, 3, "Recreate", 0, 10, 10), (0, 1, "RollingUpdate", 0, 0, 0),
        ] as [(Int32, Int32, String, Int32, Int32, Int)]
    )
    func newSize(
        _ replicas: Int32,
        _ surge: Int32,
        _ strategy: String,
        _ current: Int32,
        _ old: Int32,
        _ next: Int
    ) {
        var deployment = Samples.deployment(
            replicas: replicas,
            surge: IntStr.IntOrString(.int(surge)),
            unavailable: 1
        )
        deployment.spec.strategy.type = strategy
        let size = DeploymentScaling.newSize(
            deployment,
            current: Int(current),
            all: [Samples.set("new", replicas: current), Samples.set("old", replicas: old)]
        )
        #expect(size == next)
    }

    @Test(
        "pods that are still to be deleted count against the surge, and not as available",
        arguments: [(2, 2, 3), (2, 3, 2), (2, 4, 2)] as [(Int32, Int32, Int)]
    )
    func pending(_ size: Int32, _ pods: Int32, _ next: Int) {
        let deployment = Samples.deployment(replicas: 4, surge: 1, unavailable: 1)
        var old = Samples.set("old", replicas: size, available: pods, image: "web:0")
        old.status.replicas = pods
        let new = Samples.set("new", replicas: 2, available: 2)
        #expect(DeploymentScaling.newSize(deployment, current: 2, all: [new, old]) == next)
        let changes = DeploymentScaling.shrinkOld(deployment, new: new, old: [old])
        #expect(changes.first?.size == 1)
    }

    @Test(
        "when a Deployment is complete",
        arguments: [
            // replicas, updated, total, available, observed, complete
            (3, 3, 3, 3, 1, true), (3, 2, 3, 3, 1, false), (3, 3, 4, 3, 1, false),
            (3, 3, 3, 2, 1, false), (3, 3, 3, 3, 0, false), (0, 0, 0, 0, 1, true),
        ] as [(Int32, Int32, Int32, Int32, Int64, Bool)]
    )
    func complete(
        _ replicas: Int32,
        _ updated: Int32,
        _ total: Int32,
        _ available: Int32,
        _ observed: Int64,
        _ isComplete: Bool
    ) {
        let status = AppsV1.DeploymentStatus.with {
            $0.updatedReplicas = updated
            $0.replicas = total
            $0.availableReplicas = available
            $0.observedGeneration = observed
        }
        let deployment = Samples.deployment(replicas: replicas)
        #expect(DeploymentProgress.isComplete(deployment, status) == isComplete)
    }

    @Test(
        "how many pods a budget lets go",
        arguments: [
            // least, most, healthy, expected, desired, allowed
            ("2", nil, 3, 3, 2, 1), ("2", nil, 2, 3, 2, 0), ("2", nil, 1, 3, 2, 0),
            ("50%", nil, 3, 3, 2, 1), ("50%", nil, 4, 4, 2, 2), ("100%", nil, 4, 4, 4, 0),
            ("0", nil, 4, 4, 0, 4), (nil, "1", 3, 3, 2, 1), (nil, "1", 2, 3, 2, 0),
            (nil, "50%", 3, 3, 1, 2), (nil, "0", 3, 3, 3, 0), (nil, "5", 3, 3, 0, 3),
            ("2", nil, 0, 0, 2, 0),
        ] as [(String?, String?, Int, Int, Int32, Int32)]
    )
    func budgets(
        _ least: String?,
        _ most: String?,
        _ healthy: Int,
        _ expected: Int,
        _ desired: Int32,
        _ allowed: Int32
    ) {
        func value(_ text: String) -> IntStr.IntOrString {
            Int32(text).map { IntStr.IntOrString(.int($0)) } ?? IntStr.IntOrString(.string(text))
        }
        let budget = PolicyV1.PodDisruptionBudget.with {
            $0.metadata.generation = 4
            $0.spec.minAvailable = least.map(value)
            $0.spec.maxUnavailable = most.map(value)
        }
        let pods = (0..<expected).map { Samples.pod("p\($0)", ready: $0 < healthy) }
        let status = DisruptionController.status(
            budget,
            pods: pods,
            expected: expected,
            now: Samples.now
        ).status
        #expect(status.currentHealthy == Int32(healthy))
        #expect(status.desiredHealthy == desired)
        #expect(status.disruptionsAllowed == allowed)
        #expect(status.observedGeneration == 4)
        let condition = status.conditions.first { $0.type == "DisruptionAllowed" }
        #expect(condition?.status == (allowed > 0 ? "True" : "False"))
        #expect(condition?.reason == (allowed > 0 ? "SufficientPods" : "InsufficientPods"))
    }

    @Test(
        "an eviction that does not show counts for two minutes",
        arguments: [(0, 1, 120), (119, 1, 1), (120, 2, nil), (500, 2, nil)]
            as [(Int64, Int32, Int64?)]
    )
    func evictions(_ age: Int64, _ healthy: Int32, _ next: Int64?) {
        let budget = PolicyV1.PodDisruptionBudget.with {
            $0.spec.minAvailable = 1
            $0.status.disruptedPods["p0"] = MetaV1.Time(
                Timestamp(seconds: Samples.now.seconds - age)
            )
        }
        let (status, nextCheck) = DisruptionController.status(
            budget,
            pods: [Samples.pod("p0"), Samples.pod("p1")],
            expected: 2,
            now: Samples.now
        )
        #expect(status.currentHealthy == healthy)
        #expect(nextCheck == next.map { .seconds($0) })
    }
}
