// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import RPCTool
import Testing

@Suite("JSONObjectSplitter")
struct JSONObjectSplitterTests {
    struct Input: Sendable, CustomTestStringConvertible {
        let text: String
        let objects: [String]
        var testDescription: String { self.text }
    }

    static let inputs = [
        Input(text: "", objects: []),
        Input(text: " \n\t\r", objects: []),
        Input(text: "{}", objects: ["{}"]),
        Input(text: "{}{}\n{\"a\": 1}", objects: ["{}", "{}", "{\"a\": 1}"]),
        Input(
            text: "{\n  \"a\": {\"b\": [{}, 1]}\n}\n",
            objects: ["{\n  \"a\": {\"b\": [{}, 1]}\n}"]
        ),
        Input(text: #"{"a}":"\"}{"} {}"#, objects: [#"{"a}":"\"}{"}"#, "{}"]),
        Input(text: #"{"a":"\\"}{"é":"🐦"}"#, objects: [#"{"a":"\\"}"#, #"{"é":"🐦"}"#]),
    ]

    @Test("finds the objects however the bytes are cut", arguments: inputs)
    func splits(_ input: Input) throws {
        let bytes = Array(input.text.utf8)
        for size in 1...max(bytes.count, 1) {
            var splitter = JSONObjectSplitter()
            var found: [String] = []
            for start in stride(from: 0, to: bytes.count, by: size) {
                try splitter.append(bytes[start..<min(start + size, bytes.count)])
                while let object = splitter.popFirst() { found.append(object) }
            }
            try splitter.finish()
            #expect(found == input.objects)
        }
    }

    @Test(
        "refuses what is no sequence of objects",
        arguments: ["1", "[{}]", "{},{}", "nothing", "{}}"]
    )
    func refuses(_ text: String) {
        #expect(throws: JSONObjectSplitter.Failure.notAnObject) {
            var splitter = JSONObjectSplitter()
            try splitter.append(text.utf8)
        }
    }

    @Test("tells an object that does not end")
    func truncated() throws {
        let text = Array(#"{"a": ["}"]}"#.utf8)
        for count in 1..<text.count {
            var splitter = JSONObjectSplitter()
            try splitter.append(text[..<count])
            #expect(splitter.popFirst() == nil)
            #expect(throws: JSONObjectSplitter.Failure.truncated) { try splitter.finish() }
        }
    }

    @Test("an object has at most its limit of bytes")
    func limit() throws {
        var splitter = JSONObjectSplitter(maximumObjectBytes: 10)
        try splitter.append(#"{"a":1234}{"b":1234"#.utf8)
        #expect(splitter.popFirst() == #"{"a":1234}"#)
        #expect(throws: JSONObjectSplitter.Failure.tooLarge(limit: 10)) {
            try splitter.append("5}".utf8)
        }
    }
}
