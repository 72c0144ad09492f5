// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Testing

@testable import RPC

@Suite("GRPCTimeout")
struct GRPCTimeoutTests {
    @Test(
        "reads every unit",
        arguments: [
            ("1n", 1), ("1u", 1000), ("1m", 1_000_000), ("1S", 1_000_000_000),
            ("1M", 60_000_000_000), ("1H", 3_600_000_000_000), ("0n", 0),
            ("00000007S", 7_000_000_000),
            ("99999999n", 99_999_999), ("99999999m", 99_999_999_000_000),
            // 2,562,047 hours are the most that fit.
            ("2562047H", 9_223_369_200_000_000_000), ("2562048H", Int64.max),
            ("99999999H", Int64.max),
        ] as [(String, Int64)]
    )
    func parses(_ text: String, _ nanoseconds: Int64) {
        #expect(GRPCTimeout.parse(text) == nanoseconds)
    }

    @Test(
        "refuses what is malformed",
        arguments: [
            "", "1", "S", "1s", "1h", "-1S", "+1S", " 1S", "1S ", "1.5S", "1 S", "999999999S",
            "123456789n", "1Sn", "n1", "0x1S", "١S", "1\u{0}",
        ]
    )
    func refuses(_ text: String) {
        #expect(GRPCTimeout.parse(text) == nil)
    }

    @Test(
        "writes the finest unit that fits, rounded up",
        arguments: [
            (1, "1n"), (99_999_999, "99999999n"), (100_000_000, "100000u"),
            (100_000_001, "100001u"), (99_999_999_000, "99999999u"),
            (99_999_999_001, "100000m"), (99_999_999_000_000, "99999999m"),
            (99_999_999_000_001, "100000S"), (99_999_999_000_000_000, "99999999S"),
            (99_999_999_000_000_001, "1666667M"), (Int64.max, "153722868M"), (0, "1n"), (-5, "1n"),
            (Int64.min, "1n"),
        ] as [(Int64, String)]
    )
    func formats(_ nanoseconds: Int64, _ text: String) {
        // Int64.max nanoseconds are 153,722,868 minutes, which has nine digits: hours then.
        let expected = nanoseconds == Int64.max ? "2562048H" : text
        #expect(GRPCTimeout.format(nanoseconds: nanoseconds) == expected)
    }

    @Test("never writes a shorter time than it was given")
    func neverShorter() {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<10_000 {
            let bits = Int.random(in: 1...62, using: &generator)
            let value = Int64.random(in: 1...(Int64(1) << bits), using: &generator)
            let text = GRPCTimeout.format(nanoseconds: value)
            let back = GRPCTimeout.parse(text) ?? -1
            #expect(back >= value, "\(value) became \(text)")
            #expect(text.utf8.count <= 9)
        }
    }
}
