// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import NameRules
import Protobuf
import Testing

@testable import CloudController

@Suite("Controllers over a cloud")
struct CloudControllersTests {
    private static func node(_ name: String, _ ranges: String...) -> CoreV1.Node {
        CoreV1.Node.with { node in
            node.metadata.name = name
            for range in ranges { node.spec.podCIDRs.append(range) }
        }
    }

    // MARK: - Routes

    struct Case: CustomStringConvertible, Sendable {
        var description: String
        var present: [CloudRoute]
        var created: [CloudRoute] = []
        var deleted: [CloudRoute] = []
    }

    private static let a = CloudRoute(node: "a", destination: "10.244.0.0/24")
    private static let b = CloudRoute(node: "b", destination: "10.244.1.0/24")
    private static let six = CloudRoute(node: "b", destination: "fd00:244::/64")
    private static let gone = CloudRoute(node: "c", destination: "10.244.2.0/24")
    private static let foreign = CloudRoute(node: "x", destination: "172.16.0.0/24")

    private static let cases: [Case] = [
        Case(description: "makes those that are missing", present: [a], created: [b, six]),
        Case(description: "leaves those that are right", present: [a, b, six]),
        Case(
            description: "takes away those of nodes that are gone",
            present: [a, b, six, gone],
            deleted: [gone]
        ),
        Case(
            description: "takes away those to another node",
            present: [a, b, six, CloudRoute(node: "a", destination: "10.244.1.0/24")],
            deleted: [CloudRoute(node: "a", destination: "10.244.1.0/24")]
        ),
        Case(
            description: "leaves those outside of the cluster's ranges",
            present: [a, b, six, foreign]
        ),
        Case(
            description: "makes one that leads nowhere anew",
            present: [a, b.blackhole, six],
            created: [b],
            deleted: [b.blackhole]
        ),
        Case(
            description: "leaves what it cannot read",
            present: [a, b, six, CloudRoute(node: "y", destination: "everywhere")]
        ),
    ]

    @Test("the plan for a cloud's routes", arguments: Self.cases)
    func routes(_ example: Case) {
        let nodes = [
            Self.node("a", "10.244.0.0/24"), Self.node("b", "10.244.1.0/24", "fd00:244::/64"),
            Self.node("new"),
        ]
        let ranges = ["10.244.0.0/16", "fd00:244::/56"].compactMap { IPPrefix(parsing: $0) }
        let plan = RouteController.plan(nodes, example.present, ranges)
        #expect(plan.created == example.created)
        #expect(plan.deleted == example.deleted)
    }

    // MARK: - Nodes

    @Test("a node gets what the cloud knows, and loses the taint alone")
    func initialization() {
        var node = CoreV1.Node.with { node in
            node.metadata.labels["kept"] = "yes"
            for key in [CloudNodeController.uninitializedTaint, "other"] {
                node.spec.taints.append(CoreV1.Taint.with { $0.key = key })
            }
            node.status.addresses.append(
                CoreV1.NodeAddress.with {
                    $0.type = "InternalIP"
                    $0.address = "192.0.2.1"
                }
            )
        }
        var instance = CloudInstance(providerID: "cloud://1")
        instance.instanceType = "large"
        instance.zone = "z1"
        instance.region = "r1"
        instance.labels = ["cloud.example/rack": "7"]
        CloudNodeController.apply(instance, to: &node)
        #expect(node.spec.providerID == "cloud://1")
        #expect(node.spec.taints.map(\.key) == ["other"])
        #expect(node.metadata.labels["kept"] == "yes")
        #expect(node.metadata.labels["node.kubernetes.io/instance-type"] == "large")
        #expect(node.metadata.labels["topology.kubernetes.io/zone"] == "z1")
        #expect(node.metadata.labels["topology.kubernetes.io/region"] == "r1")
        #expect(node.metadata.labels["cloud.example/rack"] == "7")
        #expect(node.status.addresses.map(\.address) == ["192.0.2.1"], "the kubelet's stay")
        instance.addresses = [.init(type: "ExternalIP", address: "198.51.100.1")]
        instance.providerID = "cloud://2"
        CloudNodeController.apply(instance, to: &node)
        #expect(node.status.addresses.map(\.address) == ["198.51.100.1"])
        #expect(node.spec.providerID == "cloud://1", "what a node has once it keeps")
    }

    @Test("the local provider knows every node, and none is ever gone or switched off")
    func local() async throws {
        let provider = LocalProvider(pool: try AddressPool([])) { [] }
        let node = Self.node("a")
        #expect(try await provider.exists(node))
        #expect(try await !provider.isShutDown(node))
        #expect(try await provider.metadata(node)?.providerID == "local://a")
        if provider.routes != nil { Issue.record("kube-proxy makes them") }
    }

    @Test(
        "which nodes take traffic from load balancers",
        arguments: [
            (true, false, false, true), (false, false, false, false), (true, true, false, false),
            (true, false, true, false),
        ]
    )
    func traffic(isReady: Bool, isExcluded: Bool, isGoing: Bool, takes: Bool) {
        let node = CoreV1.Node.with { node in
            if isExcluded { node.metadata.labels[NodeState.excludeLabel] = "" }
            if isGoing {
                node.spec.taints.append(CoreV1.Taint.with { $0.key = NodeState.deletionTaint })
            }
            node.status.conditions.append(
                CoreV1.NodeCondition.with {
                    $0.type = "Ready"
                    $0.status = isReady ? "True" : "False"
                }
            )
        }
        #expect(NodeState.takesTraffic(node) == takes)
    }
}

extension CloudRoute {
    fileprivate var blackhole: CloudRoute {
        var route = self
        route.isBlackhole = true
        return route
    }
}
