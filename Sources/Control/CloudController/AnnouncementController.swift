// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
public import Informers
import JSON
import KubernetesAPI
public import Logging
import NameRules
import ObjectModel
import Protobuf
public import RPCInterface
import ResourceClient
import WorkQueues

/// Decides which node has the pool's addresses of a Service, and writes it into an annotation, upon
/// which that node's kube-proxy takes them and tells the neighbours.
///
/// A node keeps what it has while it takes traffic. When it no longer does, each of its Services goes
/// to the node that its name and theirs give, so that they spread over all.
public final class AnnouncementController: Sendable {
    /// As kube-proxy knows it.
    public static let nodeAnnotation = "network.apus.dev/load-balancer-node"

    private let pool: AddressPool
    private let services: Informer<CoreV1.Service>
    private let nodes: Informer<CoreV1.Node>
    private let slices: Informer<DiscoveryV1.EndpointSlice>
    private let client: Client<CoreV1.Service>
    private let queue = WorkQueue<ObjectKey>(
        baseDelay: .milliseconds(50),
        maximumDelay: .seconds(30)
    )
    private let logger: Logger

    public init(
        _ pool: AddressPool,
        factory: InformerFactory,
        channel: any RPCChannel,
        logger: Logger
    ) {
        self.pool = pool
        self.services = factory.informer(of: CoreV1.Service.self)
        self.nodes = factory.informer(of: CoreV1.Node.self)
        self.slices = factory.informer(of: DiscoveryV1.EndpointSlice.self)
        self.client = Client(channel)
        self.logger = logger
    }

    /// Runs until the task is cancelled; the factory has to run beside it.
    public func run() async {
        self.slices.addIndex("announced-service") { slice in
            [Self.key(of: slice)].compactMap { $0?.description }
        }
        self.services.addHandler { self.queue.add($0.object.objectKey) }
        self.slices.addHandler { event in
            guard let key = Self.key(of: event.object),
                self.services.get(key)?.spec.externalTrafficPolicy == "Local"
            else { return }
            self.queue.add(key)
        }
        self.nodes.addHandler { event in
            if case .updated(let old, let new) = event,
                NodeState.takesTraffic(old) == NodeState.takesTraffic(new)
            {
                return
            }
            for service in self.services.list() where service.spec.type == "LoadBalancer" {
                self.queue.add(service.objectKey)
            }
        }
        for informer in [self.nodes.waitForSync, self.slices.waitForSync] { await informer() }
        await self.services.waitForSync()
        await self.queue.run(workers: 1) { key, error in
            self.logger.warning(
                "Failed to choose a node for a load balancer",
                metadata: ["service": "\(key)", "err": "\(error)"]
            )
        } _: { key in
            try await self.reconcile(key)
        }
    }

    private static func key(of slice: DiscoveryV1.EndpointSlice) -> ObjectKey? {
        slice.metadata.labels["kubernetes.io/service-name"].map {
            ObjectKey(namespace: slice.metadata.namespace, name: $0)
        }
    }

    private func reconcile(_ key: ObjectKey) async throws(StatusError) {
        guard let service = self.services.get(key), service.metadata.deletionTimestamp == nil else {
            return
        }
        let holder = service.metadata.annotations[Self.nodeAnnotation]
        let chosen = Self.holder(
            service,
            self.pool,
            self.nodes.list(),
            self.slices.list(index: "announced-service", key.description)
        )
        guard holder != chosen else { return }
        _ = try await self.client.patch(
            service.metadata.name,
            in: service.metadata.namespace,
            .merge,
            [
                "metadata": [
                    "annotations": [
                        Self.nodeAnnotation: chosen.map { DynamicValue($0) } ?? DynamicValue.null
                    ]
                ]
            ]
        )
    }

    /// The node that is to have a Service's addresses; nil for none. Pure.
    static func holder(
        _ service: CoreV1.Service,
        _ pool: AddressPool,
        _ nodes: [CoreV1.Node],
        _ slices: [DiscoveryV1.EndpointSlice]
    ) -> String? {
        let hasAddress = service.status.loadBalancer.ingress.contains { ingress in
            IPAddress(parsing: ingress.ip).map(pool.contains) ?? false
        }
        guard hasAddress, service.spec.type == "LoadBalancer" else { return nil }
        var eligible = Set(nodes.filter(NodeState.takesTraffic).map(\.metadata.name))
        if service.spec.externalTrafficPolicy == "Local" {
            // Others would drop the packets.
            let withEndpoints = slices.flatMap { slice in
                slice.endpoints.filter { $0.conditions.ready ?? true }.compactMap(\.nodeName)
            }
            let near = eligible.intersection(withEndpoints)
            if !near.isEmpty { eligible = near }
        }
        if let holder = service.metadata.annotations[Self.nodeAnnotation],
            eligible.contains(holder)
        {
            return holder
        }
        let name = "\(service.metadata.namespace)/\(service.metadata.name)"
        return eligible.max { Self.weight(name, $0) < Self.weight(name, $1) }
    }

    /// Rendezvous hashing, by FNV-1a: a node that goes changes nothing for the others.
    private static func weight(_ service: String, _ node: String) -> (UInt64, String) {
        var value: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in "\(service) \(node)".utf8 {
            value = (value ^ UInt64(byte)) &* 0x100_0000_01b3
        }
        // FNV alone hardly mixes its last bytes into the high bits.
        value = (value ^ (value >> 33)) &* 0xff51_afd7_ed55_8ccd
        return (value ^ (value >> 33), node)
    }
}
