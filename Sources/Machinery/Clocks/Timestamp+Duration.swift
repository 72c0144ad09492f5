// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Scalars

extension Timestamp {
    /// The time from `earlier` to this; negative when that is later.
    public func since(_ earlier: Timestamp) -> Duration {
        .seconds(self.seconds - earlier.seconds)
            + .nanoseconds(Int64(self.nanoseconds) - Int64(earlier.nanoseconds))
    }

    /// This time moved by `duration`.
    public func advanced(by duration: Duration) -> Timestamp {
        let (seconds, attoseconds) = duration.components
        let nanoseconds = Int64(self.nanoseconds) + attoseconds / 1_000_000_000
        let carry = nanoseconds < 0 ? -1 : nanoseconds / 1_000_000_000
        return Timestamp(
            seconds: self.seconds + seconds + carry,
            nanoseconds: Int32(nanoseconds - carry * 1_000_000_000)
        )
    }
}
