// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import NameRules
import Netlink
import Protobuf
import Testing

@testable import KubeProxy

@Suite("Routes between nodes")
struct NodeRoutesTests {
    struct Machine: Sendable {
        var name: String
        var ranges: [String]
        var addresses: [String]

        var node: CoreV1.Node {
            CoreV1.Node.with { node in
                node.metadata.name = self.name
                for range in self.ranges { node.spec.podCIDRs.append(range) }
                for address in self.addresses {
                    node.status.addresses.append(
                        CoreV1.NodeAddress.with {
                            $0.type = "InternalIP"
                            $0.address = address
                        }
                    )
                }
            }
        }
    }

    struct Case: CustomStringConvertible, Sendable {
        var description: String
        var others: [Machine]
        /// `range via gateway`.
        var routes: Set<String>
    }

    private static let own = Machine(
        name: "a",
        ranges: ["10.244.0.0/24", "fd00:244::/64"],
        addresses: ["192.0.2.1", "fd77::1"]
    )

    private static let cases: [Case] = [
        Case(description: "none alone", others: [], routes: []),
        Case(
            description: "one for each family",
            others: [
                Machine(
                    name: "b",
                    ranges: ["10.244.1.0/24", "fd00:244:0:1::/64"],
                    addresses: ["192.0.2.2", "fd77::2"]
                )
            ],
            routes: ["10.244.1.0/24 via 192.0.2.2", "fd00:244:0:1::/64 via fd77::2"]
        ),
        Case(
            description: "the first address of the family",
            others: [
                Machine(
                    name: "b",
                    ranges: ["10.244.1.0/24"],
                    addresses: ["fd77::2", "192.0.2.2", "192.0.2.3"]
                )
            ],
            routes: ["10.244.1.0/24 via 192.0.2.2"]
        ),
        Case(
            description: "none without an address of the family",
            others: [Machine(name: "b", ranges: ["fd00:244:0:1::/64"], addresses: ["192.0.2.2"])],
            routes: []
        ),
        Case(
            description: "none before the node has a range",
            others: [Machine(name: "b", ranges: [], addresses: ["192.0.2.2"])],
            routes: []
        ),
        Case(
            description: "bits behind the prefix are nothing",
            others: [
                Machine(name: "b", ranges: ["10.244.1.77/24"], addresses: ["192.0.2.2"])
            ],
            routes: ["10.244.1.0/24 via 192.0.2.2"]
        ),
        Case(
            description: "none over this node's own range",
            others: [
                Machine(name: "b", ranges: ["10.244.0.0/24"], addresses: ["192.0.2.2"]),
                Machine(name: "c", ranges: ["10.244.0.0/16"], addresses: ["192.0.2.3"]),
                Machine(name: "d", ranges: ["10.244.0.128/25"], addresses: ["192.0.2.4"]),
            ],
            routes: []
        ),
        Case(
            description: "none for everything",
            others: [Machine(name: "b", ranges: ["0.0.0.0/0", "::/0"], addresses: ["192.0.2.2"])],
            routes: []
        ),
        Case(
            description: "none through this node itself",
            others: [Machine(name: "b", ranges: ["10.244.1.0/24"], addresses: ["192.0.2.1"])],
            routes: []
        ),
        Case(
            description: "none that leads to its own gateway",
            others: [Machine(name: "b", ranges: ["192.0.2.0/24"], addresses: ["192.0.2.2"])],
            routes: []
        ),
        Case(
            description: "a range that two claim is the first's by name",
            others: [
                Machine(name: "c", ranges: ["10.244.1.0/24"], addresses: ["192.0.2.3"]),
                Machine(name: "b", ranges: ["10.244.1.0/24"], addresses: ["192.0.2.2"]),
            ],
            routes: ["10.244.1.0/24 via 192.0.2.2"]
        ),
        Case(
            description: "malformed ranges and addresses make none",
            others: [
                Machine(
                    name: "b",
                    ranges: ["10.244.1.0", "x/8", "10.244.2.0/24; reboot"],
                    addresses: ["node-b", "192.0.2.2"]
                )
            ],
            routes: []
        ),
    ]

    @Test("lead to the pods of the others", arguments: Self.cases)
    func routes(_ example: Case) {
        let nodes = ([Self.own] + example.others).map(\.node)
        let routes = NodeRoutes.wanted(nodes, on: "a").map { route in
            let destination = IPAddress(bytes: route.destination).map { "\($0)" } ?? "?"
            let gateway = IPAddress(bytes: route.gateway).map { "\($0)" } ?? "?"
            return "\(destination)/\(route.prefixLength) via \(gateway)"
        }
        #expect(Set(routes) == example.routes)
    }

    @Test("heartbeats change nothing, ranges and addresses do")
    func facts() {
        var node = Self.own.node
        let before = NodeRoutes.facts(node)
        node.metadata.resourceVersion = "7"
        node.status.conditions.append(CoreV1.NodeCondition.with { $0.type = "Ready" })
        #expect(NodeRoutes.facts(node) == before)
        node.spec.podCIDRs.append("10.244.9.0/24")
        #expect(NodeRoutes.facts(node) != before)
    }

    @Test(
        "addresses as bytes and back",
        arguments: ["192.0.2.1", "255.255.255.255", "fd77::1", "2001:db8:1:2:3:4:5:6", "::1"]
    )
    func bytes(_ text: String) throws {
        let address = try #require(IPAddress(parsing: text))
        #expect(address.bytes.count == (address.isIPv4 ? 4 : 16))
        #expect(IPAddress(bytes: address.bytes) == address)
        #expect(IPAddress(bytes: [1, 2, 3]) == nil)
    }

    // MARK: - Addresses of load balancers

    private static func balancer(
        _ address: String,
        on node: String?,
        type: String = "LoadBalancer",
        mode: String = "VIP"
    ) -> CoreV1.Service {
        CoreV1.Service.with { service in
            service.spec.type = type
            if let node { service.metadata.annotations[Announcements.nodeAnnotation] = node }
            service.status.loadBalancer.ingress.append(
                CoreV1.LoadBalancerIngress.with {
                    $0.ip = address
                    $0.ipMode = mode
                }
            )
        }
    }

    @Test("a node has the addresses of the Services that name it, and no others")
    func announcements() {
        let services = [
            Self.balancer("198.51.100.1", on: "a"),
            Self.balancer("fd78::1", on: "a"),
            Self.balancer("198.51.100.2", on: "b"),
            Self.balancer("198.51.100.3", on: nil),
            Self.balancer("198.51.100.4", on: "a", type: "ClusterIP"),
            Self.balancer("198.51.100.5", on: "a", mode: "Proxy"),
            Self.balancer("127.0.0.1", on: "a"),
            Self.balancer("224.0.0.1", on: "a"),
            Self.balancer("0.0.0.0", on: "a"),
            Self.balancer("nonsense; reboot", on: "a"),
            // An address that a node has anyway is not taken from it.
            Self.balancer("192.0.2.1", on: "a"),
        ]
        let found = Announcements.wanted(services, [Self.own.node], on: "a")
        #expect(
            Set(found.compactMap { IPAddress(bytes: $0)?.description }) == [
                "198.51.100.1", "fd78::1",
            ]
        )
    }
}
