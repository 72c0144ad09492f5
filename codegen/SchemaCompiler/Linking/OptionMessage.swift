// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Descriptors

/// An options message as it grows while options are interpreted.
final class OptionMessage {
    /// A single value in its wire form.
    enum Value {
        case varint(UInt64)
        case fixed64(UInt64)
        case fixed32(UInt32)
        case bytes([UInt8])
        case message(OptionMessage)
    }

    /// A field that has been set.
    struct Entry {
        let field: FieldDeclaration
        var values: [Value]
    }

    let type: MessageDeclaration
    private(set) var entries: [Int32: Entry] = [:]

    init(type: MessageDeclaration) { self.type = type }

    func values(of field: FieldDeclaration) -> [Value] {
        self.entries[field.number]?.values ?? []
    }

    func append(_ value: Value, to field: FieldDeclaration) {
        self.entries[field.number, default: Entry(field: field, values: [])].values.append(value)
    }

    /// The message in a singular field, made when it is not there yet.
    func message(of field: FieldDeclaration, type: MessageDeclaration) -> OptionMessage {
        if case .message(let existing)? = self.values(of: field).last { return existing }
        let message = OptionMessage(type: type)
        self.append(.message(message), to: field)
        return message
    }

    /// Required fields that are not set, here or in any message inside, by path.
    var missingRequired: [String] {
        var result = self.type.fields
            .filter { $0.label == .required && self.entries[$0.number] == nil }
            .map(\.name)
        for entry in self.entries.values.sorted(by: { $0.field.number < $1.field.number }) {
            for case .message(let inner) in entry.values {
                result += inner.missingRequired.map { "\(entry.field.name).\($0)" }
            }
        }
        return result
    }

    /// Whether a field is set that never leaves the compiler.
    var hasSourceRetention: Bool {
        self.entries.values.contains { $0.field.hasSourceRetention }
    }

    // MARK: - Serialization

    /// The serialized message: fields in order of number, repeated scalars packed where declared.
    ///
    /// Options with source retention are left out, as they are from every descriptor that leaves
    /// a compiler.
    func serialized() -> [UInt8] {
        var writer = OptionWriter()
        self.write(to: &writer)
        return writer.bytes
    }

    private func write(to writer: inout OptionWriter) {
        for (number, entry) in self.entries.sorted(by: { $0.key < $1.key }) {
            let field = entry.field
            if field.hasSourceRetention { continue }
            if self.type.isMessageSet {
                Self.writeMessageSetItems(number, entry, to: &writer)
                continue
            }
            if field.isMap {
                self.writeMap(number, entry, to: &writer)
            } else if field.isPacked {
                var packed = OptionWriter()
                for value in entry.values { packed.writeBare(value) }
                writer.writeBytes(number, packed.bytes)
            } else {
                for value in entry.values {
                    if !field.hasPresence, field.label != .repeated, value.isZero { continue }
                    Self.write(value, of: field, number, to: &writer)
                }
            }
        }
    }

    /// Writes extensions in the form of proto1: groups that hold number and message.
    private static func writeMessageSetItems(
        _ number: Int32,
        _ entry: Entry,
        to writer: inout OptionWriter,
    ) {
        for case .message(let message) in entry.values {
            writer.writeTag(1, wireType: 3)
            writer.writeTag(2, wireType: 0)
            writer.writeBare(.varint(UInt64(number)))
            writer.writeBytes(3, message.serialized())
            writer.writeTag(1, wireType: 4)
        }
    }

    private static func write(
        _ value: Value,
        of field: FieldDeclaration,
        _ number: Int32,
        to writer: inout OptionWriter,
    ) {
        switch value {
        case .varint, .fixed64, .fixed32:
            writer.writeTag(number, wireType: value.wireType)
            writer.writeBare(value)
        case .bytes(let bytes):
            writer.writeBytes(number, bytes)
        case .message(let message):
            if case .group = field.type {
                writer.writeTag(number, wireType: 3)
                message.write(to: &writer)
                writer.writeTag(number, wireType: 4)
            } else {
                writer.writeBytes(number, message.serialized())
            }
        }
    }

    /// Writes the entries of a map in source order, each with key and value, zero or not.
    private func writeMap(_ number: Int32, _ entry: Entry, to writer: inout OptionWriter) {
        for case .message(let pair) in entry.values {
            var whole = OptionWriter()
            for field in pair.type.fields {
                let value = pair.values(of: field).last ?? Value.zero(of: field)
                Self.write(value, of: field, field.number, to: &whole)
            }
            writer.writeBytes(number, whole.bytes)
        }
    }
}

extension OptionMessage.Value {
    /// The wire type of scalars.
    fileprivate var wireType: UInt8 {
        switch self {
        case .varint: 0
        case .fixed64: 1
        case .bytes, .message: 2
        case .fixed32: 5
        }
    }

    fileprivate var isZero: Bool {
        switch self {
        case .varint(let value): value == 0
        case .fixed64(let value): value == 0
        case .fixed32(let value): value == 0
        case .bytes(let bytes): bytes.isEmpty
        case .message: false
        }
    }

    /// What an absent key or value of a map entry stands for.
    fileprivate static func zero(of field: FieldDeclaration) -> Self {
        switch field.type {
        case .scalar(.double), .scalar(.fixed64), .scalar(.sfixed64): .fixed64(0)
        case .scalar(.float), .scalar(.fixed32), .scalar(.sfixed32): .fixed32(0)
        case .scalar(.string), .scalar(.bytes): .bytes([])
        case .message(let type), .group(let type): .message(OptionMessage(type: type))
        case .scalar, .enumeration, .named, .unresolved: .varint(0)
        }
    }
}

extension FieldDeclaration {
    /// Whether the option is for the source only (`retention = RETENTION_SOURCE`).
    var hasSourceRetention: Bool {
        self.options.contains { option in
            guard option.isSimple("retention") else { return false }
            if case .identifier("RETENTION_SOURCE") = option.value.kind { return true }
            return false
        }
    }
}

/// Appends protobuf fields to a byte array.
struct OptionWriter {
    private(set) var bytes: [UInt8] = []

    mutating func writeTag(_ number: Int32, wireType: UInt8) {
        self.writeVarint(UInt64(UInt32(bitPattern: number) << 3 | UInt32(wireType)))
    }

    mutating func writeBytes(_ number: Int32, _ value: [UInt8]) {
        self.writeTag(number, wireType: 2)
        self.writeVarint(UInt64(value.count))
        self.bytes += value
    }

    /// Writes a value without its tag.
    mutating func writeBare(_ value: OptionMessage.Value) {
        switch value {
        case .varint(let value):
            self.writeVarint(value)
        case .fixed64(let value):
            withUnsafeBytes(of: value.littleEndian) { self.bytes += $0 }
        case .fixed32(let value):
            withUnsafeBytes(of: value.littleEndian) { self.bytes += $0 }
        case .bytes(let value):
            self.bytes += value
        case .message(let message):
            self.bytes += message.serialized()
        }
    }

    private mutating func writeVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            self.bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        self.bytes.append(UInt8(truncatingIfNeeded: rest))
    }
}
