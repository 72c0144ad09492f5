// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import Glibc
import Protobuf

// What fields hold: single values, lists and maps.

extension MessageJSONDecoder {
    /// Reads the value of a field of the message at `message`.
    mutating func readField(
        _ field: UnsafePointer<FieldEntry>,
        of message: UInt32,
        depth: Int
    ) throws(JSONError) {
        let slot = message &+ field.pointee.offset
        switch field.pointee.cardinality {
        case .implicit, .always:
            if try self.skipNull(for: field, field.pointee.kind) {
                // Go leaves a struct or scalar as it is; its own types become their zero value.
                if field.pointee.kind == .message, let child = field.pointee.child,
                    child.pointee.jsonForm != .object
                {
                    UInt32.store(0, self.block, slot)
                }
                return
            }
            try self.readValue(field, field.pointee.kind, slot, depth: depth)
        case .explicit:
            if try self.skipNull(for: field, field.pointee.kind) {
                return self.clear(field, message)
            }
            try self.readValue(field, field.pointee.kind, slot, depth: depth)
            if field.pointee.kind != .message {
                self.setBit(message, field.pointee.presence, true)
            }
        case .oneof:
            if try self.skipNull(for: field, field.pointee.kind) { return }
            let caseSlot = message &+ field.pointee.presence
            guard UInt32.load(self.block, caseSlot) == 0 else {
                throw self.invalidValue(
                    "another field of the same oneof is set",
                    at: self.scanner.offset
                )
            }
            UInt32.store(field.pointee.number, self.block, caseSlot)
            try self.readValue(field, field.pointee.kind, slot, depth: depth)
        case .repeated, .packed:
            UInt32.store(0, self.block, slot)
            if try self.scanner.skipNull() { return }
            try self.readList(field, slot, depth: depth)
        case .map:
            if try self.scanner.skipNull() { return UInt32.store(0, self.block, slot) }
            try self.readMap(field, slot, depth: depth)
        }
    }

    /// Skips a null, unless the type of the field has one among its values.
    @inline(__always)
    private mutating func skipNull(
        for field: UnsafePointer<FieldEntry>,
        _ kind: FieldKind
    ) throws(JSONError) -> Bool {
        guard self.scanner.peek() == UInt8(ascii: "n") else { return false }
        switch kind {
        case .message where field.pointee.child?.pointee.wellKnown == .value: return false
        case .enum where field.pointee.enumeration?.takeUnretainedValue().isNull == true:
            return false
        default: return try self.scanner.skipNull()
        }
    }

    private func clear(_ field: UnsafePointer<FieldEntry>, _ message: UInt32) {
        self.block.clearSlot(message &+ field.pointee.offset, field)
        if field.pointee.kind != .message {
            self.setBit(message, field.pointee.presence, false)
        }
    }

    @inline(__always)
    func setBit(_ message: UInt32, _ bit: UInt32, _ isSet: Bool) {
        let byte = self.block.base + Int(message &+ (bit >> 3))
        let mask: UInt8 = 1 << UInt8(bit & 7)
        let old = byte.load(as: UInt8.self)
        byte.storeBytes(of: isSet ? old | mask : old & ~mask, as: UInt8.self)
    }

    // MARK: - Single values

