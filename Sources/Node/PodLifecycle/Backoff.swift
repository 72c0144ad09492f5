// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Growing pauses between repeated attempts, by key.
///
/// Time is nanoseconds on the caller's clock.
///
/// Source: client-go `util/flowcontrol/backoff.go`.
package struct Backoff: Sendable {
    private struct Entry {
        var pause: Duration
        var lastUpdate: Int64
    }

    package let initial: Duration
    package let maximum: Duration
    /// An entry that was not touched for so long counts no more.
    package let expiry: Duration
    private var entries: [String: Entry] = [:]

    /// Containers that crash: 10 s to 5 minutes, forgotten after running for 10 minutes.
    package static let crashLoop = Backoff(
        initial: .seconds(10),
        maximum: .seconds(300),
        expiry: .seconds(600)
    )

    /// Images that cannot be pulled.
    package static let imagePull = Backoff(
        initial: .seconds(10),
        maximum: .seconds(300),
        expiry: .seconds(600)
    )

    package init(initial: Duration, maximum: Duration, expiry: Duration) {
        self.initial = initial
        self.maximum = maximum
        self.expiry = expiry
    }

    /// The pause of `key`; zero without an entry.
    package func pause(of key: String) -> Duration { self.entries[key]?.pause ?? .zero }

    /// What is left of the pause after an attempt that ended at `event`; nil when there is none.
    package func remaining(of key: String, since event: Int64, now: Int64) -> Duration? {
        guard let entry = self.entries[key] else { return nil }
        if event - entry.lastUpdate > self.expiry.nanoseconds { return nil }
        // The clock may have been set back since: nobody waits longer than the whole pause.
        let left = entry.pause.nanoseconds - max(0, now - event)
        return left > 0 ? .nanoseconds(left) : nil
    }

    /// Notes an attempt after the one that ended at `event`.
    package mutating func next(_ key: String, event: Int64, now: Int64) {
        guard var entry = self.entries[key],
            event - entry.lastUpdate <= self.expiry.nanoseconds
        else {
            self.entries[key] = Entry(pause: self.initial, lastUpdate: now)
            return
        }
        entry.pause = min(entry.pause * 2, self.maximum)
        entry.lastUpdate = now
        self.entries[key] = entry
    }

    /// Forgets `key`.
    package mutating func reset(_ key: String) { self.entries[key] = nil }

    /// Forgets every key that `isGone` says so of.
    package mutating func removeAll(where isGone: (String) -> Bool) {
        self.entries = self.entries.filter { !isGone($0.key) }
    }
}

extension Duration {
    /// In nanoseconds; what does not fit is cut to the limits.
    package var nanoseconds: Int64 {
        let (seconds, attoseconds) = self.components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return seconds < 0 ? .min : .max }
        return scaled + attoseconds / 1_000_000_000
    }

    /// As Go prints a duration of whole seconds: `10s`, `1m20s`, `5m0s`.
    package var goText: String {
        let seconds = self.components.seconds
        if seconds < 60 { return "\(seconds)s" }
        if seconds < 3600 { return "\(seconds / 60)m\(seconds % 60)s" }
        return "\(seconds / 3600)h\(seconds / 60 % 60)m\(seconds % 60)s"
    }
}
