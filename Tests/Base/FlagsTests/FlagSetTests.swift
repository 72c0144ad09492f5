// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Testing

@testable import Flags

@Suite("FlagSet")
struct FlagSetTests {
    static let text = Flag("text", shorthand: "t", default: "none", help: "a `WORD`")
    static let count = Flag("count", shorthand: "n", default: 7, help: "a number")
    static let verbose = Flag("verbose", shorthand: "v", default: false, help: "talk")
    static let quick = Flag("quick", shorthand: "q", default: true, help: "hurry")
    static let wait = Flag("wait-time", default: Duration.seconds(90), help: "how long")
    static let names = Flag("names", default: ["a"], help: "names")
    static let gates = Flag("feature-gates", default: [String: String](), help: "gates")
    static let secret = Flag("secret", default: "", help: "not shown", isHidden: true)
    static let set = FlagSet([
        text, count, verbose, quick, wait, names, gates, secret,
    ])

    /// The values of all flags and the arguments, as one line.
    static func summary(_ parsed: ParsedFlags) -> String {
        let gates = parsed[gates].sorted { $0.key < $1.key }.map { "\($0)=\($1)" }
        return "\(parsed[text]) \(parsed[count]) \(parsed[verbose]) \(parsed[quick]) "
            + "\(parsed[wait].components.seconds)s \(parsed[names]) \(gates) \(parsed.arguments)"
    }

    @Test(
        "fractions",
        arguments: [
            ("0.55", 0.55, "0.55"), ("1", 1, "1"), ("-2.5", -2.5, "-2.5"), ("1e-3", 0.001, "0.001"),
            ("0", 0, nil), ("", nil, nil), ("x", nil, nil), ("1,5", nil, nil), (" 1", nil, nil),
            ("inf", nil, nil), ("nan", nil, nil),
        ] as [(String, Double?, String?)]
    )
    func fractions(_ text: String, _ value: Double?, _ description: String?) {
        #expect(Double(flag: text) == value)
        #expect(Double(flag: text)?.flagDescription == description)
    }

    @Test(
        "reads pflag's grammar",
        arguments: [
            ("", "none 7 false true 90s [\"a\"] [] []"),
            ("--text x --count 3", "x 3 false true 90s [\"a\"] [] []"),
            ("--text=x --count=3", "x 3 false true 90s [\"a\"] [] []"),
            ("--text= a", " 7 false true 90s [\"a\"] [] [\"a\"]"),
            ("--text=a=b", "a=b 7 false true 90s [\"a\"] [] []"),
            ("--text --verbose", "--verbose 7 false true 90s [\"a\"] [] []"),
            ("-t x -n -3", "x -3 false true 90s [\"a\"] [] []"),
            ("-tx -n3", "x 3 false true 90s [\"a\"] [] []"),
            ("-t=x -n=3", "x 3 false true 90s [\"a\"] [] []"),
            ("-v", "none 7 true true 90s [\"a\"] [] []"),
            ("-vqtx", "x 7 true true 90s [\"a\"] [] []"),
            ("-vq=false", "none 7 true false 90s [\"a\"] [] []"),
            ("--verbose --quick=false", "none 7 true false 90s [\"a\"] [] []"),
            ("--verbose false", "none 7 true true 90s [\"a\"] [] [\"false\"]"),
            ("--quick=F --verbose=T", "none 7 true false 90s [\"a\"] [] []"),
            ("a --text x b", "x 7 false true 90s [\"a\"] [] [\"a\", \"b\"]"),
            ("a -- --text x", "none 7 false true 90s [\"a\"] [] [\"a\", \"--text\", \"x\"]"),
            ("- -v", "none 7 true true 90s [\"a\"] [] [\"-\"]"),
            ("--wait_time=2m", "none 7 false true 120s [\"a\"] [] []"),
            ("--wait-time 1h1m", "none 7 false true 3660s [\"a\"] [] []"),
            ("--text a --text b", "b 7 false true 90s [\"a\"] [] []"),
            ("--names x,y --names z", "none 7 false true 90s [\"x\", \"y\", \"z\"] [] []"),
            ("--names=", "none 7 false true 90s [] [] []"),
            (
                "--feature-gates A=true,B=false --feature-gates B=true",
                "none 7 false true 90s [\"a\"] [\"A=true\", \"B=true\"] []"
            ),
            ("--count 0x10", "none 16 false true 90s [\"a\"] [] []"),
            ("--count -0b11", "none -3 false true 90s [\"a\"] [] []"),
        ]
    )
    func reads(line: String, summary: String) throws {
        let words = line.split(separator: " ").map(String.init)
        #expect(Self.summary(try Self.set.parse(words)) == summary)
    }

