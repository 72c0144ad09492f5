// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
package import ControllerKit
import Informers
import JSON
import KubernetesAPI
import ObjectModel
import Protobuf
import ResourceClient
import Synchronization
import WorkQueues

/// Tells every node how long it may keep what it has read.
///
/// Watches: nodes. Writes: nodes' annotation `node.alpha.kubernetes.io/ttl`. Promises: all nodes have
/// the time that fits their number.
package final class NodeTTLController: Controller {
    package static let name = "ttl-controller"
    package static let annotation = "node.alpha.kubernetes.io/ttl"

    private let loop: ReconcileLoop<String>
    private let nodes: Informer<CoreV1.Node>
    private let client: Client<CoreV1.Node>
    private let ttl: Mutex<NodeTTL>

    package init(_ context: ControllerContext) {
        self.loop = ReconcileLoop(Self.name, context)
        self.nodes = context.informer(of: CoreV1.Node.self)
        self.client = context.client()
        self.ttl = Mutex(NodeTTL())
        let (queue, nodes) = (self.loop.queue, self.nodes)
        nodes.addHandler { [weak self] event in
            guard let self else { return }
            if case .updated(let old, let new) = event,
                old.metadata.annotations[Self.annotation]
                    == new.metadata.annotations[Self.annotation]
            {
                return
            }
            let count = nodes.count
            if self.ttl.withLock({ $0.follow(count) }) {
                for node in nodes.list() { queue.add(node.metadata.name) }
            } else {
                queue.add(event.object.metadata.name)
            }
        }
    }

    package var isQuiet: Bool { self.loop.isQuiet }

    package func run() async {
        await self.loop.run(workers: 5) {
            await self.nodes.waitForSync()
        } _: { name in
            try await self.reconcile(name)
        }
    }

    private func reconcile(_ name: String) async throws(StatusError) {
        guard let node = self.nodes.get(name) else { return }
        let text = String(self.ttl.withLock { $0.seconds })
        guard node.metadata.annotations[Self.annotation] != text else { return }
        do throws(StatusError) {
            _ = try await self.client.patch(
                name,
                .merge,
                ["metadata": ["annotations": [Self.annotation: DynamicValue(text)]]]
            )
        } catch {
            if !error.isNotFound { throw error }
        }
    }
}
