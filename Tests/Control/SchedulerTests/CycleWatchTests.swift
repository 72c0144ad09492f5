// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Testing

@testable import Scheduler

@Suite("CycleWatch") struct CycleWatchTests {
    /// A clock that goes on by a millisecond at each look.
    private final class Ticks {
        private var count = 0

        func next() -> Duration {
            self.count += 1
            return .milliseconds(self.count)
        }
    }

    @Test("times the points of every attempt and single plugins in one of ten")
    func parts() {
        let core = scheduler([node("a", cpu: "100"), node("b", cpu: "100")])
        let ticks = Ticks()
        core.watch = CycleWatch { ticks.next() }
        var points: [CycleWatch.Point: Int] = [:]
        var attemptsWithPlugins = 0
        for number in 0..<20 {
            core.setPod(pod("\(number)", cpu: "1"), now: .zero)
            #expect(core.decide(now: .zero)?.node != nil)
            let parts = core.watch?.drain() ?? []
            for part in parts where part.plugin == nil {
                points[part.point, default: 0] += 1
                #expect(part.isSuccess && part.length > .zero)
            }
            let plugins = parts.compactMap(\.plugin)
            if !plugins.isEmpty {
                attemptsWithPlugins += 1
                #expect(plugins.contains(.nodeResourcesFit))
            }
        }
        #expect(points == [.preFilter: 20, .filter: 20, .score: 20])
        #expect(attemptsWithPlugins == 2)
        #expect(core.watch?.drain().isEmpty == true)
    }

    @Test("a pod without a node is no success, and preemption is timed")
    func refused() {
        let core = scheduler([node("a", cpu: "1")])
        let ticks = Ticks()
        core.watch = CycleWatch { ticks.next() }
        core.setPod(pod("big", cpu: "2"), now: .zero)
        #expect(core.decide(now: .zero)?.refused != nil)
        let parts = (core.watch?.drain() ?? []).filter { $0.plugin == nil }
        #expect(parts.map(\.point) == [.preFilter, .filter, .postFilter])
        #expect(parts.map(\.isSuccess) == [true, false, false])
    }
}