    mutating func readValue(
        _ field: UnsafePointer<FieldEntry>,
        _ kind: FieldKind,
        _ slot: UInt32,
        depth: Int
    ) throws(JSONError) {
        switch kind {
        case .string:
            guard self.scanner.peek() == UInt8(ascii: "\"") else {
                throw try self.mismatch("string")
            }
            self.block.putExtent(self.block.copyIn(try self.scanner.string()), slot)
        case .message:
            guard let table = field.pointee.child else { return }
            var child = UInt32.load(self.block, slot)
            if child == 0 {
                child = self.block.allocate(table.pointee.size)
                UInt32.store(child, self.block, slot)
            }
            try self.readMessage(table, child, depth: depth + 1)
        case .bool:
            try self.readBool(slot)
        case .int32, .sint32, .sfixed32:
            let value = try self.readInteger(Int32.min...Int32.max, "int32")
            Int32.store(Int32(truncatingIfNeeded: value), self.block, slot)
        case .int64, .sint64, .sfixed64:
            let value = try self.readInteger(Int64.min...Int64.max, "int64")
            Int64.store(value, self.block, slot)
        case .uint32, .fixed32:
            let value = try self.readInteger(UInt32.min...UInt32.max, "uint32")
            UInt32.store(UInt32(truncatingIfNeeded: value), self.block, slot)
        case .uint64, .fixed64:
            UInt64.store(try self.readUnsigned(), self.block, slot)
        case .double:
            Double.store(try self.readDouble(), self.block, slot)
        case .float:
            Float.store(Float(try self.readDouble()), self.block, slot)
        case .bytes:
            try self.readBytes(slot)
        case .enum:
            try self.readEnum(field, slot)
        }
    }

    private mutating func readBool(_ slot: UInt32) throws(JSONError) {
        switch self.scanner.peek() {
        case UInt8(ascii: "t"):
            try self.scanner.literal("true")
            Bool.store(true, self.block, slot)
        case UInt8(ascii: "f"):
            try self.scanner.literal("false")
            Bool.store(false, self.block, slot)
        default: throw try self.mismatch("bool")
        }
    }

    /// The text of a number; in protobuf's dialect it may stand in quotes.
    @inline(__always)
    private mutating func readNumberText(
        _ type: StaticString
    ) throws(JSONError) -> (text: UnsafeRawBufferPointer, isInteger: Bool) {
        let byte = self.scanner.peek()
        if byte == UInt8(ascii: "-") || byte &- UInt8(ascii: "0") < 10 {
            return try self.scanner.number()
        }
        guard byte == UInt8(ascii: "\""), self.path.owner?.pointee.dialect != .kubernetes else {
            throw try self.mismatch("\(type)")
        }
        let offset = self.scanner.offset
        let text = try self.scanner.string()
        var inner = JSONScanner(text)
        let number: (text: UnsafeRawBufferPointer, isInteger: Bool)
        do throws(JSONError) {
            number = try inner.number()
            try inner.finish()
        } catch {
            throw self.mismatch(found: "string", "\(type)", offset)
        }
        return number
    }

    private mutating func readInteger<T: FixedWidthInteger>(
        _ range: ClosedRange<T>,
        _ type: StaticString
    ) throws(JSONError) -> Int64 {
        let (text, isInteger) = try self.readNumberText(type)
        guard isInteger, let value = JSONScanner.integer(text),
            value >= Int64(range.lowerBound), value <= Int64(range.upperBound)
        else { throw self.numberMismatch(text, type) }
        return value
    }

    private func numberMismatch(
        _ text: UnsafeRawBufferPointer,
        _ type: StaticString
    ) -> JSONError {
        self.mismatch(
            found: "number " + String(decoding: text, as: UTF8.self),
            "\(type)",
            self.scanner.offset - text.count
        )
    }

    private mutating func readUnsigned() throws(JSONError) -> UInt64 {
        let (text, isInteger) = try self.readNumberText("uint64")
        guard isInteger, let value = UInt64(String(decoding: text, as: UTF8.self)) else {
            throw self.numberMismatch(text, "uint64")
        }
        return value
    }

    private mutating func readDouble() throws(JSONError) -> Double {
        if self.path.owner?.pointee.dialect != .kubernetes,
            self.scanner.peek() == UInt8(ascii: "\"")
        {
            let start = self.scanner.position
            switch String(decoding: try self.scanner.string(), as: UTF8.self) {
            case "NaN": return .nan
            case "Infinity": return .infinity
            case "-Infinity": return -.infinity
            default: self.scanner.position = start
            }
        }
        let (text, _) = try self.readNumberText("float64")
        guard let value = Double(String(decoding: text, as: UTF8.self)), value.isFinite else {
            throw self.numberMismatch(text, "float64")
        }
        return value
    }

