// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Scalars

extension CronSchedule {
    /// The longest text of a schedule that is read, in bytes.
    public static let maximumTextBytes = 4096

    /// Reads a schedule.
    ///
    /// - Parameter isKnownTimeZone: whether a zone named in the text is in the time zone database.
    public init(
        parsing text: String,
        isKnownTimeZone: (String) -> Bool
    ) throws(CronScheduleError) {
        if text.isEmpty { throw CronScheduleError(description: "empty spec string") }
        guard text.utf8.count <= Self.maximumTextBytes else {
            throw CronScheduleError(
                description: "spec string is longer than \(Self.maximumTextBytes) bytes"
            )
        }
        var rest = text[...]
        var timeZone: String?
        if text.utf8.starts(with: "TZ=".utf8) || text.utf8.starts(with: "CRON_TZ=".utf8) {
            let (zone, after) = try Self.timeZone(of: text, isKnownTimeZone)
            timeZone = zone
            rest = after
        }
        if rest.utf8.first == UInt8(ascii: "@") {
            self = try Self.descriptor(String(rest), timeZone)
            return
        }
        let words = rest.unicodeScalars.split(whereSeparator: \.properties.isWhitespace)
        guard words.count == 5 else {
            let shown = words.map { String($0) }.joined(separator: " ")
            throw CronScheduleError(
                description: "expected exactly 5 fields, found \(words.count): [\(shown)]"
            )
        }
        let minutes = try CronField.minutes.parse(String(words[0]))
        let hours = try CronField.hours.parse(String(words[1]))
        let daysOfMonth = try CronField.daysOfMonth.parse(String(words[2]))
        let months = try CronField.months.parse(String(words[3]))
        let daysOfWeek = try CronField.daysOfWeek.parse(String(words[4]))
        self = .fields(
            Fields(
                minutes: minutes.bits,
                hours: hours.bits,
                daysOfMonth: daysOfMonth.bits,
                months: months.bits,
                daysOfWeek: daysOfWeek.bits,
                anyDayOfMonth: daysOfMonth.isAny,
                anyDayOfWeek: daysOfWeek.isAny,
                timeZone: timeZone
            )
        )
    }

    /// The zone that starts the text, and what follows it.
    private static func timeZone(
        of text: String,
        _ isKnown: (String) -> Bool
    ) throws(CronScheduleError) -> (String, Substring) {
        // Upstream panics without a space here.
        guard let equals = text.utf8.firstIndex(of: UInt8(ascii: "=")),
            let space = text.utf8.firstIndex(of: UInt8(ascii: " ")), equals < space
        else {
            throw CronScheduleError(description: "expected a space after the time zone: \(text)")
        }
        let zone = String(text[text.utf8.index(after: equals)..<space])
        guard ["", "UTC", "Local"].contains(zone) || isKnown(zone) else {
            let climbs =
                zone.utf8.first == UInt8(ascii: "/") || zone.utf8.first == UInt8(ascii: "\\")
                || zone.split(whereSeparator: { $0 == "/" || $0 == "\\" }).contains("..")
            let reason = climbs ? "time: invalid location name" : "unknown time zone \(zone)"
            throw CronScheduleError(description: "provided bad location \(zone): \(reason)")
        }
        var rest = text[space...]
        while let first = rest.unicodeScalars.first, first.properties.isWhitespace {
            rest.unicodeScalars.removeFirst()
        }
        while let last = rest.unicodeScalars.last, last.properties.isWhitespace {
            rest.unicodeScalars.removeLast()
        }
        return (zone, rest)
    }

    /// The schedule of a word that starts with `@`.
    private static func descriptor(
        _ text: String,
        _ timeZone: String?
    ) throws(CronScheduleError) -> CronSchedule {
        // Everything, at midnight: what each descriptor narrows.
        var fields = Fields(
            minutes: 1,
            hours: 1,
            daysOfMonth: CronField.daysOfMonth.all,
            months: CronField.months.all,
            daysOfWeek: CronField.daysOfWeek.all,
            anyDayOfMonth: true,
            anyDayOfWeek: true,
            timeZone: timeZone
        )
        switch text {
        case "@yearly", "@annually":
            fields.months = 1 << 1
            fields.daysOfMonth = 1 << 1
            fields.anyDayOfMonth = false
        case "@monthly":
            fields.daysOfMonth = 1 << 1
            fields.anyDayOfMonth = false
        case "@weekly":
            fields.daysOfWeek = 1
            fields.anyDayOfWeek = false
        case "@daily", "@midnight":
            break
        case "@hourly":
            fields.hours = CronField.hours.all
        default:
            return try self.interval(text)
        }
        return .fields(fields)
    }

