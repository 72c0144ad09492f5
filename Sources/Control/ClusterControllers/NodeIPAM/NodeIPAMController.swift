// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
package import ControllerKit
import EventRecording
import Informers
import JSON
import KubernetesAPI
import Metrics
import ObjectModel
import Protobuf
import ResourceClient
import Synchronization
import WorkQueues

/// Gives each node a range of pod addresses of each family.
///
/// Watches: nodes. Writes: nodes' `podCIDR` and `podCIDRs`. Promises: no two nodes overlap, nor the
/// Services' range.
package final class NodeIPAMController: Controller {
    package static let name = "node-ipam-controller"

    private let context: ControllerContext
    private let loop: ReconcileLoop<String>
    private let nodes: Informer<CoreV1.Node>
    private let client: Client<CoreV1.Node>
    private let ranges: Mutex<[AddressRange]>
    /// What was given away and may not be in the cache yet.
    private let given = Mutex<[String: [String]]>([:])

    package convenience init(_ context: ControllerContext) {
        self.init(context, ranges: [], reserved: [])
    }

    /// - Parameter reserved: ranges that are used for something else, such as Services.
    package init(_ context: ControllerContext, ranges: [AddressRange], reserved: [String]) {
        self.context = context
        self.loop = ReconcileLoop(Self.name, context)
        self.nodes = context.informer(of: CoreV1.Node.self)
        self.client = context.client()
        var ranges = ranges
        for index in ranges.indices {
            for text in reserved { ranges[index].occupy(text) }
        }
        self.ranges = Mutex(ranges)
        for range in ranges {
            context.counts?.nodeRanges.maximum.with(range.text).set(Double(range.count))
        }
        let queue = self.loop.queue
        self.nodes.addHandler { [weak self] event in
            if case .deleted(let node, _) = event {
                self?.release(node)
            } else if event.object.spec.podCIDRs.isEmpty {
                queue.add(event.object.metadata.name)
            } else {
                self?.occupy(event.object)
            }
        }
    }

    package var isQuiet: Bool { self.loop.isQuiet }

    package func run() async {
        await self.loop.run(workers: 4) {
            await self.nodes.waitForSync()
        } _: { name in
            try await self.reconcile(name)
        }
    }

    private func occupy(_ node: CoreV1.Node) {
        self.change { ranges in
            for text in node.spec.podCIDRs {
                for index in ranges.indices where ranges[index].occupy(text) { break }
            }
        }
    }

    private func release(_ node: CoreV1.Node) {
        let given = self.given.withLock { $0.removeValue(forKey: node.metadata.name) } ?? []
        let texts = node.spec.podCIDRs.isEmpty ? given : Array(node.spec.podCIDRs)
        self.change { ranges in
            for text in texts {
                for index in ranges.indices { ranges[index].release(text) }
            }
        }
    }

    /// Changes the ranges and counts what came and went.
    private func change<R>(_ body: (inout [AddressRange]) -> R) -> R {
        self.ranges.withLock { ranges in
            let before = ranges.map(\.takenCount)
            let result = body(&ranges)
            guard let counts = self.context.counts?.nodeRanges else { return result }
            for (range, before) in zip(ranges, before) where range.takenCount != before {
                let change = range.takenCount - before
                let counter = change > 0 ? counts.allocations : counts.releases
                counter.with(range.text).increment(by: UInt64(abs(change)))
                counts.usage.with(range.text).set(Double(range.takenCount) / Double(range.count))
            }
            return result
        }
    }

    private func reconcile(_ name: String) async throws(StatusError) {
        guard let node = self.nodes.get(name), node.spec.podCIDRs.isEmpty else { return }
        guard let texts = self.given.withLock({ $0[name] }) ?? self.take(for: name) else {
            self.context.recorder.record(
                .normal,
                "CIDRNotAvailable",
                "Node \(name) status is now: CIDRNotAvailable",
                about: node
            )
            throw .internalError("no free range for node \(name)")
        }
        guard let first = texts.first else { return }
        do throws(StatusError) {
            _ = try await self.client.patch(
                name,
                .merge,
                [
                    "metadata": ["uid": DynamicValue(node.metadata.uid)],
                    "spec": [
                        "podCIDR": DynamicValue(first),
                        "podCIDRs": DynamicValue(texts.map { DynamicValue($0) }),
                    ],
                ]
            )
        } catch {
            if error.isNotFound { return }
            self.context.recorder.record(
                .normal,
                "CIDRAssignmentFailed",
                "Node \(name) status is now: CIDRAssignmentFailed",
                about: node
            )
            throw error
        }
    }

    private func take(for name: String) -> [String]? {
        let texts = self.change { ranges -> [String]? in
            var texts: [String] = []
            for index in ranges.indices {
                guard let text = ranges[index].take() else {
                    for (taken, text) in texts.enumerated() { ranges[taken].release(text) }
                    return nil
                }
                texts.append(text)
                self.context.counts?.nodeRanges.tries.with(ranges[index].text)
                    .observe(Double(ranges[index].tries))
            }
            return texts
        }
        if let texts { self.given.withLock { $0[name] = texts } }
        return texts
    }
}
