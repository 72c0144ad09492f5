// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import EventRecording
public import Informers
import JSON
import KubernetesAPI
public import Logging
import ObjectModel
import Protobuf
public import RPCInterface
import ResourceClient
import WorkQueues

/// Gives Services of type LoadBalancer their addresses, by a cloud provider.
///
/// Watches Services and Nodes; writes the status and the cleanup finalizer of Services, and events.
/// Upstream: `cloud-provider/controllers/service/controller.go`.
public final class ServiceController: Sendable {
    /// Keeps a Service until its load balancer is gone.
    static let finalizer = "service.kubernetes.io/load-balancer-cleanup"

    private let provider: any CloudLoadBalancers
    private let services: Informer<CoreV1.Service>
    private let nodes: Informer<CoreV1.Node>
    private let client: Client<CoreV1.Service>
    private let events: EventRecorder
    private let queue: WorkQueue<ObjectKey>
    private let logger: Logger

    public init(
        _ provider: any CloudLoadBalancers,
        factory: InformerFactory,
        channel: any RPCChannel,
        logger: Logger
    ) {
        self.provider = provider
        self.services = factory.informer(of: CoreV1.Service.self)
        self.nodes = factory.informer(of: CoreV1.Node.self)
        self.client = Client(channel)
        self.events = EventRecorder(component: "service-controller", channel: channel)
        self.queue = WorkQueue(baseDelay: .seconds(5), maximumDelay: .seconds(300))
        self.logger = logger
    }

    /// Runs until the task is cancelled; the factory has to run beside it.
    public func run() async {
        self.services.addHandler { self.queue.add($0.object.objectKey) }
        self.nodes.addHandler { event in
            // Heartbeats change nothing here.
            if case .updated(let old, let new) = event, Self.facts(old) == Self.facts(new) {
                return
            }
            for service in self.services.list() where Self.wantsLoadBalancer(service) {
                self.queue.add(service.objectKey)
            }
        }
        await self.services.waitForSync()
        await self.nodes.waitForSync()
        await withDiscardingTaskGroup { group in
            group.addTask { await self.events.run() }
            group.addTask {
                await self.queue.run(workers: 1) { key, error in
                    self.logger.warning(
                        "Failed to ensure a load balancer",
                        metadata: ["service": "\(key)", "err": "\(error)"]
                    )
                } _: { key in
                    try await self.reconcile(key)
                }
            }
        }
    }

    /// What matters of a node: whether it takes traffic, and its addresses.
    private static func facts(_ node: CoreV1.Node) -> [String] {
        [NodeState.takesTraffic(node) ? "yes" : "no"]
            + node.status.addresses.map { "\($0.type) \($0.address)" }
    }

    /// Whether a Service is to have a load balancer of this controller's.
    static func wantsLoadBalancer(_ service: CoreV1.Service) -> Bool {
        service.spec.type == "LoadBalancer" && service.spec.loadBalancerClass == nil
            && service.metadata.deletionTimestamp == nil
    }

    private func reconcile(_ key: ObjectKey) async throws {
        guard let service = self.services.get(key) else { return }
        guard Self.wantsLoadBalancer(service) else { return try await self.remove(service) }
        var current = service
        if !service.metadata.finalizers.contains(Self.finalizer) {
            self.events.record(
                .normal,
                "EnsuringLoadBalancer",
                "Ensuring load balancer",
                about: service
            )
            var finalizers = Array(service.metadata.finalizers)
            finalizers.append(Self.finalizer)
            current = try await self.setFinalizers(service, finalizers)
        }
        let nodes = self.nodes.list().filter(NodeState.takesTraffic)
        let status: CoreV1.LoadBalancerStatus
        do {
            status = try await self.provider.ensureLoadBalancer(for: current, nodes: nodes)
        } catch {
            self.events.record(
                .warning,
                "SyncLoadBalancerFailed",
                "Error syncing load balancer: \(error)",
                about: service
            )
            throw error
        }
        guard status != service.status.loadBalancer else { return }
        current.status.loadBalancer = status
        _ = try await self.client.updateStatus(current)
        self.events.record(.normal, "EnsuredLoadBalancer", "Ensured load balancer", about: service)
    }

    /// A Service that was one with a load balancer, or is on its way out.
    private func remove(_ service: CoreV1.Service) async throws {
        guard service.metadata.finalizers.contains(Self.finalizer) else { return }
        self.events.record(
            .normal,
            "DeletingLoadBalancer",
            "Deleting load balancer",
            about: service
        )
        try await self.provider.ensureLoadBalancerDeleted(for: service)
        var current = service
        if !service.status.loadBalancer.ingress.isEmpty {
            current.status.loadBalancer = CoreV1.LoadBalancerStatus()
            current = try await self.client.updateStatus(current)
        }
        let rest = Array(service.metadata.finalizers).filter { $0 != Self.finalizer }
        _ = try await self.setFinalizers(current, rest)
        self.events.record(.normal, "DeletedLoadBalancer", "Deleted load balancer", about: service)
    }

    /// Replaces the finalizers of the very version that was looked at.
    private func setFinalizers(
        _ service: CoreV1.Service,
        _ finalizers: [String]
    ) async throws(StatusError) -> CoreV1.Service {
        try await self.client.patch(
            service.metadata.name,
            in: service.metadata.namespace,
            .merge,
            [
                "metadata": [
                    "resourceVersion": DynamicValue(service.metadata.resourceVersion),
                    "finalizers": DynamicValue(finalizers.map { DynamicValue($0) }),
                ]
            ]
        )
    }
}
