// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import GoldenRows
import NameRules
import Selectors
import Testing

/// Labels in a list, to be asked for bytes.
private struct ByteLabels: LabelSource {
    let pairs: [(key: String, value: String)]

    func withLabelValue<R>(_ key: String, _ body: (UnsafeRawBufferPointer?) -> R) -> R {
        guard let pair = self.pairs.first(where: { $0.key == key }) else { return body(nil) }
        return Array(pair.value.utf8).withUnsafeBytes { body($0) }
    }
}

@Suite("Label selector") struct LabelSelectorTests {
    private static func labels(_ columns: ArraySlice<String>) -> [(key: String, value: String)] {
        columns.map { column in
            let parts = column.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (String(parts[0]), String(parts[1]))
        }
    }

    @Test("reads, writes and refuses as upstream")
    func parsing() throws {
        for row in try Golden.rows("labels.tsv", atLeast: 250) where row[0] == "label" {
            do throws(SelectorError) {
                let selector = try LabelSelector(parsing: row[1])
                #expect(row[2] == "ok", "\(row[1].debugDescription)")
                #expect(selector.description == row[3], "\(row[1].debugDescription)")
                #expect(try LabelSelector(parsing: selector.description) == selector)
            } catch {
                #expect(row[2] == "error", "\(row[1].debugDescription): \(error)")
                #expect(error.description == row[3])
            }
        }
    }

    @Test("matches as upstream")
    func matching() throws {
        for row in try Golden.rows("labels.tsv", atLeast: 250) where row[0] == "match" {
            let selector = try LabelSelector(parsing: row[1])
            let pairs = Self.labels(row[3...])
            let expected = row[2] == "true"
            let dictionary = Dictionary(uniqueKeysWithValues: pairs.map { ($0.key, $0.value) })
            #expect(selector.matches(dictionary) == expected, "\(row)")
            #expect(selector.matches(ByteLabels(pairs: pairs)) == expected, "\(row)")
        }
    }

