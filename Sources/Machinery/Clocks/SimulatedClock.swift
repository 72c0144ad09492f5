// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Scalars
import Synchronization

/// A clock that stands still until a test moves it.
public final class SimulatedClock: ComponentClock {
    private struct Entry {
        var id: UInt64
        var deadline: Duration
        var action: @Sendable () -> Void
    }

    private struct State {
        var now: Timestamp
        var uptime: Duration = .zero
        var nextID: UInt64 = 0
        var entries: [Entry] = []
        var fired = 0
    }

    private let state: Mutex<State>

    /// - Parameter now: the wall time at the start.
    public init(now: Timestamp = Timestamp(seconds: 1_800_000_000)) {
        self.state = Mutex(State(now: now))
    }

    public var now: Timestamp { self.state.withLock { $0.now } }
    public var uptime: Duration { self.state.withLock { $0.uptime } }

    /// How many actions fell due so far: who counts wake-ups wants to know.
    public var firedCount: Int { self.state.withLock { $0.fired } }

    /// When the next action is due; nil when nothing is scheduled.
    public var nextDeadline: Duration? {
        self.state.withLock { $0.entries.map(\.deadline).min() }
    }

    public func schedule(
        at deadline: Duration,
        _ action: @escaping @Sendable () -> Void
    ) -> ClockTimer {
        let id = self.state.withLock { state in
            let id = state.nextID
            state.nextID += 1
            state.entries.append(Entry(id: id, deadline: deadline, action: action))
            return id
        }
        return ClockTimer { [weak self] in
            self?.state.withLock { $0.entries.removeAll { $0.id == id } }
        }
    }

    /// Moves the time on by `duration` and runs what falls due, in the order of deadlines.
    public func advance(by duration: Duration) {
        let target = self.uptime + duration
        while let action = self.nextAction(until: target) { action() }
        self.state.withLock { Self.move(&$0, to: target) }
    }

    private func nextAction(until target: Duration) -> (@Sendable () -> Void)? {
        self.state.withLock { state in
            let due = state.entries.indices
                .filter { state.entries[$0].deadline <= target }
                .min { state.entries[$0].deadline < state.entries[$1].deadline }
            guard let due else { return nil }
            let entry = state.entries.remove(at: due)
            Self.move(&state, to: max(entry.deadline, state.uptime))
            state.fired += 1
            return entry.action
        }
    }

    private static func move(_ state: inout State, to uptime: Duration) {
        let step = uptime - state.uptime
        state.uptime = uptime
        let (seconds, attoseconds) = step.components
        let nanoseconds = Int64(state.now.nanoseconds) + attoseconds / 1_000_000_000
        state.now = Timestamp(
            seconds: state.now.seconds + seconds + nanoseconds / 1_000_000_000,
            nanoseconds: Int32(nanoseconds % 1_000_000_000)
        )
    }
}
