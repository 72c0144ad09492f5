// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Testing
import YAML

@Suite("YAML document splitter") struct SplitterTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let text: String
        let documents: [String]

        var testDescription: String { self.text }
    }

    static let cases: [Case] = [
        Case(text: "", documents: []),
        Case(text: "a", documents: ["a\n"]),
        Case(text: "a\n", documents: ["a\n"]),
        Case(text: "a\n\n", documents: ["a\n\n"]),
        Case(text: "a\n---\nb\n", documents: ["a\n", "b\n"]),
        Case(text: "---\na\n---\nb", documents: ["---\na\n", "b\n"]),
        Case(text: "---\n---\na", documents: ["---\n", "a\n"]),
        Case(text: "---\n---\n---\n", documents: ["---\n", "---\n"]),
        Case(text: "---", documents: ["---\n"]),
        Case(text: "a\n---", documents: ["a\n"]),
        Case(text: "a\n--- # comment\nb", documents: ["a\n", "b\n"]),
        Case(text: "a\n---  \t\nb", documents: ["a\n", "b\n"]),
        Case(text: "a\n---\u{2003}#x\nb", documents: ["a\n", "b\n"]),
        Case(text: "a\n ---\nb", documents: ["a\n ---\nb\n"]),
        Case(text: "a\r\n---\r\nb\r\n", documents: ["a\n", "b\n"]),
        Case(text: "a\rb\r", documents: ["a\rb\r\n"]),
        Case(text: "# c\n---\n# d\n", documents: ["# c\n", "# d\n"]),
        Case(text: "\n\n---\n\n", documents: ["\n\n", "\n"]),
        Case(text: "a: |\n  x\n  ---\n", documents: ["a: |\n  x\n  ---\n"]),
        Case(text: "--\n-\n", documents: ["--\n-\n"]),
    ]

    @Test("splits, however the bytes arrive", arguments: cases)
    func splits(_ sample: Case) throws {
        let bytes = Array(sample.text.utf8)
        for size in 1...max(1, bytes.count) {
            var splitter = YAML.DocumentSplitter()
            var documents: [String] = []
            var rest = bytes[...]
            while !rest.isEmpty {
                splitter.append(rest.prefix(size))
                rest = rest.dropFirst(size)
                while let document = try splitter.next() {
                    documents.append(string(document))
                }
            }
            splitter.finish()
            while let document = try splitter.next() {
                documents.append(string(document))
            }
            #expect(documents == sample.documents, "\(size) bytes at a time")
            #expect(try splitter.next() == nil)
        }
    }

    @Test(
        "refuses separators that go on",
        arguments: [
            ("a\n---b\n", "b"), ("----\n", "-"), ("--- a: b \n", "a: b"), ("---\t|\n", "|"),
        ]
    )
    func refuses(_ text: String, _ rest: String) {
        let error = #expect(throws: YAMLError.invalidSeparator(rest)) {
            try YAML.documents(Array(text.utf8))
        }
        #expect(error?.description == "invalid Yaml document separator: \(rest)")
    }

    @Test("limits documents, complete or not", arguments: [-1, 0, 1])
    func limit(_ excess: Int) throws {
        for end in ["\n", ""] {
            var splitter = YAML.DocumentSplitter(maximumDocumentBytes: 20)
            // With its line feed, the line has 20 bytes.
            splitter.append(Array("a\n---\n".utf8))
            splitter.append(Array((String(repeating: "b", count: 19 + excess) + end).utf8))
            #expect(try splitter.next().map(string) == "a\n")
            if excess > 0, !end.isEmpty {
                #expect(throws: YAMLError.limit(.bytes, maximum: 20)) { try splitter.next() }
                continue
            }
            #expect(try splitter.next() == nil)
            splitter.finish()
            if excess > 0 {
                #expect(throws: YAMLError.limit(.bytes, maximum: 20)) { try splitter.next() }
            } else {
                #expect(try splitter.next()?.count == 20 + excess)
            }
        }
        var endless = YAML.DocumentSplitter(maximumDocumentBytes: 20)
        endless.append([UInt8](repeating: 0x61, count: 20 + excess))
        if excess > 0 {
            #expect(throws: YAMLError.limit(.bytes, maximum: 20)) { try endless.next() }
        } else {
            #expect(try endless.next() == nil)
        }
    }

    @Test(
        "converts the documents that are any",
        arguments: [
            (
                "a: 1\n---\n\n---\n# nothing\n---\nnull\n---\n~\n---\nb: 2",
                ["{\"a\":1}", "{\"b\":2}"]
            ),
            ("---\n---\n", []), ("", []), ("{}\n---\n[]\n---\n\"null\"", ["{}", "[]", "\"null\""]),
            ("a: 1\n...\nb: 2\n---\nc", ["{\"a\":1}", "\"c\""]),
        ] as [(String, [String])]
    )
    func documents(_ text: String, _ expected: [String]) throws {
        #expect(try YAML.documents(Array(text.utf8)).map(string) == expected)
    }

    @Test("tells about duplicate keys of any document")
    func duplicates() {
        let text = Array("a: 1\n---\nb: 1\nb: 2".utf8)
        let error = #expect(throws: YAMLError.self) {
            try YAML.documents(text, duplicateKeys: .refused)
        }
        let message = "yaml: unmarshal errors:\n  line 2: key \"b\" already set in map"
        #expect(error?.description == message)
    }
}
