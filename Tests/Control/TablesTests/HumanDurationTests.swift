// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Scalars
import Tables
import Testing

@Suite("HumanDuration")
struct HumanDurationTests {
    @Test(
        "reads as kubectl shows it",
        arguments: [
            (-2, "<invalid>"), (-1, "0s"), (0, "0s"), (1, "1s"), (119, "119s"), (120, "2m"),
            (121, "2m1s"), (599, "9m59s"), (600, "10m"), (10_799, "179m"), (10_800, "3h"),
            (10_861, "3h1m"), (28_799, "7h59m"), (28_800, "8h"), (172_799, "47h"),
            (172_800, "2d"), (176_400, "2d1h"), (691_199, "7d23h"), (691_200, "8d"),
            (63_071_999, "729d"), (63_072_000, "2y"), (63_158_400, "2y1d"),
            (252_287_999, "7y364d"), (252_288_000, "8y"),
        ] as [(Int64, String)]
    )
    func text(_ seconds: Int64, _ text: String) {
        #expect(HumanDuration.text(seconds: seconds) == text)
    }

    @Test("counts whole seconds towards zero")
    func fractions() {
        let start = Timestamp(seconds: 10, nanoseconds: 900_000_000)
        let end = Timestamp(seconds: 15, nanoseconds: 100_000_000)
        #expect(HumanDuration.text(from: start, to: end) == "4s")
        #expect(HumanDuration.text(from: end, to: start) == "<invalid>")
    }
}
