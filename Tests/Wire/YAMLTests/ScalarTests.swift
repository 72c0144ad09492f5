// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Testing

@testable import YAML

@Suite("YAML scalars") struct ScalarTests {
    @Test(
        "keeps integers of 64 bits, and what kubectl would round",
        arguments: [
            ("9223372036854775807", "9223372036854775807"),
            ("9223372036854775808", "9223372036854775808"),
            ("18446744073709551615", "18446744073709551615"),
            ("18446744073709551616", "18446744073709552000"),
            ("-9223372036854775808", "-9223372036854775808"),
            ("-9223372036854775809", "-9223372036854776000"),
            ("+18446744073709551615", "18446744073709552000"),
            ("0xffffffffffffffff", "18446744073709551615"),
            ("-0.0", "-0"), ("1.7976931348623157e308", "1.7976931348623157e+308"),
            ("5e-324", "5e-324"), ("1e-7", "1e-7"), ("1e-6", "0.000001"), ("123e19", "1.23e+21"),
            ("1e-400", "0"), ("!!binary /w==", "\"\\ufffd\""),
            ("!!binary w6n/w6k=", "\"é\\ufffdé\""),
            ("!!float 18446744073709551615.0", "18446744073709552000"),
            ("\"\\/\"", "\"/\""), ("[a?b]", "[\"a?b\"]"),
        ]
    )
    func values(_ text: String, _ json: String) throws {
        #expect(string(try YAML.json(from: Array(text.utf8))) == json)
    }

    @Test(
        "refuses",
        arguments: [
            (
                "!!float 18446744073709551615",
                "yaml: cannot decode !!int `18446744073709551615` as a !!float"
            ),
            ("a: .nan", "json: unsupported value: NaN"), (".inf", "json: unsupported value: +Inf"),
            ("-.inf", "json: unsupported value: -Inf"),
            ("!!binary A===", "yaml: !!binary value contains invalid base64 data"),
            ("!!binary AA=A", "yaml: !!binary value contains invalid base64 data"),
            ("!!binary AA==AA==", "yaml: !!binary value contains invalid base64 data"),
            ("!!binary AA==\n", ""),
            ("!!binary ====", "yaml: !!binary value contains invalid base64 data"),
            ("!!binary A", "yaml: !!binary value contains invalid base64 data"),
            ("!!binary A=A=", "yaml: !!binary value contains invalid base64 data"),
            ("!!binary AAA*", "yaml: !!binary value contains invalid base64 data"),
            (
                "{18446744073709551615: [1, 1.5, true, ~, {a: é}, 0xffffffffffffffff]}",
                "unsupported map key of type: uint64, key: 0xffffffffffffffff, value: "
                    + "[]interface {}{1, 1.5, true, interface {}(nil), "
                    + "map[interface {}]interface {}{\"a\":\"é\"}, 0xffffffffffffffff}"
            ),
            ("{~: ~}", "unsupported map key of type: %!s(<nil>), key: <nil>, value: <nil>"),
            // Escapes that only goyaml knows, and a key that ends in a colon.
            ("\"\\'\"", "yaml: found unknown escape character"),
            ("{a:}", "yaml: found unexpected ':'"),
        ]
    )
    func refusals(_ text: String, _ message: String) throws {
        guard !message.isEmpty else {
            #expect(string(try YAML.json(from: Array(text.utf8))) == "\"\\u0000\"")
            return
        }
        let error = #expect(throws: YAMLError.self) { try YAML.json(from: Array(text.utf8)) }
        #expect(error?.description == message)
    }