    @Test(
        "stands for an object",
        arguments: [
            ([("a", "b")], [], "a=b"), ([], [], ""), ([("b", "1"), ("a", "2")], [], "a=2,b=1"),
            ([], [("a", "In", ["x", "b"])], "a in (b,x)"),
            ([], [("a", "NotIn", ["x"])], "a notin (x)"), ([], [("a", "Exists", [])], "a"),
            ([], [("a", "DoesNotExist", [])], "!a"),
            ([("z", "")], [("a", "Exists", [])], "a,z="),
        ] as [([(String, String)], [(String, String, [String])], String)]
    )
    func objects(
        _ labels: [(String, String)],
        _ expressions: [(String, String, [String])],
        _ text: String
    ) throws {
        let selector = try LabelSelector(
            matchLabels: labels.map { (key: $0.0, value: $0.1) },
            matchExpressions: expressions.map {
                LabelSelector.Expression(key: $0.0, operator: $0.1, values: $0.2)
            }
        )
        #expect(selector.description == text)
        let object = try #require(selector.object)
        #expect(
            try LabelSelector(
                matchLabels: object.matchLabels,
                matchExpressions: object.expressions
            ) == selector
        )
    }

    @Test(
        "does not stand for a bad object",
        arguments: [
            ("a", "Foo", [], "\"Foo\" is not a valid label selector operator"),
            (
                "a", "In", [],
                "values: Invalid value: null: for 'in', 'notin' operators, values set can't be "
                    + "empty"
            ),
            (
                "a", "Exists", ["b"],
                "values: Invalid value: [\"b\"]: values set must be empty for exists and does not "
                    + "exist"
            ),
            (
                "a", "In", ["b", "-"],
                "values[1][a]: Invalid value: \"-\": a valid label must be an empty string or "
                    + "consist of alphanumeric characters, '-', '_' or '.', and must start and end "
                    + "with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or "
                    + "'12345', regex used for validation is "
                    + "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
            ),
            (
                "", "Exists", [],
                "key: Invalid value: \"\": name part must be non-empty; name part must consist of "
                    + "alphanumeric characters, '-', '_' or '.', and must start and end with an "
                    + "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex "
                    + "used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
            ),
        ] as [(String, String, [String], String)]
    )
    func badObjects(_ key: String, _ name: String, _ values: [String], _ message: String) {
        let error = #expect(throws: SelectorError.self) {
            try LabelSelector(
                matchLabels: [],
                matchExpressions: [.init(key: key, operator: name, values: values)]
            )
        }
        #expect(error?.description == message)
    }

    @Test("checks requirements all at once")
    func requirements() {
        let error = #expect(throws: SelectorError.self) {
            try LabelRequirement("a b", .equals, ["-", "x"], at: "spec")
        }
        let text = error?.description ?? ""
        #expect(text.hasPrefix("[spec.key: Invalid value: \"a b\": name part must consist"))
        #expect(text.contains(", spec.values: Invalid value: [\"-\",\"x\"]: exact-match"))
        #expect(text.contains(", spec.values[0][a b]: Invalid value: \"-\": a valid label"))
        #expect(throws: SelectorError.self) { try LabelRequirement("a", .greaterThan, []) }
        #expect(throws: SelectorError.self) { try LabelRequirement("a", .lessThan, ["1", "2"]) }
    }

    @Test(
        "tells the value that it requires",
        arguments: [
            ("a=b", "b"), ("a==b", "b"), ("a in (b)", "b"), ("a in (b,c)", nil), ("a!=b", nil),
            ("a", nil), ("!a", nil), ("a>1", nil), ("b=c", nil), ("a=", ""), ("", nil),
            ("a,a=b", nil),
        ] as [(String, String?)]
    )
    func requiredValue(_ text: String, _ expected: String?) throws {
        #expect(try LabelSelector(parsing: text).requiredValue(of: "a") == expected)
    }

    @Test("of everything and of nothing")
    func extremes() throws {
        #expect(LabelSelector.everything.isEmpty)
        #expect(LabelSelector.everything.matches(["a": "b"]))
        #expect(!LabelSelector.nothing.isEmpty)
        #expect(!LabelSelector.nothing.matches(["a": "b"]))
        #expect(!LabelSelector.nothing.matches(ByteLabels(pairs: [])))
        #expect(LabelSelector.nothing != .everything)
        #expect(LabelSelector.nothing.object == nil)
        let requirement = try LabelRequirement("a", .exists, [])
        #expect(LabelSelector.nothing.adding([requirement]) == .nothing)
        #expect(LabelSelector.everything.adding([requirement]).description == "a")
        #expect(
            LabelSelector(equalTo: [(key: "b", value: "1"), (key: "a", value: "2")])
                .description == "a=2,b=1"
        )
        #expect(try LabelSelector(parsing: "a!=b").object == nil)
    }

    @Test("keeps requirements in the order of their keys")
    func order() throws {
        let selector = try LabelSelector(parsing: "z=1,a=2,m=3,B,a=1")
        #expect(selector.description == "B,a=2,a=1,m=3,z=1")
        #expect(selector.requirements.map(\.key) == ["B", "a", "a", "m", "z"])
    }

    @Test("refuses NUL")
    func nul() {
        for text in ["a\0", "a=b\0,c=d", "a in (b\0)", "\0"] {
            #expect(throws: SelectorError.self) { try LabelSelector(parsing: text) }
        }
    }

    @Test("has a limit")
    func limit() throws {
        let limit = LabelSelector.maximumTextBytes
        let fits = String(repeating: " ", count: limit - 1) + "a"
        #expect(try LabelSelector(parsing: fits).description == "a")
        #expect(throws: SelectorError.self) { try LabelSelector(parsing: fits + " ") }
    }

    @Test("takes time in proportion to its length")
    func linear() throws {
        func time(_ count: Int) throws -> Duration {
            let text = "a in (" + (0..<count).map { "v\($0)" }.joined(separator: ",") + ")"
            let clock = ContinuousClock()
            return try (0..<3).map { _ in
                try clock.measure { _ = try LabelSelector(parsing: text) }
            }.min() ?? .zero
        }
        _ = try time(1000)
        let small = try time(10_000)
        let large = try time(80_000)
        // Eight times the work; the rest is sorting and room for a busy machine.
        #expect(large < small * 40)
    }

    @Test("validates an object with all its faults")
    func validation() {
        var errors = FieldErrors(at: FieldPath("spec", "selector"))
        errors.validateLabelSelector(
            matchLabels: [(key: "a", value: "b c")],
            matchExpressions: [
                .init(key: "a", operator: "In"), .init(key: "a", operator: "Exists", values: ["x"]),
                .init(key: "a", operator: "Foo"), .init(key: "", operator: "Exists"),
                .init(key: "a", operator: "In", values: ["x", "-"]),
            ]
        )
        let texts = errors.list.map(\.description)
        #expect(texts.count == 7)
        #expect(texts[0].hasPrefix("spec.selector.matchLabels: Invalid value: \"b c\": a valid"))
        #expect(
            Array(texts[1...3]) == [
                "spec.selector.matchExpressions[0].values: Required value: must be specified when "
                    + "`operator` is 'In' or 'NotIn'",
                "spec.selector.matchExpressions[1].values: Forbidden: may not be specified when "
                    + "`operator` is 'Exists' or 'DoesNotExist'",
                "spec.selector.matchExpressions[2].operator: Invalid value: \"Foo\": not a valid "
                    + "selector operator",
            ]
        )
        #expect(
            texts[4].hasPrefix("spec.selector.matchExpressions[3].key: Invalid value: \"\": name")
        )
        #expect(
            texts[6].hasPrefix("spec.selector.matchExpressions[4].values[1]: Invalid value: \"-\"")
        )

        var lenient = FieldErrors()
        lenient.validateLabelSelector(
            matchLabels: [],
            matchExpressions: [
                .init(key: "a", operator: "In", values: ["-"]), .init(key: "a", operator: "Foo"),
            ],
            allowsInvalidValues: true,
            allowsUnknownOperator: true
        )
        #expect(lenient.isEmpty)
    }
}
