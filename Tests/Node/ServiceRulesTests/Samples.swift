// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf

@testable import ServiceRules

/// A Service `default/web` at 10.96.1.1, port 80, and its endpoints on port 8080.
enum Sample {
    static func service(
        _ change: (inout CoreV1.Service) -> Void = { _ in }
    ) -> CoreV1.Service {
        CoreV1.Service.with {
            $0.metadata.namespace = "default"
            $0.metadata.name = "web"
            $0.spec.type = "ClusterIP"
            $0.spec.clusterIP = "10.96.1.1"
            $0.spec.ports.append(
                CoreV1.ServicePort.with {
                    $0.name = "http"
                    $0.protocol = "TCP"
                    $0.port = 80
                    $0.nodePort = 30080
                }
            )
            change(&$0)
        }
    }

    struct Place: Sendable {
        var address: String
        var node: String? = "a"
        var ready = true
        var terminating = false
        var serving: Bool?
        var zones: [String] = []
        var nodes: [String] = []
    }

    static func slice(
        _ places: [Place],
        family: AddressFamily = .ipv4,
        port: Int32 = 8080,
        name: String = "http"
    ) -> DiscoveryV1.EndpointSlice {
        DiscoveryV1.EndpointSlice.with {
            $0.addressType = family.rawValue
            $0.ports.append(
                DiscoveryV1.EndpointPort.with {
                    $0.name = name
                    $0.protocol = "TCP"
                    $0.port = port
                }
            )
            for place in places { $0.endpoints.append(Self.endpoint(place)) }
        }
    }

    private static func endpoint(_ place: Place) -> DiscoveryV1.Endpoint {
        DiscoveryV1.Endpoint.with {
            $0.addresses.append(place.address)
            if let node = place.node { $0.nodeName = node }
            $0.conditions.ready = place.ready
            $0.conditions.serving = place.serving ?? (place.ready || place.terminating)
            $0.conditions.terminating = place.terminating
            guard !place.zones.isEmpty || !place.nodes.isEmpty else { return }
            $0.hints = DiscoveryV1.EndpointHints.with { hints in
                for zone in place.zones {
                    hints.forZones.append(DiscoveryV1.ForZone.with { $0.name = zone })
                }
                for node in place.nodes {
                    hints.forNodes.append(DiscoveryV1.ForNode.with { $0.name = node })
                }
            }
        }
    }

    static let context = RuleContext(family: .ipv4, clusterRange: "10.244.0.0/16", zone: "z1")

    static func fragment(
        _ service: CoreV1.Service,
        _ places: [Place],
        _ context: RuleContext = Self.context
    ) -> RuleFragment? {
        ServiceView(
            service,
            [Self.slice(places, family: context.family)],
            context.family,
            nodeName: "a"
        ).map { RuleFragment($0, context) }
    }
}
