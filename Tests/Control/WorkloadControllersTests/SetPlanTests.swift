// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ControllerKit
import KubernetesAPI
import Protobuf
import Scalars
import Testing
import WorkloadControllers

@Suite("StatefulSet")
struct StatefulSetPlanTests {
    static func set(
        replicas: Int32 = 3,
        policy: String = "OrderedReady",
        partition: Int32 = 0
    ) -> AppsV1.StatefulSet {
        AppsV1.StatefulSet.with {
            $0.metadata.name = "db"
            $0.metadata.namespace = "default"
            $0.spec.replicas = replicas
            $0.spec.podManagementPolicy = policy
            $0.spec.updateStrategy.type = "RollingUpdate"
            $0.spec.updateStrategy.rollingUpdate = AppsV1.RollingUpdateStatefulSetStrategy.with {
                $0.partition = partition
            }
            $0.spec.selector = Samples.selector
            $0.spec.template = Samples.template()
        }
    }

    /// A text such as `0:r1 1:r1! 2:r2`: ordinal and revision; `!` is not ready, `-` is going.
    static func pods(_ text: String) -> [CoreV1.Pod] {
        text.split(separator: " ").map { part in
            let fields = part.split(separator: ":")
            let mark = fields[1].last
            let isMarked = mark == "!" || mark == "-"
            var pod = Samples.pod("db-\(fields[0])", ready: mark != "!")
            pod.metadata.labels["controller-revision-hash"] =
                String(isMarked ? fields[1].dropLast() : fields[1])
            if mark == "-" { pod.metadata.deletionTimestamp = MetaV1.Time(Samples.now) }
            return pod
        }
    }

    @Test(
        "the next step",
        arguments: [
            // policy, replicas, partition, pods, created, deleted
            ("OrderedReady", 3, 0, "", "0", ""),
            ("OrderedReady", 3, 0, "0:r1!", "", ""),
            ("OrderedReady", 3, 0, "0:r1", "1", ""),
            ("OrderedReady", 3, 0, "0:r1 2:r1", "1", ""),
            ("Parallel", 3, 0, "", "0 1 2", ""),
            ("Parallel", 3, 0, "1:r1", "0 2", ""),
            ("OrderedReady", 1, 0, "0:r2 1:r2 2:r2", "", "2"),
            ("OrderedReady", 1, 0, "0:r2 1:r2 2:r2-", "", ""),
            ("Parallel", 1, 0, "0:r2 1:r2 2:r2", "", "1 2"),
            ("OrderedReady", 3, 0, "0:r1 1:r1 2:r1", "", "2"),
            ("OrderedReady", 3, 0, "0:r1 1:r1 2:r2!", "", ""),
            ("OrderedReady", 3, 0, "0:r1 1:r1 2:r2", "", "1"),
            ("OrderedReady", 3, 2, "0:r1 1:r1 2:r2", "", ""),
            ("OrderedReady", 3, 3, "0:r1 1:r1 2:r1", "", ""),
            ("OrderedReady", 3, 0, "0:r2 1:r2 2:r2", "", ""),
        ] as [(String, Int32, Int32, String, String, String)]
    )
    func step(
        _ policy: String,
        _ replicas: Int32,
        _ partition: Int32,
        _ pods: String,
        _ created: String,
        _ deleted: String
    ) {
        let plan = StatefulSetPlan(
            Self.set(replicas: replicas, policy: policy, partition: partition),
            pods: Self.pods(pods),
            current: "r1",
            update: "r2",
            now: Samples.now
        )
        #expect(plan.creations.map { "\($0.ordinal)" }.joined(separator: " ") == created)
        let names = plan.deletions.map { $0.metadata.name.dropFirst(3) }.sorted()
        #expect(names.joined(separator: " ") == deleted)
    }

    @Test("pods below the partition are made of the old revision")
    func partition() {
        let plan = StatefulSetPlan(
            Self.set(policy: "Parallel", partition: 2),
            pods: [],
            current: "r1",
            update: "r2",
            now: Samples.now
        )
        #expect(plan.creations.map(\.isUpdated) == [false, false, true])
    }

