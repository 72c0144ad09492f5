// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension WorkQueue {
    /// Works on keys until the task is cancelled or the queue is shut down.
    ///
    /// A key whose work throws is added again, rate limited; one that succeeds is forgotten.
    ///
    /// - Parameters:
    ///   - workers: how many keys may be worked on at once.
    ///   - failed: hears of each failure before the key is added again.
    public func run(
        workers: Int,
        failed: @escaping @Sendable (Key, any Error) -> Void = { _, _ in },
        _ work: @escaping @Sendable (Key) async throws -> Void
    ) async {
        await withDiscardingTaskGroup { group in
            for _ in 0..<max(workers, 1) {
                group.addTask {
                    while let key = await self.next() {
                        await self.process(key, failed, work)
                    }
                }
            }
        }
    }

    /// Works on one key as ``run(workers:failed:_:)`` does.
    public func process(
        _ key: Key,
        _ failed: (Key, any Error) -> Void,
        _ work: (Key) async throws -> Void
    ) async {
        do {
            try await work(key)
            self.forget(key)
        } catch {
            if !Task.isCancelled {
                failed(key, error)
                self.addRateLimited(key)
            }
        }
        self.finish(key)
    }
}
