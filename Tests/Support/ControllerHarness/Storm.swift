// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import ApusAPI
import KubernetesAPI
package import MemoryCluster
import ObjectModel
import ResourceTable
import Synchronization

/// Faults between controllers and the store: refused writes, lost answers, and the end of the process
/// at a write.
package final class Storm: Sendable {
    /// When the process ends.
    package enum Crash: Sendable, Hashable {
        case never
        /// At the n-th write of the controllers: before it is done, or after it, unanswered.
        case before(Int)
        case after(Int)
    }

    private struct State {
        var random: RandomNumbers
        var failures: Double
        var crash: Crash
        var writes = 0
        var isDead = false
    }

    private let state: Mutex<State>

    /// - Parameter failures: how many of the writes fail, from 0 to 1.
    package init(seed: UInt64, failures: Double = 0, crash: Crash = .never) {
        self.state = Mutex(
            State(random: RandomNumbers(seed: seed), failures: failures, crash: crash)
        )
    }

    /// Writes of controllers so far.
    package var writeCount: Int { self.state.withLock { $0.writes } }

    /// The process has ended: its writes do nothing any more.
    package var isDead: Bool { self.state.withLock { $0.isDead } }

    /// A new process begins.
    package func revive() { self.state.withLock { $0.isDead = false } }

    /// From now on all goes well.
    package func calm() {
        self.state.withLock { state in
            state.failures = 0
            state.crash = .never
        }
    }

    package func random(below limit: Int) -> Int {
        self.state.withLock { Int.random(in: 0..<limit, using: &$0.random) }
    }

    /// For ``MemoryCluster``. What the test itself writes goes around this, by ``CalmCluster``.
    package func fault(_ verb: String, _ target: ApusResource.Target) -> MemoryCluster.Fault? {
        self.state.withLock { state -> MemoryCluster.Fault? in
            if state.isDead { return .refuse(.serviceUnavailable("the process has ended")) }
            // Events are no part of what is promised.
            guard target.resource != "events" else { return nil }
            state.writes += 1
            switch state.crash {
            case .before(state.writes):
                state.isDead = true
                return .refuse(.serviceUnavailable("the process has ended"))
            case .after(state.writes):
                state.isDead = true
                return .loseAnswer
            default: break
            }
            guard Double.random(in: 0..<1, using: &state.random) < state.failures else {
                return nil
            }
            switch Int.random(in: 0..<3, using: &state.random) {
            case 0: return .loseAnswer
            case 1:
                return .refuse(
                    .modified(
                        GroupResource(group: target.group, resource: target.resource),
                        target.name
                    )
                )
            default: return .refuse(.timeout("the request timed out"))
            }
        }
    }
}

/// The same numbers for the same seed: SplitMix64.
package struct RandomNumbers: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { self.state = seed }

    package mutating func next() -> UInt64 {
        self.state &+= 0x9e37_79b9_7f4a_7c15
        var z = self.state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
