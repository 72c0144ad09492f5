// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Protobuf
import Scalars

// Types whose JSON is not an object of their fields (`json_form` in the schema).

extension MessageJSONDecoder {
    mutating func readForm(
        _ table: UnsafePointer<MessageTable>,
        _ message: UInt32,
        depth: Int
    ) throws(JSONError) {
        switch table.pointee.jsonForm {
        case .object: break
        case .time: try self.readTime(table, message, .time)
        case .microTime: try self.readTime(table, message, .microTime)
        case .duration: try self.readDuration(table, message)
        case .quantity: try self.readQuantity(table, message)
        case .intOrString: try self.readIntOrString(table, message)
        case .rawExtension, .json, .unknown:
            try self.readRaw(table, message, depth: depth)
        case .fieldsV1:
            guard self.scanner.peek() == UInt8(ascii: "{") else {
                throw try self.mismatch(table.pointee.goName)
            }
            try self.readRaw(table, message, depth: depth)
        case .schemaOrArray: try self.readSchemaOrArray(table, message, depth: depth)
        case .schemaOrBool: try self.readSchemaOrBool(table, message, depth: depth)
        case .schemaOrStringArray: try self.readSchemaOrArray(table, message, depth: depth)
        case .stringList: try self.readSoleField(table, message, 1, depth: depth)
        case .wellKnown: try self.readWellKnown(table, message, depth: depth)
        }
    }

    /// The slot of a field of a form, by its number; the field becomes present.
    func slot(
        _ table: UnsafePointer<MessageTable>,
        _ message: UInt32,
        _ number: UInt32
    ) -> UInt32 {
        guard let field = table.pointee.entry(number: number) else {
            preconditionFailure("\(table.pointee.goName) lacks field \(number) of its JSON form")
        }
        if field.pointee.cardinality == .explicit {
            self.setBit(message, field.pointee.presence, true)
        }
        return message &+ field.pointee.offset
    }

    /// A string, or the error that says what was found instead.
    mutating func text(
        _ table: UnsafePointer<MessageTable>
    ) throws(JSONError) -> UnsafeRawBufferPointer {
        guard self.scanner.peek() == UInt8(ascii: "\"") else {
            throw try self.mismatch(table.pointee.goName)
        }
        return try self.scanner.string()
    }

    private mutating func readTime(
        _ table: UnsafePointer<MessageTable>,
        _ message: UInt32,
        _ layout: Timestamp.Layout
    ) throws(JSONError) {
        let offset = self.scanner.offset
        let text = try self.text(table)
        let time: Timestamp
        do throws(TimestampError) {
            time = try Timestamp(parsing: text, as: layout)
        } catch {
            throw self.invalidValue(error.description, at: offset)
        }
        if time.isZero { return }
        Int64.store(time.seconds, self.block, self.slot(table, message, 1))
        let nanoseconds = layout == .microTime ? time.nanoseconds / 1000 * 1000 : 0
        Int32.store(nanoseconds, self.block, self.slot(table, message, 2))
    }

    private mutating func readDuration(
        _ table: UnsafePointer<MessageTable>,
        _ message: UInt32
    ) throws(JSONError) {
        let offset = self.scanner.offset
        let text = try self.text(table)
        do throws(GoDurationError) {
            let duration = try GoDuration(parsing: text)
            Int64.store(duration.nanoseconds, self.block, self.slot(table, message, 1))
        } catch {
            throw self.invalidValue(error.description, at: offset)
        }
    }

    private mutating func readQuantity(
        _ table: UnsafePointer<MessageTable>,
        _ message: UInt32
    ) throws(JSONError) {
        let byte = self.scanner.peek()
        let offset = self.scanner.offset
        let text: UnsafeRawBufferPointer
        if byte == UInt8(ascii: "\"") {
            text = try self.scanner.string()
        } else if byte == UInt8(ascii: "-") || byte &- UInt8(ascii: "0") < 10 {
            text = try self.scanner.number().text
        } else {
            throw try self.mismatch(table.pointee.goName)
        }
        let slot = self.slot(table, message, 1)
        do throws(QuantityError) {
            switch try Quantity.canonicalize(text) {
            case .unchanged:
                self.block.putExtent(self.block.copyIn(text), slot)
            case .changed(let quantity):
                String.store(quantity.description, self.block, slot)
            }
        } catch {
            throw self.invalidValue(error.description, at: offset)
        }
    }

    private mutating func readIntOrString(
        _ table: UnsafePointer<MessageTable>,
        _ message: UInt32
    ) throws(JSONError) {
        if self.scanner.peek() == UInt8(ascii: "\"") {
            let text = try self.scanner.string()
            Int64.store(1, self.block, self.slot(table, message, 1))
            self.block.putExtent(self.block.copyIn(text), self.slot(table, message, 3))
            return
        }
        let byte = self.scanner.peek()
        guard byte == UInt8(ascii: "-") || byte &- UInt8(ascii: "0") < 10 else {
            throw try self.mismatch(table.pointee.goName)
        }
        let offset = self.scanner.offset
        let (text, isInteger) = try self.scanner.number()
        guard isInteger, let value = JSONScanner.integer(text), let number = Int32(exactly: value)
        else {
            throw self.mismatch(
                found: "number " + String(decoding: text, as: UTF8.self),
                "int32",
                offset
            )
        }
        Int64.store(0, self.block, self.slot(table, message, 1))
        Int32.store(number, self.block, self.slot(table, message, 2))
    }

    /// Keeps any value as its text.
    private mutating func readRaw(
        _ table: UnsafePointer<MessageTable>,
        _ message: UInt32,
        depth: Int
    ) throws(JSONError) {
        let text = try self.scanner.skipValue(depth: depth, limit: self.limits.depth)
        let number: UInt32 = table.pointee.jsonForm == .unknown ? 2 : 1
        self.block.putExtent(self.block.copyIn(text), self.slot(table, message, number))
    }

    /// An object is field 1; a list is field 2.
    private mutating func readSchemaOrArray(
        _ table: UnsafePointer<MessageTable>,
        _ message: UInt32,
        depth: Int
    ) throws(JSONError) {
        switch self.scanner.peek() {
        case UInt8(ascii: "{"): try self.readSoleField(table, message, 1, depth: depth)
        case UInt8(ascii: "["): try self.readSoleField(table, message, 2, depth: depth)
        default: throw try self.mismatch(table.pointee.goName)
        }
    }

    /// A boolean is field 1; an object is field 2 and implies true.
    private mutating func readSchemaOrBool(
        _ table: UnsafePointer<MessageTable>,
        _ message: UInt32,
        depth: Int
    ) throws(JSONError) {
        let allows = self.slot(table, message, 1)
        switch self.scanner.peek() {
        case UInt8(ascii: "{"):
            Bool.store(true, self.block, allows)
            try self.readSoleField(table, message, 2, depth: depth)
        case UInt8(ascii: "t"):
            try self.scanner.literal("true")
            Bool.store(true, self.block, allows)
        case UInt8(ascii: "f"):
            try self.scanner.literal("false")
            Bool.store(false, self.block, allows)
        default: throw try self.mismatch(table.pointee.goName)
        }
    }

    mutating func readSoleField(
        _ table: UnsafePointer<MessageTable>,
        _ message: UInt32,
        _ number: UInt32,
        depth: Int
    ) throws(JSONError) {
        guard let field = table.pointee.entry(number: number) else { return }
        try self.readField(field, of: message, depth: depth)
    }
}
