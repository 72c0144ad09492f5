// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import ObjectModel
import Patches
import Testing

/// A document, a patch, and the document that comes out, or why none does.
struct PatchCase: Sendable, CustomTestStringConvertible {
    let name: String
    let document: String
    let patch: String
    let result: String?
    let error: PatchError?

    var testDescription: String { self.name }

    init(_ name: String, _ document: String, _ patch: String, gives result: String) {
        self.name = name
        self.document = document
        self.patch = patch
        self.result = result
        self.error = nil
    }

    init(_ name: String, _ document: String, _ patch: String, throws error: PatchError) {
        self.name = name
        self.document = document
        self.patch = patch
        self.result = nil
        self.error = error
    }

    func check(
        _ apply: (DynamicValue, DynamicValue) throws(PatchError) -> DynamicValue
    ) throws {
        let patch = try tree(self.patch)
        let document = try tree(self.document)
        if let error = self.error {
            #expect(throws: error) { try apply(patch, document) }
        } else if let result = self.result {
            #expect(try apply(patch, document) == tree(result))
        }
        #expect(try document == tree(self.document), "the original is changed")
    }
}

func tree(_ json: String) throws -> DynamicValue {
    try DynamicValue(json: Array(json.utf8))
}

@Suite("JSONPatch")
struct JSONPatchTests {
    @Test("applies operations", arguments: Self.cases)
    func apply(_ test: PatchCase) throws {
        try test.check { (patch, document) throws(PatchError) in
            try JSONPatch.apply(patch, to: document)
        }
    }

