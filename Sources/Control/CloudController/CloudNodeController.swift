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

/// Tells new nodes what the cloud knows of them, and lets them have pods then: kubelets that wait for
/// a cloud register with a taint.
///
/// Upstream: `cloud-provider/controllers/node/node_controller.go`.
public final class CloudNodeController: Sendable {
    /// The taint of a node that the cloud has not seen yet.
    static let uninitializedTaint = "node.cloudprovider.kubernetes.io/uninitialized"

    private let instances: any CloudInstances
    private let nodes: Informer<CoreV1.Node>
    private let client: Client<CoreV1.Node>
    private let events: EventRecorder
    private let queue = WorkQueue<ObjectKey>(baseDelay: .seconds(1), maximumDelay: .seconds(300))
    private let logger: Logger

    public init(
        _ instances: any CloudInstances,
        factory: InformerFactory,
        channel: any RPCChannel,
        logger: Logger
    ) {
        self.instances = instances
        self.nodes = factory.informer(of: CoreV1.Node.self)
        self.client = Client(channel)
        self.events = EventRecorder(component: "cloud-node-controller", channel: channel)
        self.logger = logger
    }

    /// Runs until the task is cancelled; the factory has to run beside it.
    public func run() async {
        self.nodes.addHandler { event in
            guard event.object.spec.taints.contains(where: { $0.key == Self.uninitializedTaint })
            else { return }
            self.queue.add(event.object.objectKey)
        }
        await self.nodes.waitForSync()
        await withDiscardingTaskGroup { group in
            group.addTask { await self.events.run() }
            group.addTask {
                await self.queue.run(workers: 1) { key, error in
                    self.logger.warning(
                        "Failed to initialize a node",
                        metadata: ["node": "\(key.name)", "err": "\(error)"]
                    )
                } _: { key in
                    try await self.initialize(key)
                }
            }
        }
    }

    /// What a node that is not known to the cloud yet is waiting for.
    struct UnknownInstance: Error, CustomStringConvertible {
        let node: String

        var description: String { "the cloud does not know the instance of node \(self.node)" }
    }

    private func initialize(_ key: ObjectKey) async throws {
        guard let node = self.nodes.get(key),
            node.spec.taints.contains(where: { $0.key == Self.uninitializedTaint })
        else { return }
        guard let instance = try await self.instances.metadata(node) else {
            throw UnknownInstance(node: key.name)
        }
        var changed = node
        Self.apply(instance, to: &changed)
        if !instance.addresses.isEmpty {
            let updated = try await self.client.updateStatus(changed)
            changed.metadata.resourceVersion = updated.metadata.resourceVersion
        }
        _ = try await self.client.update(changed)
        self.events.record(.normal, "Synced", "Node synced successfully", about: node)
    }

    /// Writes what the cloud knows into a Node, and takes the taint away.
    static func apply(_ instance: CloudInstance, to node: inout CoreV1.Node) {
        if node.spec.providerID.isEmpty { node.spec.providerID = instance.providerID }
        var labels = instance.labels
        for (value, names) in [
            (instance.instanceType, ["node.kubernetes.io/instance-type"]),
            (instance.zone, ["topology.kubernetes.io/zone"]),
            (instance.region, ["topology.kubernetes.io/region"]),
        ] where !value.isEmpty {
            for name in names { labels[name] = value }
        }
        for (name, value) in labels { node.metadata.labels[name] = value }
        if !instance.addresses.isEmpty {
            node.status.addresses = []
            for address in instance.addresses {
                node.status.addresses.append(
                    CoreV1.NodeAddress.with {
                        $0.type = address.type
                        $0.address = address.address
                    }
                )
            }
        }
        let taints = node.spec.taints.filter { $0.key != Self.uninitializedTaint }
        node.spec.taints = []
        for taint in taints { node.spec.taints.append(taint) }
    }
}
