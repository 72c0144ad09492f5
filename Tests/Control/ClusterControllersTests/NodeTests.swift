// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ClusterControllers
import ControllerKit
import KubernetesAPI
import Protobuf
import Scalars
import Testing

@Suite("Nodes")
struct NodeTests {
    static let now = Timestamp(seconds: 1_800_000_000)

    static func node(_ ready: String?, taints: [CoreV1.Taint] = []) -> CoreV1.Node {
        CoreV1.Node.with {
            $0.metadata.name = "n"
            $0.spec.taints = RepeatedField(taints)
            if let ready {
                $0.status.conditions = [
                    CoreV1.NodeCondition.with {
                        $0.type = "Ready"
                        $0.status = ready
                    }
                ]
            }
        }
    }

    static func taint(_ key: String, _ effect: String, _ added: Int64? = nil) -> CoreV1.Taint {
        CoreV1.Taint.with {
            $0.key = key
            $0.effect = effect
            $0.timeAdded = added.map { MetaV1.Time(Timestamp(seconds: Self.now.seconds + $0)) }
        }
    }

    @Test("a silent node's conditions become unknown, once")
    func silent() {
        let fresh = NodeHealth.silentConditions(Self.node(nil), now: Self.now)
        #expect(fresh?.count == 4)
        #expect(fresh?.allSatisfy { $0.reason == "NodeStatusNeverUpdated" } == true)
        var node = Self.node("True")
        let conditions = NodeHealth.silentConditions(node, now: Self.now)
        #expect(conditions?.first?.reason == "NodeStatusUnknown")
        #expect(conditions?.first?.message == "Kubelet stopped posting node status.")
        node.status.conditions = RepeatedField(conditions ?? [])
        #expect(NodeHealth.silentConditions(node, now: Self.now) == nil)
    }

    @Test(
        "taints follow conditions and leave others alone",
        arguments: [
            ("True", true, []), ("False", true, ["not-ready:NoSchedule", "not-ready:NoExecute"]),
            ("Unknown", true, ["unreachable:NoSchedule", "unreachable:NoExecute"]),
            ("Unknown", false, ["unreachable:NoSchedule"]),
        ] as [(String, Bool, [String])]
    )
    func taints(_ ready: String, _ mayEvict: Bool, _ expected: [String]) {
        let node = Self.node(
            ready,
            taints: [
                Self.taint("own", "NoExecute"),
                Self.taint("node.kubernetes.io/disk-pressure", "NoSchedule"),
            ]
        )
        let taints = NodeHealth.taints(node, mayEvict: mayEvict, now: Self.now)
        let texts = taints.map { "\($0.key):\($0.effect)" }
        #expect(texts == ["own:NoExecute"] + expected.map { "node.kubernetes.io/\($0)" })
    }

    @Test(
        "evictions slow down when too much fails",
        arguments: [
            (10, 1, false, 0.1), (0, 3, true, 0), (4, 6, false, 0), (40, 60, false, 0.01),
            (0, 3, false, 0.1), (1, 2, false, 0.1),
        ] as [(Int, Int, Bool, Double)]
    )
    func rates(_ ready: Int, _ notReady: Int, _ allDown: Bool, _ rate: Double) {
        let zone = EvictionGate.Zone(ready: ready, notReady: notReady)
        #expect(EvictionGate.rate(of: zone, areAllDown: allDown) == rate)
    }

    @Test("one node of a zone in ten seconds")
    func gate() {
        var gate = EvictionGate()
        #expect(gate.admit("a", rate: 0.1, uptime: .seconds(100)).isAdmitted)
        let second = gate.admit("a", rate: 0.1, uptime: .seconds(103))
        #expect(!second.isAdmitted)
        #expect(second.retryAfter == .seconds(7))
        #expect(gate.admit("b", rate: 0.1, uptime: .seconds(103)).isAdmitted)
        #expect(gate.admit("a", rate: 0.1, uptime: .seconds(110)).isAdmitted)
        #expect(!gate.admit("c", rate: 0, uptime: .seconds(110)).isAdmitted)
    }

    @Test("a pod leaves a tainted node when its shortest toleration ends")
    func evictions() {
        func pod(_ tolerations: [(String, Int64?)]) -> CoreV1.Pod {
            CoreV1.Pod.with {
                for (key, seconds) in tolerations {
                    $0.spec.tolerations.append(
                        CoreV1.Toleration.with {
                            $0.key = key
                            $0.operator = "Exists"
                            $0.effect = "NoExecute"
                            $0.tolerationSeconds = seconds
                        }
                    )
                }
            }
        }
        let a = Self.taint("a", "NoExecute", -10)
        let b = Self.taint("b", "NoExecute", 0)
        let mild = Self.taint("c", "NoSchedule")
        func time(_ pod: CoreV1.Pod, _ taints: CoreV1.Taint...) -> EvictionTime {
            EvictionTime.of(pod, taints: taints, now: Self.now)
        }
        func at(_ seconds: Int64) -> EvictionTime {
            .at(Timestamp(seconds: Self.now.seconds + seconds))
        }
        #expect(time(pod([]), mild) == .never)
        #expect(time(pod([]), a) == at(0))
        #expect(time(pod([("a", nil)]), a) == .never)
        #expect(time(pod([("a", 300)]), a) == at(290))
        #expect(time(pod([("a", 300), ("b", 60)]), a, b) == at(60))
        #expect(time(pod([("a", 300)]), a, b) == at(0))
        #expect(time(pod([("a", 300), ("", nil)]), a) == at(290))
    }

    @Test("a range is given away in parts, each once")
    func ranges() throws {
        var range = try #require(AddressRange("10.244.0.0/22", partPrefix: 24))
        range.occupy("10.244.1.0/24")
        #expect(
            (0..<4).map { _ in range.take() } == [
                "10.244.0.0/24", "10.244.2.0/24", "10.244.3.0/24", nil,
            ]
        )
        range.release("10.244.2.0/24")
        #expect(range.take() == "10.244.2.0/24")
        let isElsewhere = !range.occupy("10.245.0.0/24")
        #expect(isElsewhere)
        var large = try #require(AddressRange("fd00:1::/56", partPrefix: 64))
        #expect(large.freeCount == 256)
        #expect(large.take() == "fd00:1::/64")
        #expect(large.take() == "fd00:1:0:1::/64")
        large.occupy("fd00::/16")
        #expect(large.freeCount == 0)
        for (text, prefix) in [
            ("10.0.0.0", 24), ("10.0.0.0/8", 25), ("x/8", 16), ("10.0.0.0/24", 16),
        ] {
            #expect(AddressRange(text, partPrefix: prefix) == nil)
        }
    }
}
