// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// When the volumes of a pod are written anew: at once when something they are made from has changed,
/// and when a token in them is to be replaced. There is no polling.
struct VolumeRefresh: Sendable {
    /// The longest pause after failures.
    static let maximumPause: Duration = .seconds(122)

    /// Whether volumes may be behind what they are made from.
    var isStale = true
    private var due: ContinuousClock.Instant?
    private var failures = 0

    /// Until the next refresh; nil when nothing is planned.
    var pause: Duration? { self.due.map { max(.zero, $0 - .now) } }

    /// Whether it is time.
    var isDue: Bool { self.isStale || self.due.map { $0 <= .now } ?? false }

    /// The volumes are up to date.
    mutating func succeeded(next: Duration?) {
        self.failures = 0
        self.due = next.map { .now + $0 }
    }

    /// Something is missing; what was there stays. The pause doubles from half a second.
    mutating func failed() {
        let pause = Duration.milliseconds(500) * (1 << min(self.failures, 8))
        self.failures += 1
        self.due = .now + min(pause, Self.maximumPause)
    }
}
