// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import NameRules
package import Scalars

/// When a schedule is due. Pure.
///
/// Source: robfig/cron v3.0.1 `spec.go`.
package struct CronTimes {
    private let schedule: CronSchedule
    private let zone: TimeZoneRules

    package init(_ schedule: CronSchedule, _ zone: TimeZoneRules) {
        self.schedule = schedule
        self.zone = zone
    }

    /// A schedule that matches no day at all is given up after so many days.
    private static let maximumDays = 5 * 366

    /// The next time after `time`; nil when there is none within five years.
    package func next(after time: Timestamp) -> Timestamp? {
        switch self.schedule {
        case .every(let seconds): return Timestamp(seconds: time.seconds + max(seconds, 1))
        case .fields(let fields): return self.next(fields, after: time.seconds)
        }
    }

    private func next(_ fields: CronSchedule.Fields, after seconds: Int64) -> Timestamp? {
        // The first whole minute after the time.
        let start = (seconds / 60 + 1) * 60
        let local = start + Int64(self.zone.offset(at: start))
        var day = local.flooredQuotient(86_400)
        var minuteOfDay = Int(local - day * 86_400) / 60
        for _ in 0..<Self.maximumDays {
            let date = CivilDay(day)
            if fields.months >> UInt64(date.month) & 1 == 1,
                fields.matches(dayOfMonth: date.day, dayOfWeek: date.weekday)
            {
                for minute in minuteOfDay..<1440
                where fields.hours >> UInt64(minute / 60) & 1 == 1
                    && fields.minutes >> UInt64(minute % 60) & 1 == 1
                {
                    if let utc = self.utc(day * 86_400 + Int64(minute) * 60), utc > seconds {
                        return Timestamp(seconds: utc)
                    }
                }
            }
            day += 1
            minuteOfDay = 0
        }
        return nil
    }

    /// The point in time at which clocks in the zone show a time; nil when they skip it.
    private func utc(_ local: Int64) -> Int64? {
        for guess in [
            local - Int64(self.zone.offset(at: local - 50_400)),
            local - Int64(self.zone.offset(at: local + 50_400)),
        ]
        where guess + Int64(self.zone.offset(at: guess)) == local {
            return guess
        }
        return nil
    }
}

/// A day of the Gregorian calendar.
private struct CivilDay {
    let month: Int
    let day: Int
    /// 0 is Sunday.
    let weekday: Int

    /// - Parameter days: since 1970-01-01.
    init(_ days: Int64) {
        // Years from March on, in eras of 400: the leap day is the last of its year.
        let shifted = days + 719_468
        let era = shifted.flooredQuotient(146_097)
        let dayOfEra = shifted - era * 146_097
        let year = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * year + year / 4 - year / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        self.day = Int(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
        self.month = Int(shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9)
        self.weekday = Int((days % 7 + 11) % 7)
    }
}

extension Int64 {
    fileprivate func flooredQuotient(_ divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
