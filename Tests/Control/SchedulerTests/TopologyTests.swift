// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf
import Testing

@testable import Scheduler

@Suite("Topology") struct TopologyTests {
    static let skewed = ["node(s) didn't match pod topology spread constraints"]
    static let unlabelled = [
        "node(s) didn't match pod topology spread constraints (missing required label)"
    ]
    static let web = ["app": "web"]

    static let nodes = [
        node("a", labels: ["zone": "1"]), node("b", labels: ["zone": "1"]),
        node("x", labels: ["zone": "2"]), node("y", labels: ["zone": "2"]),
    ]

    static func web(_ name: String, _ node: String) -> CoreV1.Pod {
        pod(name, on: node, labels: Self.web)
    }

    static func spreading(_ constraints: CoreV1.TopologySpreadConstraint...) -> CoreV1.Pod {
        pod("p", labels: Self.web) {
            $0.spec.topologySpreadConstraints = RepeatedField(constraints)
        }
    }

    @Test("spread keeps the skew small", arguments: Self.spreadCases)
    func spreading(_ test: FilterCase) {
        #expect(verdicts(test.plugin, test.pod, cluster(test.nodes, test.pods)) == test.expected)
    }

    static let spreadCases: [FilterCase] = [
        FilterCase(
            "over zones",
            PodTopologySpreadPlugin(),
            Self.nodes,
            [Self.web("1", "a"), Self.web("2", "b"), Self.web("3", "x")],
            Self.spreading(spread(Self.web, "zone")),
            ["a": Self.skewed, "b": Self.skewed]
        ),
        FilterCase(
            "over zones and nodes at once",
            PodTopologySpreadPlugin(),
            Self.nodes,
            [Self.web("1", "a"), Self.web("2", "b"), Self.web("3", "x")],
            Self.spreading(spread(Self.web, "zone"), spread(Self.web, Cluster.hostnameLabel)),
            ["a": Self.skewed, "b": Self.skewed, "x": Self.skewed]
        ),
        FilterCase(
            "nodes without the label are no domain",
            PodTopologySpreadPlugin(),
            Self.nodes + [node("z")],
            [Self.web("1", "a")],
            Self.spreading(spread(Self.web, "zone")),
            ["a": Self.skewed, "b": Self.skewed, "z": Self.unlabelled]
        ),
        FilterCase(
            "too few domains count as an empty one",
            PodTopologySpreadPlugin(),
            Self.nodes,
            [Self.web("1", "a"), Self.web("2", "x")],
            Self.spreading(spread(Self.web, "zone") { $0.minDomains = 3 }),
            ["a": Self.skewed, "b": Self.skewed, "x": Self.skewed, "y": Self.skewed]
        ),
        FilterCase(
            "pods that are being deleted count no more",
            PodTopologySpreadPlugin(),
            Self.nodes,
            [
                pod("1", on: "a", labels: Self.web) {
                    $0.metadata.deletionTimestamp = .with { $0.seconds = 1 }
                }
            ],
            Self.spreading(spread(Self.web, "zone")),
            [:]
        ),
        FilterCase(
            "other namespaces count not",
            PodTopologySpreadPlugin(),
            Self.nodes,
            [pod("1", on: "a", namespace: "other", labels: Self.web)],
            Self.spreading(spread(Self.web, "zone")),
            [:]
        ),
        FilterCase(
            "tainted nodes count unless the policy says otherwise",
            PodTopologySpreadPlugin(),
            [
                node("a", labels: ["zone": "1"]),
                node("x", labels: ["zone": "2"], taints: [("k", "", "NoSchedule")]),
            ],
            [Self.web("1", "a")],
            Self.spreading(spread(Self.web, "zone") { $0.nodeTaintsPolicy = "Honor" }),
            [:]
        ),
        FilterCase(
            "nodes that the selector rules out count not",
            PodTopologySpreadPlugin(),
            [
                node("a", labels: ["zone": "1", "ssd": "y"]), node("x", labels: ["zone": "2"]),
            ],
            [Self.web("1", "a")],
            pod("p", labels: Self.web) {
                $0.spec.nodeSelector["ssd"] = "y"
                $0.spec.topologySpreadConstraints = [spread(Self.web, "zone")]
            },
            [:]
        ),
        FilterCase(
            "pods with another value of a matching label count not",
            PodTopologySpreadPlugin(),
            Self.nodes,
            [pod("1", on: "a", labels: ["app": "web", "hash": "1"])],
            pod("p", labels: ["app": "web", "hash": "2"]) {
                $0.spec.topologySpreadConstraints = [
                    spread(Self.web, "zone") { $0.matchLabelKeys = ["hash"] }
                ]
            },
            [:]
        ),
    ]

