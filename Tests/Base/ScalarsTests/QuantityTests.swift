// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Scalars
import Testing

@Suite("Quantity") struct QuantityTests {
    @Test("reads and prints three thousand texts as kubectl does")
    func kubectlVectors() throws {
        let lines = try Fixture.lines(of: "quantity.kubectl.tsv")
        #expect(lines.count > 3000)
        for line in lines {
            let tab = try #require(line.lastIndex(of: "\t"))
            let input = String(line[..<tab])
            let expected = line[line.index(after: tab)...]
            #expect(answer(to: input) == expected, "\(input)")
            // JSON allows white space around a quantity.
            let isTrimmed = input.first?.isWhitespace == false && input.last?.isWhitespace == false
            let canonical = isTrimmed ? canonicalAnswer(to: input) : String(expected)
            #expect(canonical == expected, "canonicalize \(input)")
        }
    }

    @Test("computes as Python's big integers do", .enabled(if: Fixture.hasPython))
    func pythonOracle() throws {
        let seed = UInt32.random(in: 0...(.max))
        let script = "\(Fixture.directory)/quantity_oracle.py"
        let command = "python3 '\(script)' 4000 \(seed)"
        let lines = try #require(Fixture.lines(ofCommand: command))
        #expect(lines.count == 4000)
        for line in lines {
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
            #expect(try computed(from: fields) == fields, "seed \(seed)")
        }
    }

    @Test("tells canonical texts", arguments: CanonicalCase.all)
    func canonicalTexts(_ sample: CanonicalCase) throws {
        switch try Quantity.canonicalize(sample.text.utf8.span) {
        case .unchanged: #expect(sample.canonical == nil)
        case .changed(let quantity): #expect(quantity.text == sample.canonical)
        }
    }

    @Test(
        "ignores Unicode white space in JSON only",
        arguments: [
            " 1", "1 ", "\t\n1\r ", "\u{85}1\u{A0}", "\u{1680}1", "\u{2000}1\u{200A}",
            "\u{2028}1\u{2029}",
            "\u{202F}1\u{205F}", "\u{3000}1\u{3000}", "\u{B}1\u{C}",
        ]
    )
    func whiteSpace(_ text: String) throws {
        #expect(try Quantity(parsingJSON: text.utf8.span).text == "1")
        #expect(canonicalAnswer(to: text) == "1")
        #expect(throws: QuantityError.format) { try Quantity(parsing: text) }
    }

    @Test(
        "refuses what only looks like white space",
        arguments: [
            "\u{200B}1", "1\u{FEFF}", "\u{180E}1", "1\u{2007}x", "\u{A0}", " ", "",
        ]
    )
    func noWhiteSpace(_ text: String) {
        #expect(throws: QuantityError.format) { try Quantity(parsingJSON: text.utf8.span) }
        #expect(throws: QuantityError.format) { try Quantity.canonicalize(text.utf8.span) }
    }

    @Test("limits the length of a text", arguments: [-1, 0, 1])
    func textLimit(_ excess: Int) throws {
        let count = Quantity.maximumTextBytes + excess
        let text = String(repeating: "9", count: count)
        if excess > 0 {
            #expect(throws: QuantityError.tooLong) { try Quantity(parsing: text) }
        } else {
            #expect(try Quantity(parsing: text).text == text)
        }
    }

    @Test("limits the exponent", arguments: [-1, 0, 1])
    func exponentLimit(_ excess: Int) throws {
        let exponent = Quantity.maximumExponent + excess
        for digits in ["1", "1234567890123456789012"] {
            let text = "\(digits)e\(exponent)"
            if excess > 0 {
                #expect(throws: QuantityError.exponentTooLarge) { try Quantity(parsing: text) }
            } else {
                let quantity = try Quantity(parsing: text)
                #expect(quantity.format == .decimalExponent)
                #expect(quantity.compare(to: try Quantity(parsing: "1e1000")) == 1)
            }
        }
    }