    @Test(
        "says in pflag's words what is wrong",
        arguments: [
            ("--nothing", "unknown flag: --nothing"),
            ("--nothing=1", "unknown flag: --nothing"),
            ("-x", "unknown shorthand flag: 'x' in -x"),
            ("-vx", "unknown shorthand flag: 'x' in -vx"),
            ("--text", "flag needs an argument: --text"),
            ("-t", "flag needs an argument: 't' in -t"),
            ("-vt", "flag needs an argument: 't' in -vt"),
            ("--=x", "bad flag syntax: --=x"),
            ("---text", "bad flag syntax: ---text"),
            ("--count=x", "invalid argument \"x\" for \"-n, --count\" flag: expected int"),
            ("-nx", "invalid argument \"x\" for \"-n, --count\" flag: expected int"),
            ("--count=", "invalid argument \"\" for \"-n, --count\" flag: expected int"),
            (
                "--count=9223372036854775808",
                "invalid argument \"9223372036854775808\" for \"-n, --count\" flag: expected int"
            ),
            ("--count=--1", "invalid argument \"--1\" for \"-n, --count\" flag: expected int"),
            ("--count=0x-1", "invalid argument \"0x-1\" for \"-n, --count\" flag: expected int"),
            (
                "--verbose=maybe",
                "invalid argument \"maybe\" for \"-v, --verbose\" flag: expected true or false"
            ),
            (
                "--wait-time=5",
                "invalid argument \"5\" for \"--wait-time\" flag: expected duration"
            ),
            (
                "--feature-gates=A",
                "invalid argument \"A\" for \"--feature-gates\" flag: expected mapStringString"
            ),
            (
                "--feature-gates==true",
                "invalid argument \"=true\" for \"--feature-gates\" flag: expected mapStringString"
            ),
            ("--names=\"a", "invalid argument \"\"a\" for \"--names\" flag: expected strings"),
        ]
    )
    func refuses(line: String, message: String) {
        let words = line.split(separator: " ").map(String.init)
        let error = #expect(throws: FlagError.self) { try Self.set.parse(words) }
        #expect(error?.description == message)
    }

    @Test("stops at the first argument when asked to")
    func stops() throws {
        let words = ["-v", "sub", "--unknown", "-t"]
        let parsed = try Self.set.parse(words, stopsAtArgument: true)
        #expect(parsed[Self.verbose])
        #expect(parsed.arguments == ["sub", "--unknown", "-t"])
    }

    @Test("knows whether a flag occurred")
    func isSet() throws {
        let parsed = try Self.set.parse(["--count=7"])
        #expect(parsed.isSet(Self.count))
        #expect(!parsed.isSet(Self.text))
    }

    @Test(
        "reads lists with quotes",
        arguments: [
            ("a,b", ["a", "b"]), ("a,,b", ["a", "", "b"]), ("\"a,b\",c", ["a,b", "c"]),
            ("\"a\"\"b\"", ["a\"b"]), ("a,", ["a", ""]), ("\"\"", [""]), ("a\"b", nil),
            ("\"a\"b", nil), ("\"", nil),
        ] as [(String, [String]?)]
    )
    func lists(text: String, list: [String]?) {
        #expect([String](flag: text) == list)
    }

    @Test("map values keep what follows the first equals sign, and lose blanks around")
    func maps() {
        #expect([String: String](flag: "a = b=c , d=") == ["a": "b=c", "d": ""])
        #expect([String: String](flag: "") == [:])
    }

    @Test("a string array takes its values as they are, and every occurrence adds one")
    func stringArrays() throws {
        let flag = Flag("header", default: StringArray(), help: "")
        let parsed = try FlagSet([flag]).parse(["--header", "a: 1,2", "--header=\"b\""])
        #expect(parsed[flag].values == ["a: 1,2", "\"b\""])
        #expect(try FlagSet([flag]).parse([])[flag].values.isEmpty)
        #expect(flag.help.isEmpty && StringArray.flagTypeName == "stringArray")
    }

    @Test("help lists the flags in columns, sorted, without the hidden ones")
    func help() {
        #expect(
            Self.set.help == """
                  -n, --count int                       a number (default 7)
                      --feature-gates mapStringString   gates
                      --names strings                   names (default [a])
                  -q, --quick                           hurry (default true)
                  -t, --text WORD                       a WORD (default "none")
                  -v, --verbose                         talk
                      --wait-time duration              how long (default 1m30s)

                """
        )
    }

    @Test("long help is broken between words")
    func wrapping() {
        let words = Array(repeating: "word", count: 40).joined(separator: " ")
        let help = FlagSet([Flag("x", default: "", help: words)]).help
        let lines = help.split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines.allSatisfy { $0.count <= 100 })
        #expect(lines.dropFirst().allSatisfy { $0.hasPrefix("                   word") })
    }

    @Test("random command lines never trap")
    func random() {
        var generator = SystemRandomNumberGenerator()
        let pieces = ["-", "--", "=", "t", "text", "n", "v", "names", "\"", ",", " ", "é", "9", ""]
        var errors = 0
        for _ in 0..<20_000 {
            let words = (0..<Int.random(in: 0...4, using: &generator)).map { _ in
                (0..<Int.random(in: 0...5, using: &generator)).map { _ in
                    pieces.randomElement(using: &generator) ?? ""
                }.joined()
            }
            do {
                _ = try Self.set.parse(words)
            } catch {
                errors += 1
                #expect(!error.description.isEmpty)
            }
        }
        #expect(errors > 0)
    }
}
