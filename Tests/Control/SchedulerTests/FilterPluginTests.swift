// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf
import Testing

@testable import Scheduler

/// Pods against nodes, with upstream's verdicts.
struct FilterCase: Sendable, CustomTestStringConvertible {
    let name: String
    let plugin: any FilterPlugin
    let nodes: [CoreV1.Node]
    let pods: [CoreV1.Pod]
    let pod: CoreV1.Pod
    let expected: [String: [String]]

    init(
        _ name: String,
        _ plugin: any FilterPlugin,
        _ nodes: [CoreV1.Node],
        _ pods: [CoreV1.Pod],
        _ pod: CoreV1.Pod,
        _ expected: [String: [String]]
    ) {
        self.name = name
        self.plugin = plugin
        self.nodes = nodes
        self.pods = pods
        self.pod = pod
        self.expected = expected
    }

    init(
        _ name: String,
        _ plugin: any FilterPlugin,
        _ nodes: [CoreV1.Node],
        _ pod: CoreV1.Pod,
        _ expected: [String: [String]]
    ) {
        self.init(name, plugin, nodes, [], pod, expected)
    }

    var testDescription: String { self.name }
}

@Suite("Filter plugins") struct FilterPluginTests {
    @Test("refuse nodes as upstream does", arguments: Self.simple + Self.resources)
    func verdict(_ test: FilterCase) {
        #expect(verdicts(test.plugin, test.pod, cluster(test.nodes, test.pods)) == test.expected)
    }

    @Test("compare labels and names of nodes", arguments: Self.affinity)
    func nodeAffinity(_ test: FilterCase) {
        #expect(verdicts(test.plugin, test.pod, cluster(test.nodes, test.pods)) == test.expected)
    }

    static let taint = ["node(s) had untolerated taint(s)"]
    static let ports = ["node(s) didn't have free ports for the requested pod ports"]

    static let simple: [FilterCase] = [
        FilterCase(
            "cordoned",
            NodeUnschedulablePlugin(),
            [node("a", unschedulable: true), node("b")],
            pod("p"),
            ["a": ["node(s) were unschedulable"]]
        ),
        FilterCase(
            "cordoned and tolerated",
            NodeUnschedulablePlugin(),
            [node("a", unschedulable: true)],
            pod("p") { $0.spec.tolerations.append(.with { $0.operator = "Exists" }) },
            [:]
        ),
        FilterCase(
            "another node is named",
            NodeNamePlugin(),
            [node("a"), node("b")],
            pod("p", on: "b"),
            ["a": ["node(s) didn't match the requested node name"]]
        ),
        FilterCase(
            "taints",
            TaintTolerationPlugin(),
            [
                node("hard", taints: [("k", "v", "NoSchedule")]),
                node("out", taints: [("k", "v", "NoExecute")]),
                node("soft", taints: [("k", "v", "PreferNoSchedule")]),
                node("other", taints: [("k", "w", "NoSchedule")]),
            ],
            pod("p") {
                $0.spec.tolerations.append(
                    .with {
                        $0.key = "k"
                        $0.value = "v"
                        $0.effect = "NoSchedule"
                    }
                )
            },
            ["out": Self.taint, "other": Self.taint]
        ),
        FilterCase(
            "ports",
            NodePortsPlugin(),
            [node("a"), node("b")],
            [pod("x", on: "a", ports: [80])],
            pod("p", ports: [80]),
            ["a": Self.ports]
        ),
        FilterCase(
            "ports of other addresses",
            NodePortsPlugin(),
            [node("a"), node("b")],
            [
                pod("x", on: "a", ports: [80]) {
                    $0.spec.containers[0].ports[0].hostIP = "10.0.0.1"
                },
                pod("y", on: "b", ports: [80]),
            ],
            pod("p", ports: [80]) { $0.spec.containers[0].ports[0].hostIP = "10.0.0.2" },
            ["b": Self.ports]
        ),
    ]

