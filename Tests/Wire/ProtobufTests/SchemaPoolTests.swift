// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Descriptors
import JSON
import Protobuf
import Testing

/// Schemas from outside: each is loaded or refused, and none can make the codecs run away.
@Suite("Schema pools")
struct SchemaPoolTests {
    private static func message(
        _ name: String,
        _ fields: [(FieldLabel, String)]
    ) -> MessageDescriptor {
        MessageDescriptor(
            name: name,
            fields: fields.enumerated().map { index, field in
                FieldDescriptor(
                    name: "f\(index)",
                    number: Int32(index + 1),
                    label: field.0,
                    type: .message,
                    typeName: ".t.\(field.1)",
                    jsonName: "f\(index)"
                )
            }
        )
    }

    private static func pool(_ messages: [MessageDescriptor]) throws(SchemaError) -> SchemaPool {
        try SchemaPool([FileDescriptor(name: "t.proto", package: "t", messages: messages)])
    }

    struct Endless: Sendable, CustomTestStringConvertible {
        let name: String
        let messages: [MessageDescriptor]
        let named: String
        var testDescription: String { self.name }
    }

    static let endless = [
        Endless(name: "itself", messages: [message("A", [(.required, "A")])], named: "t.A"),
        Endless(
            name: "each other",
            messages: [
                message("C", [(.optional, "B")]), message("B", [(.required, "A")]),
                message("A", [(.optional, "C"), (.required, "B")]),
            ],
            named: "t.A"
        ),
        Endless(
            name: "a chain of 1,001",
            messages: (0...1001).map {
                message("M\($0)", $0 == 0 ? [] : [(.required, "M\($0 - 1)")])
            },
            named: "t.M1001"
        ),
        Endless(
            name: "two of the next, ten times",
            messages: (0...10).map {
                message(
                    "M\($0)",
                    $0 == 0 ? [] : [(.required, "M\($0 - 1)"), (.required, "M\($0 - 1)")]
                )
            },
            named: "t.M9"
        ),
    ]

    @Test("a message that has to contain itself, or too much, is refused", arguments: endless)
    func refuses(_ row: Endless) {
        #expect(throws: SchemaError.requiresTooMuch(row.named)) { try Self.pool(row.messages) }
    }

    @Test("what need not be there may lead back")
    func recursive() throws {
        let pool = try Self.pool([
            Self.message("A", [(.optional, "A"), (.repeated, "A"), (.required, "B")]),
            Self.message("B", [(.optional, "A")]),
        ])
        let schema = try #require(pool.message("t.A"))
        // The required message is written, and nothing in it.
        #expect(Self.emptyMessage(schema) == [0x1A, 0])
    }

    @Test("a thousand messages in one are loaded, a hundred written")
    func deep() throws {
        let pool = try Self.pool(
            (0...1000).map { Self.message("M\($0)", $0 == 0 ? [] : [(.required, "M\($0 - 1)")]) }
        )
        #expect(pool.message("t.M1000") != nil)
        let bytes = Self.emptyMessage(try #require(pool.message("t.M100")))
        #expect(bytes.count > 200)
        #expect(bytes.suffix(4) == [0x0A, 2, 0x0A, 0])
    }

    /// What a message is written as in which nothing is set.
    private static func emptyMessage(_ schema: MessageSchema) -> [UInt8] {
        MessageStorage().withSerializedBytes(schema) { [UInt8]($0) }
    }

    @Test("a type that only has the name of a well-known one is an ordinary message")
    func impostor() throws {
        let fields = [
            FieldDescriptor(name: "seconds", number: 1, type: .string, jsonName: "seconds")
        ]
        let pool = try SchemaPool([
            FileDescriptor(
                name: "t.proto",
                package: "google.protobuf",
                messages: [
                    MessageDescriptor(name: "Timestamp", fields: fields),
                    MessageDescriptor(name: "Value"), MessageDescriptor(name: "Struct"),
                ]
            )
        ])
        let schema = try #require(pool.message("google.protobuf.Timestamp"))
        let value = try DynamicValue(serialized: [0x0A, 1, 0x61], as: schema)
        #expect(value.jsonText == #"{"seconds":"a"}"#)
    }
}

extension DynamicValue {
    fileprivate init(serialized bytes: [UInt8], as schema: MessageSchema) throws {
        self = try bytes.withUnsafeBytes { try DynamicValue(serialized: $0, as: schema) }
    }
}
