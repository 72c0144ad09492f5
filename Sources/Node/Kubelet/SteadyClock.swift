// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc

/// Time since the machine's start: it goes on evenly, whatever is done to the time of day. For what
/// begins and ends within this process, such as back-off of pulls and rates.
enum SteadyClock {
    /// Nanoseconds, sleep of the machine included.
    static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
