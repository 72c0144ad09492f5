// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import Scalars

/// Spans of time as people read them in tables: `45s`, `3m20s`, `5h`, `12d`.
///
/// Source: apimachinery `pkg/util/duration/duration.go`.
package enum HumanDuration {
    private static let minute: Int64 = 60
    private static let hour: Int64 = 3600
    private static let day: Int64 = 86_400
    private static let year: Int64 = 365 * 86_400
    /// Clocks may differ by so many seconds before a time counts as wrong.
    private static let tolerance: Int64 = 1

    /// The text of a span in whole seconds; a span that is negative by more than clocks differ is
    /// `<invalid>`.
    package static func text(seconds: Int64) -> String {
        if seconds < -self.tolerance { return "<invalid>" }
        if seconds < 0 { return "0s" }
        if seconds < 2 * self.minute { return "\(seconds)s" }
        if seconds < 10 * self.minute {
            return self.pair(seconds, self.minute, "m", 1, "s")
        }
        if seconds < 3 * self.hour { return "\(seconds / self.minute)m" }
        if seconds < 8 * self.hour {
            return self.pair(seconds, self.hour, "h", self.minute, "m")
        }
        if seconds < 2 * self.day { return "\(seconds / self.hour)h" }
        if seconds < 8 * self.day { return self.pair(seconds, self.day, "d", self.hour, "h") }
        if seconds < 2 * self.year { return "\(seconds / self.day)d" }
        if seconds < 8 * self.year { return self.pair(seconds, self.year, "y", self.day, "d") }
        return "\(seconds / self.year)y"
    }

    private static func pair(
        _ seconds: Int64,
        _ large: Int64,
        _ largeName: String,
        _ small: Int64,
        _ smallName: String
    ) -> String {
        let rest = seconds % large / small
        let head = "\(seconds / large)\(largeName)"
        return rest == 0 ? head : "\(head)\(rest)\(smallName)"
    }

    /// The span between two times.
    package static func text(from start: Timestamp, to end: Timestamp) -> String {
        var seconds = end.seconds - start.seconds
        // Towards zero, as integer division of nanoseconds does.
        let nanoseconds = end.nanoseconds - start.nanoseconds
        if seconds > 0 && nanoseconds < 0 { seconds -= 1 }
        if seconds < 0 && nanoseconds > 0 { seconds += 1 }
        return self.text(seconds: seconds)
    }
}
