// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Scalars

/// Times of log lines.
enum LogTime {
    /// Nanoseconds since 1970 of an RFC 3339 time; nil when the text is none.
    static func nanoseconds(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        let parsed = bytes.withUnsafeBytes { try? Timestamp(parsing: $0, as: .nanoseconds) }
        guard let time = parsed else { return nil }
        return time.seconds &* 1_000_000_000 &+ Int64(time.nanoseconds)
    }
}
