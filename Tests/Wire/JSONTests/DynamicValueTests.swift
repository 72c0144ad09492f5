// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Protobuf
import Testing

@testable import JSON

@Suite("Dynamic values")
struct DynamicValueTests {
    struct Text: Sendable {
        let json: String
        /// As it is written back; nil when unchanged.
        var canonical: String?
    }

    static let texts: [Text] = [
        Text(json: "null"), Text(json: "true"), Text(json: "false"),
        Text(json: "0"), Text(json: "-1"), Text(json: "9223372036854775807"),
        Text(json: "-9223372036854775808"),
        Text(json: "9223372036854775808", canonical: "9223372036854776000"),
        Text(json: "1e3", canonical: "1000"), Text(json: "1.5"), Text(json: "-0.25"),
        Text(json: "1e-7"), Text(json: "0.000001"), Text(json: "1e21", canonical: "1e+21"),
        Text(json: "123456789012345678901234567890", canonical: "1.2345678901234568e+29"),
        Text(json: "\"\""), Text(json: "\"a\""), Text(json: "\"äöü中🙂\""),
        Text(json: "\"\\u00e4\\ud83d\\ude42\"", canonical: "\"ä🙂\""),
        Text(json: "\"\\b\\f\\n\\r\\t\\\"\\\\\\/\"", canonical: "\"\\b\\f\\n\\r\\t\\\"\\\\/\""),
        Text(json: "\"<a&b>\"", canonical: "\"\\u003ca\\u0026b\\u003e\""),
        Text(json: "\"\u{2028}\u{2029}\"", canonical: "\"\\u2028\\u2029\""),
        Text(json: "\"\\u0001\\u001f\\u007f\"", canonical: "\"\\u0001\\u001f\u{7f}\""),
        Text(json: "[]"), Text(json: "{}"), Text(json: "[[],{}]"),
        Text(json: " [ 1 , 2 ] ", canonical: "[1,2]"),
        Text(json: "{\"b\":1,\"a\":2}", canonical: "{\"a\":2,\"b\":1}"),
        Text(json: "{\"a\":1,\"a\":2}", canonical: "{\"a\":2}"),
        Text(
            json: "{\"b\":{\"z\":1,\"y\":[{\"k\":2,\"j\":1}]},\"a\":null}",
            canonical: "{\"a\":null,\"b\":{\"y\":[{\"j\":1,\"k\":2}],\"z\":1}}"
        ),
    ]

    @Test("reads and writes JSON", arguments: texts)
    func roundTrip(row: Text) throws {
        let value = try DynamicValue(json: Array(row.json.utf8))
        #expect(value.jsonText == row.canonical ?? row.json)
        #expect(try DynamicValue(json: value.json()).jsonText == value.jsonText)
    }

    @Test("sorts large objects and keeps the last of equal keys")
    func largeObjects() throws {
        var seen: [String: Int] = [:]
        var text = "{"
        for index in 0..<1000 {
            let key = "key-\(index * 7919 % 500)"
            seen[key] = index
            text += "\(index == 0 ? "" : ",")\"\(key)\":\(index)"
        }
        let value = try DynamicValue(json: Array((text + "}").utf8))
        #expect(value.entries.map(\.key) == seen.keys.sorted())
        for (key, index) in seen { #expect(value[key]?.integer == Int64(index)) }
    }

    // MARK: - Change

    @Test("changes a copy in one place and leaves the original")
    func copyOnWrite() throws {
        let original = try DynamicValue(
            json: Array(#"{"metadata":{"labels":{"app":"web"}},"spec":{"items":[1,2,3]}}"#.utf8)
        )
        var copy = original
        copy["metadata"]?["labels"]?["app"] = "db"
        copy["metadata"]?["labels"]?["tier"] = "back"
        copy["spec"]?["items"]?[1] = 20
        copy["spec"]?["items"]?.append(4)
        copy["spec"]?["items"]?.remove(at: 0)
        #expect(
            copy.jsonText == #"{"metadata":{"labels":{"app":"db","tier":"back"}},"#
                + #""spec":{"items":[20,3,4]}}"#
        )
        #expect(
            original.jsonText == #"{"metadata":{"labels":{"app":"web"}},"#
                + #""spec":{"items":[1,2,3]}}"#
        )
    }

    @Test("removes and replaces whole values")
    func removal() {
        var value: DynamicValue = ["a": 1, "b": ["c": [1, 2], "d": true]]
        value["b"]?["c"] = nil
        #expect(value == ["a": 1, "b": ["d": true]])
        value["b"] = nil
        value["missing"] = nil
        #expect(value == ["a": 1])
        value["a"] = ["x": "y"]
        value["a"]?["x"] = nil
        #expect(value == ["a": [:] as DynamicValue])
        let removedMissing = value.removeValue(forKey: "zzz")
        let removedPresent = value.removeValue(forKey: "a")
        #expect(!removedMissing)
        #expect(removedPresent)
        #expect(value == DynamicValue.emptyObject)
    }