    @Test("spread prefers domains with fewer pods")
    func spreadScores() {
        let cluster = cluster(
            ["a", "b", "c", "d"].map { node($0) },
            [Self.web("1", "a"), Self.web("2", "a"), Self.web("3", "b"), Self.web("4", "b")]
                + [Self.web("5", "b"), Self.web("6", "c")]
        )
        let pod = Self.spreading(spread(Self.web, Cluster.hostnameLabel, hard: false))
        // 2, 3, 1 and 0 pods, times ln 6, rounded: 4, 5, 2, 0.
        #expect(
            scores(PodTopologySpreadPlugin(), pod, cluster) == ["a": 20, "b": 0, "c": 60, "d": 100]
        )
    }

    @Test("spread follows services by default")
    func defaultSpread() throws {
        let cluster = cluster([node("a"), node("b")], [Self.web("1", "a")])
        let new = pod("p", labels: Self.web)
        #expect(scores(PodTopologySpreadPlugin(), new, cluster) == nil)
        cluster.workloads.setService("default", "web", [("app", "web")])
        let result = try #require(scores(PodTopologySpreadPlugin(), new, cluster))
        #expect(result["b"] == 100)
        #expect((result["a"] ?? 100) < 100)
    }

    static func affine(
        _ labels: [String: String] = [:],
        near: [CoreV1.PodAffinityTerm] = [],
        away: [CoreV1.PodAffinityTerm] = [],
        on node: String = "",
        name: String = "p"
    ) -> CoreV1.Pod {
        pod(name, on: node, labels: labels) {
            $0.spec.affinity = .with {
                if !near.isEmpty {
                    $0.podAffinity = .with {
                        $0.requiredDuringSchedulingIgnoredDuringExecution = RepeatedField(near)
                    }
                }
                if !away.isEmpty {
                    $0.podAntiAffinity = .with {
                        $0.requiredDuringSchedulingIgnoredDuringExecution = RepeatedField(away)
                    }
                }
            }
        }
    }

    static let notNear = ["node(s) didn't match pod affinity rules"]
    static let tooNear = ["node(s) didn't match pod anti-affinity rules"]
    static let unwelcome = ["node(s) didn't satisfy existing pods anti-affinity rules"]

    @Test("affinity draws and repels", arguments: Self.affinityCases)
    func affinity(_ test: FilterCase) {
        #expect(verdicts(test.plugin, test.pod, cluster(test.nodes, test.pods)) == test.expected)
    }

    static let affinityCases: [FilterCase] = [
        FilterCase(
            "near others in the zone",
            InterPodAffinityPlugin(),
            Self.nodes,
            [Self.web("1", "a")],
            Self.affine(near: [affinityTerm(Self.web, "zone")]),
            ["x": Self.notNear, "y": Self.notNear]
        ),
        FilterCase(
            "near nobody",
            InterPodAffinityPlugin(),
            Self.nodes,
            [],
            Self.affine(near: [affinityTerm(Self.web, "zone")]),
            ["a": Self.notNear, "b": Self.notNear, "x": Self.notNear, "y": Self.notNear]
        ),
        FilterCase(
            "the first of its kind goes anywhere",
            InterPodAffinityPlugin(),
            Self.nodes + [node("z")],
            [],
            Self.affine(Self.web, near: [affinityTerm(Self.web, "zone")]),
            ["z": Self.notNear]
        ),
        FilterCase(
            "both terms must be met by the same pods",
            InterPodAffinityPlugin(),
            Self.nodes,
            [Self.web("1", "a"), pod("2", on: "b", labels: ["tier": "x"])],
            Self.affine(
                near: [affinityTerm(Self.web, "zone"), affinityTerm(["tier": "x"], "zone")]
            ),
            ["a": Self.notNear, "b": Self.notNear, "x": Self.notNear, "y": Self.notNear]
        ),
        FilterCase(
            "away from others on the node",
            InterPodAffinityPlugin(),
            Self.nodes,
            [Self.web("1", "a")],
            Self.affine(away: [affinityTerm(Self.web)]),
            ["a": Self.tooNear]
        ),
        FilterCase(
            "others keep away",
            InterPodAffinityPlugin(),
            Self.nodes,
            [Self.affine(away: [affinityTerm(Self.web, "zone")], on: "x", name: "1")],
            pod("p", labels: Self.web),
            ["x": Self.unwelcome, "y": Self.unwelcome]
        ),
        FilterCase(
            "other namespaces do not matter",
            InterPodAffinityPlugin(),
            Self.nodes,
            [pod("1", on: "a", namespace: "other", labels: Self.web)],
            Self.affine(away: [affinityTerm(Self.web)]),
            [:]
        ),
        FilterCase(
            "unless they are named",
            InterPodAffinityPlugin(),
            Self.nodes,
            [pod("1", on: "a", namespace: "other", labels: Self.web)],
            Self.affine(away: [affinityTerm(Self.web, namespaces: ["other"])]),
            ["a": Self.tooNear]
        ),
    ]

    @Test("affinity follows the labels of namespaces")
    func namespaceSelector() {
        let cluster = cluster(
            [node("a"), node("b")],
            [pod("1", on: "a", namespace: "other", labels: Self.web)]
        )
        var term = affinityTerm(Self.web)
        term.namespaceSelector = selector(["team": "x"])
        let new = Self.affine(away: [term])
        #expect(verdicts(InterPodAffinityPlugin(), new, cluster) == [:])
        cluster.setNamespace("other", ["team": "x"])
        #expect(verdicts(InterPodAffinityPlugin(), new, cluster) == ["a": Self.tooNear])
        cluster.setNamespace("other", nil)
        #expect(verdicts(InterPodAffinityPlugin(), new, cluster) == [:])
    }

    @Test("wishes of both sides are scored")
    func affinityScores() {
        let fan = pod("1", on: "x") {
            $0.spec.affinity = .with {
                $0.podAffinity = .with {
                    $0.preferredDuringSchedulingIgnoredDuringExecution.append(
                        .with {
                            $0.weight = 4
                            $0.podAffinityTerm = affinityTerm(Self.web, "zone")
                        }
                    )
                }
            }
        }
        let cluster = cluster(Self.nodes, [fan, pod("2", on: "a", labels: ["app": "db"])])
        let new = pod("p", labels: Self.web) {
            $0.spec.affinity = .with {
                $0.podAntiAffinity = .with {
                    $0.preferredDuringSchedulingIgnoredDuringExecution.append(
                        .with {
                            $0.weight = 4
                            $0.podAffinityTerm = affinityTerm(["app": "db"])
                        }
                    )
                }
            }
        }
        // a: -4, b: 0, x and y: 4.
        #expect(
            scores(InterPodAffinityPlugin(), new, cluster)
                == ["a": 0, "b": 50, "x": 100, "y": 100]
        )
    }
}