    static let cases: [PatchCase] = [
        PatchCase(
            "adds a member",
            #"{"a":1}"#,
            #"[{"op":"add","path":"/b","value":2}]"#,
            gives: #"{"a":1,"b":2}"#
        ),
        PatchCase(
            "adds over a member",
            #"{"a":1}"#,
            #"[{"op":"add","path":"/a","value":2}]"#,
            gives: #"{"a":2}"#
        ),
        PatchCase(
            "adds null for no value",
            #"{}"#,
            #"[{"op":"add","path":"/a"}]"#,
            gives: #"{"a":null}"#
        ),
        PatchCase("inserts", #"[1,3]"#, #"[{"op":"add","path":"/1","value":2}]"#, gives: "[1,2,3]"),
        PatchCase(
            "appends",
            #"{"a":[1]}"#,
            #"[{"op":"add","path":"/a/-","value":2}]"#,
            gives: #"{"a":[1,2]}"#
        ),
        PatchCase(
            "appends by number",
            #"[1]"#,
            #"[{"op":"add","path":"/1","value":2}]"#,
            gives: "[1,2]"
        ),
        PatchCase("counts from the end", "[1,2]", #"[{"op":"remove","path":"/-1"}]"#, gives: "[1]"),
        PatchCase(
            "replaces the document",
            #"{"a":1}"#,
            #"[{"op":"add","path":"","value":{"b":2}}]"#,
            gives: #"{"b":2}"#
        ),
        PatchCase(
            "removes",
            #"{"a":1,"b":2}"#,
            #"[{"op":"remove","path":"/a"}]"#,
            gives: #"{"b":2}"#
        ),
        PatchCase(
            "replaces",
            #"{"a":{"b":[1,2]}}"#,
            #"[{"op":"replace","path":"/a/b/0","value":9}]"#,
            gives: #"{"a":{"b":[9,2]}}"#
        ),
        PatchCase(
            "moves",
            #"{"a":{"x":1},"b":{}}"#,
            #"[{"op":"move","from":"/a/x","path":"/b/y"}]"#,
            gives: #"{"a":{},"b":{"y":1}}"#
        ),
        PatchCase(
            "moves in a list",
            "[1,2,3]",
            #"[{"op":"move","from":"/0","path":"/2"}]"#,
            gives: "[2,3,1]"
        ),
        PatchCase(
            "copies",
            #"{"a":{"x":1}}"#,
            #"[{"op":"copy","from":"/a","path":"/b"}]"#,
            gives: #"{"a":{"x":1},"b":{"x":1}}"#
        ),
        PatchCase(
            "tests",
            #"{"a":{"x":1,"y":[1,"b"]}}"#,
            #"[{"op":"test","path":"/a","value":{"y":[1,"b"],"x":1}}]"#,
            gives: #"{"a":{"x":1,"y":[1,"b"]}}"#
        ),
        PatchCase(
            "tests numbers by value",
            #"{"a":1}"#,
            #"[{"op":"test","path":"/a","value":1.0}]"#,
            gives: #"{"a":1}"#
        ),
        PatchCase(
            "tests that a member is absent",
            #"{"a":1}"#,
            #"[{"op":"test","path":"/b","value":null}]"#,
            gives: #"{"a":1}"#
        ),
        PatchCase(
            "unescapes paths",
            #"{"a/b":1,"c~d":2}"#,
            #"[{"op":"remove","path":"/a~1b"},{"op":"replace","path":"/c~0d","value":3}]"#,
            gives: #"{"c~d":3}"#
        ),
        PatchCase("does nothing", #"{"a":1}"#, "[]", gives: #"{"a":1}"#),
        PatchCase(
            "an empty key",
            #"{"":1}"#,
            #"[{"op":"replace","path":"/","value":2}]"#,
            gives: #"{"":2}"#
        ),
        PatchCase(
            "a missing parent",
            #"{}"#,
            #"[{"op":"add","path":"/a/b","value":1}]"#,
            throws: .inapplicable("add operation does not apply: doc is missing path: /a/b")
        ),
        PatchCase(
            "a missing member to remove",
            #"{}"#,
            #"[{"op":"remove","path":"/a"}]"#,
            throws: .inapplicable("Unable to remove nonexistent key: a")
        ),
        PatchCase(
            "a missing member to replace",
            #"{}"#,
            #"[{"op":"replace","path":"/a","value":1}]"#,
            throws: .inapplicable("replace operation does not apply: doc is missing key: /a")
        ),
        PatchCase(
            "an index too high",
            "[1]",
            #"[{"op":"add","path":"/2","value":1}]"#,
            throws: .inapplicable("Unable to access invalid index: 2")
        ),
        PatchCase(
            "an index too low",
            "[1]",
            #"[{"op":"remove","path":"/-2"}]"#,
            throws: .inapplicable("Unable to access invalid index: -2")
        ),
        PatchCase(
            "no index",
            "[1]",
            #"[{"op":"remove","path":"/x"}]"#,
            throws: .inapplicable("Unable to access invalid index: x")
        ),
        PatchCase(
            "a failing test",
            #"{"a":1}"#,
            #"[{"op":"test","path":"/a","value":2}]"#,
            throws: .inapplicable("testing value /a failed")
        ),
        PatchCase(
            "a failing test undoes all",
            #"{"a":1}"#,
            #"[{"op":"remove","path":"/a"},{"op":"test","path":"/a","value":1}]"#,
            throws: .inapplicable("testing value /a failed")
        ),
        PatchCase(
            "an unknown operation",
            "{}",
            #"[{"op":"fly","path":"/a"}]"#,
            throws: .inapplicable("Unexpected kind: fly")
        ),
        PatchCase(
            "no operation",
            "{}",
            #"[{"path":"/a"}]"#,
            throws: .inapplicable("Unexpected kind: unknown")
        ),
        PatchCase(
            "no path",
            "{}",
            #"[{"op":"add","value":1}]"#,
            throws: .inapplicable("add operation failed to decode path")
        ),
        PatchCase(
            "no slash",
            #"{"a":1}"#,
            #"[{"op":"remove","path":"a"}]"#,
            throws: .inapplicable("remove operation does not apply: doc is missing path: a")
        ),
        PatchCase(
            "into a scalar",
            #"{"a":1}"#,
            #"[{"op":"add","path":"/a/b","value":1}]"#,
            throws: .inapplicable("add operation does not apply: doc is missing path: /a/b")
        ),
        PatchCase(
            "no list",
            "{}",
            #"{"op":"add"}"#,
            throws: .malformed(
                "json: cannot unmarshal object into Go value of type jsonpatch.Patch"
            )
        ),
        PatchCase(
            "no objects",
            "{}",
            "[1]",
            throws: .malformed(
                "json: cannot unmarshal number into Go value of type jsonpatch.Operation"
            )
        ),
        PatchCase(
            "a scalar for the document",
            "{}",
            #"[{"op":"replace","path":"","value":1}]"#,
            throws: .inapplicable("replace operation value must be object or array")
        ),
    ]

    @Test("limits the number of operations", arguments: [0, 1])
    func operations(_ excess: Int) throws {
        let operation: DynamicValue = ["op": "add", "path": "/a", "value": 1]
        let patch = DynamicValue(repeatElement(operation, count: 100 + excess))
        if excess == 0 {
            #expect(try JSONPatch.apply(patch, to: [:], operationLimit: 100) == ["a": 1])
        } else {
            #expect(throws: PatchError.tooManyOperations(101, limit: 100)) {
                try JSONPatch.apply(patch, to: [:], operationLimit: 100)
            }
        }
    }

    @Test("limits what copies add")
    func copies() throws {
        let patch = try tree(#"[{"op":"copy","from":"/a","path":"/b"}]"#)
        let document = try tree(#"{"a":"12345678"}"#)
        #expect(try JSONPatch.apply(patch, to: document, copyLimit: 10).count == 2)
        #expect(throws: PatchError.copiesTooLarge(limit: 9)) {
            try JSONPatch.apply(patch, to: document, copyLimit: 9)
        }
    }

    @Test("ten thousand operations on a large object stay cheap")
    func manyOperations() throws {
        var document = DynamicValue.emptyObject
        for index in 0..<1000 { document["key\(index)"] = ["value": DynamicValue(index)] }
        let operation: DynamicValue = ["op": "replace", "path": "/key500/value", "value": 1]
        let patch = DynamicValue(repeatElement(operation, count: 10_000))
        let result = try JSONPatch.apply(patch, to: document)
        #expect(result["key500"] == ["value": 1])
    }

    @Test("tells the client")
    func status() {
        #expect(PatchError.malformed("m").statusError.code == 400)
        #expect(PatchError.tooManyOperations(2, limit: 1).statusError.code == 413)
        let error = PatchError.inapplicable("i").statusError
        #expect(error.code == 422 && error.reason == .invalid)
        #expect(error.message == "the server rejected our request due to an error in our request")
        #expect(PatchError.unsupported("u").statusError.code == 500)
    }
}
