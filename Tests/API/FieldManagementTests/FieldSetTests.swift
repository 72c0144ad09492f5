// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import FieldManagement
import JSON
import Testing

@Suite("FieldSet")
struct FieldSetTests {
    private func set(_ json: String) throws -> FieldSet {
        try #require(FieldSet(fieldsV1: DynamicValue(json: Array(json.utf8))))
    }

    @Test(
        "survives its encoding",
        arguments: [
            "{}",
            #"{"f:a":{}}"#,
            #"{"f:a":{".":{},"f:b":{}}}"#,
            #"{"f:a":{"k:{\"name\":\"x\",\"port\":80}":{".":{},"f:b":{}}}}"#,
            #"{"f:a":{"v:\"x\"":{},"v:1":{},"v:true":{}}}"#,
            #"{"f:a":{"i:0":{},"i:12":{"f:b":{}}}}"#,
        ]
    )
    func roundTrip(_ json: String) throws {
        #expect(try self.set(json).fieldsV1 == DynamicValue(json: Array(json.utf8)))
    }

    @Test(
        "is not read from other shapes",
        arguments: ["[]", "1", #"{"a":{}}"#, #"{"f:a":1}"#, #"{"f:a":{"x":{}}}"#]
    )
    func malformed(_ json: String) throws {
        #expect(try FieldSet(fieldsV1: DynamicValue(json: Array(json.utf8))) == nil)
    }

    @Test("leaves out steps of unknown kinds, and malformed ones")
    func unknown() throws {
        let set = try self.set(#"{"f:a":{},"k:x":{},"v:":{},"i:-1":{},"i:x":{}}"#)
        #expect(set.paths == [[.field("a")]])
    }

    @Test("has the algebra of sets")
    func algebra() throws {
        let left = try self.set(#"{"f:a":{".":{},"f:b":{},"f:c":{}},"f:d":{}}"#)
        let right = try self.set(#"{"f:a":{"f:b":{}},"f:e":{}}"#)
        #expect(
            try left.union(right)
                == self.set(#"{"f:a":{".":{},"f:b":{},"f:c":{}},"f:d":{},"f:e":{}}"#)
        )
        #expect(try left.intersection(right) == self.set(#"{"f:a":{"f:b":{}}}"#))
        #expect(
            try left.subtracting(right) == self.set(#"{"f:a":{".":{},"f:c":{}},"f:d":{}}"#)
        )
        #expect(try right.subtractingRecursively(left) == self.set(#"{"f:e":{}}"#))
        #expect(left.subtracting(left).isEmpty)
        #expect(left.contains([.field("a")]) && !right.contains([.field("a")]))
    }

    @Test("shows places as messages do")
    func text() throws {
        let set = try self.set(
            #"{"f:a":{"k:{\"name\":\"x\",\"port\":80}":{"f:b":{}},"v:\"y\"":{},"i:3":{}}}"#
        )
        #expect(
            set.paths.map { $0.map(\.description).joined() }
                == [#".a[name="x",port=80].b"#, #".a[="y"]"#, ".a[3]"]
        )
    }
}
