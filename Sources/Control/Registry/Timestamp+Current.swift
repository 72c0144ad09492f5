// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
package import Scalars

extension Timestamp {
    /// The time of day.
    package static func current() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(seconds: Int64(time.tv_sec), nanoseconds: Int32(time.tv_nsec))
    }
}
