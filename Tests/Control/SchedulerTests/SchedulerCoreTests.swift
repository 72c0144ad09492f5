// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf
import Testing

@testable import Scheduler

@Suite("Scheduler") struct SchedulerCoreTests {
    static let second = Duration.seconds(1)

    @Test("gives a pod the best node and counts it there")
    func bind() throws {
        let core = scheduler([node("a", cpu: "1"), node("b", cpu: "2")])
        core.setPod(pod("1", cpu: "1", memory: "1Gi"), now: .zero)
        core.setPod(pod("2", cpu: "1", memory: "1Gi"), now: .zero)
        core.setPod(pod("3", cpu: "1", memory: "1Gi"), now: .zero)
        core.setPod(pod("4", cpu: "1", memory: "1Gi"), now: .zero)
        #expect(core.decide(now: .zero)?.node == "b")
        var nodes = [core.decide(now: .zero)?.node, core.decide(now: .zero)?.node].compactMap { $0 }
        nodes.sort()
        #expect(nodes == ["a", "b"])
        let refused = try #require(core.decide(now: .zero)?.refused)
        #expect(
            refused.message == "0/2 nodes are available: 2 Insufficient cpu. "
                + "no new claims to deallocate, preemption: 0/2 nodes are available: "
                + "2 No preemption victims found for incoming pod."
        )
        #expect(core.decide(now: .zero) == nil)
    }

    @Test("says what is wrong with each node")
    func message() throws {
        let core = scheduler([
            node("a", cpu: "1"), node("b", taints: [("k", "v", "NoSchedule")]),
            node("c", unschedulable: true), node("d", labels: ["disk": "hdd"]),
            node("e", cpu: "3", labels: ["disk": "ssd"]),
        ])
        core.setPod(
            pod("p", cpu: "4") { $0.spec.nodeSelector["disk"] = "ssd" },
            now: .zero
        )
        let refused = try #require(core.decide(now: .zero)?.refused)
        #expect(
            refused.message
                == "0/5 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated "
                + "taint(s), 1 node(s) were unschedulable, 2 node(s) didn't match Pod's node "
                + "affinity/selector. no new claims to deallocate, preemption: 0/5 nodes are "
                + "available: 5 Preemption is not helpful for scheduling."
        )
        #expect(refused.nominatedNode == nil)
    }

    @Test("names the plugin that leaves no node to look at")
    func narrowed() throws {
        let core = scheduler([node("a"), node("b")])
        let lost = FilterPluginTests.required("metadata.name", "In", ["gone"], field: true)
        core.setPod(lost, now: .zero)
        let refused = try #require(core.decide(now: .zero)?.refused)
        #expect(
            refused.message.hasPrefix(
                "0/2 nodes are available: 2 node(s) didn't satisfy plugin(s) [NodeAffinity]."
            )
        )
        core.setNode(node("gone"), now: Self.second)
        #expect(core.decide(now: Self.second)?.node == "gone")
    }

    @Test("waits for nodes")
    func noNodes() throws {
        let core = scheduler([])
        core.setPod(pod("p"), now: .zero)
        let refused = try #require(core.decide(now: .zero)?.refused)
        #expect(refused.message == "no nodes available to schedule pods")
        core.setNode(node("a"), now: Self.second)
        #expect(core.decide(now: Self.second)?.node == "a")
    }

    @Test("leaves the pods of other schedulers alone")
    func otherScheduler() {
        let core = scheduler([node("a")])
        core.setPod(pod("p") { $0.spec.schedulerName = "other" }, now: .zero)
        #expect(core.decide(now: .zero) == nil)
    }

    @Test("keeps pods with gates waiting until the last one is gone")
    func gates() {
        let core = scheduler([node("a")])
        var gated = pod("p")
        gated.spec.schedulingGates.append(.with { $0.name = "wait" })
        core.setPod(gated, now: .zero)
        #expect(core.decide(now: .zero) == nil)
        gated.spec.schedulingGates = []
        core.setPod(gated, now: Self.second)
        #expect(core.decide(now: Self.second)?.node == "a")
    }

    @Test("frees what a pod had when it is gone or has ended", arguments: [true, false])
    func release(_ ends: Bool) {
        let core = scheduler([node("a", cpu: "1")])
        core.setPod(pod("old", cpu: "1", on: "a"), now: .zero)
        core.setPod(pod("new", cpu: "1"), now: .zero)
        #expect(core.decide(now: .zero)?.refused != nil)
        if ends {
            core.setPod(
                pod("old", cpu: "1", on: "a") { $0.status.phase = "Succeeded" },
                now: Self.second
            )
        } else {
            core.removePod(uid: "default/old", now: Self.second)
        }
        #expect(core.decide(now: Self.second)?.node == "a")
    }

    @Test("takes back what could not be bound")
    func bindingFailed() {
        let core = scheduler([node("a", cpu: "1")])
        core.setPod(pod("1", cpu: "1"), now: .zero)
        core.setPod(pod("2", cpu: "1"), now: .zero)
        #expect(core.decide(now: .zero)?.node == "a")
        #expect(core.decide(now: .zero)?.refused != nil)
        core.bindingFailed("default/1", now: .milliseconds(1500))
        #expect(core.queue.count(.errorBackoff) == 1)
        #expect(core.decide(now: .milliseconds(1500))?.node == "a")
    }

    @Test("heartbeats wake nobody")
    func heartbeat() {
        let core = scheduler([node("a", cpu: "1")])
        core.setPod(pod("p", cpu: "2"), now: .zero)
        _ = core.decide(now: .zero)
        var beating = node("a", cpu: "1")
        beating.metadata.resourceVersion = "7"
        beating.metadata.annotations["x"] = "y"
        core.setNode(beating, now: Self.second)
        #expect(core.queue.count(.unschedulable) == 1)
        core.setNode(node("a", cpu: "2"), now: Self.second)
        #expect(core.queue.count(.unschedulable) == 0)
    }

    @Test("a node that goes takes its domain with it, and pods that are to be spread may fit")
    func removedDomain() {
        let core = scheduler([node("a"), node("b"), node("closed", unschedulable: true)])
        func replica(_ name: String, on node: String = "") -> CoreV1.Pod {
            pod(name, on: node, labels: ["app": "x"]) {
                $0.spec.topologySpreadConstraints = [
                    spread(["app": "x"], Cluster.hostnameLabel)
                ]
            }
        }
        core.setPod(replica("1", on: "a"), now: .zero)
        core.setPod(replica("2", on: "b"), now: .zero)
        core.setPod(replica("3"), now: .zero)
        core.setPod(pod("large", cpu: "100"), now: .zero)
        #expect(core.decide(now: .zero)?.refused != nil)
        #expect(core.decide(now: .zero)?.refused != nil)
        core.removeNode("closed", now: Self.second)
        #expect(core.queue.count(.unschedulable) == 1)
        #expect(["a", "b"].contains(core.decide(now: Self.second)?.node))
    }

    @Test(
        "looks at fewer nodes the more there are",
        arguments: [
            (50, 0, 50), (99, 0, 99), (100, 0, 100), (250, 0, 120), (1000, 0, 420), (5000, 0, 500),
            (6000, 0, 300), (1000, 100, 1000), (1000, 30, 300), (300, 5, 100),
        ] as [(Int, Int64, Int)]
    )
    func nodesToFind(_ nodes: Int, _ percentage: Int64, _ expected: Int) {
        #expect(SchedulerCore.nodesToFind(nodes, percentage) == expected)
    }

    @Test("columns come back to zero when everything is gone")
    func columns() {
        let core = scheduler([node("a"), node("b", more: ["example.com/gpu": "4"])])
        for number in 0..<20 {
            core.setPod(
                pod("\(number)", cpu: "100m", ports: [Int32(8000 + number)]) {
                    $0.spec.affinity =
                        TopologyTests.affine(
                            away: [affinityTerm(["app": "web"], "zone")]
                        ).spec.affinity
                },
                now: .zero
            )
        }
        while core.decide(now: .zero) != nil {}
        #expect(core.cluster.placed.count == 20)
        for number in 0..<20 { core.removePod(uid: "default/\(number)", now: Self.second) }
        #expect(core.cluster.requestedCPU.allSatisfy { $0 == 0 })
        #expect(core.cluster.scoredMemory.allSatisfy { $0 == 0 })
        #expect(core.cluster.hostPorts.isEmpty)
        #expect(core.cluster.antiAffinity.isEmpty)
        core.removeNode("a", now: Self.second)
        core.removeNode("b", now: Self.second)
        #expect(core.cluster.nodeCount == 0)
        #expect(core.cluster.rowOfName.isEmpty)
    }
}
