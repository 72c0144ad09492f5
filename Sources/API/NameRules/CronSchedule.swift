// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The times at which a CronJob runs.
///
/// Five fields (minute, hour, day of month, month, day of week) or a descriptor such as `@daily` or
/// `@every 1h30m`. Parsing is in CronSchedule+Parsing.swift.
///
/// Source: robfig/cron v3.0.1, the parser that upstream uses.
public enum CronSchedule: Sendable, Hashable {
    /// Times by their fields.
    case fields(Fields)
    /// A fixed distance, in whole seconds and at least one.
    case every(seconds: Int64)

    /// The values of each field that match. Bit n stands for the value n.
    public struct Fields: Sendable, Hashable {
        /// 0 to 59.
        public var minutes: UInt64
        /// 0 to 23.
        public var hours: UInt64
        /// 1 to 31.
        public var daysOfMonth: UInt64
        /// 1 to 12.
        public var months: UInt64
        /// 0 (Sunday) to 6.
        public var daysOfWeek: UInt64
        /// Whether the day of the month was given as `*` or `?`.
        public var anyDayOfMonth: Bool
        /// Whether the day of the week was given as `*` or `?`.
        public var anyDayOfWeek: Bool
        /// The zone named by `TZ=` or `CRON_TZ=`, or nil.
        public var timeZone: String?

        /// Whether the schedule runs on a day.
        ///
        /// When both kinds of days are restricted either is enough; else both must match.
        public func matches(dayOfMonth: Int, dayOfWeek: Int) -> Bool {
            let month = self.daysOfMonth >> UInt64(dayOfMonth) & 1 == 1
            let week = self.daysOfWeek >> UInt64(dayOfWeek) & 1 == 1
            return self.anyDayOfMonth || self.anyDayOfWeek ? month && week : month || week
        }
    }
}

/// Why a text is no schedule. The description is upstream's.
public struct CronScheduleError: Error, Sendable, Hashable, CustomStringConvertible {
    public let description: String
}

extension Formats {
    /// The faults of the schedule of a CronJob.
    ///
    /// - Parameters:
    ///   - allowsTimeZone: whether `TZ=` may stand in it, as in objects from before 1.27.
    ///   - hasTimeZone: whether the CronJob also has a `timeZone`.
    ///   - isKnown: whether a zone is in the time zone database of the system.
    ///
    /// Source: upstream `pkg/apis/batch/validation/validation.go`.
    public static func cronSchedule(
        _ path: FieldPath,
        _ schedule: String,
        allowsTimeZone: Bool = false,
        hasTimeZone: Bool = false,
        isKnown: (String) -> Bool
    ) -> [FieldError] {
        var errors: [FieldError] = []
        do {
            _ = try CronSchedule(parsing: schedule, isKnownTimeZone: isKnown)
        } catch {
            errors.append(.invalid(path, .string(schedule), error.description))
        }
        var last: UInt8 = 0
        var namesTimeZone = false
        for byte in schedule.utf8 {
            if last == UInt8(ascii: "T"), byte == UInt8(ascii: "Z") { namesTimeZone = true }
            last = byte
        }
        if namesTimeZone, allowsTimeZone, hasTimeZone {
            errors.append(
                .invalid(
                    path,
                    .string(schedule),
                    "cannot use both timeZone field and TZ or CRON_TZ in schedule"
                )
            )
        } else if namesTimeZone, !allowsTimeZone {
            errors.append(
                .invalid(
                    path,
                    .string(schedule),
                    "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
                )
            )
        }
        return errors
    }
}