    /// The schedule `@every DURATION`.
    private static func interval(_ text: String) throws(CronScheduleError) -> CronSchedule {
        guard text.utf8.starts(with: "@every ".utf8) else {
            throw CronScheduleError(description: "unrecognized descriptor: \(text)")
        }
        do throws(GoDurationError) {
            let duration = try GoDuration(
                parsing: String(text.utf8.dropFirst("@every ".utf8.count)) ?? ""
            )
            return .every(seconds: max(1, duration.nanoseconds / 1_000_000_000))
        } catch {
            throw CronScheduleError(
                description: "failed to parse duration \(text): \(error.description)"
            )
        }
    }
}

/// The range and the names of one field.
private struct CronField {
    let low: Int
    let high: Int
    let names: [String]

    /// The value that the first name stands for.
    let firstNamed: Int

    static let minutes = CronField(low: 0, high: 59, names: [], firstNamed: 0)
    static let hours = CronField(low: 0, high: 23, names: [], firstNamed: 0)
    static let daysOfMonth = CronField(low: 1, high: 31, names: [], firstNamed: 0)
    static let months = CronField(
        low: 1,
        high: 12,
        names: [
            "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
        ],
        firstNamed: 1
    )
    static let daysOfWeek = CronField(
        low: 0,
        high: 6,
        names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
        firstNamed: 0
    )

    /// A set of values, and whether it was written as a star.
    typealias Values = (bits: UInt64, isAny: Bool)

    /// All values of the field.
    var all: UInt64 { self.bits(self.low, self.high, step: 1) }

    /// Reads ranges with commas between them.
    func parse(_ text: String) throws(CronScheduleError) -> Values {
        var values: Values = (0, false)
        for range in text.split(at: UInt8(ascii: ",")) where !range.isEmpty {
            let part = try self.parseRange(String(range))
            values.bits |= part.bits
            values.isAny = values.isAny || part.isAny
        }
        return values
    }

    /// Reads `N`, `N-M`, `*` or `?`, with an optional step after a slash.
    private func parseRange(_ text: String) throws(CronScheduleError) -> Values {
        let rangeAndStep = text.split(at: UInt8(ascii: "/"))
        let ends = String(rangeAndStep[0]).split(at: UInt8(ascii: "-"))
        var start = self.low
        var end = self.high
        var isAny = ends[0] == "*" || ends[0] == "?"
        if !isAny {
            start = try self.number(String(ends[0]))
            switch ends.count {
            case 1: end = start
            case 2: end = try self.number(String(ends[1]))
            default: throw CronScheduleError(description: "too many hyphens: \(text)")
            }
        }
        var step = 1
        switch rangeAndStep.count {
        case 1: break
        case 2:
            step = try Self.integer(String(rangeAndStep[1]))
            if ends.count == 1 { end = self.high }
            if step > 1 { isAny = false }
        default: throw CronScheduleError(description: "too many slashes: \(text)")
        }
        if let fault = self.fault(start, end, step) {
            throw CronScheduleError(description: "\(fault): \(text)")
        }
        return (self.bits(start, end, step: step), isAny)
    }

    /// What is wrong with a range, or nil.
    private func fault(_ start: Int, _ end: Int, _ step: Int) -> String? {
        if start < self.low {
            return "beginning of range (\(start)) below minimum (\(self.low))"
        }
        if end > self.high { return "end of range (\(end)) above maximum (\(self.high))" }
        if start > end { return "beginning of range (\(start)) beyond end of range (\(end))" }
        return step == 0 ? "step of range should be a positive number" : nil
    }

    private func bits(_ start: Int, _ end: Int, step: Int) -> UInt64 {
        var bits: UInt64 = 0
        for value in stride(from: start, through: end, by: max(1, step)) {
            bits |= 1 << UInt64(value)
        }
        return bits
    }

    /// Reads a name or a number.
    private func number(_ text: String) throws(CronScheduleError) -> Int {
        if let index = self.names.firstIndex(of: text.lowercased()) {
            return self.firstNamed + index
        }
        return try Self.integer(text)
    }

    private static func integer(_ text: String) throws(CronScheduleError) -> Int {
        switch GoInteger.parse(text) {
        case .success(let value):
            guard value >= 0 else {
                throw CronScheduleError(
                    description: "negative number (\(value)) not allowed: \(text)"
                )
            }
            return Int(value)
        case .failure(let fault):
            throw CronScheduleError(
                description: "failed to parse int from \(text): "
                    + fault.message(function: "Atoi", text)
            )
        }
    }
}
