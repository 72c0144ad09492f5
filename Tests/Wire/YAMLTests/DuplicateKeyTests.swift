// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Testing

@testable import YAML

@Suite("YAML duplicate keys") struct DuplicateKeyTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let yaml: String
        let json: String
        let keys: [(Int, String)]

        var testDescription: String { self.yaml }
    }

    static let cases: [Case] = [
        Case(yaml: "a: 1\nb: 2\na: 3", json: "{\"a\":3,\"b\":2}", keys: [(3, "\"a\"")]),
        Case(yaml: "a: 1\nb: 2", json: "{\"a\":1,\"b\":2}", keys: []),
        Case(
            yaml: "a: {x: 1, x: 2}\nb:\n  z: 1\n  z: 2\na: 4\n",
            json: "{\"a\":4,\"b\":{\"z\":2}}",
            keys: [(1, "\"x\""), (4, "\"z\""), (5, "\"a\"")]
        ),
        // The line is that of the value.
        Case(yaml: "a: 1\na:\n\n  b: 1\n", json: "{\"a\":{\"b\":1}}", keys: [(4, "\"a\"")]),
        Case(yaml: "a: 1\na: 2\na: 3", json: "{\"a\":3}", keys: [(2, "\"a\""), (3, "\"a\"")]),
        Case(yaml: "- a: 1\n  a: 2\n- a: 1", json: "[{\"a\":2},{\"a\":1}]", keys: [(2, "\"a\"")]),
        // One key in JSON, two in YAML: the last one wins, and none is a duplicate.
        Case(yaml: "1: a\n\"1\": b", json: "{\"1\":\"b\"}", keys: []),
        Case(yaml: "\"1\": b\n1: a", json: "{\"1\":\"a\"}", keys: []),
        Case(yaml: "true: a\n'true': b\nyes: c", json: "{\"true\":\"c\"}", keys: [(3, "true")]),
        Case(
            yaml: "1: a\n0x1: b\n1.0: c\n1.00: d",
            json: "{\"1\":\"d\"}",
            keys: [(2, "1"), (4, "1")]
        ),
        Case(
            yaml:
                "? \"a\\n\\t\\x01\\e\\u200b\\U000e0001\\\"\\\\é\"\n: 1\n? \"a\\n\\t\\x01\\e\\u200b\\U000e0001\\\"\\\\é\"\n: 2",
            json: "{\"a\\n\\t\\u0001\\u001b\u{200B}\u{E0001}\\\"\\\\é\":2}",
            keys: [(4, "\"a\\n\\t\\x01\\x1b\\u200b\\U000e0001\\\"\\\\é\"")]
        ),
        Case(
            yaml: "!!binary /w==: 1\n!!binary /w==: 2",
            json: "{\"\\ufffd\":2}",
            keys: [(2, "\"\\xff\"")]
        ),
        Case(yaml: "&k a: 1\n*k : 2", json: "{\"a\":2}", keys: [(2, "\"a\"")]),
        // Merged keys count, in the order of the document.
        Case(yaml: "<<: {a: 1}\na: 2", json: "{\"a\":2}", keys: [(2, "\"a\"")]),
        Case(yaml: "a: 2\n<<: {a: 1}", json: "{\"a\":1}", keys: [(2, "\"a\"")]),
        Case(yaml: "<<: [{a: 1}, {a: 2}]", json: "{\"a\":1}", keys: [(1, "\"a\"")]),
        // An alias brings its duplicates along each time.
        Case(
            yaml: "x: &x {a: 1, a: 2}\nu: *x\nz: {<<: *x, a: 3}",
            json: "{\"u\":{\"a\":2},\"x\":{\"a\":2},\"z\":{\"a\":3}}",
            keys: [(1, "\"a\""), (1, "\"a\""), (1, "\"a\""), (3, "\"a\"")]
        ),
        Case(yaml: "é: 1\ne\u{301}: 2", json: "{\"e\u{301}\":2,\"é\":1}", keys: []),
    ]

    @Test("finds them all at once, with lines, and lets the last one win", arguments: cases)
    func finds(_ sample: Case) throws {
        let conversion = try YAML.convert(Array(sample.yaml.utf8))
        #expect(string(conversion.json) == sample.json)
        let expected = sample.keys.map { YAML.DuplicateKey(line: $0, key: $1) }
        #expect(conversion.duplicateKeys == expected)
        #expect(string(try YAML.json(from: Array(sample.yaml.utf8))) == sample.json)
        guard !expected.isEmpty else {
            let strict = try YAML.json(from: Array(sample.yaml.utf8), duplicateKeys: .refused)
            #expect(string(strict) == sample.json)
            #expect(conversion.duplicateKeysMessage == nil)
            return
        }
        let error = #expect(throws: YAMLError.duplicateKeys(expected)) {
            try YAML.json(from: Array(sample.yaml.utf8), duplicateKeys: .refused)
        }
        #expect(error?.description == conversion.duplicateKeysMessage)
    }

    @Test("says it in upstream's words")
    func message() {
        let error = #expect(throws: YAMLError.self) {
            try YAML.json(from: Array("a: 1\nb: 2\na: 3\nb: 4".utf8), duplicateKeys: .refused)
        }
        let message = """
            yaml: unmarshal errors:
              line 3: key "a" already set in map
              line 4: key "b" already set in map
            """
        #expect(error?.description == message)
    }

    @Test("bounds what it collects when aliases multiply a long key")
    func bounded() throws {
        let key = String(repeating: "k", count: 900)
        let map = "x: &x {\(key): 1, \(key): 2}\ny: [\(String(repeating: "*x,", count: 2_000))]"
        let conversion = try YAML.convert(Array(map.utf8))
        let bytes = conversion.duplicateKeys.reduce(0) { $0 + $1.key.utf8.count }
        #expect(bytes > Document.maximumDuplicateKeyBytes - 2_000)
        #expect(bytes < Document.maximumDuplicateKeyBytes + 2_000)
    }
}
