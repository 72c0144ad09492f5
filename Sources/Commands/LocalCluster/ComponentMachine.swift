// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The life of one supervised process: started, restarted with growing pauses when it ends by
/// itself, and ended when told to.
///
/// A pure state machine: it is told what happened and when, and says what to do. Times are
/// nanoseconds of a clock that never goes back. Each state takes each event: `exited` without a
/// process, or `tick` with nothing due, is a harmless race and changes nothing.
public struct ComponentMachine: Sendable, Hashable {
    public enum State: Sendable, Hashable {
        /// Not to be started, or over.
        case stopped
        /// To be started as soon as what it stands on is ready.
        case waiting
        case running(since: Int64)
        /// Ended by itself; it is started again at a time.
        case backingOff(until: Int64)
        /// Told to end at `since`.
        case stopping(since: Int64)
    }

    public enum Action: Sendable, Hashable {
        case start
        case terminate
        case kill
        case none
    }

    public private(set) var state: State = .waiting
    /// How often it ended by itself.
    public private(set) var restarts = 0
    /// The pause before the next start.
    private var pause = Self.firstPause

    /// The pause after the first end; it doubles with each further one.
    public static let firstPause: Int64 = 100_000_000
    public static let longestPause: Int64 = 30_000_000_000
    /// Who ran for so long is trusted again: the pause starts over.
    public static let provenAfter: Int64 = 60_000_000_000
    /// What a process gets between SIGTERM and SIGKILL.
    public static let gracePeriod: Int64 = 10_000_000_000

    public init() {}

    /// What it stands on is ready.
    public mutating func prerequisitesReady(at now: Int64) -> Action {
        guard self.state == .waiting else { return .none }
        self.state = .running(since: now)
        return .start
    }

    /// The process ended, or could not be started.
    public mutating func exited(at now: Int64) -> Action {
        switch self.state {
        case .running(let since):
            if now - since >= Self.provenAfter { self.pause = Self.firstPause }
            self.restarts += 1
            self.state = .backingOff(until: now + self.pause)
            self.pause = min(self.pause * 2, Self.longestPause)
        case .stopping:
            self.state = .stopped
        case .stopped, .waiting, .backingOff:
            break
        }
        return .none
    }

    /// It is to end.
    public mutating func stop(at now: Int64) -> Action {
        switch self.state {
        case .running:
            self.state = .stopping(since: now)
            return .terminate
        case .waiting, .backingOff:
            self.state = .stopped
        case .stopped, .stopping:
            break
        }
        return .none
    }

    /// Time has passed.
    public mutating func tick(at now: Int64) -> Action {
        switch self.state {
        case .backingOff(let until) where now >= until:
            self.state = .running(since: now)
            return .start
        case .stopping(let since) where now >= since + Self.gracePeriod:
            self.state = .stopping(since: now)
            return .kill
        case .stopped, .waiting, .running, .backingOff, .stopping:
            return .none
        }
    }

    /// When `tick` has something to do next; nil for never.
    public var deadline: Int64? {
        switch self.state {
        case .backingOff(let until): until
        case .stopping(let since): since + Self.gracePeriod
        case .stopped, .waiting, .running: nil
        }
    }

    /// The word that people are shown.
    public var word: String {
        switch self.state {
        case .stopped: "stopped"
        case .waiting: "waiting"
        case .running: "running"
        case .backingOff: "restarting"
        case .stopping: "stopping"
        }
    }
}