    @Test(
        "takes any exponent of zero, and any negative one",
        arguments: [
            ("0e9223372036854775807", "0"), ("0e-9223372036854775808", "0"), ("-0.0e999999", "0"),
            ("1e-9223372036854775808", "1e-9"), ("-5e-4000", "-1e-9"),
            ("0.00000000000000000000e5000", "0"), ("99999999999999999999e-3000", "1e-9"),
        ]
    )
    func farExponents(_ text: String, _ canonical: String) throws {
        #expect(try Quantity(parsing: text).text == canonical)
    }

    @Test(
        "makes quantities from numbers",
        arguments: [
            (Quantity(0), "0"), (Quantity(1024), "1024"),
            (Quantity(1024, format: .binarySI), "1Ki"),
            (Quantity(1000), "1k"), (Quantity(milli: 1500), "1500m"), (Quantity(milli: 2000), "2"),
            (Quantity(milli: 2_048_000, format: .binarySI), "2Ki"),
            (Quantity(milli: 2_048_500, format: .binarySI), "2048500m"),
            (Quantity(5, scale: .nano), "5n"), (Quantity(5, scale: .exa), "5E"),
            (Quantity(7, scale: .micro, format: .decimalExponent), "7e-6"),
            (Quantity(.max), "9223372036854775807"), (Quantity(.min), "-9223372036854775808"),
            (Quantity(.min, format: .binarySI), "-9223372036854775808"),
            (Quantity(.max, scale: .init(rawValue: 1)), "92233720368547758070"),
        ]
    )
    func numbers(_ quantity: Quantity, _ text: String) {
        #expect(quantity.text == text)
        var bytes: [UInt8] = [0x22]
        quantity.write(to: &bytes)
        #expect(String(decoding: bytes.dropFirst(), as: UTF8.self) == text)
    }

    @Test("keeps its text until it changes")
    func keptText() throws {
        var quantity = try Quantity(parsing: "+1.500")
        #expect(quantity.text == "+1.500")
        var isExact = quantity.roundUp(to: .milli)
        #expect(isExact)
        #expect(quantity.text == "+1.500")
        isExact = quantity.roundUp(to: .unit)
        #expect(!isExact)
        #expect(quantity.text == "2")
        quantity = try Quantity(parsing: "+1.500")
        quantity.add(.zero)
        #expect(quantity.text == "1500m")
        quantity = try Quantity(parsing: "007")
        quantity.negate()
        #expect(quantity.text == "-7")
        quantity = try Quantity(parsing: "0012")
        quantity.multiply(by: 1)
        #expect(quantity.text == "12")
        quantity = try Quantity(parsing: "0012Gi")
        quantity.format = .decimalSI
        #expect(quantity.text == "12884901888")
    }

    @Test("survives the ends of the 64-bit range")
    func extremes() {
        let least = Quantity(.min)
        var quantity = least
        quantity.negate()
        #expect(quantity.text == "9223372036854775808")
        quantity = .zero
        quantity.subtract(least)
        #expect(quantity.text == "9223372036854775808")
        quantity = least
        quantity.add(least)
        #expect(quantity.text == "-18446744073709551616")
        quantity = least
        var fits = quantity.multiply(by: -1)
        #expect(!fits)
        #expect(quantity.text == "9223372036854775808")
        quantity = least
        fits = quantity.multiply(by: 1)
        #expect(fits)
        #expect(quantity.text == "-9223372036854775808")
        quantity = Quantity(.max)
        fits = quantity.multiply(by: .min)
        #expect(!fits)
        #expect(quantity.text == "-85070591730234615856620279821087277056")
        #expect(least.milliValue == 0)
        #expect(least.scaledValue(.exa) == -10)
        #expect(least.asInt64 == .min)
        #expect(Quantity(1, scale: .exa).milliValue == 0)
        #expect(Quantity(10, scale: .exa).value == 0)
        #expect(Quantity(1 << 62).milliValue == (1 << 62) &* 1000)
    }

