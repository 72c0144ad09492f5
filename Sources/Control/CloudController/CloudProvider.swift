// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import KubernetesAPI
import Protobuf

/// What a cloud does for a cluster. Upstream's shape: `staging/src/k8s.io/cloud-provider/cloud.go`.
///
/// A provider has the parts that its cloud can do; the controllers of the others do not run. Every
/// call may be made again after a failure and then has to end at the same result. Errors are shown to
/// people in events.
public protocol CloudProvider: Sendable {
    /// The name that `--cloud-provider` knows it by.
    static var name: String { get }

    var loadBalancers: (any CloudLoadBalancers)? { get }
    /// Instances and their zones.
    var instances: (any CloudInstances)? { get }
    var routes: (any CloudRoutes)? { get }
}

/// Addresses outside of the cluster for Services of type LoadBalancer.
public protocol CloudLoadBalancers: Sendable {
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

/// The machines that nodes run on.
public protocol CloudInstances: Sendable {
    /// Whether the machine of a node still exists; false lets the Node be deleted.
    func exists(_ node: CoreV1.Node) async throws -> Bool
    /// Whether it is switched off.
    func isShutDown(_ node: CoreV1.Node) async throws -> Bool
    /// What the cloud knows of it; nil when there is none.
    func metadata(_ node: CoreV1.Node) async throws -> CloudInstance?
}

/// What a cloud knows of a machine.
public struct CloudInstance: Sendable, Hashable {
    /// `NAME://ID`, for `spec.providerID`.
    public var providerID: String
    public var instanceType = ""
    public var zone = ""
    public var region = ""
    /// Type, such as `InternalIP`, and address; empty leaves those of the kubelet.
    public var addresses: [Address] = []
    public var labels: [String: String] = [:]

    public struct Address: Sendable, Hashable {
        public var type: String
        public var address: String

        public init(type: String, address: String) {
            self.type = type
            self.address = address
        }
    }

    public init(providerID: String) {
        self.providerID = providerID
    }
}

/// Ways between machines for the addresses of pods, where the cloud's network has to know them.
public protocol CloudRoutes: Sendable {
    func list(cluster: String) async throws -> [CloudRoute]
    func create(_ route: CloudRoute, cluster: String) async throws
    func delete(_ route: CloudRoute, cluster: String) async throws
}

/// A range of pods and the node that has them.
public struct CloudRoute: Sendable, Hashable {
    /// The cloud's own name of it.
    public var name: String
    public var node: String
    public var destination: String
    /// Whether its node is gone.
    public var isBlackhole = false

    public init(name: String = "", node: String, destination: String) {
        self.name = name
        self.node = node
        self.destination = destination
    }
}

/// A node as the controllers see it.
enum NodeState {
    /// A node that takes no traffic from load balancers.
    static let excludeLabel = "node.kubernetes.io/exclude-from-external-load-balancers"
    /// By which the cluster autoscaler says that it takes a node away.
    static let deletionTaint = "ToBeDeletedByClusterAutoscaler"

    static func isReady(_ node: CoreV1.Node) -> Bool {
        node.status.conditions.contains { $0.type == "Ready" && $0.status == "True" }
    }

    /// Whether load balancers send traffic to a node.
    static func takesTraffic(_ node: CoreV1.Node) -> Bool {
        node.metadata.labels[self.excludeLabel] == nil
            && node.metadata.deletionTimestamp == nil
            && !node.spec.taints.contains { $0.key == self.deletionTaint }
            && self.isReady(node)
    }
}
