// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
import EventRecording
public import Informers
import JSON
import KubernetesAPI
public import Logging
import ObjectModel
import Protobuf
public import RPCInterface
import ResourceClient
import Scalars

/// Deletes the Nodes of machines that the cloud no longer has, and taints those of machines that are
/// switched off. It asks about nodes that are not ready alone.
///
/// Upstream: `cloud-provider/controllers/nodelifecycle/node_lifecycle_controller.go`.
public final class CloudNodeLifecycleController: Sendable {
    /// The taint of a node whose machine is switched off.
    static let shutdownTaint = "node.cloudprovider.kubernetes.io/shutdown"

    private let instances: any CloudInstances
    private let nodes: Informer<CoreV1.Node>
    private let client: Client<CoreV1.Node>
    private let events: EventRecorder
    private let period: Duration
    private let clock: any ComponentClock
    private let logger: Logger

    /// - Parameter period: between two looks, while there are nodes that are not ready: upstream's
    ///   `--node-monitor-period`.
    public init(
        _ instances: any CloudInstances,
        factory: InformerFactory,
        channel: any RPCChannel,
        period: Duration = .seconds(5),
        logger: Logger
    ) {
        self.instances = instances
        self.nodes = factory.informer(of: CoreV1.Node.self)
        self.client = Client(channel)
        self.events = EventRecorder(component: "cloud-node-lifecycle-controller", channel: channel)
        self.period = period
        self.clock = factory.clock
        self.logger = logger
    }

    /// Runs until the task is cancelled; the factory has to run beside it.
    public func run() async {
        let (wakes, waker) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        self.nodes.addHandler { event in
            if !NodeState.isReady(event.object) || Self.isTainted(event.object) { waker.yield() }
        }
        await self.nodes.waitForSync()
        await withDiscardingTaskGroup { group in
            group.addTask { await self.events.run() }
            group.addTask {
                for await _ in wakes {
                    let isDone = await self.look()
                    guard await self.clock.sleep(for: self.period) else { return }
                    // Nothing is asked while all nodes are ready.
                    if !isDone { waker.yield() }
                }
            }
        }
    }

    private static func isTainted(_ node: CoreV1.Node) -> Bool {
        node.spec.taints.contains { $0.key == Self.shutdownTaint }
    }

    /// Asks about every node that is not ready; whether there was none.
    private func look() async -> Bool {
        var isDone = true
        for node in self.nodes.list() {
            do {
                if NodeState.isReady(node) {
                    if Self.isTainted(node) { try await self.setTaint(node, isShutDown: false) }
                    continue
                }
                isDone = false
                try await self.check(node)
            } catch {
                self.logger.warning(
                    "Failed to ask for an instance",
                    metadata: ["node": "\(node.metadata.name)", "err": "\(error)"]
                )
            }
        }
        return isDone
    }

    private func check(_ node: CoreV1.Node) async throws {
        guard node.metadata.deletionTimestamp == nil else { return }
        guard try await self.instances.exists(node) else {
            self.events.record(
                .normal,
                "DeletingNode",
                "Deleting node \(node.metadata.name) because it does not exist in the cloud "
                    + "provider",
                about: node
            )
            _ = try await self.client.delete(node.metadata.name)
            return
        }
        let isShutDown = try await self.instances.isShutDown(node)
        if isShutDown != Self.isTainted(node) {
            try await self.setTaint(node, isShutDown: isShutDown)
        }
    }

    private func setTaint(_ node: CoreV1.Node, isShutDown: Bool) async throws {
        var changed = node
        changed.spec.taints = []
        for taint in node.spec.taints where taint.key != Self.shutdownTaint {
            changed.spec.taints.append(taint)
        }
        if isShutDown {
            changed.spec.taints.append(
                CoreV1.Taint.with {
                    $0.key = Self.shutdownTaint
                    $0.effect = "NoSchedule"
                }
            )
        }
        _ = try await self.client.update(changed)
    }
}
