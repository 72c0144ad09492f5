// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// A day of the proleptic Gregorian calendar: the calendar of today, also for days before 1582.
struct CivilDate: Equatable, Sendable {
    var year: Int64
    /// 1 to 12.
    var month: Int
    /// 1 to 31.
    var day: Int

    static let secondsPerDay: Int64 = 86_400

    /// Days of 400 years: the calendar repeats after these.
    private static let daysPerEra: Int64 = 146_097
    /// From 1 March of the year 0, where eras are counted from, to 1 January 1970.
    private static let daysFromEraToUnixEpoch: Int64 = 719_468

    init(year: Int64, month: Int, day: Int) {
        self.year = year
        self.month = month
        self.day = day
    }

    /// The date of a day counted from 1 January 1970. Any day that a 64-bit count of seconds can
    /// name is fine.
    init(daysSinceUnixEpoch days: Int64) {
        // Years are counted from March, so that the leap day is the last of its year.
        let sinceEra = days + CivilDate.daysFromEraToUnixEpoch
        let era = floorDivide(sinceEra, CivilDate.daysPerEra)
        let dayOfEra = sinceEra - era * CivilDate.daysPerEra
        // Take out the leap days that have passed: one in 1,461 days, not in 36,524, yet in 146,097.
        let yearOfEra =
            (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        // Five months from March or August have 153 days.
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let monthStart = (153 * monthFromMarch + 2) / 5
        self.day = Int(dayOfYear - monthStart) + 1
        self.month = Int(monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9)
        self.year = yearOfEra + era * 400 + (self.month <= 2 ? 1 : 0)
    }

    /// Days from 1 January 1970. The year is at most a few million away from it.
    var daysSinceUnixEpoch: Int64 {
        let marchYear = self.month <= 2 ? self.year - 1 : self.year
        let era = floorDivide(marchYear, 400)
        let yearOfEra = marchYear - era * 400
        let monthFromMarch = Int64(self.month > 2 ? self.month - 3 : self.month + 9)
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + Int64(self.day) - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * CivilDate.daysPerEra + dayOfEra - CivilDate.daysFromEraToUnixEpoch
    }

    /// The number of days of a month.
    static func days(inMonth month: Int, ofYear year: Int64) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

/// The quotient rounded down. The divisor is positive.
func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
}
