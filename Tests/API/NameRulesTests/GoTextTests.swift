// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import GoldenRows
import NameRules
import Testing

@Suite("Go text") struct GoTextTests {
    @Test("is as Go writes it")
    func golden() throws {
        for row in try Golden.rows("go-text.tsv", atLeast: 100) {
            let actual: String
            switch row[0] {
            case "quote": actual = GoText.quoted(row[1])
            case "json": actual = GoText.json(row[1])
            case "float": actual = GoText.number(try #require(Double(row[1])))
            case "parseint":
                switch GoInteger.parse(row[1]) {
                case .success: actual = ""
                case .failure(let fault):
                    actual = fault.message(function: "ParseInt", row[1])
                }
            case "parseuint":
                switch GoInteger.parseUnsigned(row[1]) {
                case .success: actual = ""
                case .failure(let fault):
                    actual = fault.message(function: "ParseUint", row[1])
                }
            default:
                Issue.record("unknown function \(row[0])")
                continue
            }
            #expect(actual == row[2], "\(row[0]) of \(row[1].debugDescription)")
        }
    }

    @Test(
        "reads integers",
        arguments: [
            ("0", 0), ("-0", 0), ("+7", 7), ("007", 7), ("9223372036854775807", .max),
            ("-9223372036854775808", .min),
        ] as [(String, Int64)]
    )
    func integers(_ text: String, _ expected: Int64) throws {
        #expect(try GoInteger.parse(text).get() == expected)
    }

    @Test("shows what is not finite")
    func special() {
        #expect(GoText.number(.nan) == "NaN")
        #expect(GoText.number(.infinity) == "+Inf")
        #expect(GoText.number(-.infinity) == "-Inf")
    }
}
