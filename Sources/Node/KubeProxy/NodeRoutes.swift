// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import KubernetesAPI
import NameRules
public import Netlink
import Protobuf

/// The routes of a node to the pods of the others, from the Node objects. Pure.
public enum NodeRoutes {
    /// A route for each range of each other node, through its internal address of that family.
    ///
    /// What is malformed, or would lead away what is this node's own, makes none.
    public static func wanted(_ nodes: [CoreV1.Node], on own: String) -> Set<IPRoute> {
        let here = nodes.filter { $0.metadata.name == own }
        let ownRanges = here.flatMap(self.ranges)
        let ownAddresses = Set(here.flatMap(self.internalAddresses).compactMap(self.address))
        var found: [IPPrefix: IPRoute] = [:]
        // By name: when two claim a range, every node sends to the same one.
        for node in nodes.sorted(by: { $0.metadata.name < $1.metadata.name })
        where node.metadata.name != own {
            let addresses = self.internalAddresses(node).compactMap(self.address)
            for range in self.ranges(node) where found[range] == nil {
                guard !ownRanges.contains(where: { Self.overlap($0, range) }), range.length > 0,
                    let gateway = addresses.first(where: { $0.isIPv4 == range.address.isIPv4 }),
                    !ownAddresses.contains(gateway), !range.contains(gateway)
                else { continue }
                found[range] = IPRoute(
                    destination: range.network.bytes,
                    prefixLength: UInt8(range.length),
                    gateway: gateway.bytes
                )
            }
        }
        return Set(found.values)
    }

    private static func overlap(_ left: IPPrefix, _ right: IPPrefix) -> Bool {
        left.contains(right.network) || right.contains(left.network)
    }

    private static func address(_ text: String) -> IPAddress? { IPAddress(parsing: text) }

    /// The ranges of a node's pods, each as its network.
    static func ranges(_ node: CoreV1.Node) -> [IPPrefix] {
        var texts = Array(node.spec.podCIDRs)
        if texts.isEmpty, !node.spec.podCIDR.isEmpty { texts = [node.spec.podCIDR] }
        return texts.compactMap { IPPrefix(parsing: $0) }.compactMap {
            IPPrefix($0.network, length: $0.length)
        }
    }

    /// The addresses by which other nodes reach a node, in its order.
    static func internalAddresses(_ node: CoreV1.Node) -> [String] {
        node.status.addresses.filter { $0.type == "InternalIP" }.map(\.address)
    }

    /// What the network depends on: heartbeats do not change it.
    static func facts(_ node: CoreV1.Node) -> [String] {
        Array(node.spec.podCIDRs) + [node.spec.podCIDR] + self.internalAddresses(node)
    }
}
