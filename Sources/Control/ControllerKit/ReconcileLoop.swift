// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import EventRecording
import ObjectModel
import ResourceClient
package import WorkQueues

/// The loop of every controller: waits until what it reads is there, then works on keys.
package struct ReconcileLoop<Key: Hashable & Sendable & CustomStringConvertible>: Sendable {
    package let queue: WorkQueue<Key>
    private let context: ControllerContext
    private let name: String

    package init(_ name: String, _ context: ControllerContext) {
        self.name = name
        self.context = context
        self.queue = WorkQueue(
            clock: context.clock,
            name: QueueName.of(name),
            metrics: context.metrics
        )
    }

    package var isQuiet: Bool { self.queue.isQuiet }

    /// - Parameters:
    ///   - workers: keys worked on at once, unless the context says otherwise.
    ///   - synced: waits for the informers.
    package func run(
        workers: Int,
        after synced: @escaping @Sendable () async -> Void,
        _ work: @escaping @Sendable (Key) async throws -> Void
    ) async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.context.recorder.run() }
            await synced()
            guard !Task.isCancelled else { return }
            await self.queue.run(
                workers: self.context.options.workers[self.name] ?? workers,
                failed: { key, error in
                    // A conflict is what optimistic writes are for: the next look settles it.
                    if let error = error as? StatusError, error.isConflict { return }
                    self.context.log("\(self.name): error syncing \(key), will retry: \(error)")
                },
                work
            )
            group.cancelAll()
        }
    }
}
