// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import JSON
import Protobuf
import Testing
import WellKnownTypes

/// The JSON of google.protobuf's own types; `Tests/Conformance/Peers/json.test.py` compares many
/// more values with Google's.
@Suite("Well-known types")
struct WellKnownTypeTests {
    @Test("an Any holds what its file or the given types know")
    func types() throws {
        let text = #"{"@type":"type.googleapis.com/google.protobuf.Duration","value":"1.500s"}"#
        #expect(throws: JSONError.self) { try GoogleProtobuf.Any_(json: text) }
        let types = MessageTypes([GoogleProtobufDurationProto.file])
        let message = try GoogleProtobuf.Any_(json: text, types: types)
        #expect(message.value == Bytes([8, 1, 0x10, 0x80, 0xCA, 0xB5, 0xEE, 1]))
        #expect(try message.jsonText(types: types) == text)
        #expect(throws: JSONEncodingError.self) { try message.jsonText() }
        #expect(try GoogleProtobuf.Any_().jsonText() == "{}")
    }

    @Test("an Any inside an Any inside an Any ends somewhere")
    func nested() throws {
        let types = MessageTypes(WellKnownSchemas.files)
        func nest(_ depth: Int) -> String {
            let start = #"{"@type":"a/google.protobuf.Any","value":"#
            return String(repeating: start, count: depth) + "{}"
                + String(repeating: "}", count: depth)
        }
        let message = try GoogleProtobuf.Any_(json: nest(20), types: types)
        #expect(try message.jsonText(types: types) == nest(20))
        #expect(throws: JSONError.self) {
            try GoogleProtobuf.Any_(json: nest(10_001), types: types)
        }
    }

    @Test("an unknown field inside an Any is reported with its path")
    func problems() throws {
        let text = #"{"@type":"a/google.protobuf.FieldOptions","no":1}"#
        let decoded = try GoogleProtobuf.Any_.decode(
            json: Array(text.utf8),
            validation: .strict,
            types: MessageTypes(WellKnownSchemas.files)
        )
        #expect(decoded.problems == [#"unknown field "no""#])
    }

    @Test(
        "values of every kind come back",
        arguments: [
            "null", "1.5", #""a""#, "true", "false", "{}", "[]", #"{"a":[null,1,{"b":"c"}]}"#,
        ]
    )
    func values(_ text: String) throws {
        #expect(try GoogleProtobuf.Value(json: text).jsonText() == text)
        let list = "[\(text)]"
        #expect(try GoogleProtobuf.ListValue(json: list).jsonText() == list)
        let object = "{\"k\":\(text)}"
        #expect(try GoogleProtobuf.Struct(json: object).jsonText() == object)
    }
}
