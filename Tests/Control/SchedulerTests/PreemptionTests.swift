// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf
import Selectors
import Testing

@testable import Scheduler

@Suite("Preemption") struct PreemptionTests {
    static let important = pod("vip", cpu: "3", priority: 100)

    static func decide(
        _ nodes: [CoreV1.Node],
        _ pods: [CoreV1.Pod],
        _ new: CoreV1.Pod = Self.important,
        budgets: [CoreV1.Pod] = []
    ) throws -> SchedulerCore.Refused {
        let core = scheduler(nodes, pods)
        for (index, protected) in budgets.enumerated() {
            core.cluster.budgets["default/\(index)"] = DisruptionBudget(
                .with {
                    $0.metadata.namespace = "default"
                    $0.spec.selector = .with { $0.matchLabels = protected.metadata.labels }
                }
            )
        }
        core.setPod(new, now: .zero)
        return try #require(core.decide(now: .zero)?.refused)
    }

    @Test("takes the node where it does the least harm", arguments: Self.cases)
    func best(_ test: Case) throws {
        let refused = try Self.decide(test.nodes, test.pods, budgets: test.budgets)
        #expect(refused.nominatedNode == test.chosen)
        #expect(refused.victims.map(\.name).sorted() == test.victims)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        var nodes = [node("a"), node("b")]
        let pods: [CoreV1.Pod]
        var budgets: [CoreV1.Pod] = []
        let chosen: String
        let victims: [String]

        var testDescription: String { self.name }
    }

    static func started(_ seconds: Int64) -> (inout CoreV1.Pod) -> Void {
        { $0.status.startTime = .with { $0.seconds = seconds } }
    }

    static let cases: [Case] = [
        Case(
            name: "lowest of the highest priorities",
            pods: [
                pod("1", cpu: "4", on: "a", priority: 50),
                pod("2", cpu: "4", on: "b", priority: 40),
            ],
            chosen: "b",
            victims: ["2"]
        ),
        Case(
            name: "smallest sum of priorities",
            pods: [
                pod("1", cpu: "2", on: "a", priority: 40),
                pod("2", cpu: "2", on: "a", priority: 40),
                pod("3", cpu: "2", on: "b", priority: 40),
                pod("4", cpu: "2", on: "b", priority: 30),
            ],
            chosen: "b",
            victims: ["3", "4"]
        ),
        Case(
            name: "latest start",
            pods: [
                pod("1", cpu: "4", on: "a", change: Self.started(10)),
                pod("2", cpu: "4", on: "b", change: Self.started(20)),
            ],
            chosen: "b",
            victims: ["2"]
        ),
        Case(
            name: "no more than must go",
            nodes: [node("a")],
            pods: [
                pod("1", cpu: "1", on: "a", priority: 5), pod("2", cpu: "1", on: "a", priority: 4),
                pod("3", cpu: "2", on: "a", priority: 3),
            ],
            chosen: "a",
            victims: ["2", "3"]
        ),
        Case(
            name: "budgets before priorities",
            pods: [
                pod("1", cpu: "4", on: "a", labels: ["app": "db"], priority: 1),
                pod("2", cpu: "4", on: "b", priority: 50),
            ],
            budgets: [pod("x", labels: ["app": "db"])],
            chosen: "b",
            victims: ["2"]
        ),
        Case(
            name: "not pods of equal priority",
            pods: [
                pod("1", cpu: "4", on: "a", priority: 100),
                pod("2", cpu: "4", on: "b", priority: 99),
            ],
            chosen: "b",
            victims: ["2"]
        ),
    ]

    @Test("explains why it does not help")
    func message() throws {
        let refused = try Self.decide(
            [node("a"), node("b"), node("c", cpu: "2"), node("d", unschedulable: true)],
            [
                pod("1", cpu: "4", on: "a", priority: 100),
                pod("2", cpu: "4", on: "b", priority: 200),
            ]
        )
        #expect(
            refused.message
                == "0/4 nodes are available: 1 node(s) were unschedulable, 3 Insufficient cpu. "
                + "no new claims to deallocate, preemption: 0/4 nodes are available: "
                + "2 No preemption victims found for incoming pod, "
                + "2 Preemption is not helpful for scheduling."
        )
    }

    @Test("pods that must not preempt do not")
    func never() throws {
        var meek = Self.important
        meek.spec.preemptionPolicy = "Never"
        let refused = try Self.decide([node("a")], [pod("1", cpu: "4", on: "a")], meek)
        #expect(refused.victims.isEmpty)
        #expect(
            refused.message
                == "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, "
                + "preemption: not eligible due to preemptionPolicy=Never."
        )
    }

    @Test("the room that was made is kept for the pod")
    func nominated() throws {
        let core = scheduler([node("a")], [pod("low", cpu: "4", on: "a")])
        core.setPod(Self.important, now: .zero)
        let refused = try #require(core.decide(now: .zero)?.refused)
        #expect(refused.nominatedNode == "a")
        #expect(refused.message == "0/1 nodes are available: 1 Insufficient cpu.")
        core.preemptionFinished("default/vip", succeeded: true, now: .seconds(1))
        core.setPod(pod("thief", cpu: "3", priority: 50), now: .seconds(2))
        core.removePod(uid: "default/low", now: .seconds(2))
        #expect(core.decide(now: .seconds(3))?.node == "a")
        let second = try #require(core.decide(now: .seconds(3))?.refused)
        #expect(second.pod.name == "thief")
    }

    @Test("a try leaves no trace")
    func undone() throws {
        let pods = (0..<8).map { number in
            pod(
                "\(number)",
                cpu: "500m",
                on: "a",
                labels: ["app": "web"],
                ports: [Int32(number + 1)]
            )
        }
        let core = scheduler([node("a"), node("b", cpu: "1")], pods)
        _ = core.cluster.counter(
            PodCount([PodGroup(namespaces: ["default"], selector: .everything)])
        )
        var greedy = pod("vip", cpu: "4", labels: ["app": "web"], priority: 9)
        greedy.spec.topologySpreadConstraints = [
            spread(["app": "web"], Cluster.hostnameLabel, maxSkew: 50)
        ]
        core.setPod(greedy, now: .zero)
        let refused = try #require(core.decide(now: .zero)?.refused)
        #expect(refused.victims.count == 8)
        let row = try #require(core.cluster.row("a"))
        #expect(core.cluster.requestedCPU[row] == 4000)
        #expect(core.cluster.pods[row].count == 8)
        #expect(core.cluster.hostPorts[row]?.count == 8)
        for counter in core.cluster.counters.values { #expect(counter.counts[row] == 8) }
    }
}