    @Test("takes a part of itself as a new part")
    func selfAssignment() {
        var value: DynamicValue = ["a": ["b": [1, 2, 3]]]
        let whole = value
        value["a"]?["c"] = whole
        #expect(value == ["a": ["b": [1, 2, 3], "c": ["a": ["b": [1, 2, 3]]]]])
        let part = value["a"]
        value["a"] = part?["b"]
        #expect(value == ["a": [1, 2, 3]])
        #expect(part == ["b": [1, 2, 3], "c": ["a": ["b": [1, 2, 3]]]])
    }

    @Test("keeps a copy that was taken during a nested change")
    func copyDuringChange() {
        var value: DynamicValue = ["a": ["n": 1]]
        var kept: DynamicValue = 0
        func change(_ inner: inout DynamicValue?) {
            inner?["n"] = 2
            kept = inner ?? 0
            inner?["n"] = 3
        }
        change(&value["a"])
        #expect(kept == ["n": 2])
        #expect(value == ["a": ["n": 3]])
        func replace(_ inner: inout DynamicValue?) {
            inner?["text"] = DynamicValue(String(repeating: "x", count: 10_000))
            kept = inner ?? 0
            inner = ["replaced": true]
        }
        replace(&value["a"])
        #expect(value == ["a": ["replaced": true]])
        #expect(kept["text"]?.string?.count == 10_000)
        #expect(kept["n"] == 3)
    }

    @Test("does not grow without bound when one value changes for ever")
    func waste() {
        var value: DynamicValue = ["a": "0"]
        for index in 0..<200_000 { value["a"] = DynamicValue("value number \(index)") }
        #expect(value["a"]?.string == "value number 199999")
        #expect(value.block.capacity < 64 * 1024)
    }

    @Test("finds values by path")
    func paths() throws {
        let pod: DynamicValue = ["spec": ["containers": [["name": "a"], ["name": "b"]]]]
        #expect(pod[path: ["spec", "containers", 1, "name"]]?.string == "b")
        #expect(pod[path: []] == pod)
        #expect(pod[path: ["spec", "containers", 2]] == nil)
        #expect(pod[path: ["spec", "containers", -1]] == nil)
        #expect(pod[path: ["spec", 0]] == nil)
        #expect(pod[path: ["spec", "containers", "name"]] == nil)
    }

    // MARK: - Bad input

    struct Bad: Sendable {
        let json: String
        let error: JSONError
    }

