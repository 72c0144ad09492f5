// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Testing
import YAML

@Suite("YAML text") struct TextTests {
    @Test(
        "prints",
        arguments: [
            ("null", "null\n"), ("true", "true\n"), ("1", "1\n"), ("\"a\"", "a\n"),
            ("\"\"", "\"\"\n"),
            ("{}", "{}\n"), ("[]", "[]\n"), ("[[]]", "- []\n"), ("[[1,[2]]]", "- - 1\n  - - 2\n"),
            ("{\"a\":[{\"b\":1,\"c\":2}]}", "a:\n- b: 1\n  c: 2\n"),
            (" [ 1 , 2 ] \n", "- 1\n- 2\n"),
            ("[{\"a\":{\"b\":[1]}}]", "- a:\n    b:\n    - 1\n"),
            ("\"a\\nb\\n\"", "|\n  a\n  b\n"), ("18446744073709551615", "18446744073709551615\n"),
            ("1e400", "1e400\n"), ("-0", "0\n"), ("1.0", "1\n"), ("{\"a\":1,\"a\":2}", "a: 2\n"),
            // Where upstream fails or garbles: surrogate pairs, DEL, C1 controls, NEL.
            ("\"\\ud83d\\ude00\"", "\"\\U0001F600\"\n"), ("\"\\ud83d\"", "�\n"),
            ("\"\\ude00\\ud83d\\u0041\"", "��A\n"),
            ("\"\\ud83d\\ud83d\\ude00\"", "\"�\\U0001F600\"\n"),
            ("\"\u{7F}\"", "\"\\x7F\"\n"), ("\"\u{80}\"", "\"\\x80\"\n"),
            ("\"a\u{85}b\"", "\"a\\Nb\"\n"),
            ("\"\u{FFFE}\"", "\"\\uFFFE\"\n"), ("\"\\/\\b\\f\\r\"", "\"/\\b\\f\\r\"\n"),
            ("\"\u{FEFF}a\"", "\"\\uFEFF\\x61\"\n"),
        ]
    )
    func prints(_ json: String, _ yaml: String) throws {
        #expect(string(try YAML.text(fromJSON: Array(json.utf8))) == yaml)
    }

    @Test(
        "refuses what is no JSON",
        arguments: [
            ("", 0), (" ", 1), ("{", 1), ("[", 1), ("[1", 2), ("[1,", 3), ("[1,]", 3), ("[,1]", 1),
            ("{,}", 1),
            ("{a:1}", 1), ("{\"a\"}", 4), ("{\"a\":}", 5), ("{\"a\":1,}", 7), ("{\"a\" 1}", 5),
            ("]", 0),
            ("1 2", 2), ("01", 0), ("-01", 1), ("-", 1), ("1.", 2), ("1.e5", 2), (".5", 0),
            ("1e", 2), ("1e+", 3),
            ("+1", 0), ("tru", 0), ("nul", 0), ("True", 0), ("NaN", 0), ("\"", 1), ("\"\\", 1),
            ("\"\\x\"", 1),
            ("\"\\u12\"", 1), ("\"\\u12g4\"", 1), ("\"a\nb\"", 2), ("'a'", 0), ("[1}", 2),
            ("{\"a\":1]", 6),
            ("\"\u{1}\"", 1), ("// c\n1", 0), ("[1 2]", 3), ("{\"a\":1 \"b\":2}", 7),
        ]
    )
    func refuses(_ json: String, _ offset: Int) {
        let error = #expect(throws: YAMLError.self) { try YAML.text(fromJSON: Array(json.utf8)) }
        guard case .invalidJSON(offset, _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test(
        "refuses invalid UTF-8",
        arguments: [
            [0x80], [0xC3], [0xC0, 0x80], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80],
            [0xF4, 0x90, 0x80, 0x80],
            [0xF0, 0x80, 0x80, 0x80], [0xFF], [0xE2, 0x82],
        ] as [[UInt8]]
    )
    func invalidUTF8(_ bytes: [UInt8]) {
        let json = [UInt8(ascii: "\"")] + bytes + [UInt8(ascii: "\"")]
        #expect(throws: YAMLError.invalidJSON(offset: 1, problem: "invalid UTF-8")) {
            try YAML.text(fromJSON: json)
        }
        #expect(throws: YAMLError.self) { try YAML.json(from: json) }
    }

