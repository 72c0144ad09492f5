// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import GoldenRows
import NameRules
import Testing

@Suite("Cron schedule") struct CronScheduleTests {
    /// The form in which the recorded answers show a schedule.
    private func text(_ schedule: CronSchedule) -> String {
        switch schedule {
        case .every(let seconds):
            return String(seconds * 1_000_000_000)
        case .fields(let fields):
            let star: UInt64 = 1 << 63
            let days = fields.daysOfMonth | (fields.anyDayOfMonth ? star : 0)
            let week = fields.daysOfWeek | (fields.anyDayOfWeek ? star : 0)
            // Only the stars of days matter; the others are dropped from the records.
            return [fields.minutes, fields.hours, days, fields.months, week]
                .map { String($0, radix: 16) }.joined(separator: " ")
        }
    }

    /// A record without the stars of minutes, hours and months.
    private func normalized(_ record: String) -> String {
        let words = record.split(separator: " ")
        guard words.count == 5 else { return record }
        return words.enumerated()
            .map { index, word in
                let bits = UInt64(word, radix: 16) ?? 0
                return String(index == 2 || index == 4 ? bits : bits & ~(1 << 63), radix: 16)
            }
            .joined(separator: " ")
    }

    @Test("reads and refuses as upstream")
    func golden() throws {
        for row in try Golden.rows("cron.tsv", atLeast: 80) {
            do throws(CronScheduleError) {
                let schedule = try CronSchedule(parsing: row[0]) { _ in false }
                #expect(row[1] == "ok", "\(row[0].debugDescription)")
                #expect(self.text(schedule) == self.normalized(row[2]), "\(row[0])")
            } catch {
                #expect(row[1] == "error", "\(row[0].debugDescription): \(error)")
                #expect(error.description == row[2])
            }
        }
    }

    @Test("takes zones that the database has")
    func zones() throws {
        let schedule = try CronSchedule(parsing: "CRON_TZ=Asia/Tokyo @weekly") {
            $0 == "Asia/Tokyo"
        }
        guard case .fields(let fields) = schedule else {
            Issue.record("not fields")
            return
        }
        #expect(fields.timeZone == "Asia/Tokyo")
        #expect(fields.daysOfWeek == 1)
        let error = #expect(throws: CronScheduleError.self) {
            try CronSchedule(parsing: "TZ=Mars/X @weekly") { _ in false }
        }
        #expect(
            error?.description == "provided bad location Mars/X: unknown time zone Mars/X"
        )
    }

    @Test("does not trap on a zone without a space")
    func zoneAlone() {
        for text in ["TZ=UTC", "CRON_TZ=UTC", "TZ=", "CRON_TZ="] {
            #expect(throws: CronScheduleError.self) {
                try CronSchedule(parsing: text) { _ in true }
            }
        }
    }

    @Test("has a limit")
    func limit() throws {
        let room = CronSchedule.maximumTextBytes - 8
        let fits = "0 0 * * " + String(repeating: "1,", count: room / 2)
        #expect(fits.utf8.count == CronSchedule.maximumTextBytes)
        _ = try CronSchedule(parsing: fits) { _ in true }
        #expect(throws: CronScheduleError.self) {
            try CronSchedule(parsing: fits + "1") { _ in true }
        }
    }

    @Test("matches days as cron does")
    func days() throws {
        func matches(_ text: String, _ day: Int, _ weekday: Int) throws -> Bool {
            guard
                case .fields(let fields) = try CronSchedule(
                    parsing: text,
                    isKnownTimeZone: { _ in
                        false
                    }
                )
            else { return false }
            return fields.matches(dayOfMonth: day, dayOfWeek: weekday)
        }
        #expect(try matches("0 0 1 * *", 1, 3))
        #expect(try !matches("0 0 1 * *", 2, 3))
        #expect(try matches("0 0 * * 1", 9, 1))
        #expect(try !matches("0 0 * * 1", 9, 2))
        // Both restricted: either is enough.
        #expect(try matches("0 0 1 * 1", 1, 5))
        #expect(try matches("0 0 1 * 1", 7, 1))
        #expect(try !matches("0 0 1 * 1", 7, 2))
    }

    @Test("may not name a zone twice or at all")
    func validation() {
        func errors(_ text: String, allows: Bool, has: Bool) -> [String] {
            Formats.cronSchedule(
                "f",
                text,
                allowsTimeZone: allows,
                hasTimeZone: has,
                isKnown: { _ in true }
            ).map(\.detail)
        }
        let forbidden = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
        #expect(errors("0 0 * * *", allows: false, has: true) == [])
        #expect(errors("TZ=UTC 0 0 * * *", allows: false, has: false) == [forbidden])
        #expect(errors("TZ=UTC 0 0 * * *", allows: true, has: false) == [])
        #expect(
            errors("TZ=UTC 0 0 * * *", allows: true, has: true)
                == ["cannot use both timeZone field and TZ or CRON_TZ in schedule"]
        )
        #expect(errors("xTZ", allows: false, has: false).count == 2)
    }
}
