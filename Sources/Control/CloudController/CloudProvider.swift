// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import KubernetesAPI
import Protobuf

/// What a cloud does for a cluster. Upstream's shape: `staging/src/k8s.io/cloud-provider/cloud.go`.
///
/// Every call may be made again after a failure and then has to end at the same result. Errors are
/// shown to people in events.
public protocol CloudProvider: Sendable {
    /// The name that `--cloud-provider` knows it by.
    static var name: String { get }

    /// Gives a Service addresses outside of the cluster, or brings those that it has up to date.
    ///
    /// - Parameter nodes: those that take traffic.
    func ensureLoadBalancer(
        for service: CoreV1.Service,
        nodes: [CoreV1.Node]
    ) async throws -> CoreV1.LoadBalancerStatus

    /// Takes the addresses away. There may be none.
    func ensureLoadBalancerDeleted(for service: CoreV1.Service) async throws
}

/// Bare metal and single machines: the addresses of the nodes themselves are what reaches a Service
/// from outside, since kube-proxy serves them on each node.
public struct LocalProvider: CloudProvider {
    public static let name = "local"

    public init() {}

    public func ensureLoadBalancer(
        for service: CoreV1.Service,
        nodes: [CoreV1.Node]
    ) async throws -> CoreV1.LoadBalancerStatus {
        Self.status(for: service, nodes: nodes)
    }

    public func ensureLoadBalancerDeleted(for service: CoreV1.Service) async throws {}

    /// The wanted address, when it is asked for and one of a node's; else the addresses of all nodes
    /// in the Service's families, in order.
    static func status(
        for service: CoreV1.Service,
        nodes: [CoreV1.Node]
    ) -> CoreV1.LoadBalancerStatus {
        let families = Set(service.spec.ipFamilies)
        var addresses = Set(nodes.flatMap(Self.addresses(of:))).filter { address in
            let isSix = address.utf8.contains(UInt8(ascii: ":"))
            return families.isEmpty ? !isSix : families.contains(isSix ? "IPv6" : "IPv4")
        }
        let wanted = service.spec.loadBalancerIP
        if !wanted.isEmpty { addresses.formIntersection([wanted]) }
        return CoreV1.LoadBalancerStatus.with { status in
            for address in addresses.sorted() {
                status.ingress.append(
                    CoreV1.LoadBalancerIngress.with {
                        $0.ip = address
                        $0.ipMode = "VIP"
                    }
                )
            }
        }
    }

    /// External addresses where a node has some, else internal ones.
    private static func addresses(of node: CoreV1.Node) -> [String] {
        func all(_ type: String) -> [String] {
            node.status.addresses.filter { $0.type == type }.map(\.address)
        }
        let external = all("ExternalIP")
        return external.isEmpty ? all("InternalIP") : external
    }
}