    static let resources: [FilterCase] = [
        FilterCase(
            "room for everything",
            NodeResourcesFitPlugin(),
            [node("a")],
            [pod("x", cpu: "3", memory: "7Gi", on: "a")],
            pod("p", cpu: "1", memory: "1Gi"),
            [:]
        ),
        FilterCase(
            "too little of all",
            NodeResourcesFitPlugin(),
            [node("a")],
            [pod("x", cpu: "3", memory: "7Gi", on: "a")],
            pod("p", cpu: "1001m", memory: "2Gi", more: ["ephemeral-storage": "101Gi"]),
            [
                "a": [
                    "Insufficient cpu", "Insufficient memory", "Insufficient ephemeral-storage",
                ]
            ]
        ),
        FilterCase(
            "too many pods",
            NodeResourcesFitPlugin(),
            [node("a", pods: "1"), node("b", pods: "2")],
            [pod("x", on: "a"), pod("y", on: "b")],
            pod("p"),
            ["a": ["Too many pods"]]
        ),
        FilterCase(
            "extended resources",
            NodeResourcesFitPlugin(),
            [node("a"), node("b", more: ["example.com/gpu": "2"])],
            pod("p", more: ["example.com/gpu": "3"]),
            ["a": ["Insufficient example.com/gpu"], "b": ["Insufficient example.com/gpu"]]
        ),
        FilterCase(
            "ignored resources",
            NodeResourcesFitPlugin(
                ignoredResources: ["example.com/gpu"],
                ignoredGroups: ["other.com"]
            ),
            [node("a")],
            pod("p", more: ["example.com/gpu": "3", "other.com/x": "1"]),
            [:]
        ),
        FilterCase(
            "init containers take turns, sidecars stay",
            NodeResourcesFitPlugin(),
            [node("a", cpu: "5"), node("b", cpu: "6")],
            pod("p", cpu: "2") {
                for (cpu, stays) in [("1", true), ("4500m", false), ("3", false)] {
                    $0.spec.initContainers.append(
                        .with {
                            $0.resources.requests["cpu"] = quantity(cpu)
                            if stays { $0.restartPolicy = "Always" }
                        }
                    )
                }
            },
            ["a": ["Insufficient cpu"]]
        ),
        FilterCase(
            "overhead",
            NodeResourcesFitPlugin(),
            [node("a")],
            pod("p", cpu: "3500m") { $0.spec.overhead["cpu"] = quantity("501m") },
            ["a": ["Insufficient cpu"]]
        ),
        FilterCase(
            "requests of the pod as a whole",
            NodeResourcesFitPlugin(),
            [node("a")],
            pod("p", cpu: "1") {
                $0.spec.resources = .with { $0.requests["cpu"] = quantity("5") }
            },
            ["a": ["Insufficient cpu"]]
        ),
    ]

    static let mismatch = ["node(s) didn't match Pod's node affinity/selector"]

    /// One required term with one expression.
    static func required(
        _ key: String,
        _ comparison: String,
        _ values: [String] = [],
        field: Bool = false
    ) -> CoreV1.Pod {
        pod("p") {
            let requirement = CoreV1.NodeSelectorRequirement.with {
                $0.key = key
                $0.operator = comparison
                $0.values = RepeatedField(values)
            }
            let term = CoreV1.NodeSelectorTerm.with {
                if field {
                    $0.matchFields.append(requirement)
                } else {
                    $0.matchExpressions.append(requirement)
                }
            }
            $0.spec.affinity = .with {
                $0.nodeAffinity = .with {
                    $0.requiredDuringSchedulingIgnoredDuringExecution = .with {
                        $0.nodeSelectorTerms.append(term)
                    }
                }
            }
        }
    }

    static let zones = [
        node("a", labels: ["zone": "1", "size": "10"]),
        node("b", labels: ["zone": "2", "size": "20"]),
        node("c"),
    ]

    static let affinity: [FilterCase] = [
        ("selector", pod("p") { $0.spec.nodeSelector["zone"] = "1" }, ["b", "c"]),
        ("unknown value", pod("p") { $0.spec.nodeSelector["zone"] = "9" }, ["a", "b", "c"]),
        ("In", Self.required("zone", "In", ["1", "2"]), ["c"]),
        ("NotIn", Self.required("zone", "NotIn", ["1"]), ["a"]),
        ("Exists", Self.required("zone", "Exists"), ["c"]),
        ("DoesNotExist", Self.required("zone", "DoesNotExist"), ["a", "b"]),
        ("Gt", Self.required("size", "Gt", ["10"]), ["a", "c"]),
        ("Lt", Self.required("size", "Lt", ["20"]), ["b", "c"]),
        ("nonsense", Self.required("size", "Near", ["20"]), ["a", "b", "c"]),
        (
            "not that name", Self.required("metadata.name", "NotIn", ["a"], field: true), ["a"]
        ),
    ].map { name, pod, refused in
        FilterCase(
            name,
            NodeAffinityPlugin(),
            Self.zones,
            [],
            pod,
            Dictionary(uniqueKeysWithValues: refused.map { ($0, Self.mismatch) })
        )
    }

    @Test("name the nodes that are worth a look")
    func names() {
        let cluster = cluster(Self.zones)
        let pod = Self.required("metadata.name", "In", ["b"], field: true)
        let verdict = verdicts(NodeAffinityPlugin(), pod, cluster)
        #expect(verdict == ["a": ["elsewhere"], "c": ["elsewhere"]])
    }

    @Test("obey the affinity that the profile adds")
    func addedAffinity() {
        let added = Self.required("zone", "In", ["2"]).spec.affinity?.nodeAffinity
        let plugin = NodeAffinityPlugin(addedAffinity: added)
        let reason = ["node(s) didn't match scheduler-enforced node affinity"]
        #expect(verdicts(plugin, pod("p"), cluster(Self.zones)) == ["a": reason, "c": reason])
    }
}
