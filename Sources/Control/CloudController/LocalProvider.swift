// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import KubernetesAPI
import NameRules
import Protobuf

/// Bare metal and single machines.
///
/// With a pool a Service gets an address of it in each of its families; one node has it and tells the
/// neighbours (``AnnouncementController``). Without one the addresses of the nodes themselves are what
/// reaches a Service from outside. Either way kube-proxy serves them.
public struct LocalProvider: CloudProvider, CloudLoadBalancers, CloudInstances {
    public static let name = "local"

    public let pool: AddressPool
    private let services: @Sendable () -> [CoreV1.Service]

    /// - Parameter services: every Service, to know which addresses are taken.
    public init(
        pool: AddressPool,
        services: @escaping @Sendable () -> [CoreV1.Service]
    ) {
        self.pool = pool
        self.services = services
    }

    public var loadBalancers: (any CloudLoadBalancers)? { self }
    public var instances: (any CloudInstances)? { self }
    /// kube-proxy makes them on the nodes.
    public var routes: (any CloudRoutes)? { nil }

    // MARK: - Load balancers

    /// What people are told when no address can be had.
    struct Failure: Error, Sendable, Hashable, CustomStringConvertible {
        let description: String
    }

    public func ensureLoadBalancer(
        for service: CoreV1.Service,
        nodes: [CoreV1.Node]
    ) async throws -> CoreV1.LoadBalancerStatus {
        guard !self.pool.isEmpty else { return Self.status(for: service, nodes: nodes) }
        return Self.status(try self.addresses(for: service, among: self.services()))
    }

    public func ensureLoadBalancerDeleted(for service: CoreV1.Service) async throws {}

    /// The addresses of the pool for a Service: those that it has, the one that it asks for, or the
    /// first that are free.
    func addresses(
        for service: CoreV1.Service,
        among services: [CoreV1.Service]
    ) throws(Failure) -> [String] {
        var taken: Set<IPAddress> = []
        for other in services
        where other.metadata.name != service.metadata.name
            || other.metadata.namespace != service.metadata.namespace
        {
            taken.formUnion(Self.held(other))
        }
        let own = Self.held(service).filter { self.pool.contains($0) && !taken.contains($0) }
        let wanted = service.spec.loadBalancerIP
        if !wanted.isEmpty {
            guard let address = IPAddress(parsing: wanted), self.pool.contains(address) else {
                throw Failure(description: "the pool does not have the address \(wanted)")
            }
            guard !taken.contains(address) else {
                throw Failure(description: "another Service has the address \(wanted)")
            }
            return [address.description]
        }
        let families = service.spec.ipFamilies.isEmpty ? ["IPv4"] : Array(service.spec.ipFamilies)
        var found: [String] = []
        for family in families {
            let isIPv4 = family == "IPv4"
            if let address = own.first(where: { $0.isIPv4 == isIPv4 })
                ?? self.pool.firstFree(isIPv4: isIPv4, taken: taken)
            {
                found.append(address.description)
            }
        }
        guard !found.isEmpty else {
            throw Failure(
                description: "the pool has no free address of \(families.joined(separator: ", "))"
            )
        }
        return found
    }

    /// The addresses that a Service has as a load balancer.
    private static func held(_ service: CoreV1.Service) -> [IPAddress] {
        service.status.loadBalancer.ingress.compactMap { IPAddress(parsing: $0.ip) }
    }

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
        return Self.status(addresses.sorted())
    }

    private static func status(_ addresses: [String]) -> CoreV1.LoadBalancerStatus {
        CoreV1.LoadBalancerStatus.with { status in
            for address in addresses {
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

    // MARK: - Instances

    /// Nobody but people knows whether a machine is still there: it is.
    public func exists(_ node: CoreV1.Node) async throws -> Bool { true }

    public func isShutDown(_ node: CoreV1.Node) async throws -> Bool { false }

    public func metadata(_ node: CoreV1.Node) async throws -> CloudInstance? {
        CloudInstance(providerID: "\(Self.name)://\(node.metadata.name)")
    }
}
