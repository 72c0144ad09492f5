// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import Scalars

/// The time of day.
enum WallClock {
    /// Nanoseconds since 1970.
    static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// The longest that anything waits for a time of day: a pause runs on a clock that goes on evenly,
    /// and the time of day may be set meanwhile. Afterwards it is looked at anew.
    static let longestPause: Duration = .seconds(300)

    /// How long to wait for a second since 1970, or until it is looked at anew whether it has come.
    ///
    /// - Parameter now: nanoseconds since 1970.
    static func pause(untilSecond second: Int64, now: Int64) -> Duration {
        min(max(.zero, .seconds(second) - .nanoseconds(now)), self.longestPause)
    }

    static var timestamp: Timestamp {
        let now = Self.now
        return Timestamp(
            seconds: now / 1_000_000_000,
            nanoseconds: Int32(now % 1_000_000_000)
        )
    }
}

extension Duration {
    /// As Go prints a duration rounded to milliseconds: `3ms`, `1.234s`.
    var millisecondText: String {
        let (seconds, attoseconds) = self.components
        let milliseconds = seconds * 1000 + attoseconds / 1_000_000_000_000_000
        if milliseconds < 1000 { return "\(milliseconds)ms" }
        let rest = milliseconds % 1000
        if rest == 0 { return "\(milliseconds / 1000)s" }
        var digits = "\(rest)"
        digits = String(repeating: "0", count: 3 - digits.utf8.count) + digits
        while digits.hasSuffix("0") { digits.removeLast() }
        return "\(milliseconds / 1000).\(digits)s"
    }
}
