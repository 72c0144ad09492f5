// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
import Synchronization
import Testing
import WorkQueues

@Suite("WorkQueue")
struct WorkQueueTests {
    @Test("a key that is added often is worked on once")
    func deduplicates() {
        var queue = WorkQueueState<String>()
        for key in ["a", "b", "a", "a", "b"] { queue.add(key) }
        #expect(queue.take() == "a")
        #expect(queue.take() == "b")
        #expect(queue.take() == nil)
    }

    @Test("a key that is added while it is worked on comes again, but not at once")
    func oneAtATime() {
        var queue = WorkQueueState<String>()
        queue.add("a")
        #expect(queue.take() == "a")
        queue.add("a")
        queue.add("a")
        #expect(queue.take() == nil)
        let isWaiting = queue.finish("a")
        #expect(isWaiting)
        #expect(queue.take() == "a")
        let isWaitingAgain = queue.finish("a")
        #expect(!isWaitingAgain)
        #expect(queue.take() == nil)
    }

    @Test("a delayed key comes at the earliest of its times, in their order")
    func delays() {
        var queue = WorkQueueState<String>()
        queue.add("slow", at: .seconds(10))
        queue.add("slow", at: .seconds(4))
        queue.add("slow", at: .seconds(7))
        queue.add("quick", at: .seconds(2))
        #expect(queue.nextDeadline == .seconds(2))
        #expect(queue.moveDue(.seconds(3)) == 1)
        #expect(queue.take() == "quick")
        #expect(queue.nextDeadline == .seconds(4))
        #expect(queue.moveDue(.seconds(20)) == 1)
        #expect(queue.take() == "slow")
        #expect(queue.nextDeadline == nil)
        #expect(queue.delayedCount == 0)
    }

    @Test("a thousand delayed keys with changing times leave in order")
    func heap() {
        var queue = WorkQueueState<Int>()
        var best: [Int: Int] = [:]
        var seed: UInt64 = 42
        for _ in 0..<4000 {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1
            let key = Int(seed >> 33) % 1000
            let time = Int(seed >> 13) % 100_000
            best[key] = min(best[key] ?? .max, time)
            queue.add(key, at: .milliseconds(time))
        }
        var last = -1
        var seen = 0
        while let deadline = queue.nextDeadline {
            _ = queue.moveDue(deadline)
            while let key = queue.take() {
                let time = best[key] ?? -1
                #expect(deadline == .milliseconds(time))
                #expect(time >= last)
                last = time
                seen += 1
            }
        }
        #expect(seen == best.count)
    }

    @Test("waits grow twofold from 5 ms to 1000 s")
    func limiter() {
        var limiter = RateLimiter<String>()
        let waits = (0..<20).map { _ in limiter.next("a") }
        #expect(waits[0] == .milliseconds(5))
        #expect(waits[1] == .milliseconds(10))
        #expect(waits[10] == .milliseconds(5120))
        #expect(waits[17] == .milliseconds(655_360))
        #expect(waits[18] == .seconds(1000))
        #expect(limiter.next("b") == .milliseconds(5))
        limiter.forget("a")
        #expect(limiter.next("a") == .milliseconds(5))
        for _ in 0..<100 { _ = limiter.next("a") }
        #expect(limiter.next("a") == .seconds(1000))
    }

    @Test("workers get delayed keys by the clock, and nothing runs before")
    func simulatedTime() async {
        let clock = SimulatedClock()
        let queue = WorkQueue<String>(clock: clock)
        queue.add("later", after: .seconds(5))
        queue.add("now")
        #expect(queue.takeIfReady() == "now")
        queue.finish("now")
        #expect(queue.takeIfReady() == nil)
        clock.advance(by: .seconds(4))
        #expect(queue.takeIfReady() == nil)
        clock.advance(by: .seconds(1))
        #expect(await queue.next() == "later")
        queue.finish("later")
        #expect(queue.isIdle)
        #expect(clock.nextDeadline == nil)
    }

    @Test("no key is worked on twice at once, and every key is worked on after its last addition")
    func workers() async {
        struct Seen: Sendable {
            var active: Set<Int> = []
            var overlaps = 0
            var done = 0
        }
        let seen = Shared(Seen())
        let queue = WorkQueue<Int>()
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await queue.run(workers: 8) { key in
                    seen.withLock { if !$0.active.insert(key).inserted { $0.overlaps += 1 } }
                    await Task.yield()
                    seen.withLock {
                        $0.active.remove(key)
                        $0.done += 1
                    }
                }
            }
            for index in 0..<2000 {
                queue.add(index % 7)
                if index % 10 == 0 { await Task.yield() }
            }
            while !queue.isIdle { await Task.yield() }
            queue.shutDown()
        }
        #expect(seen.withLock { $0.overlaps } == 0)
        #expect(seen.withLock { $0.done } >= 7)
    }

    private struct Failure: Error {}
    private static func ignore(_ key: String, _ error: any Error) {}
    private static func succeed(_ key: String) async throws {}
    private static func fail(_ key: String) async throws { throw Failure() }

    @Test("work that fails comes again after its wait")
    func retries() async {
        let clock = SimulatedClock()
        let queue = WorkQueue<String>(clock: clock)
        queue.add("a")
        for expected in [5, 10, 20] {
            guard let key = queue.takeIfReady() else {
                Issue.record("nothing to work on")
                return
            }
            await queue.process(key, Self.ignore, Self.fail)
            #expect(queue.takeIfReady() == nil)
            clock.advance(by: .milliseconds(expected - 1))
            #expect(queue.takeIfReady() == nil)
            clock.advance(by: .milliseconds(1))
        }
        #expect(queue.failureCount("a") == 3)
        if let key = queue.takeIfReady() { await queue.process(key, Self.ignore, Self.succeed) }
        #expect(queue.failureCount("a") == 0)
        #expect(queue.isIdle)
    }

    @Test("workers end when the queue is shut down or their task is cancelled")
    func ends() async {
        let queue = WorkQueue<String>()
        let cancelled = Task { await queue.next() }
        cancelled.cancel()
        #expect(await cancelled.value == nil)
        let waiting = Task { await queue.next() }
        queue.shutDown()
        #expect(await waiting.value == nil)
    }
}

/// A value that several tasks use.
private final class Shared<Value: Sendable>: Sendable {
    private let value: Mutex<Value>
    init(_ value: Value) { self.value = Mutex(value) }
    func withLock<R: Sendable>(_ body: @Sendable (inout Value) -> R) -> R {
        self.value.withLock { body(&$0) }
    }
}
