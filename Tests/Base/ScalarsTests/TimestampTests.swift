// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Scalars
import Testing

@Suite("Timestamp") struct TimestampTests {
    @Test("parses", arguments: TimestampCase.valid)
    func parses(_ sample: TimestampCase) throws {
        let expected = Timestamp(seconds: sample.seconds, nanoseconds: sample.nanoseconds)
        #expect(try Timestamp(parsing: sample.text, as: sample.layout) == expected)
    }

    @Test("refuses with Go's words", arguments: TimestampErrorCase.all)
    func refuses(_ sample: TimestampErrorCase) {
        let error = #expect(throws: TimestampError.self) {
            try Timestamp(parsing: sample.text, as: sample.layout)
        }
        #expect(error?.description == sample.message)
    }

    @Test(
        "prints",
        arguments: [
            (Timestamp(seconds: 0), "1970-01-01T00:00:00Z"),
            (Timestamp(seconds: 1_136_214_245), "2006-01-02T15:04:05Z"),
            (Timestamp(seconds: -1), "1969-12-31T23:59:59Z"),
            (Timestamp.zero, "0001-01-01T00:00:00Z"),
            (Timestamp(seconds: -62_167_219_200), "0000-01-01T00:00:00Z"),
            (Timestamp(seconds: -62_167_219_201), "-0001-12-31T23:59:59Z"),
            (Timestamp(seconds: 253_402_300_799), "9999-12-31T23:59:59Z"),
            (Timestamp(seconds: 253_402_300_800), "10000-01-01T00:00:00Z"),
            (Timestamp(seconds: 951_782_400), "2000-02-29T00:00:00Z"),
            (Timestamp(seconds: 4_107_542_400), "2100-03-01T00:00:00Z"),
            (Timestamp(seconds: .max), "292277026596-12-04T15:30:07Z"),
            (Timestamp(seconds: .min), "-292277022657-01-27T08:29:52Z"),
        ]
    )
    func prints(_ timestamp: Timestamp, _ text: String) {
        #expect(timestamp.text(as: .time) == text)
        var bytes: [UInt8] = []
        timestamp.write(to: &bytes, as: .microTime)
        #expect(String(decoding: bytes, as: UTF8.self) == text.dropLast() + ".000000Z")
    }

    @Test(
        "prints fractions",
        arguments: [
            (Int32(0), "", ".000000"), (1, ".000000001", ".000000"), (999, ".000000999", ".000000"),
            (1_000, ".000001", ".000001"), (120_000_000, ".12", ".120000"),
            (999_999_999, ".999999999", ".999999"), (500_000_000, ".5", ".500000"),
            // Out of range, as a message from the wire may have them.
            (-1, "", ".000000"), (.max, ".999999999", ".999999"), (.min, "", ".000000"),
        ]
    )
    func printsFractions(_ nanoseconds: Int32, _ shortest: String, _ micro: String) {
        let timestamp = Timestamp(seconds: 86_399, nanoseconds: nanoseconds)
        #expect(timestamp.text(as: .time) == "1970-01-01T23:59:59Z")
        #expect(timestamp.text(as: .nanoseconds) == "1970-01-01T23:59:59\(shortest)Z")
        #expect(timestamp.text(as: .microTime) == "1970-01-01T23:59:59\(micro)Z")
    }

    @Test("round-trips every day of four centuries, and agrees with the calendar's rules")
    func everyDay() throws {
        var seconds = try Timestamp(parsing: "1799-12-31T12:34:56Z", as: .time).seconds
        var (year, month, day) = (1799, 12, 31)
        for _ in 0..<146_097 {
            let text = Timestamp(seconds: seconds).text(as: .time)
            let date = "\(year)-\(padded(month))-\(padded(day))"
            #expect(text == "\(date)T12:34:56Z")
            #expect(try Timestamp(parsing: text, as: .time).seconds == seconds)
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
            day += 1
            if day > lengths[month - 1] {
                (month, day) = (month + 1, 1)
            }
            if month > 12 {
                (year, month) = (year + 1, 1)
            }
            seconds += 86_400
        }
        #expect(year == 2199)
    }

    @Test("agrees with Python's datetime", .enabled(if: Fixture.hasPython))
    func pythonOracle() throws {
        let script = """
            import random, datetime as d
            z = d.datetime(1970, 1, 1, tzinfo=d.timezone.utc)
            for _ in range(3000):
                o = random.randrange(-1439, 1440)
                t = d.datetime(random.randrange(2, 9999), random.randrange(1, 13),
                    random.randrange(1, 29), random.randrange(24), random.randrange(60),
                    random.randrange(60), random.randrange(1000000),
                    d.timezone(d.timedelta(minutes=o)))
                n = (t - z) // d.timedelta(microseconds=1)
                print(t.isoformat(timespec='microseconds'), n)
            """
        let lines = try #require(Fixture.lines(ofCommand: "python3 -c \"\(script)\""))
        #expect(lines.count == 3000)
        for line in lines {
            let fields = line.split(separator: " ")
            let microseconds = try #require(Int64(fields[1]))
            let timestamp = try Timestamp(parsing: String(fields[0]), as: .microTime)
            let actual = timestamp.seconds * 1_000_000 + Int64(timestamp.nanoseconds / 1_000)
            #expect(actual == microseconds, "\(line)")
            let whole = try Timestamp(parsing: String(fields[0]), as: .time)
            #expect(whole == Timestamp(seconds: timestamp.seconds))
            let text = timestamp.text(as: .microTime)
            #expect(try Timestamp(parsing: text, as: .microTime) == timestamp)
        }
    }

    @Test("quotes at most a kibibyte of a bad text", arguments: [1023, 1024, 1025])
    func quotedLimit(_ count: Int) {
        let text = String(repeating: "x", count: count)
        let shown = count > 1024 ? String(repeating: "x", count: 1024) + "..." : text
        let message =
            "parsing time \"\(shown)\" as \"2006-01-02T15:04:05Z07:00\": "
            + "cannot parse \"\(shown)\" as \"2006\""
        let error = #expect(throws: TimestampError.self) {
            try Timestamp(parsing: text, as: .time)
        }
        #expect(error?.description == message)
    }

    @Test("orders and tells zero")
    func order() {
        #expect(Timestamp.zero.isZero)
        #expect(!Timestamp(seconds: 0).isZero)
        #expect(Timestamp(seconds: 1) > Timestamp(seconds: 0, nanoseconds: 999_999_999))
        #expect(Timestamp(seconds: -1, nanoseconds: 1) > Timestamp(seconds: -1))
    }
}