    @Test("orders and hashes by value alone")
    func order() throws {
        let ascending = [
            "-1e30", "-16Ei", "-1Gi", "-1k", "-1", "-0.5", "0", "1n", "1u", "1m", "0.5", "1", "1k",
            "1Ki", "1M", "1Mi", "1E", "1Ei", "1e30", "1e1000",
        ]
        let quantities = try ascending.map { try Quantity(parsing: $0) }
        for (left, first) in quantities.enumerated() {
            for (right, second) in quantities.enumerated() {
                #expect((first < second) == (left < right))
                #expect((first == second) == (left == right))
            }
        }
        let same = ["1Ki", "1024", "1.024k", "1024000m", "0.0009765625Mi", "1024e0", "10.24e2"]
        #expect(Set(try same.map { try Quantity(parsing: $0) }).count == 1)
        #expect(Set(try ["0", "0Ki", "-0", "0e-20"].map { try Quantity(parsing: $0) }).count == 1)
    }

    @Test(
        "approximates",
        arguments: [
            ("1.5", 1.5), ("1Ki", 1024), ("100m", 0.1), ("-2.5Gi", -2_684_354_560), ("1e30", 1e30),
            ("123456789012345678901", 1.234_567_890_123_456_8e20), ("0", 0),
        ]
    )
    func approximateDouble(_ text: String, _ expected: Double) throws {
        let actual = try Quantity(parsing: text).approximateDouble
        #expect(abs(actual - expected) <= abs(expected) * 1e-15)
    }
}

/// A text, and its canonical form when that is another one.
struct CanonicalCase: Sendable, CustomTestStringConvertible {
    let text: String
    let canonical: String?

    var testDescription: String { self.text }

    static let all: [CanonicalCase] =
        [
            "100m", "128Mi", "1", "0", "250m", "64Mi", "1Gi", "8Gi", "16Gi",
            "-1", "+1", "007", "1.500", "1Pi", "7Ei", "100Ti", "10e3", "1e3", "12E", "1500m", "999",
            "1001", "-5Gi",
            "512Ki", "1e99", "1E3",
        ].map { CanonicalCase(text: $0, canonical: nil) }
        + [
            ("1024Mi", "1Gi"), ("0.1", "100m"), ("1000m", "1"), ("1.5", "1500m"), ("1000", "1k"),
            ("1.5Gi", "1536Mi"), ("0.5Ki", "512"), ("08Gi", "8Gi"),
            ("+8Gi", "8Gi"), ("0m", "0"), ("00", "0"), ("-0", "0"), ("8.Gi", "8Gi"),
            ("20Ei", "9223372036854775807"), ("1e2", "100"), ("1000E", "1"),
        ].map { CanonicalCase(text: $0, canonical: $1) }
}

/// What the parser makes of a text, in the form of the fixture.
private func answer(to text: String) -> String {
    do {
        return try Quantity(parsing: text).text
    } catch {
        return "!\(error)"
    }
}

/// What the JSON path makes of a text, in the form of the fixture.
private func canonicalAnswer(to text: String) -> String {
    do {
        switch try Quantity.canonicalize(text.utf8.span) {
        case .unchanged: return text
        case .changed(let quantity): return quantity.text
        }
    } catch {
        return "!\(error)"
    }
}

/// The fields of the oracle's line, computed from the first four.
private func computed(from fields: [Substring]) throws -> [Substring] {
    let first = try Quantity(parsing: String(fields[0]))
    let second = try Quantity(parsing: String(fields[1]))
    let factor = try #require(Int64(fields[2]))
    let scale = Quantity.Scale(rawValue: try #require(Int32(fields[3])))
    var sum = first
    sum.add(second)
    var difference = first
    difference.subtract(second)
    var negative = first
    negative.negate()
    var product = first
    let fits = product.multiply(by: factor)
    var rounded = first
    let isExact = rounded.roundUp(to: scale)
    let results: [String] = [
        first.text, sum.text, difference.text, negative.text, product.text, rounded.text,
        fits ? "1" : "0", isExact ? "1" : "0", "\(first.compare(to: second))", "\(first.value)",
        "\(first.milliValue)", "\(first.scaledValue(scale))",
        first.asInt64.map { "\($0)" } ?? "none", "\(difference.value)", "\(difference.milliValue)",
    ]
    return fields.prefix(4) + results.map { Substring($0) }
}
