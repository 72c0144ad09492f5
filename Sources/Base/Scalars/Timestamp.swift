// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// A moment: seconds and nanoseconds since 1 January 1970 in UTC, without leap seconds.
///
/// Parses and prints the RFC 3339 forms of Kubernetes' Time and MicroTime as Go's `time` package
/// does, error texts included.
public struct Timestamp: Sendable, Hashable {
    /// Seconds since 1 January 1970; any value.
    public var seconds: Int64
    /// Nanoseconds within the second, 0 to 999,999,999.
    public var nanoseconds: Int32

    public init(seconds: Int64, nanoseconds: Int32 = 0) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    /// 1 January of the year 1: Go's zero time, which Kubernetes takes for "not set" and writes as
    /// `null` in JSON.
    public static let zero = Timestamp(seconds: -62_135_596_800)

    /// Whether this is Go's zero time.
    public var isZero: Bool { self == .zero }

    /// A textual form.
    public enum Layout: Sendable, CaseIterable {
        /// `2006-01-02T15:04:05Z`. A fraction is accepted and dropped. Kubernetes' Time.
        case time
        /// `2006-01-02T15:04:05.000000Z`, always six digits, also on input. Kubernetes' MicroTime.
        case microTime
        /// `2006-01-02T15:04:05.999999999Z`: as many digits as needed. Logs.
        case nanoseconds

        /// The layout as Go names it.
        var goLayout: String {
            switch self {
            case .time: "2006-01-02T15:04:05Z07:00"
            case .microTime: "2006-01-02T15:04:05.000000Z07:00"
            case .nanoseconds: "2006-01-02T15:04:05.999999999Z07:00"
            }
        }
    }
}

extension Timestamp: Comparable {
    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
    }
}

/// Why a text is no time. The description is Go's.
public struct TimestampError: Error, Equatable, Sendable, CustomStringConvertible {
    public let description: String
}
