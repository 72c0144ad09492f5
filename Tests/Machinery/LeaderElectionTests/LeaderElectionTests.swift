// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
import KubernetesAPI
import LeaderElection
import MemoryCluster
import Protobuf
import RPC
import RPCInterface
import ResourceClient
import Scalars
import Synchronization
import Testing

@Suite("LeaderElection")
struct LeaderElectionTests {
    private static let start = Timestamp(seconds: 1000)

    private static func state(_ identity: String) -> LeaderElectionState {
        LeaderElectionState(LeaderElectionConfiguration(name: "x", identity: identity))
    }

    @Test("takes a Lease that is not there, renews it and keeps when it was acquired")
    func acquires() {
        var state = Self.state("a")
        guard case .create(let lease) = state.decide(nil, now: Self.start, uptime: .zero) else {
            Issue.record("no Lease is created")
            return
        }
        #expect(lease.holderIdentity == "a")
        #expect(lease.leaseDurationSeconds == 15)
        #expect(!state.isLeader)
        state.written(lease, uptime: .zero)
        #expect(state.isLeader)
        let later = Self.start.advanced(by: .seconds(2))
        guard case .update(let renewed) = state.decide(lease, now: later, uptime: .seconds(2))
        else {
            Issue.record("the Lease is not renewed")
            return
        }
        #expect(renewed.acquireTime == lease.acquireTime)
        #expect(renewed.renewTime?.timestamp == later)
        #expect(renewed.leaseTransitions == 0)
    }

    @Test("follows a leader while its Lease changes, and takes over when it does not")
    func takesOver() {
        var leader = Self.state("a")
        guard case .create(let lease) = leader.decide(nil, now: Self.start, uptime: .zero) else {
            return
        }
        var follower = Self.state("b")
        // Whatever the leader's clock says, silence is measured here.
        let old = Self.start.advanced(by: .seconds(10_000))
        #expect(follower.decide(lease, now: old, uptime: .seconds(100)) == .follow("a"))
        #expect(follower.decide(lease, now: old, uptime: .seconds(114)) == .follow("a"))
        guard case .update(let mine) = follower.decide(lease, now: old, uptime: .seconds(115))
        else {
            Issue.record("a silent leader is followed")
            return
        }
        #expect(mine.holderIdentity == "b")
        #expect(mine.leaseTransitions == 1)
        #expect(mine.acquireTime?.timestamp == old)
    }

    @Test("a leader that cannot renew in time has lost, and one that steps down says so")
    func loses() {
        var state = Self.state("a")
        guard case .create(let lease) = state.decide(nil, now: Self.start, uptime: .zero) else {
            return
        }
        state.written(lease, uptime: .zero)
        #expect(!state.hasLost(uptime: .milliseconds(9999)))
        #expect(state.hasLost(uptime: .seconds(10)))
        let released = state.released(now: Self.start)
        #expect(released?.holderIdentity == "")
        #expect(released?.leaseDurationSeconds == 1)
        var other = Self.state("b")
        if case .update = other.decide(released, now: Self.start, uptime: .zero) {
        } else {
            Issue.record("a released Lease is not taken")
        }
    }

    @Test("one of two candidates leads, and the other does when it ends")
    func twoCandidates() async throws {
        let channel = InProcessChannel(services: [MemoryCluster()])
        func elector(_ name: String) -> LeaderElector {
            var configuration = LeaderElectionConfiguration(name: "x", identity: name)
            configuration.retryPeriod = .milliseconds(5)
            return LeaderElector(configuration, channel: channel)
        }
        let led = Shared<[String]>([])
        let first = elector("a")
        let running = Task {
            try await first.run {
                led.withLock { $0.append("a") }
                await SystemClock().sleep(for: .seconds(600))
            }
        }
        while !first.isLeader { await Task.yield() }
        let second = elector("b")
        let waiting = Task {
            try await second.run { led.withLock { $0.append("b") } }
        }
        await SystemClock().sleep(for: .milliseconds(30))
        #expect(!second.isLeader)
        running.cancel()
        _ = try await running.value
        #expect(try await waiting.value == false)
        #expect(led.withLock { $0 } == ["a", "b"])
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
