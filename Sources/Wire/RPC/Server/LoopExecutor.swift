// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import NIOCore

/// Runs tasks on an event loop, so that a handler shares its connection's thread.
final class LoopExecutor: TaskExecutor {
    let loop: any EventLoop

    init(_ loop: any EventLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        self.loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