    @Test("a pod has its name, its labels and its claims")
    func identity() {
        var set = Self.set()
        set.spec.serviceName = "db"
        set.spec.volumeClaimTemplates = [
            CoreV1.PersistentVolumeClaim.with { $0.metadata.name = "data" }
        ]
        let pod = StatefulPod.pod(set, set.spec.template, ordinal: 2, revision: "r1")
        #expect(pod.metadata.name == "db-2")
        #expect(pod.metadata.labels["apps.kubernetes.io/pod-index"] == "2")
        #expect(pod.spec.hostname == "db-2")
        #expect(pod.spec.subdomain == "db")
        #expect(pod.spec.volumes.first?.name == "data")
        let claim = StatefulPod.claims(set, ordinal: 2).first
        #expect(claim?.metadata.name == "data-db-2")
        #expect(claim?.metadata.labels["app"] == "web")
    }
}

@Suite("DaemonSet")
struct DaemonSetPlanTests {
    static func set(unavailable: Int32 = 1, surge: Int32 = 0) -> AppsV1.DaemonSet {
        AppsV1.DaemonSet.with {
            $0.metadata.name = "agent"
            $0.metadata.namespace = "default"
            $0.spec.selector = Samples.selector
            $0.spec.template = Samples.template()
            $0.spec.updateStrategy.type = "RollingUpdate"
            $0.spec.updateStrategy.rollingUpdate = AppsV1.RollingUpdateDaemonSet.with {
                $0.maxUnavailable = IntStr.IntOrString(.int(unavailable))
                $0.maxSurge = IntStr.IntOrString(.int(surge))
            }
        }
    }

    static func node(_ name: String, taint: (String, String)? = nil) -> CoreV1.Node {
        CoreV1.Node.with {
            $0.metadata.name = name
            if let taint {
                $0.spec.taints = [
                    CoreV1.Taint.with {
                        $0.key = taint.0
                        $0.effect = taint.1
                    }
                ]
            }
        }
    }

    static func pod(_ node: String, _ hash: String = "new", ready: Bool = true) -> CoreV1.Pod {
        var pod = Samples.pod("agent-\(node)-\(hash)", ready: ready, node: node)
        pod.metadata.labels["controller-revision-hash"] = hash
        return pod
    }

    @Test("one pod on each node that fits")
    func places() {
        let nodes = [
            Self.node("a"), Self.node("b"), Self.node("tainted", taint: ("own", "NoSchedule")),
            Self.node("gone", taint: ("own", "NoExecute")),
            Self.node("full", taint: ("node.kubernetes.io/disk-pressure", "NoSchedule")),
        ]
        let plan = DaemonSetPlan(
            Self.set(),
            pods: [Self.pod("a"), Self.pod("tainted"), Self.pod("gone")],
            nodes: nodes,
            hash: "new",
            now: Samples.now
        )
        #expect(plan.creations == ["b", "full"])
        #expect(plan.deletions.map(\.spec.nodeName) == ["gone"])
        #expect(plan.status.desiredNumberScheduled == 3)
        #expect(plan.status.currentNumberScheduled == 1)
        #expect(plan.status.numberMisscheduled == 2)
        #expect(plan.status.numberUnavailable == 2)
    }

    @Test(
        "an update stays within its bounds",
        arguments: [(1, 0, 1, 0), (2, 0, 2, 0), (10, 0, 4, 0), (0, 2, 0, 2)]
            as [(Int32, Int32, Int, Int)]
    )
    func updates(_ unavailable: Int32, _ surge: Int32, _ deleted: Int, _ created: Int) {
        let names = ["a", "b", "c", "d"]
        let plan = DaemonSetPlan(
            Self.set(unavailable: unavailable, surge: surge),
            pods: names.map { Self.pod($0, "old") },
            nodes: names.map { Self.node($0) },
            hash: "new",
            now: Samples.now
        )
        #expect(plan.deletions.count == deleted)
        #expect(plan.creations.count == created)
        #expect(plan.status.updatedNumberScheduled == 0)
    }

    @Test("a broken old pod is replaced at once, and counts as unavailable")
    func broken() {
        let plan = DaemonSetPlan(
            Self.set(unavailable: 1),
            pods: [Self.pod("a", "old", ready: false), Self.pod("b", "old")],
            nodes: [Self.node("a"), Self.node("b")],
            hash: "new",
            now: Samples.now
        )
        #expect(plan.deletions.map(\.spec.nodeName) == ["a"])
    }

    @Test("a pod is bound to its node by affinity, and tolerates what daemons must")
    func pods() {
        let pod = DaemonPod.pod(Self.set(), node: "a", hash: "new")
        #expect(DaemonPod.node(of: pod) == "a")
        #expect(pod.spec.tolerations.count == 6)
        #expect(pod.metadata.labels["controller-revision-hash"] == "new")
    }
}