    @Test("reads back what it prints, for random values")
    func roundTrip() throws {
        var generator = Generator(seed: UInt64.random(in: 0...(.max)))
        let seed = generator.state
        for _ in 0..<3_000 {
            var json: [UInt8] = []
            generator.appendValue(to: &json, depth: 5)
            let text = try YAML.text(fromJSON: json)
            let back = try YAML.json(from: text)
            #expect(try YAML.text(fromJSON: back) == text, "seed \(seed): \(string(json))")
        }
    }

    @Test("agrees with PyYAML about what it writes", .enabled(if: Fixture.hasPyYAML))
    func pyYAML() throws {
        let seed = UInt32.random(in: 0...(.max))
        let script = "\(Fixture.directory)/pyyaml_oracle.py"
        let output = try #require(Fixture.output(ofCommand: "python3 '\(script)' 600 \(seed)"))
        let pairs = output.split(separator: 0x1D)
        #expect(pairs.count == 600)
        for pair in pairs {
            let parts = pair.split(separator: 0x1E)
            let json = string(try YAML.json(from: Array(parts[1])))
            #expect(json == string(parts[0]), "seed \(seed): \(string(parts[1]))")
        }
    }
}

/// Random JSON out of a seed.
private struct Generator {
    var state: UInt64

    init(seed: UInt64) {
        self.state = seed
    }

    mutating func next(below bound: Int) -> Int {
        self.state = self.state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((self.state >> 33) % UInt64(bound))
    }

    mutating func appendValue(to out: inout [UInt8], depth: Int) {
        switch self.next(below: depth > 0 ? 8 : 5) {
        case 0: out += "null".utf8
        case 1: out += (self.next(below: 2) == 0 ? "true" : "false").utf8
        case 2:
            out +=
                ["0", "-7", "12", "1.5", "2.5e-9", "1e30", "18446744073709551615"][
                    self.next(below: 7)
                ].utf8
        case 3, 4: self.appendString(to: &out)
        case 5, 6:
            out.append(UInt8(ascii: "{"))
            for index in 0..<self.next(below: 5) {
                if index > 0 { out.append(UInt8(ascii: ",")) }
                self.appendString(to: &out, isKey: true)
                out.append(UInt8(ascii: ":"))
                self.appendValue(to: &out, depth: depth - 1)
            }
            out.append(UInt8(ascii: "}"))
        default:
            out.append(UInt8(ascii: "["))
            for index in 0..<self.next(below: 5) {
                if index > 0 { out.append(UInt8(ascii: ",")) }
                self.appendValue(to: &out, depth: depth - 1)
            }
            out.append(UInt8(ascii: "]"))
        }
    }

    private static let pieces = [
        "a", "b", "Z", "0", "1", ".", " ", "  ", ":", "#", "-", "'", "\\\"", "\\\\", "\\n", "\\t",
        "\\r",
        "é", "😀", "\u{2028}", "\u{85}", "\u{FEFF}", "\u{7F}", ",", "[", "]", "{", "}", "&", "*",
        "!", "|",
        ">", "%", "@", "`", "true", "no", "null", "~", "=", "_", "\\u0000",
        "word word word word word ",
    ]

    private mutating func appendString(to out: inout [UInt8], isKey: Bool = false) {
        out.append(UInt8(ascii: "\""))
        for _ in 0..<self.next(below: 7) {
            out += Generator.pieces[self.next(below: Generator.pieces.count)].utf8
        }
        out.append(UInt8(ascii: "\""))
    }
}
