// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Glibc

/// A moment, as a log shows it.
struct LogTime: Sendable {
    /// Since 1970, in UTC.
    var seconds: Int64
    var nanoseconds: Int64
    /// The same in the machine's time zone.
    var month: Int
    var day: Int
    var hour: Int
    var minute: Int
    var second: Int

    /// The moment of the call.
    static func now() -> LogTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        var civil = tm()
        localtime_r(&time.tv_sec, &civil)
        return LogTime(
            seconds: Int64(time.tv_sec),
            nanoseconds: Int64(time.tv_nsec),
            month: Int(civil.tm_mon) + 1,
            day: Int(civil.tm_mday),
            hour: Int(civil.tm_hour),
            minute: Int(civil.tm_min),
            second: Int(civil.tm_sec)
        )
    }
}
