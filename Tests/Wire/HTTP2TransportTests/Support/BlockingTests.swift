// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Dispatch
import Testing

/// Runs a suite's tests on threads of their own, because they block: the threads of Swift's pool are
/// as few as the machine's cores, and all other tests wait for them.
struct BlockingTests: SuiteTrait, TestTrait, TestScoping {
    var isRecursive: Bool { true }

    func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        try await withTaskExecutorPreference(BlockingExecutor.shared) { try await function() }
    }
}

extension Trait where Self == BlockingTests {
    /// The tests block their threads.
    static var blocking: BlockingTests { BlockingTests() }
}

/// Gives every job that is ready a thread.
private final class BlockingExecutor: TaskExecutor {
    static let shared = BlockingExecutor()

    private let queue = DispatchQueue(label: "blocking tests", attributes: .concurrent)

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        self.queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
