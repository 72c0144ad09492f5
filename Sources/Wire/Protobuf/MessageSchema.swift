// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// A message type at run time: its name, its fields and what the schema file says of them.
public final class MessageSchema: @unchecked Sendable {
    // SAFETY: the table is filled in before the schema is handed out, and not written afterwards
    // except for `requiredMessages`, which `TableBuilder` sets under the same rule.

    /// The name with its package, as in `k8s.io.api.core.v1.Pod`.
    public let fullName: String

    /// The file that defines the type.
    public var file: FileSchema {
        guard let file = self.owner else { preconditionFailure("\(self.fullName) has no file") }
        return file
    }

    /// Files live for ever; the reference is not counted to avoid a cycle.
    unowned(unsafe) var owner: FileSchema?

    @usableFromInline package let table: UnsafePointer<MessageTable>

    /// The serialized `apus.MessageRules` of the schema.
    let rules: [UInt8]

    /// How many messages may be written with every value of a type, however empty it is.
    public static let maximumRequiredMessages = 1000

    /// How many messages are always written with it.
    var requiredMessages: Int?

    init(fullName: String, table: UnsafePointer<MessageTable>, rules: [UInt8]) {
        self.fullName = fullName
        let dot = fullName.utf8.lastIndex(of: UInt8(ascii: "."))
        self.name = dot.map { String(fullName[fullName.utf8.index(after: $0)...]) } ?? fullName
        self.table = table
        self.rules = rules
    }

    /// The name without package and enclosing messages.
    public let name: String

    /// The fields in the order of the schema file.
    public var fields: [FieldSchema] {
        let table = self.table.pointee
        return (0..<table.fieldCount).map { index in
            FieldSchema(entry: UnsafePointer(table.fields + Int(table.declared[index])))
        }
    }

    /// The field with this name in the schema file.
    public func field(named name: String) -> FieldSchema? {
        var name = name
        return name.withUTF8 { name in
            let fields = self.table.pointee.fields
            for index in 0..<self.table.pointee.fieldCount
            where fields[index].name.bytes.elementsEqual(name) {
                return FieldSchema(entry: UnsafePointer(fields + index))
            }
            return nil
        }
    }

    /// The field with this number.
    public func field(number: Int) -> FieldSchema? {
        guard let number = UInt32(exactly: number) else { return nil }
        return self.table.pointee.entry(number: number).map(FieldSchema.init)
    }

    /// Whether JSON carries `kind` and `apiVersion` for the type.
    public var isKind: Bool { self.table.pointee.isKind }

    /// The serialized `apus.MessageRules`; read them with the generated type.
    public func withRules<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try self.rules.withUnsafeBytes(body)
    }
}

/// One field of a message type.
public struct FieldSchema: @unchecked Sendable {
    // SAFETY: rows live for ever and are not changed once their file is loaded.

    package let entry: UnsafePointer<FieldEntry>

    /// The name in the schema file.
    public var name: String { self.entry.pointee.name.string }

    /// The key in JSON; empty for a field without one.
    public var jsonName: String { self.entry.pointee.jsonName.string }

    /// The field number.
    public var number: Int { Int(self.entry.pointee.number) }

    public var isRepeated: Bool {
        self.entry.pointee.cardinality == .repeated || self.entry.pointee.cardinality == .packed
    }

    public var isMap: Bool { self.entry.pointee.cardinality == .map }

    /// Whether being set differs from being zero.
    public var hasPresence: Bool {
        self.entry.pointee.cardinality == .explicit || self.entry.pointee.cardinality == .oneof
    }

    /// Whether the fields of the message stand in the JSON object of its parent.
    public var isInline: Bool { self.entry.pointee.isInline }

    /// The message type of the value, the items or the map's values.
    public var message: MessageSchema? {
        self.entry.pointee.child?.pointee.schema.takeUnretainedValue()
    }

    /// The enum type of the value, the items or the map's values.
    public var enumeration: EnumSchema? {
        self.entry.pointee.enumeration?.takeUnretainedValue()
    }

    /// The serialized `apus.FieldRules`; read them with the generated type.
    public func withRules<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try body(self.entry.pointee.rules.bytes)
    }
}

/// An enum type at run time.
public final class EnumSchema: Sendable {
    /// The name with its package.
    public let fullName: String

    /// Names and numbers in the order of the schema file.
    public let values: [(name: String, number: Int32)]

    /// Whether it is `google.protobuf.NullValue`, whose one value is JSON's null.
    package let isNull: Bool

    private let names: [Int32: String]
    private let numbers: [String: Int32]

    init(fullName: String, values: [(name: String, number: Int32)]) {
        self.fullName = fullName
        self.isNull = fullName == "google.protobuf.NullValue"
        self.values = values
        self.names = Dictionary(values.map { ($0.number, $0.name) }) { first, _ in first }
        self.numbers = Dictionary(values.map { ($0.name, $0.number) }) { first, _ in first }
    }

    /// The name of a number; the first one when it has several.
    public func name(of number: Int32) -> String? { self.names[number] }

    /// The number of a name.
    public func number(of name: String) -> Int32? { self.numbers[name] }
}
