// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Protobuf
import Scalars

extension MessageJSONEncoder where Output: ~Copyable {
    /// Writes the value of a field of the message at `message`.
    mutating func writeField(
        _ field: UnsafePointer<FieldEntry>,
        _ message: UnsafeRawPointer
    ) throws(JSONEncodingError) {
        let slot = message + Int(field.pointee.offset)
        switch field.pointee.cardinality {
        case .always, .implicit:
            try self.writeValue(field, field.pointee.kind, slot)
        case .explicit, .oneof:
            if MessageTree.isPresent(field, message) {
                try self.writeValue(field, field.pointee.kind, slot)
            } else {
                self.output.null()
            }
        case .repeated, .packed:
            try self.writeList(field, slot)
        case .map:
            try self.writeMap(field, slot)
        }
    }

    private mutating func writeList(
        _ field: UnsafePointer<FieldEntry>,
        _ slot: UnsafeRawPointer
    ) throws(JSONEncodingError) {
        guard let items = MessageTree.items(slot, self.base) else {
            return self.output.null()
        }
        let kind = field.pointee.kind
        let stride = Int(kind.slotBytes)
        self.output.beginList()
        for index in 0..<items.count {
            try self.writeValue(field, kind, items.first + index * stride)
        }
        self.output.endList()
    }

    private mutating func writeMap(
        _ field: UnsafePointer<FieldEntry>,
        _ slot: UnsafeRawPointer
    ) throws(JSONEncodingError) {
        guard let items = MessageTree.items(slot, self.base) else {
            return self.output.null()
        }
        self.output.beginObject()
        for index in 0..<items.count {
            let pair = items.first + index * MapLayout.entryBytes
            self.writeKey(field, pair)
            try self.writeValue(field, field.pointee.valueKind, pair + MapLayout.valueOffset)
        }
        self.output.endObject()
    }

    private mutating func writeKey(_ field: UnsafePointer<FieldEntry>, _ slot: UnsafeRawPointer) {
        switch field.pointee.keyKind {
        case .string: self.output.key(self.text(at: slot))
        case .bool: self.output.key(copying: slot.load(as: UInt8.self) == 0 ? "false" : "true")
        case .int32, .sint32, .sfixed32, .enum:
            self.output.key(copying: "\(slot.loadUnaligned(as: Int32.self))")
        case .uint32, .fixed32:
            self.output.key(copying: "\(slot.loadUnaligned(as: UInt32.self))")
        case .int64, .sint64, .sfixed64:
            self.output.key(copying: "\(slot.loadUnaligned(as: Int64.self))")
        case .uint64, .fixed64, .double, .float, .message, .bytes:
            self.output.key(copying: "\(slot.loadUnaligned(as: UInt64.self))")
        }
    }

    @inline(__always)
    func text(at slot: UnsafeRawPointer) -> UnsafeRawBufferPointer {
        let extent = slot.loadUnaligned(as: Extent.self)
        return UnsafeRawBufferPointer(
            start: self.base + Int(extent.offset),
            count: Int(extent.count)
        )
    }

    // MARK: - Single values

    private mutating func writeValue(
        _ field: UnsafePointer<FieldEntry>,
        _ kind: FieldKind,
        _ slot: UnsafeRawPointer
    ) throws(JSONEncodingError) {
        switch kind {
        case .string:
            self.output.string(self.text(at: slot))
        case .message:
            guard let table = field.pointee.child else { return }
            try self.writeMessage(table, self.message(at: slot), typeMeta: nil)
        case .bytes:
            self.output.base64(self.text(at: slot))
        case .int32, .sint32, .sfixed32:
            self.output.integer(Int64(slot.loadUnaligned(as: Int32.self)))
        case .uint32, .fixed32:
            self.output.integer(Int64(slot.loadUnaligned(as: UInt32.self)))
        case .int64, .sint64, .sfixed64:
            let value = slot.loadUnaligned(as: Int64.self)
            // Protobuf writes 64-bit numbers as text, because JavaScript cannot hold them.
            if field.pointee.dialect == .kubernetes {
                self.output.integer(value)
            } else {
                self.output.string(copying: "\(value)")
            }
        case .uint64, .fixed64:
            let value = slot.loadUnaligned(as: UInt64.self)
            if field.pointee.dialect == .kubernetes {
                self.output.unsigned(value)
            } else {
                self.output.string(copying: "\(value)")
            }
        case .bool:
            self.output.bool(slot.load(as: UInt8.self) != 0)
        case .double:
            try self.writeDouble(slot.loadUnaligned(as: Double.self), field)
        case .float:
            let value = slot.loadUnaligned(as: Float.self)
            // The shortest text of the float, not of the double it widens to.
            try self.writeDouble(Double(value.description) ?? Double(value), field)
        case .enum:
            self.writeEnum(field, slot.loadUnaligned(as: Int32.self))
        }
    }

