// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// A span of time in whole nanoseconds, at most 292 years either way, with the text of Go's
/// `time.Duration`: `1h30m0s`, `1.5s`, `100ms`.
///
/// This is the form of `metav1.Duration`, of flags and of component configuration.
public struct GoDuration: Sendable, Hashable {
    public var nanoseconds: Int64

    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    public static let zero = GoDuration(nanoseconds: 0)

    static let microsecond: UInt64 = 1_000
    static let millisecond: UInt64 = 1_000_000
    static let second: UInt64 = 1_000_000_000
    static let minute: UInt64 = 60_000_000_000
    static let hour: UInt64 = 3_600_000_000_000
}

extension GoDuration: Comparable {
    public static func < (left: GoDuration, right: GoDuration) -> Bool {
        left.nanoseconds < right.nanoseconds
    }
}

extension Duration {
    /// The same span as a standard duration.
    public init(_ duration: GoDuration) {
        self = .nanoseconds(duration.nanoseconds)
    }
}

/// Why a text is no duration. The description is Go's.
public struct GoDurationError: Error, Equatable, Sendable, CustomStringConvertible {
    public let description: String
}
