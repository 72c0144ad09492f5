// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf
import Testing

@testable import Scheduler

/// Scores as upstream's own tests have them.
struct ScoreCase: Sendable, CustomTestStringConvertible {
    let name: String
    let plugin: any ScorePlugin
    let nodes: [CoreV1.Node]
    var pods: [CoreV1.Pod] = []
    let pod: CoreV1.Pod
    let expected: [String: Int64]?

    var testDescription: String { self.name }
}

@Suite("Score plugins") struct ScorePluginTests {
    @Test("score nodes as upstream does", arguments: Self.resources + Self.others)
    func scoring(_ test: ScoreCase) {
        #expect(scores(test.plugin, test.pod, cluster(test.nodes, test.pods)) == test.expected)
    }

    static let machines = [
        node("a", cpu: "4000m", memory: "10000"), node("b", cpu: "6000m", memory: "10000"),
    ]
    static let resourcesOf = ScoringStrategy.defaultResources

    static let resources: [ScoreCase] = [
        ScoreCase(
            name: "least allocated: differently sized nodes",
            plugin: NodeResourcesFitPlugin(),
            nodes: Self.machines,
            pod: pod("p", cpu: "3000m", memory: "5000"),
            expected: ["a": 37, "b": 50]
        ),
        ScoreCase(
            name: "least allocated: pods on the nodes",
            plugin: NodeResourcesFitPlugin(),
            nodes: [
                node("a", cpu: "10000m", memory: "20000"),
                node("b", cpu: "10000m", memory: "20000"),
            ],
            pods: [
                pod("x", cpu: "3000m", memory: "0", on: "a"),
                pod("y", cpu: "3000m", memory: "5000", on: "b"),
            ],
            pod: pod("p", cpu: "3000m", memory: "5000"),
            expected: ["a": 57, "b": 45]
        ),
        ScoreCase(
            name: "least allocated: more than there is",
            plugin: NodeResourcesFitPlugin(),
            nodes: Self.machines,
            pods: [pod("x", cpu: "3000m", memory: "0", on: "a")],
            pod: pod("p", cpu: "3000m", memory: "5000"),
            expected: ["a": 25, "b": 50]
        ),
        ScoreCase(
            name: "most allocated",
            plugin: NodeResourcesFitPlugin(strategy: .mostAllocated(Self.resourcesOf)),
            nodes: Self.machines,
            pod: pod("p", cpu: "3000m", memory: "5000"),
            expected: ["a": 62, "b": 50]
        ),
        ScoreCase(
            name: "requested to capacity ratio",
            plugin: NodeResourcesFitPlugin(
                strategy: .requestedToCapacityRatio(
                    Self.resourcesOf,
                    shape: [
                        ScoringStrategy.Point(utilization: 0, score: 10),
                        ScoringStrategy.Point(utilization: 100, score: 0),
                    ]
                )
            ),
            nodes: Self.machines,
            pod: pod("p", cpu: "3000m", memory: "5000"),
            expected: ["a": 38, "b": 50]
        ),
        ScoreCase(
            name: "balanced allocation",
            plugin: BalancedAllocationPlugin(),
            nodes: Self.machines,
            pod: pod("p", cpu: "3000m", memory: "5000"),
            expected: ["a": 87, "b": 100]
        ),
        ScoreCase(
            name: "balanced allocation of pods that ask for nothing",
            plugin: BalancedAllocationPlugin(),
            nodes: Self.machines,
            pod: pod("p"),
            expected: nil
        ),
    ]

    static let mega: Int64 = 1024 * 1024

    static let others: [ScoreCase] = [
        ScoreCase(
            name: "soft taints",
            plugin: TaintTolerationPlugin(),
            nodes: [
                node("a"), node("b", taints: [("k", "", "PreferNoSchedule")]),
                node(
                    "c",
                    taints: [("k", "", "PreferNoSchedule"), ("l", "", "PreferNoSchedule")]
                ),
            ],
            pod: pod("p"),
            expected: ["a": 100, "b": 50, "c": 0]
        ),
        ScoreCase(
            name: "images",
            plugin: ImageLocalityPlugin(),
            nodes: [
                node("a", images: [("gcr.io/40:latest", 40 * Self.mega)]),
                node("b", images: [("gcr.io/250:latest", 250 * Self.mega)]),
            ],
            pod: pod("p", image: "gcr.io/250"),
            expected: ["a": 0, "b": 10]
        ),
        ScoreCase(
            name: "preferred node affinity",
            plugin: NodeAffinityPlugin(),
            nodes: [node("a", labels: ["x": "1"]), node("b", labels: ["x": "2"]), node("c")],
            pod: pod("p") {
                $0.spec.affinity = .with {
                    $0.nodeAffinity = .with {
                        for (value, weight) in [("1", Int32(2)), ("2", 8)] {
                            $0.preferredDuringSchedulingIgnoredDuringExecution.append(
                                .with {
                                    $0.weight = weight
                                    $0.preference.matchExpressions.append(
                                        .with {
                                            $0.key = "x"
                                            $0.operator = "In"
                                            $0.values = [value]
                                        }
                                    )
                                }
                            )
                        }
                    }
                }
            },
            expected: ["a": 25, "b": 100, "c": 0]
        ),
    ]
}
