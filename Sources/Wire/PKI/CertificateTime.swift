// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
internal import Scalars

/// A point in time as certificates carry it: whole seconds, UTC.
///
/// The bounds are what X.509 can express: years 0 to 9999 (RFC 5280 section 4.1.2.5).
public struct CertificateTime: Comparable, Hashable, Sendable {
    /// Seconds since 1970-01-01T00:00:00Z, not counting leap seconds.
    public let secondsSinceEpoch: Int64

    /// 0000-01-01T00:00:00Z.
    public static let minimum = CertificateTime(unchecked: -62_167_219_200)

    /// 9999-12-31T23:59:59Z, which RFC 5280 also uses for "no well-defined expiration date".
    public static let maximum = CertificateTime(unchecked: 253_402_300_799)

    /// The time so many seconds after the epoch, brought into `minimum...maximum`.
    public init(secondsSinceEpoch: Int64) {
        let least = CertificateTime.minimum.secondsSinceEpoch
        let greatest = CertificateTime.maximum.secondsSinceEpoch
        self.secondsSinceEpoch = min(max(secondsSinceEpoch, least), greatest)
    }

    private init(unchecked secondsSinceEpoch: Int64) {
        self.secondsSinceEpoch = secondsSinceEpoch
    }

    /// The machine's clock. Only shells call this; logic takes the time as an argument.
    public static func now() -> CertificateTime {
        var time = timespec()
        // CLOCK_REALTIME with a valid pointer cannot fail (clock_gettime(2)).
        clock_gettime(CLOCK_REALTIME, &time)
        return CertificateTime(secondsSinceEpoch: Int64(time.tv_sec))
    }

    public static func < (left: CertificateTime, right: CertificateTime) -> Bool {
        left.secondsSinceEpoch < right.secondsSinceEpoch
    }
}

// MARK: - Arithmetic

extension CertificateTime {
    /// The time `duration` later, or `maximum` (`minimum` for a negative duration).
    public func advanced(by duration: Duration) -> CertificateTime {
        let (sum, overflow) = self.secondsSinceEpoch.addingReportingOverflow(
            duration.components.seconds
        )
        if overflow { return duration < .zero ? .minimum : .maximum }
        return CertificateTime(secondsSinceEpoch: sum)
    }

    /// How much later `other` is.
    public func duration(to other: CertificateTime) -> Duration {
        // Both lie within ±2^38, so the difference fits.
        .seconds(other.secondsSinceEpoch - self.secondsSinceEpoch)
    }
}

// MARK: - Text

extension CertificateTime: CustomStringConvertible {
    /// RFC 3339 with a `Z`, such as `2026-01-31T08:00:00Z`.
    public var description: String {
        Timestamp(seconds: self.secondsSinceEpoch).text(as: .time)
    }
}
