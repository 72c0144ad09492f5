// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import Protobuf

/// A constant for one field of a message.
struct ConstantDefault {
    /// What is stored, by the kind of the slot.
    private enum Value {
        case string(String)
        case int32(Int32)
        case int64(Int64)
        case bool(Bool)
        /// A message that is copied; the table is that of its type.
        case message(MessageStorage, UnsafePointer<MessageTable>)
        case strings([String])
    }

    private let entry: UnsafePointer<FieldEntry>
    private let value: Value

    /// - Returns: nil when the text is not JSON of the field's type.
    init?(_ field: FieldSchema, _ text: String) {
        self.entry = field.entry
        guard let json = try? DynamicValue(json: Array(text.utf8)),
            let value = Self.value(of: json, for: field)
        else { return nil }
        self.value = value
    }

    private static func value(of json: DynamicValue, for field: FieldSchema) -> Value? {
        if field.isRepeated {
            guard field.entry.pointee.kind == .string, json.kind == .list else { return nil }
            return .strings(json.items.compactMap(\.string))
        }
        switch field.entry.pointee.kind {
        case .string: return json.string.map { .string($0) }
        case .int32, .sint32, .sfixed32:
            return json.integer.flatMap { Int32(exactly: $0) }.map { .int32($0) }
        case .int64, .sint64, .sfixed64: return json.integer.map { .int64($0) }
        case .bool: return json.bool.map { .bool($0) }
        case .message:
            guard let schema = field.message, let storage = try? json.storage(of: schema) else {
                return nil
            }
            return .message(storage, schema.table)
        case .double, .float, .uint64, .fixed64, .fixed32, .bytes, .uint32, .enum:
            return nil
        }
    }

    /// Sets the field of the message at `message` of a block that is ours to write, when it is
    /// unset: absent, or zero where Go has no pointer, or empty for a list.
    func set(_ block: Block, _ message: UInt32) {
        let field = self.entry
        let base = UnsafeRawPointer(block.base + Int(message))
        let slot = message &+ field.pointee.offset
        switch field.pointee.cardinality {
        case .always, .implicit:
            guard MessageTree.isZero(field.pointee.kind, base + Int(field.pointee.offset)) else {
                return
            }
            self.store(block, slot)
        case .explicit:
            if MessageTree.isPresent(field, base) { return }
            self.store(block, slot)
            if field.pointee.kind != .message {
                let bit = field.pointee.presence
                let byte = block.base + Int(message) + Int(bit >> 3)
                byte.storeBytes(
                    of: byte.load(as: UInt8.self) | 1 << UInt8(bit & 7),
                    as: UInt8.self
                )
            }
        case .repeated, .packed:
            let header = UInt32.load(block, slot)
            if header == 0 || UInt32.load(block, header) == 0 { self.store(block, slot) }
        case .oneof, .map:
            return
        }
    }

    private func store(_ block: Block, _ slot: UInt32) {
        switch self.value {
        case .string(let text): String.store(text, block, slot)
        case .int32(let number): Int32.store(number, block, slot)
        case .int64(let number): Int64.store(number, block, slot)
        case .bool(let isTrue): Bool.store(isTrue, block, slot)
        case .message(let template, let table):
            let copy = block.copyMessage(table, from: template.block.base, at: template.offset)
            UInt32.store(copy, block, slot)
        case .strings(let texts):
            var list = RepeatedField<String>(block: block.lend(), slot: slot)
            list.append(contentsOf: texts)
            _ = block.endLoan(&list.block)
        }
    }
}