    private mutating func writeDouble(
        _ value: Double,
        _ field: UnsafePointer<FieldEntry>
    ) throws(JSONEncodingError) {
        if value.isFinite { return self.output.double(value) }
        guard field.pointee.dialect != .kubernetes else {
            throw .notFinite(field: field.pointee.name.string)
        }
        self.output.string(
            copying: value.isNaN ? "NaN" : value > 0 ? "Infinity" : "-Infinity"
        )
    }

    private mutating func writeEnum(_ field: UnsafePointer<FieldEntry>, _ number: Int32) {
        let schema = field.pointee.enumeration?.takeUnretainedValue()
        if schema?.isNull == true {
            self.output.null()
        } else if let name = schema?.name(of: number) {
            self.output.string(copying: name)
        } else {
            self.output.integer(Int64(number))
        }
    }
}

// MARK: - Forms

extension MessageJSONEncoder where Output: ~Copyable {
    /// Writes a type whose JSON is not an object of its fields.
    mutating func writeForm(
        _ table: UnsafePointer<MessageTable>,
        _ message: UnsafeRawPointer
    ) throws(JSONEncodingError) {
        switch table.pointee.jsonForm {
        case .object: break
        case .time: try self.writeTime(table, message, .time)
        case .microTime: try self.writeTime(table, message, .microTime)
        case .duration:
            let nanoseconds = self.slot(table, message, 1).loadUnaligned(as: Int64.self)
            self.output.string(copying: GoDuration(nanoseconds: nanoseconds).text)
        case .quantity:
            let text = self.text(at: self.slot(table, message, 1))
            if text.isEmpty {
                self.output.string(copying: "0")
            } else {
                self.output.string(text)
            }
        case .intOrString:
            if self.slot(table, message, 1).loadUnaligned(as: Int64.self) == 1 {
                self.output.string(self.text(at: self.slot(table, message, 3)))
            } else {
                let number = self.slot(table, message, 2).loadUnaligned(as: Int32.self)
                self.output.integer(Int64(number))
            }
        case .rawExtension, .fieldsV1, .json:
            try self.writeRaw(table, self.text(at: self.slot(table, message, 1)))
        case .unknown:
            try self.writeRaw(table, self.text(at: self.slot(table, message, 2)))
        case .schemaOrArray, .schemaOrStringArray:
            let list = self.slot(table, message, 2)
            if MessageTree.count(list, self.base) > 0 {
                try self.writeSoleField(table, message, 2)
            } else {
                try self.writeSoleField(table, message, 1)
            }
        case .schemaOrBool:
            if self.slot(table, message, 2).loadUnaligned(as: UInt32.self) != 0 {
                try self.writeSoleField(table, message, 2)
            } else {
                try self.writeSoleField(table, message, 1)
            }
        case .stringList: try self.writeSoleField(table, message, 1)
        case .wellKnown: try self.writeWellKnown(table, message)
        }
    }

    func slot(
        _ table: UnsafePointer<MessageTable>,
        _ message: UnsafeRawPointer,
        _ number: UInt32
    ) -> UnsafeRawPointer {
        guard let field = table.pointee.entry(number: number) else {
            preconditionFailure("\(table.pointee.goName) lacks field \(number) of its JSON form")
        }
        return message + Int(field.pointee.offset)
    }

    mutating func writeSoleField(
        _ table: UnsafePointer<MessageTable>,
        _ message: UnsafeRawPointer,
        _ number: UInt32
    ) throws(JSONEncodingError) {
        guard let field = table.pointee.entry(number: number) else { return }
        try self.writeField(field, message)
    }

    private mutating func writeTime(
        _ table: UnsafePointer<MessageTable>,
        _ message: UnsafeRawPointer,
        _ layout: Timestamp.Layout
    ) throws(JSONEncodingError) {
        let seconds = self.slot(table, message, 1).loadUnaligned(as: Int64.self)
        let nanoseconds = self.slot(table, message, 2).loadUnaligned(as: Int32.self)
        if seconds == 0 && nanoseconds == 0 { return self.output.null() }
        // Years 0 to 9999.
        guard seconds >= -62_167_219_200, seconds < 253_402_300_800 else {
            throw .timeOutOfRange(field: table.pointee.name)
        }
        let time = Timestamp(
            seconds: seconds,
            nanoseconds: layout == .microTime
                ? Swift.min(Swift.max(nanoseconds, 0), 999_999_999) : 0
        )
        self.output.time(time, as: layout)
    }

    /// Writes JSON that a field carries as text.
    private mutating func writeRaw(
        _ table: UnsafePointer<MessageTable>,
        _ text: UnsafeRawBufferPointer
    ) throws(JSONEncodingError) {
        if text.isEmpty { return self.output.null() }
        do throws(JSONError) {
            try self.output.json(text)
        } catch {
            throw .invalidJSON(field: table.pointee.name, reason: "\(error)")
        }
    }
}
