// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import RPCInterface

/// When a client connects, and what becomes of calls meanwhile. No I/O and no clock.
///
/// ```
///            submit              connected
///    idle ──────────▶ connecting ──────────▶ ready
///     ▲                  │    ▲                │
///     │   timer, nobody  │    │ timer, calls   │ connection lost or draining
///     └───────────────── ▼    │ wait           ▼
///                      backingOff            idle
/// ```
struct ConnectionMachine {
    enum Phase: Equatable {
        case idle
        case connecting
        case ready
        case backingOff
        case closed
    }

    private(set) var phase: Phase = .idle
    /// Attempts that failed since the last success.
    private(set) var failures = 0
    private let backoff: RPCBackoff
    private var generator: SeededGenerator

    init(backoff: RPCBackoff, seed: UInt64) {
        self.backoff = backoff
        self.generator = SeededGenerator(seed: seed)
    }

    enum OnSubmit: Equatable {
        /// Start the call on the connection.
        case open
        /// Keep the call until something changes.
        case wait
        /// Keep the call and connect.
        case connectAndWait
        /// Fail it: the last attempt to connect has, and the next one is not due.
        case failUnreachable
        /// Fail it: the client is closed.
        case failClosed
    }

    /// A call wants a connection.
    mutating func submit(waitsForReady: Bool) -> OnSubmit {
        switch self.phase {
        case .idle:
            self.phase = .connecting
            return .connectAndWait
        case .connecting: return .wait
        case .ready: return .open
        case .backingOff: return waitsForReady ? .wait : .failUnreachable
        case .closed: return .failClosed
        }
    }

    enum OnConnected: Equatable {
        /// Start the calls that wait.
        case openWaiting
        /// Close the connection again.
        case close
    }

    /// An attempt to connect succeeded.
    mutating func connected() -> OnConnected {
        guard self.phase == .connecting else { return .close }
        self.failures = 0
        self.phase = .ready
        return .openWaiting
    }

    enum OnConnectFailed: Equatable {
        /// Fail the calls that do not wait for ready, and look again after this time.
        case failImpatient(retryNanoseconds: Int64)
        case none
    }

    /// An attempt to connect failed.
    mutating func connectFailed() -> OnConnectFailed {
        guard self.phase == .connecting else { return .none }
        self.failures += 1
        self.phase = .backingOff
        let wait = self.backoff.nanoseconds(
            afterFailures: self.failures,
            using: &self.generator
        )
        return .failImpatient(retryNanoseconds: wait)
    }

    enum OnTimer: Equatable {
        case connect
        case none
    }

    /// The time after a failed attempt is over. Nobody connects for nobody.
    mutating func timer(hasWaitingCalls: Bool) -> OnTimer {
        guard self.phase == .backingOff else { return .none }
        self.phase = hasWaitingCalls ? .connecting : .idle
        return hasWaitingCalls ? .connect : .none
    }

    /// The connection is gone, or takes no more calls.
    mutating func connectionLost() {
        if self.phase == .ready { self.phase = .idle }
    }

    /// The client is closed.
    mutating func close() { self.phase = .closed }
}