private func padded(_ number: Int) -> String {
    number < 10 ? "0\(number)" : "\(number)"
}

struct TimestampCase: Sendable, CustomTestStringConvertible {
    let text: String
    let layout: Timestamp.Layout
    let seconds: Int64
    var nanoseconds: Int32 = 0

    init(_ text: String, _ layout: Timestamp.Layout, _ seconds: Int64, _ nanoseconds: Int32 = 0) {
        self.text = text
        self.layout = layout
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    var testDescription: String { "\(self.text) as \(self.layout)" }

    static let valid: [TimestampCase] = [
        .init("1970-01-01T00:00:00Z", .time, 0),
        .init("2006-01-02T15:04:05Z", .time, 1_136_214_245),
        .init("2006-01-02T15:04:05+07:00", .time, 1_136_189_045),
        .init("2006-01-02T15:04:05-07:00", .time, 1_136_239_445),
        .init("2006-01-02T15:04:05+00:00", .time, 1_136_214_245),
        .init("2006-01-02T15:04:05-00:00", .time, 1_136_214_245),
        .init("2006-01-02T15:04:05.999999999Z", .time, 1_136_214_245),
        .init("2006-01-02T15:04:05,5Z", .time, 1_136_214_245),
        .init("2006-01-02T15:04:05.1234567890123Z", .time, 1_136_214_245),
        // Go takes an hour of one digit.
        .init("2006-01-02T5:04:05Z", .time, 1_136_178_245),
        // Offsets of 24 hours and 60 minutes are in use, says Go.
        .init("2006-01-02T15:04:05+24:60", .time, 1_136_214_245 - 25 * 3_600),
        .init("2006-01-02T15:04:05-24:00", .time, 1_136_214_245 + 24 * 3_600),
        .init("0000-01-01T00:00:00Z", .time, -62_167_219_200),
        .init("0000-01-01T00:00:00+01:00", .time, -62_167_222_800),
        .init("0000-02-29T00:00:00Z", .time, -62_162_121_600),
        .init("0001-01-01T00:00:00Z", .time, -62_135_596_800),
        .init("9999-12-31T23:59:59Z", .time, 253_402_300_799),
        .init("9999-12-31T23:59:59-01:00", .time, 253_402_304_399),
        .init("2000-02-29T00:00:00Z", .time, 951_782_400),
        .init("2024-02-29T23:59:59Z", .time, 1_709_251_199),
        .init("1969-12-31T23:59:59Z", .time, -1),
        .init("1582-10-10T00:00:00Z", .time, -12_219_724_800),
        .init("2006-01-02T15:04:05.000000Z", .microTime, 1_136_214_245),
        .init("2006-01-02T15:04:05.123456Z", .microTime, 1_136_214_245, 123_456_000),
        .init("2006-01-02T15:04:05.000001+07:00", .microTime, 1_136_189_045, 1_000),
        .init("2006-01-02T15:04:05,999999Z", .microTime, 1_136_214_245, 999_999_000),
        // Go reads the six places as a number, which may have a sign.
        .init("2006-01-02T15:04:05.+12345Z", .microTime, 1_136_214_245, 12_345_000),
        .init("2006-01-02T15:04:05.-00000Z", .microTime, 1_136_214_245),
        .init("1969-12-31T23:59:59.999999Z", .microTime, -1, 999_999_000),
        .init("2006-01-02T15:04:05Z", .nanoseconds, 1_136_214_245),
        .init("2006-01-02T15:04:05.1Z", .nanoseconds, 1_136_214_245, 100_000_000),
        .init("2006-01-02T15:04:05.123456789+07:00", .nanoseconds, 1_136_189_045, 123_456_789),
        .init("2006-01-02T15:04:05.9999999999Z", .nanoseconds, 1_136_214_245, 999_999_999),
        .init("2006-01-02T15:04:05.000000001Z", .nanoseconds, 1_136_214_245, 1),
    ]
}

struct TimestampErrorCase: Sendable, CustomTestStringConvertible {
    let text: String
    let layout: Timestamp.Layout
    let message: String