    private mutating func readBytes(_ slot: UInt32) throws(JSONError) {
        guard self.scanner.peek() == UInt8(ascii: "\"") else {
            throw try self.mismatch("[]uint8")
        }
        let offset = self.scanner.offset
        let text = try self.scanner.string()
        if text.isEmpty {
            return self.block.putExtent(Extent(offset: 0, count: 0), slot)
        }
        let room = self.block.allocateRaw(UInt32(Base64.decodedCapacity(text.count)))
        let target = (self.block.base + Int(room)).assumingMemoryBound(to: UInt8.self)
        do throws(Base64.Failure) {
            let count = try Base64.decode(text, to: target)
            self.block.used = room &+ UInt32(count)
            self.block.putExtent(Extent(offset: count == 0 ? 0 : room, count: UInt32(count)), slot)
        } catch {
            let position =
                if case .invalidByte(let position) = error { position } else { text.count }
            throw self.invalidValue("illegal base64 data at input byte \(position)", at: offset)
        }
    }

    private mutating func readEnum(
        _ field: UnsafePointer<FieldEntry>,
        _ slot: UInt32
    ) throws(JSONError) {
        if field.pointee.enumeration?.takeUnretainedValue().isNull == true,
            try self.scanner.skipNull()
        {
            return Int32.store(0, self.block, slot)
        }
        guard self.scanner.peek() == UInt8(ascii: "\"") else {
            let value = try self.readInteger(Int32.min...Int32.max, "int32")
            return Int32.store(Int32(truncatingIfNeeded: value), self.block, slot)
        }
        let offset = self.scanner.offset
        let name = String(decoding: try self.scanner.string(), as: UTF8.self)
        let schema = field.pointee.enumeration?.takeUnretainedValue()
        guard let number = schema?.number(of: name) else {
            throw self.invalidValue(
                "unknown value \"\(name)\" of enum \(schema?.fullName ?? "")",
                at: offset
            )
        }
        Int32.store(number, self.block, slot)
    }

    // MARK: - Lists

    private mutating func readList(
        _ field: UnsafePointer<FieldEntry>,
        _ slot: UInt32,
        depth: Int
    ) throws(JSONError) {
        guard self.scanner.peek() == UInt8(ascii: "[") else {
            throw try self.mismatch(field.pointee.goType)
        }
        guard depth < self.limits.depth else {
            throw .tooDeep(limit: self.limits.depth, offset: self.scanner.offset)
        }
        self.scanner.position += 1
        let stride = Int(field.pointee.kind.slotBytes)
        if self.scanner.peek() == UInt8(ascii: "]") {
            self.scanner.position += 1
            self.block.reserveItems(at: slot, total: 0, stride: stride)
            return
        }
        var index = 0
        repeat {
            self.path.push(index: index)
            let item = try self.addItem(slot, stride)
            if try self.skipNull(for: field, field.pointee.kind) {
                try self.checkNullItem(field)
            } else {
                try self.readValue(field, field.pointee.kind, item, depth: depth + 1)
            }
            self.path.pop()
            index += 1
        } while try self.scanner.continues(until: UInt8(ascii: "]"))
    }

    /// Go reads a null item as the zero value of its type; protobuf's JSON mapping refuses it.
    private func checkNullItem(_ field: UnsafePointer<FieldEntry>) throws(JSONError) {
        guard self.path.owner?.pointee.dialect == .kubernetes else {
            throw self.invalidValue("null is not a list item", at: self.scanner.offset)
        }
    }

