// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import NIOCore
import NIOPosix
import Synchronization

/// Runs the jobs of tasks on an event loop, in batches: a task that is woken by an event of the loop
/// goes on in the same tick, before what it writes is flushed.
///
// SAFETY: `@unchecked Sendable` because everything mutable is touched on the event loop only, which
// `enqueue` checks before it does; what comes from other threads goes through a lock.
public final class EventLoopTaskExecutor: TaskExecutor, @unchecked Sendable {
    public let eventLoop: any EventLoop
    private var jobs: [UnownedJob] = []
    private var running: [UnownedJob] = []
    private var isScheduled = false
    private var isDraining = false
    /// Jobs from other threads. The first one asks the loop to take them, the others join it: an
    /// event that wakes a hundred tasks wakes the loop once.
    private let arrived = Mutex<[UnownedJob]>([])

    private init(eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    private static let current = ThreadSpecificVariable<EventLoopTaskExecutor>()

    /// The executor of a loop; called on that loop.
    public static func of(_ eventLoop: any EventLoop) -> EventLoopTaskExecutor {
        eventLoop.assertInEventLoop()
        if let executor = self.current.currentValue, executor.eventLoop === eventLoop {
            return executor
        }
        let executor = EventLoopTaskExecutor(eventLoop: eventLoop)
        self.current.currentValue = executor
        return executor
    }

    /// The executor of the loop whose thread this is, if it has one.
    package static var ofCurrentThread: EventLoopTaskExecutor? { self.current.currentValue }

    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if self.eventLoop.inEventLoop {
            self.jobs.append(job)
            guard !self.isScheduled, !self.isDraining else { return }
            self.isScheduled = true
            self.eventLoop.execute {
                self.isScheduled = false
                self.drain()
            }
        } else {
            let isFirst = self.arrived.withLock { arrived in
                arrived.append(job)
                return arrived.count == 1
            }
            if isFirst { self.eventLoop.execute { self.takeArrived() } }
        }
    }

    private func takeArrived() {
        let arrived = self.arrived.withLock { arrived in
            defer { arrived = [] }
            return arrived
        }
        self.jobs += arrived
        self.drain()
    }

    /// Runs what is ready, and what that makes ready, at most ``maximumRounds`` deep so that a task
    /// that wakes itself for ever does not keep the loop from its sockets.
    package func drain() {
        guard !self.isDraining, !self.jobs.isEmpty else { return }
        self.isDraining = true
        let executor = self.asUnownedTaskExecutor()
        var round = 0
        while !self.jobs.isEmpty, round < Self.maximumRounds {
            swap(&self.jobs, &self.running)
            for job in self.running { job.runSynchronously(on: executor) }
            self.running.removeAll(keepingCapacity: self.running.count < 1024)
            round += 1
        }
        self.isDraining = false
        if !self.jobs.isEmpty, !self.isScheduled {
            self.isScheduled = true
            self.eventLoop.execute {
                self.isScheduled = false
                self.drain()
            }
        }
    }

    private static let maximumRounds = 16
}
