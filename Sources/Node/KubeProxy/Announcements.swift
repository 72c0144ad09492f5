// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import NameRules
import Protobuf

/// The addresses of load balancers that a node is to have: those of the Services that name it. Pure.
public enum Announcements {
    /// The annotation of a Service with the name of the node that has its addresses. The cloud
    /// controller manager's `local` provider writes it, with an address from its pool.
    public static let nodeAnnotation = "network.apus.dev/load-balancer-node"

    /// As bytes: addresses of Services that are assigned to the node, without those that nodes have
    /// anyway.
    static func wanted(
        _ services: [CoreV1.Service],
        _ nodes: [CoreV1.Node],
        on own: String
    ) -> Set<[UInt8]> {
        let ofNodes = Set(nodes.flatMap { $0.status.addresses.map(\.address) })
        var found: Set<[UInt8]> = []
        for service in services where service.metadata.annotations[Self.nodeAnnotation] == own {
            guard service.spec.type == "LoadBalancer" else { continue }
            for ingress in service.status.loadBalancer.ingress where ingress.ipMode != "Proxy" {
                guard let address = IPAddress(parsing: ingress.ip), !address.isLoopback,
                    !address.isMulticast, !address.isUnspecified, !address.isIPv4MappedIPv6,
                    !ofNodes.contains(ingress.ip)
                else { continue }
                found.insert(address.bytes)
            }
        }
        return found
    }

    /// What matters of a Service.
    static func facts(_ service: CoreV1.Service) -> [String] {
        [service.spec.type, service.metadata.annotations[Self.nodeAnnotation] ?? ""]
            + service.status.loadBalancer.ingress.map { "\($0.ip) \($0.ipMode ?? "")" }
    }
}