    /// Adds a zeroed item to the list at `slot`.
    @inline(__always)
    func addItem(_ slot: UInt32, _ stride: Int) throws(JSONError) -> UInt32 {
        var header = UInt32.load(self.block, slot)
        var count = header == 0 ? 0 : UInt32.load(self.block, header)
        if header == 0 || count == UInt32.load(self.block, header &+ 4) {
            try self.checkRoom(for: UInt64(Swift.max(count, 4)) * 2 * UInt64(stride))
            self.block.reserveItems(
                at: slot,
                total: Swift.max(Int(count) * 2, 4),
                stride: stride
            )
            header = UInt32.load(self.block, slot)
            count = UInt32.load(self.block, header)
        }
        UInt32.store(count &+ 1, self.block, header)
        return header &+ 8 &+ count &* UInt32(truncatingIfNeeded: stride)
    }

    // MARK: - Maps

    private mutating func readMap(
        _ field: UnsafePointer<FieldEntry>,
        _ slot: UInt32,
        depth: Int
    ) throws(JSONError) {
        guard self.scanner.peek() == UInt8(ascii: "{") else {
            throw try self.mismatch(field.pointee.goType)
        }
        guard depth < self.limits.depth else {
            throw .tooDeep(limit: self.limits.depth, offset: self.scanner.offset)
        }
        self.scanner.position += 1
        if self.scanner.peek() == UInt8(ascii: "}") {
            self.scanner.position += 1
            if UInt32.load(self.block, slot) == 0 {
                self.block.reserveItems(at: slot, total: 0, stride: MapLayout.entryBytes)
            }
            return
        }
        repeat {
            _ = self.scanner.peek()
            let quote = self.scanner.position
            let key = try self.scanner.string()
            // The raw text of the key, which outlives the next string that is read.
            let raw = UnsafeRawBufferPointer(
                start: quote + 1,
                count: self.scanner.position - quote - 2
            )
            let pair = try self.addItem(slot, MapLayout.entryBytes)
            UInt64.store(0, self.block, pair)
            UInt64.store(0, self.block, pair &+ 8)
            try self.storeKey(field, key, pair)
            try self.scanner.expect(UInt8(ascii: ":"), "':'")
            self.path.push(raw, of: nil)
            if try self.skipNull(for: field, field.pointee.valueKind) {
                if field.pointee.valueKind == .message, let table = field.pointee.child {
                    try self.checkRoom()
                    let empty = self.block.allocate(table.pointee.size)
                    UInt32.store(empty, self.block, pair &+ 8)
                }
            } else {
                try self.readValue(
                    field,
                    field.pointee.valueKind,
                    pair &+ 8,
                    depth: depth + 1
                )
            }
            let header = UInt32.load(self.block, slot)
            let count = UInt32.load(self.block, header)
            self.block.sortLastEntry(slot, field.pointee.keyKind)
            if UInt32.load(self.block, header) < count, self.problems.isCollecting {
                self.problems.add("duplicate", self.path.text)
            }
            self.path.pop()
        } while try self.scanner.continues(until: UInt8(ascii: "}"))
    }

    private mutating func storeKey(
        _ field: UnsafePointer<FieldEntry>,
        _ key: UnsafeRawBufferPointer,
        _ slot: UInt32
    ) throws(JSONError) {
        let kind = field.pointee.keyKind
        if kind == .string {
            return self.block.putExtent(self.block.copyIn(key), slot)
        }
        let text = String(decoding: key, as: UTF8.self)
        switch kind {
        case .bool where text == "true" || text == "false":
            return Bool.store(text == "true", self.block, slot)
        case .int32, .sint32, .sfixed32:
            if let value = Int32(text) { return Int32.store(value, self.block, slot) }
        case .int64, .sint64, .sfixed64:
            if let value = Int64(text) { return Int64.store(value, self.block, slot) }
        case .uint32, .fixed32:
            if let value = UInt32(text) { return UInt32.store(value, self.block, slot) }
        case .uint64, .fixed64:
            if let value = UInt64(text) { return UInt64.store(value, self.block, slot) }
        case .bool, .double, .float, .string, .message, .bytes, .enum:
            break
        }
        throw self.mismatch(
            found: "string",
            field.pointee.goValueType(kind),
            self.scanner.offset
        )
    }
}
