// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Scalars
import Testing

@Suite("Go duration") struct GoDurationTests {
    @Test(
        "parses",
        arguments: [
            ("0", 0), ("0s", 0), ("+0", 0), ("-0", 0), ("5s", 5_000_000_000),
            ("30s", 30_000_000_000),
            ("1478s", 1_478_000_000_000), ("-5s", -5_000_000_000), ("+5s", 5_000_000_000),
            ("5.0s", 5_000_000_000), ("5.6s", 5_600_000_000), ("5.s", 5_000_000_000),
            (".5s", 500_000_000), ("1.0s", 1_000_000_000), ("1.00s", 1_000_000_000),
            ("1.004s", 1_004_000_000), ("100.00100s", 100_001_000_000), ("10ns", 10),
            ("11us", 11_000),
            ("12µs", 12_000), ("12μs", 12_000), ("13ms", 13_000_000), ("14s", 14_000_000_000),
            ("15m", 900_000_000_000), ("16h", 57_600_000_000_000), ("3h30m", 12_600_000_000_000),
            ("10.5s4m", 250_500_000_000), ("-2m3.4s", -123_400_000_000),
            ("1h2m3s4ms5us6ns", 3_723_004_005_006), ("39h9m14.425s", 140_954_425_000_000),
            ("52763797000ns", 52_763_797_000), ("0.3333333333333333333h", 1_200_000_000_000),
            ("9007199254740993ns", 9_007_199_254_740_993),
            ("9223372036854775807ns", .max), ("9223372036854775.807us", .max),
            ("9223372036s854ms775us807ns", .max), ("-9223372036854775808ns", .min),
            ("-9223372036854775.808us", .min), ("-9223372036s854ms775us808ns", .min),
            ("0.100000000000000000000h", 360_000_000_000),
            ("0.830103483285477580700h", 2_988_372_539_827),
            ("1.9ns", 1), ("0.999999999ns", 0), ("1us1ns", 1_001), ("1s1s", 2_000_000_000),
            ("0.9223372036854775807s", 922_337_203), ("0.000000000000000000000000001h", 0),
            // Two halves of the range cancel out in Go.
            ("9223372036854775808ns9223372036854775808ns", 0),
        ] as [(String, Int64)]
    )
    func parses(_ text: String, _ nanoseconds: Int64) throws {
        #expect(try GoDuration(parsing: text).nanoseconds == nanoseconds)
    }

    @Test(
        "refuses with Go's words",
        arguments: [
            ("", "invalid duration \"\""), ("3", "missing unit in duration \"3\""),
            ("-", "invalid duration \"-\""), ("+", "invalid duration \"+\""),
            ("s", "invalid duration \"s\""), (".", "invalid duration \".\""),
            ("-.", "invalid duration \"-.\""), (".s", "invalid duration \".s\""),
            ("+.s", "invalid duration \"+.s\""), ("1d", "unknown unit \"d\" in duration \"1d\""),
            ("1.5", "missing unit in duration \"1.5\""), ("00", "missing unit in duration \"00\""),
            ("1H", "unknown unit \"H\" in duration \"1H\""),
            ("1 s", "unknown unit \" s\" in duration \"1 s\""),
            (" 1s", "invalid duration \" 1s\""), ("1s ", "unknown unit \"s \" in duration \"1s \""),
            ("1s-1s", "unknown unit \"s-\" in duration \"1s-1s\""),
            ("--1s", "invalid duration \"--1s\""),
            ("1.1.1s", "missing unit in duration \"1.1.1s\""),
            ("1e3s", "unknown unit \"e\" in duration \"1e3s\""),
            ("1s\u{FFFD}", "unknown unit \"s\\xef\\xbf\\xbd\" in duration \"1s\\xef\\xbf\\xbd\""),
            ("1\u{85}", "unknown unit \"\\xc2\\x85\" in duration \"1\\xc2\\x85\""),
            ("hello \u{FF} \"world\"", "invalid duration \"hello \\xc3\\xbf \\\"world\\\"\""),
            ("\u{0}x", "invalid duration \"\\x00x\""),
            ("9223372036854775810ns", "invalid duration \"9223372036854775810ns\""),
            ("9223372036854775808ns", "invalid duration \"9223372036854775808ns\""),
            ("-9223372036854775809ns", "invalid duration \"-9223372036854775809ns\""),
            ("9223372036854776us", "invalid duration \"9223372036854776us\""),
            ("3000000h", "invalid duration \"3000000h\""),
            ("9223372036854775.808us", "invalid duration \"9223372036854775.808us\""),
            ("9223372036854ms775us808ns", "invalid duration \"9223372036854ms775us808ns\""),
            ("99999999999999999999s", "invalid duration \"99999999999999999999s\""),
            ("2562047h48m", "invalid duration \"2562047h48m\""),
            ("1msec", "unknown unit \"msec\" in duration \"1msec\""),
            ("1µ", "unknown unit \"\\xc2\\xb5\" in duration \"1\\xc2\\xb5\""),
        ]
    )
    func refuses(_ text: String, _ message: String) {
        let error = #expect(throws: GoDurationError.self) {
            try GoDuration(parsing: text)
        }
        #expect(error?.description == "time: \(message)")
    }

    @Test(
        "prints",
        arguments: [
            (0, "0s"), (1, "1ns"), (999, "999ns"), (1_000, "1µs"), (1_100, "1.1µs"),
            (1_001, "1.001µs"),
            (999_999, "999.999µs"), (1_000_000, "1ms"), (2_200_000, "2.2ms"),
            (1_000_001, "1.000001ms"),
            (999_999_999, "999.999999ms"), (1_000_000_000, "1s"), (3_300_000_000, "3.3s"),
            (1_000_000_001, "1.000000001s"), (59_999_999_999, "59.999999999s"),
            (60_000_000_000, "1m0s"), (245_000_000_000, "4m5s"), (245_001_000_000, "4m5.001s"),
            (3_600_000_000_000, "1h0m0s"), (18_367_001_000_000, "5h6m7.001s"),
            (480_000_000_001, "8m0.000000001s"), (-1, "-1ns"), (-1_500_000, "-1.5ms"),
            (-90_000_000_000, "-1m30s"), (86_400_000_000_000, "24h0m0s"),
            (.max, "2562047h47m16.854775807s"), (.min, "-2562047h47m16.854775808s"),
        ] as [(Int64, String)]
    )
    func prints(_ nanoseconds: Int64, _ text: String) throws {
        let duration = GoDuration(nanoseconds: nanoseconds)
        #expect(duration.text == text)
        var bytes: [UInt8] = []
        duration.write(to: &bytes)
        #expect(bytes == Array(text.utf8))
        #expect(try GoDuration(parsing: text) == duration)
        #expect(Duration(duration) == .nanoseconds(nanoseconds))
    }

    @Test("round-trips random spans of any magnitude")
    func roundTrip() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            let bits = Int64(bitPattern: generator.next()) >> Int64.random(in: 0..<64)
            let duration = GoDuration(nanoseconds: bits)
            #expect(try GoDuration(parsing: duration.text) == duration, "\(bits)")
        }
    }

    @Test("orders")
    func order() {
        #expect(GoDuration(nanoseconds: -1) < .zero)
        #expect(GoDuration(nanoseconds: 2) > GoDuration(nanoseconds: 1))
    }
}