    @Test(
        "tells where an error is",
        arguments: [
            ("a: b\nc: d: e", 2, 5), ("a: \u{1}", 1, 4), ("a: b\nc: é\u{7F}", 2, 6),
            ("a: [\n  b", 3, 1),
            ("\t", 1, 1),
        ]
    )
    func positions(_ text: String, _ line: Int, _ column: Int) {
        let error = #expect(throws: YAMLError.self) { try YAML.json(from: Array(text.utf8)) }
        guard case .syntax(line, column, _, _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test(
        "reads JSON alike by the short way and by libyaml",
        arguments: [
            "{}", "[]", "[1,2.5,-3e4,true,false,null,\"a\\n\\u00e9\\\"\"]",
            "{\"a\":{\"b\":[{},[]]},\"a\":1}",
            "{\n  \"a\": 1,\n  \"a\":\n    [2,\n 3],\n  \"1\": 0x\n}",
            " [\n\"yes\", \"1\", \"<<\", \"2001-01-01\"]\n",
            "{\"<<\": 1, \"<<\": 2}",
            "[18446744073709551615, 9223372036854775808, 1E400, -0, -0.0, 1e21]",
            "[\"<&>\", \"\\u2028\"]", "{\"b\":\n1,\"a\":2,\n\"b\":3}", "[1, 2",
            "{\"a\": 1}\n---\n{}", "{\"a\" : 1} x",
        ]
    )
    func json(_ text: String) {
        func outcome(_ bytes: [UInt8]) -> (json: String?, keys: [YAML.DuplicateKey], error: String?)
        {
            do throws(YAMLError) {
                let conversion = try YAML.convert(bytes)
                return (string(conversion.json), conversion.duplicateKeys, nil)
            } catch {
                return (nil, [], error.description)
            }
        }
        let short = outcome(Array(text.utf8))
        // With a comment, it is JSON no more.
        let long = outcome(Array((text + " # comment").utf8))
        #expect(short.json == long.json)
        #expect(short.keys == long.keys)
        #expect(short.error == long.error)
    }

    @Test("reads UTF-16 with a byte order mark, and UTF-8 with one")
    func encodings() throws {
        let text = "a: é😀"
        let units = Array(text.utf16)
        var little: [UInt8] = [0xFF, 0xFE]
        var big: [UInt8] = [0xFE, 0xFF]
        for unit in units {
            let halves = [UInt8(truncatingIfNeeded: unit), UInt8(unit >> 8)]
            little += halves
            big += halves.reversed()
        }
        for bytes in [little, big, [0xEF, 0xBB, 0xBF] + Array(text.utf8)] {
            #expect(string(try YAML.json(from: bytes)) == "{\"a\":\"é😀\"}")
        }
    }

    @Test(
        "takes an empty input, comments and markers for null",
        arguments: [
            "", "\n", "# comment", "---", "---\n...\n", "--- # x\n", "~", " ",
        ]
    )
    func nothing(_ text: String) throws {
        #expect(string(try YAML.json(from: Array(text.utf8))) == "null")
    }

    @Test(
        "reads the first document only",
        arguments: ["a: 1\n---\n[", "a: 1\n...\n%bad", "--- {a: 1}\n--- b"]
    )
    func firstDocument(_ text: String) throws {
        #expect(string(try YAML.json(from: Array(text.utf8))) == "{\"a\":1}")
    }

    @Test(
        "prints floating-point numbers as Go does",
        arguments: [
            (1.0, "1", "1"), (1.5, "1.5", "1.5"), (-2.25, "-2.25", "-2.25"),
            (1e6, "1e+06", "1000000"),
            (999_999.5, "999999.5", "999999.5"),
            (123_456_789.125, "1.23456789125e+08", "123456789.125"),
            (1e-4, "0.0001", "0.0001"), (1.5e-5, "1.5e-05", "0.000015"),
            (1e-6, "1e-06", "0.000001"),
            (9.99e-7, "9.99e-07", "9.99e-7"), (1e20, "1e+20", "100000000000000000000"),
            (1e21, "1e+21", "1e+21"), (1.25e100, "1.25e+100", "1.25e+100"),
            (.leastNonzeroMagnitude, "5e-324", "5e-324"),
            (1.7976931348623157e308, "1.7976931348623157e+308", "1.7976931348623157e+308"),
            (0.1, "0.1", "0.1"), (100, "100", "100"), (123_456, "123456", "123456"), (0, "0", "0"),
            (-0.0, "-0", "-0"), (0.30000000000000004, "0.30000000000000004", "0.30000000000000004"),
        ]
    )
    func floats(_ value: Double, _ yaml: String, _ json: String) {
        #expect(goFloatText(value) == yaml)
        #expect(jsonFloatText(value) == json)
    }
}