    /// Go cannot make an element of the layout out of the rest of the text.
    static func element(
        _ text: String,
        _ rest: String,
        _ element: String,
        _ layout: Timestamp.Layout = .time
    ) -> TimestampErrorCase {
        let name =
            switch layout {
            case .time: "2006-01-02T15:04:05Z07:00"
            case .microTime: "2006-01-02T15:04:05.000000Z07:00"
            case .nanoseconds: "2006-01-02T15:04:05.999999999Z07:00"
            }
        let message = "as \"\(name)\": cannot parse \"\(rest)\" as \"\(element)\""
        return self.whole(text, "parsing time \"\(text)\" \(message)", layout)
    }

    /// A number is out of range.
    static func range(
        _ text: String,
        _ name: String,
        _ layout: Timestamp.Layout = .time
    ) -> TimestampErrorCase {
        self.whole(text, "parsing time \"\(text)\": \(name) out of range", layout)
    }

    static func whole(
        _ text: String,
        _ message: String,
        _ layout: Timestamp.Layout = .time
    ) -> TimestampErrorCase {
        TimestampErrorCase(text: text, layout: layout, message: message)
    }

    var testDescription: String { "\(self.text) as \(self.layout)" }

    static let all: [TimestampErrorCase] = [
        .element("", "", "2006"),
        .element("200", "200", "2006"),
        .element("20060102T150405Z", "0102T150405Z", "-"),
        .element("x006-01-02T15:04:05Z", "x006-01-02T15:04:05Z", "2006"),
        .element("20x6-01-02T15:04:05Z", "20x6-01-02T15:04:05Z", "2006"),
        .element("-006-01-02T15:04:05Z", "-006-01-02T15:04:05Z", "2006"),
        .element("10000-01-01T00:00:00Z", "0-01-01T00:00:00Z", "-"),
        .element("2006", "", "-"),
        .element("2006/01/02", "/01/02", "-"),
        .element("2006-", "", "01"),
        .element("2006-1-02T15:04:05Z", "1-02T15:04:05Z", "01"),
        .element("2006-01", "", "-"),
        .element("2006-01-2T15:04:05Z", "2T15:04:05Z", "02"),
        .element("2006-01-02", "", "T"),
        .element("2006-01-02 15:04:05Z", " 15:04:05Z", "T"),
        .element("2006-01-02t15:04:05Z", "t15:04:05Z", "T"),
        .element("2006-01-02T", "", "15"),
        .element("2006-01-02Tx", "x", "15"),
        .element("2006-01-02T15", "", ":"),
        .element("2006-01-02T15:4:05Z", "4:05Z", "04"),
        .element("2006-01-02T15:04", "", ":"),
        .element("2006-01-02T15:04:5Z", "5Z", "05"),
        .element("2006-01-02T15:04:05", "", "Z07:00"),
        .element("2006-01-02T15:04:05z", "z", "Z07:00"),
        .element("2006-01-02T15:04:05+0700", "+0700", "Z07:00"),
        .element("2006-01-02T15:04:05+7:00", "+7:00", "Z07:00"),
        .element("2006-01-02T15:04:05 07:00", " 07:00", "Z07:00"),
        .element("2006-01-02T15:04:05+0x:00", "+0x:00", "Z07:00"),
        .element("2006-01-02T15:04:05+07:0x", "+07:0x", "Z07:00"),
        .element("2006-01-02T15:04:05.Z", ".Z", "Z07:00"),
        .element("2006-01-02T15:04:05.", ".", "Z07:00"),
        .range("2006-00-02T15:04:05Z", "month"),
        .range("2006-13-02T15:04:05Z", "month"),
        .range("2006-01-00T15:04:05Z", "day"),
        .range("2006-01-32T15:04:05Z", "day"),
        .range("2006-02-29T15:04:05Z", "day"),
        .range("1900-02-29T15:04:05Z", "day"),
        .range("2006-04-31T15:04:05Z", "day"),
        .range("2006-01-02T24:00:00Z", "hour"),
        .range("2006-01-02T15:60:05Z", "minute"),
        .range("2016-12-31T23:59:60Z", "second"),
        .range("2006-01-02T15:04:05+25:00", "time zone offset hour"),
        .range("2006-01-02T15:04:05+07:61", "time zone offset minute"),
        .range("2006-01-02T15:04:05+25:61", "time zone offset minute"),
        // The day is looked at last.
        .element("2006-02-30T15:04:05", "", "Z07:00"),
        .whole(
            "2006-02-30T15:04:05Z!",
            "parsing time \"2006-02-30T15:04:05Z!\": extra text: \"!\""
        ),
        .whole(
            "2006-01-02T15:04:05ZZ",
            "parsing time \"2006-01-02T15:04:05ZZ\": extra text: \"Z\""
        ),
        .whole(
            "2006-01-02T15:04:05Z\n",
            "parsing time \"2006-01-02T15:04:05Z\\x0a\": extra text: \"\\x0a\""
        ),
        .whole(
            "\"\\\u{E9}",
            "parsing time \"\\\"\\\\\\xc3\\xa9\" as \"2006-01-02T15:04:05Z07:00\": "
                + "cannot parse \"\\\"\\\\\\xc3\\xa9\" as \"2006\""
        ),
        .element("2006-01-02T15:04:05Z", "Z", ".000000", .microTime),
        .element("2006-01-02T15:04:05.12345Z", ".12345Z", ".000000", .microTime),
        .element("2006-01-02T15:04:05.1234567Z", "7Z", "Z07:00", .microTime),
        .element("2006-01-02T15:04:05.12345", ".12345", ".000000", .microTime),
        .element("2006-01-02T15:04:05.123456", "", "Z07:00", .microTime),
        .element("2006-01-02T15:04:05:123456Z", ":123456Z", ".000000", .microTime),
        .range("2006-01-02T15:04:05.-12345Z", "fractional second", .microTime),
        .element("2006-01-02T15:04:05.Z", ".Z", "Z07:00", .nanoseconds),
        .element("2006-01-02", "", "T", .nanoseconds),
    ]
}
