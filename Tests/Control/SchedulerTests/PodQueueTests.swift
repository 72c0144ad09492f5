// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Testing

@testable import Scheduler

@Suite("Pod queue") struct PodQueueTests {
    static func info(_ name: String, _ priority: Int32 = 0) -> PodInfo {
        PodInfo(pod(name, priority: priority))
    }

    static func add(_ queue: PodQueue, _ name: String, _ priority: Int32 = 0, at now: Duration) {
        queue.add(Self.info(name, priority), isGated: false, now: now)
    }

    static let fit = PluginNames(.nodeResourcesFit)

    @Test("tries important pods first, then those that came first")
    func order() {
        let queue = PodQueue()
        Self.add(queue, "low", 1, at: .seconds(1))
        Self.add(queue, "late", 5, at: .seconds(3))
        Self.add(queue, "early", 5, at: .seconds(2))
        let order = (0..<3).map { _ in queue.pop(now: .seconds(4))?.info.name }
        #expect(order == ["early", "late", "low"])
        #expect(queue.pop(now: .seconds(4)) == nil)
        #expect(queue.count(.inFlight) == 3)
    }

    @Test("leaves refused pods alone until something helps them")
    func refused() throws {
        let queue = PodQueue()
        Self.add(queue, "a", at: .zero)
        let pod = try #require(queue.pop(now: .zero))
        queue.putBack(pod, refusedBy: Self.fit, now: .zero)
        #expect(queue.pop(now: .seconds(60)) == nil)
        queue.wake(interested: PluginNames(.nodePorts), because: .nodeAdd, now: .seconds(60)) {
            _,
            _ in true
        }
        #expect(queue.pop(now: .seconds(60)) == nil)
        queue.wake(interested: Self.fit, because: .nodeAdd, now: .seconds(60)) { _, _ in false }
        #expect(queue.pop(now: .seconds(60)) == nil)
        queue.wake(interested: Self.fit, because: .nodeAdd, now: .seconds(60)) { _, _ in true }
        #expect(queue.pop(now: .seconds(60))?.info.name == "a")
    }

    @Test("tries a refused pod again after five minutes without changes")
    func stay() throws {
        let queue = PodQueue()
        Self.add(queue, "a", at: .seconds(10))
        queue.putBack(
            try #require(queue.pop(now: .seconds(10))),
            refusedBy: Self.fit,
            now: .seconds(10)
        )
        #expect(queue.nextDeadline == .seconds(310))
        #expect(queue.pop(now: .seconds(309)) == nil)
        #expect(queue.pop(now: .seconds(310))?.info.name == "a")
        #expect(queue.nextDeadline == nil)
    }

    @Test("backs off from errors for 1 to 10 seconds")
    func backoff() throws {
        let queue = PodQueue()
        Self.add(queue, "a", at: .zero)
        var now = Duration.zero
        for seconds in [1, 2, 4, 8, 10, 10] {
            queue.putBack(try #require(queue.pop(now: now)), refusedBy: [], now: now)
            #expect(queue.nextDeadline == now + .seconds(seconds))
            #expect(queue.pop(now: now + .milliseconds(seconds * 1000 - 1)) == nil)
            now += .seconds(seconds)
        }
    }

    @Test("prefers a pod whose back-off lasts to doing nothing")
    func popFromBackoff() throws {
        let queue = PodQueue()
        Self.add(queue, "a", at: .zero)
        queue.putBack(try #require(queue.pop(now: .zero)), refusedBy: Self.fit, now: .zero)
        queue.wake(interested: Self.fit, because: .nodeAdd, now: .milliseconds(10)) { _, _ in true }
        #expect(queue.count(.backoff) == 1)
        Self.add(queue, "b", at: .milliseconds(20))
        #expect(queue.pop(now: .milliseconds(20))?.info.name == "b")
        #expect(queue.pop(now: .milliseconds(20))?.info.name == "a")
    }

    @Test("keeps gated pods out until they are let through")
    func gates() throws {
        let queue = PodQueue()
        queue.add(Self.info("a"), isGated: true, now: .zero)
        #expect(queue.pop(now: .zero) == nil)
        queue.activate("default/a", now: .zero)
        #expect(queue.pop(now: .zero) == nil)
        let gated = try #require(queue.pod("default/a"))
        queue.setGated(gated, false, now: .zero)
        #expect(queue.pop(now: .zero)?.info.name == "a")
    }

    @Test("holds a pod until those it preempts are told")
    func preempting() throws {
        let queue = PodQueue()
        Self.add(queue, "a", at: .zero)
        queue.putBack(try #require(queue.pop(now: .zero)), refusedBy: Self.fit, now: .zero)
        queue.setPreempting("default/a", true, now: .zero)
        queue.wake(interested: Self.fit, because: .nodeAdd, now: .seconds(5)) { _, _ in true }
        #expect(queue.pop(now: .seconds(5)) == nil)
        queue.setPreempting("default/a", false, now: .seconds(6))
        #expect(queue.pop(now: .seconds(6))?.info.name == "a")
    }

    @Test("forgets pods that are gone")
    func removal() {
        let queue = PodQueue()
        for number in 0..<200 { Self.add(queue, "p\(number)", at: .zero) }
        for number in 0..<199 { queue.remove("default/p\(number)") }
        #expect(queue.pop(now: .zero)?.info.name == "p199")
        #expect(queue.pop(now: .zero) == nil)
        #expect(queue.pods.count == 1)
    }
}