    static let bad: [Bad] = [
        Bad(json: "", error: .unexpectedEnd(offset: 0)),
        Bad(json: "  ", error: .unexpectedEnd(offset: 2)),
        Bad(json: "{", error: .unexpectedEnd(offset: 1)),
        Bad(json: "[", error: .unexpectedEnd(offset: 1)),
        Bad(json: "[1", error: .unexpectedEnd(offset: 2)),
        Bad(json: "[1,", error: .unexpectedEnd(offset: 3)),
        Bad(json: "{\"a\"", error: .unexpectedEnd(offset: 4)),
        Bad(json: "{\"a\":", error: .unexpectedEnd(offset: 5)),
        Bad(json: "{\"a\":1", error: .unexpectedEnd(offset: 6)),
        Bad(json: "\"abc", error: .unexpectedEnd(offset: 4)),
        Bad(json: "\"abc\\\"", error: .unexpectedEnd(offset: 6)),
        Bad(json: "tru", error: .unexpectedByte(0x74, expected: "true", offset: 0)),
        Bad(json: "nul", error: .unexpectedByte(0x6E, expected: "null", offset: 0)),
        Bad(json: "True", error: .unexpectedByte(0x54, expected: "a value", offset: 0)),
        Bad(json: "[1,]", error: .unexpectedByte(0x5D, expected: "a value", offset: 3)),
        Bad(json: "[1 2]", error: .unexpectedByte(0x32, expected: "',' or ']'", offset: 3)),
        Bad(json: "{\"a\" 1}", error: .unexpectedByte(0x31, expected: "':'", offset: 5)),
        Bad(json: "{\"a\":1,}", error: .unexpectedByte(0x7D, expected: "a string", offset: 7)),
        Bad(json: "{a:1}", error: .unexpectedByte(0x61, expected: "a string", offset: 1)),
        Bad(json: "{'a':1}", error: .unexpectedByte(0x27, expected: "a string", offset: 1)),
        Bad(json: "{1:1}", error: .unexpectedByte(0x31, expected: "a string", offset: 1)),
        Bad(json: "[1}", error: .unexpectedByte(0x7D, expected: "',' or ']'", offset: 2)),
        Bad(json: "1 2", error: .trailingBytes(offset: 2)),
        Bad(json: "{}}", error: .trailingBytes(offset: 2)),
        Bad(json: "null,", error: .trailingBytes(offset: 4)),
        Bad(json: "01", error: .invalidNumber(offset: 0)),
        Bad(json: "-", error: .invalidNumber(offset: 0)),
        Bad(json: "-a", error: .invalidNumber(offset: 0)),
        Bad(json: "1.", error: .invalidNumber(offset: 0)),
        Bad(json: "1.e1", error: .invalidNumber(offset: 0)),
        Bad(json: "1e", error: .invalidNumber(offset: 0)),
        Bad(json: "1e+", error: .invalidNumber(offset: 0)),
        Bad(json: "1e999", error: .invalidNumber(offset: 0)),
        Bad(json: ".5", error: .unexpectedByte(0x2E, expected: "a value", offset: 0)),
        Bad(json: "+1", error: .unexpectedByte(0x2B, expected: "a value", offset: 0)),
        Bad(json: "NaN", error: .unexpectedByte(0x4E, expected: "a value", offset: 0)),
        Bad(json: "Infinity", error: .unexpectedByte(0x49, expected: "a value", offset: 0)),
        Bad(json: "0x10", error: .trailingBytes(offset: 1)),
        Bad(json: "\"\\x\"", error: .invalidEscape(offset: 1)),
        Bad(json: "\"\\u12\"", error: .invalidEscape(offset: 1)),
        Bad(json: "\"\\u12g4\"", error: .invalidEscape(offset: 1)),
        Bad(json: "\"\\ud800\"", error: .loneSurrogate(offset: 1)),
        Bad(json: "\"\\udc00\"", error: .loneSurrogate(offset: 1)),
        Bad(json: "\"\\ud800x\"", error: .loneSurrogate(offset: 1)),
        Bad(json: "\"\\ud800\\n\"", error: .loneSurrogate(offset: 1)),
        Bad(json: "\"\\ud800\\u0041\"", error: .loneSurrogate(offset: 1)),
        Bad(json: "\"\\ud800\\ud800\"", error: .loneSurrogate(offset: 1)),
        Bad(json: "\"a\nb\"", error: .controlCharacter(0x0A, offset: 2)),
        Bad(json: "\"a\u{0}b\"", error: .controlCharacter(0, offset: 2)),
        Bad(json: "\"\\n\u{1}\"", error: .controlCharacter(1, offset: 3)),
        Bad(json: "\u{FEFF}1", error: .unexpectedByte(0xEF, expected: "a value", offset: 0)),
        Bad(json: "// x\n1", error: .unexpectedByte(0x2F, expected: "a value", offset: 0)),
        Bad(json: "\u{0}", error: .unexpectedByte(0, expected: "a value", offset: 0)),
    ]

    @Test("refuses what is not JSON", arguments: bad)
    func refuses(row: Bad) {
        #expect(throws: row.error) { try DynamicValue(json: Array(row.json.utf8)) }
    }

    @Test("refuses strings that are not UTF-8", arguments: [0x80, 0xC0, 0xF5, 0xFF] as [UInt8])
    func invalidUTF8(byte: UInt8) {
        #expect(throws: JSONError.invalidUTF8(offset: 2)) {
            try DynamicValue(json: [0x22, 0x61, byte, 0x22])
        }
    }

    @Test("nests as deep as the limit and no deeper", arguments: ["[", "{\"a\":"])
    func depth(open: String) throws {
        func nested(_ depth: Int) -> [UInt8] {
            let close = open == "[" ? "]" : "}"
            let inner = open == "[" ? "" : "1"
            let text = String(repeating: open, count: depth) + inner
            return Array((text + String(repeating: close, count: depth)).utf8)
        }
        let limits = JSONLimits(depth: 20)
        _ = try DynamicValue(json: nested(19), limits: limits)
        _ = try DynamicValue(json: nested(20), limits: limits)
        #expect(throws: JSONError.tooDeep(limit: 20, offset: 20 * open.utf8.count)) {
            try DynamicValue(json: nested(21), limits: limits)
        }
        #expect(throws: JSONError.self) { try DynamicValue(json: nested(1_000_000)) }
    }

    @Test("reads as many bytes as the limit and no more")
    func size() throws {
        let limits = JSONLimits(bytes: 10)
        _ = try DynamicValue(json: Array("123456789".utf8), limits: limits)
        _ = try DynamicValue(json: Array("1234567890".utf8), limits: limits)
        #expect(throws: JSONError.tooLarge(bytes: 11, limit: 10)) {
            try DynamicValue(json: Array("12345678901".utf8), limits: limits)
        }
    }

    @Test("refuses a document cut at any byte")
    func truncation() {
        let text = Array(#"{"a":[1,-2.5e3,true,null,"x\u00e4\n"],"b":{"c":{}}}"#.utf8)
        for count in 0..<text.count {
            #expect(throws: JSONError.self) { try DynamicValue(json: Array(text.prefix(count))) }
        }
    }
}
