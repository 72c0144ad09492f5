// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf

@testable import Scheduler

/// Makes nodes and pods by chance, few of each kind, so that they meet.
struct RandomObjects {
    static let zone = "zone"
    static let namespaces = ["default", "other"]

    var random: SeededGenerator

    init(seed: UInt64) {
        self.random = SeededGenerator(seed: seed)
    }

    /// Whether something of that chance, in percent, happens.
    mutating func happens(_ percent: Int) -> Bool {
        Int.random(in: 0..<100, using: &self.random) < percent
    }

    mutating func pick<Value>(_ values: [Value]) -> Value {
        values[Int.random(in: values.indices, using: &self.random)]
    }

    mutating func labels() -> [String: String] {
        ["app": self.pick(["a", "b"]), "tier": self.pick(["x", "y"])]
    }

    mutating func selector() -> [String: String] {
        self.happens(50) ? ["app": self.pick(["a", "b"])] : ["tier": self.pick(["x", "y"])]
    }

    mutating func node(_ name: String) -> CoreV1.Node {
        var labels: [String: String] = [:]
        if self.happens(80) { labels[Self.zone] = self.pick(["1", "2", "3"]) }
        if self.happens(50) { labels["disk"] = self.pick(["ssd", "hdd", "7"]) }
        var taints: [(String, String, String)] = []
        if self.happens(20) {
            taints = [("k", "v", self.pick(["NoSchedule", "PreferNoSchedule", "NoExecute"]))]
        }
        var made = SchedulerTests.node(
            name,
            cpu: self.pick(["1", "2", "4"]),
            pods: self.pick(["2", "4", "110"]),
            more: self.happens(30) ? ["example.com/gpu": self.pick(["1", "2"])] : [:],
            labels: labels,
            taints: taints,
            unschedulable: self.happens(10)
        )
        if self.happens(10) { made.metadata.labels[Cluster.hostnameLabel] = nil }
        return made
    }

    mutating func pod(_ name: String, on node: String = "") -> CoreV1.Pod {
        let cpu = self.pick([nil, "250m", "500m", "1"])
        let more = self.happens(15) ? ["example.com/gpu": "1"] : [:]
        let ports: [Int32] = self.happens(15) ? [self.pick([80, 81])] : []
        var made = SchedulerTests.pod(
            name,
            cpu: cpu,
            more: more,
            on: node,
            namespace: self.pick(Self.namespaces),
            labels: self.labels(),
            priority: self.pick([0, 0, 5, 10]),
            ports: ports
        )
        if self.happens(10) { made.metadata.deletionTimestamp = .with { $0.seconds = 1 } }
        made.status.startTime = .with { $0.seconds = Int64.random(in: 1...9, using: &self.random) }
        if self.happens(20) {
            made.spec.tolerations.append(
                .with {
                    $0.key = "k"
                    $0.operator = "Exists"
                }
            )
        }
        self.addNodeDemands(&made)
        self.addSpread(&made)
        self.addAffinity(&made)
        return made
    }

    private mutating func addNodeDemands(_ pod: inout CoreV1.Pod) {
        if self.happens(15) { pod.spec.nodeSelector["disk"] = self.pick(["ssd", "hdd"]) }
        guard self.happens(20) else { return }
        let comparison = self.pick(["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"])
        let values: [String] =
            switch comparison {
            case "In", "NotIn": ["ssd", "1"]
            case "Gt", "Lt": ["2"]
            default: []
            }
        let key = self.pick(["disk", Self.zone])
        let term = CoreV1.NodeSelectorTerm.with {
            $0.matchExpressions.append(
                .with {
                    $0.key = key
                    $0.operator = comparison
                    $0.values = RepeatedField(values)
                }
            )
        }
        pod.spec.affinity = .with {
            $0.nodeAffinity = .with {
                $0.requiredDuringSchedulingIgnoredDuringExecution = .with {
                    $0.nodeSelectorTerms.append(term)
                }
            }
        }
    }

    private mutating func topologyKey() -> String {
        self.pick([Self.zone, Cluster.hostnameLabel])
    }

    private mutating func addSpread(_ pod: inout CoreV1.Pod) {
        while self.happens(20) {
            let constraint = spread(
                self.selector(),
                self.topologyKey(),
                maxSkew: self.pick([1, 2]),
                hard: self.happens(80)
            )
            pod.spec.topologySpreadConstraints.append(constraint)
            let last = pod.spec.topologySpreadConstraints.count - 1
            if self.happens(20) { pod.spec.topologySpreadConstraints[last].minDomains = 3 }
            if self.happens(20) {
                pod.spec.topologySpreadConstraints[last].nodeTaintsPolicy = "Honor"
            }
            if self.happens(20) {
                pod.spec.topologySpreadConstraints[last].nodeAffinityPolicy = "Ignore"
            }
        }
    }

    private mutating func term() -> CoreV1.PodAffinityTerm {
        var term = affinityTerm(
            self.selector(),
            self.topologyKey(),
            namespaces: self.happens(20) ? [self.pick(Self.namespaces)] : []
        )
        if self.happens(20) {
            term.namespaceSelector = SchedulerTests.selector(["team": self.pick(["1", "2"])])
        }
        return term
    }

    private mutating func addAffinity(_ pod: inout CoreV1.Pod) {
        var near: [CoreV1.PodAffinityTerm] = []
        var away: [CoreV1.PodAffinityTerm] = []
        while self.happens(12) { near.append(self.term()) }
        while self.happens(12) { away.append(self.term()) }
        if near.isEmpty, away.isEmpty { return }
        var affinity = pod.spec.affinity ?? CoreV1.Affinity()
        if !near.isEmpty {
            affinity.podAffinity = .with {
                $0.requiredDuringSchedulingIgnoredDuringExecution = RepeatedField(near)
            }
        }
        if !away.isEmpty {
            affinity.podAntiAffinity = .with {
                $0.requiredDuringSchedulingIgnoredDuringExecution = RepeatedField(away)
            }
        }
        pod.spec.affinity = affinity
    }
}
