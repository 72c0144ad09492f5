// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import RPCInterface
import Testing

@testable import RPC

@Suite("ConnectionMachine")
struct ConnectionMachineTests {
    private static func machine(in phase: ConnectionMachine.Phase) -> ConnectionMachine {
        let backoff = RPCBackoff(
            initial: .seconds(1),
            multiplier: 2,
            jitter: 0,
            maximum: .seconds(10)
        )
        var machine = ConnectionMachine(backoff: backoff, seed: 1)
        switch phase {
        case .idle: break
        case .connecting: _ = machine.submit(waitsForReady: false)
        case .ready:
            _ = machine.submit(waitsForReady: false)
            _ = machine.connected()
        case .backingOff:
            _ = machine.submit(waitsForReady: false)
            _ = machine.connectFailed()
        case .closed: machine.close()
        }
        return machine
    }

    @Test(
        "answers a call",
        arguments: [
            (.idle, false, .connectAndWait, .connecting),
            (.idle, true, .connectAndWait, .connecting),
            (.connecting, false, .wait, .connecting), (.connecting, true, .wait, .connecting),
            (.ready, false, .open, .ready), (.ready, true, .open, .ready),
            (.backingOff, false, .failUnreachable, .backingOff),
            (.backingOff, true, .wait, .backingOff), (.closed, false, .failClosed, .closed),
            (.closed, true, .failClosed, .closed),
        ]
            as [(
                ConnectionMachine.Phase, Bool, ConnectionMachine.OnSubmit, ConnectionMachine.Phase
            )]
    )
    func submit(
        _ phase: ConnectionMachine.Phase,
        _ waits: Bool,
        _ answer: ConnectionMachine.OnSubmit,
        _ next: ConnectionMachine.Phase
    ) {
        var machine = Self.machine(in: phase)
        #expect(machine.submit(waitsForReady: waits) == answer)
        #expect(machine.phase == next)
    }

    @Test(
        "moves on events of the network",
        arguments: [
            (.idle, .idle, .idle, .idle), (.connecting, .ready, .backingOff, .connecting),
            (.ready, .ready, .ready, .idle), (.backingOff, .backingOff, .backingOff, .backingOff),
            (.closed, .closed, .closed, .closed),
        ]
            as [(
                ConnectionMachine.Phase, ConnectionMachine.Phase, ConnectionMachine.Phase,
                ConnectionMachine.Phase
            )]
    )
    func events(
        _ phase: ConnectionMachine.Phase,
        _ connected: ConnectionMachine.Phase,
        _ failed: ConnectionMachine.Phase,
        _ lost: ConnectionMachine.Phase
    ) {
        var machine = Self.machine(in: phase)
        #expect(machine.connected() == (phase == .connecting ? .openWaiting : .close))
        #expect(machine.phase == connected)
        machine = Self.machine(in: phase)
        #expect((machine.connectFailed() != .none) == (phase == .connecting))
        #expect(machine.phase == failed)
        machine = Self.machine(in: phase)
        machine.connectionLost()
        #expect(machine.phase == lost)
    }

    @Test("connects after a failure only for calls that wait")
    func timer() {
        var machine = Self.machine(in: .backingOff)
        #expect(machine.timer(hasWaitingCalls: false) == .none)
        #expect(machine.phase == .idle)
        machine = Self.machine(in: .backingOff)
        #expect(machine.timer(hasWaitingCalls: true) == .connect)
        #expect(machine.phase == .connecting)
        machine = Self.machine(in: .ready)
        #expect(machine.timer(hasWaitingCalls: true) == .none)
    }

    @Test("backs off exponentially up to the maximum and starts over after a success")
    func backoff() {
        var machine = Self.machine(in: .idle)
        var waits: [Int64] = []
        for _ in 0..<6 {
            _ = machine.submit(waitsForReady: true)
            if case .failImpatient(let wait) = machine.connectFailed() { waits.append(wait) }
            _ = machine.timer(hasWaitingCalls: false)
        }
        #expect(waits == [1, 2, 4, 8, 10, 10].map { $0 * 1_000_000_000 })
        _ = machine.submit(waitsForReady: true)
        _ = machine.connected()
        machine.connectionLost()
        _ = machine.submit(waitsForReady: true)
        #expect(machine.connectFailed() == .failImpatient(retryNanoseconds: 1_000_000_000))
    }

    @Test("jitter stays within its part and is the same for a seed")
    func jitter() {
        let backoff = RPCBackoff(
            initial: .seconds(1),
            multiplier: 1.6,
            jitter: 0.2,
            maximum: .seconds(120)
        )
        func waits(_ seed: UInt64) -> [Int64] {
            var generator = SeededGenerator(seed: seed)
            return (1...50).map { backoff.nanoseconds(afterFailures: $0, using: &generator) }
        }
        #expect(waits(3) == waits(3))
        #expect(waits(3) != waits(4))
        for (index, wait) in waits(5).enumerated() {
            var base = 1e9
            for _ in 0..<index { base = min(base * 1.6, 120e9) }
            #expect(Double(wait) >= base * 0.8 - 1 && Double(wait) <= base * 1.2 + 1)
        }
    }
}
