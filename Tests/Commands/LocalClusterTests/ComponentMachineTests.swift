// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import LocalCluster
import Testing

@Suite("ComponentMachine")
struct ComponentMachineTests {
    private static let second: Int64 = 1_000_000_000

    @Test("starts once, when what it stands on is ready")
    func start() {
        var machine = ComponentMachine()
        #expect(machine.prerequisitesReady(at: 5) == .start)
        #expect(machine.state == .running(since: 5))
        #expect(machine.prerequisitesReady(at: 6) == .none)
    }

    @Test("doubles the pause between restarts up to the limit, and starts over when proven")
    func backoff() {
        var machine = ComponentMachine()
        _ = machine.prerequisitesReady(at: 0)
        var now: Int64 = 0
        var expected = ComponentMachine.firstPause
        for round in 1...12 {
            now += 1
            #expect(machine.exited(at: now) == .none)
            #expect(machine.restarts == round)
            #expect(machine.deadline == now + expected)
            #expect(machine.tick(at: now + expected - 1) == .none)
            now += expected
            #expect(machine.tick(at: now) == .start)
            expected = min(expected * 2, ComponentMachine.longestPause)
        }
        now += ComponentMachine.provenAfter
        _ = machine.exited(at: now)
        #expect(machine.deadline == now + ComponentMachine.firstPause)
    }

    @Test("terminates, and kills what does not end in time")
    func stop() {
        var machine = ComponentMachine()
        _ = machine.prerequisitesReady(at: 0)
        #expect(machine.stop(at: 10) == .terminate)
        #expect(machine.stop(at: 11) == .none)
        let limit = 10 + ComponentMachine.gracePeriod
        #expect(machine.deadline == limit)
        #expect(machine.tick(at: limit - 1) == .none)
        #expect(machine.tick(at: limit) == .kill)
        _ = machine.exited(at: limit + 1)
        #expect(machine.state == .stopped)
        #expect(machine.restarts == 0)
    }

    @Test("does not start what is stopped before its time")
    func stopEarly() {
        var waiting = ComponentMachine()
        #expect(waiting.stop(at: 0) == .none)
        #expect(waiting.state == .stopped)
        #expect(waiting.prerequisitesReady(at: 1) == .none)
        var backingOff = ComponentMachine()
        _ = backingOff.prerequisitesReady(at: 0)
        _ = backingOff.exited(at: 1)
        #expect(backingOff.stop(at: 2) == .none)
        #expect(backingOff.tick(at: Self.second * 100) == .none)
        #expect(backingOff.state == .stopped)
    }
}
