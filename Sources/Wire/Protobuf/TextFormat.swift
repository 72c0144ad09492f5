// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes

/// Protobuf's text format, on one line: for logs and failing tests, not for parsing.
struct TextFormat {
    private(set) var text = ""

    mutating func write(
        _ table: UnsafePointer<MessageTable>,
        _ base: UnsafeRawPointer,
        _ message: UnsafeRawPointer
    ) {
        for index in 0..<table.pointee.fieldCount {
            let entry = UnsafePointer(table.pointee.fields + Int(table.pointee.declared[index]))
            let slot = message + Int(entry.pointee.offset)
            switch entry.pointee.cardinality {
            case .implicit, .always:
                if !BinaryEncoder.isZero(entry.pointee.kind, slot) {
                    self.writeField(entry, entry.pointee.kind, base, slot)
                }
            case .explicit:
                if BinaryEncoder.isPresent(entry, message) {
                    self.writeField(entry, entry.pointee.kind, base, slot)
                }
            case .oneof:
                let number = message.loadUnaligned(
                    fromByteOffset: Int(entry.pointee.presence),
                    as: UInt32.self
                )
                if number == entry.pointee.number {
                    self.writeField(entry, entry.pointee.kind, base, slot)
                }
            case .repeated, .packed:
                Self.forEach(base, slot, stride: Int(entry.pointee.kind.slotBytes)) {
                    self.writeField(entry, entry.pointee.kind, base, $0)
                }
            case .map:
                Self.forEach(base, slot, stride: MapLayout.entryBytes) { pair in
                    self.begin(entry)
                    self.text += " { key: "
                    self.writeValue(entry, entry.pointee.keyKind, base, pair)
                    self.text += " value: "
                    self.writeValue(entry, entry.pointee.valueKind, base, pair + 8)
                    self.text += " }"
                }
            }
        }
    }

    private static func forEach(
        _ base: UnsafeRawPointer,
        _ slot: UnsafeRawPointer,
        stride: Int,
        _ body: (UnsafeRawPointer) -> Void
    ) {
        let header = slot.loadUnaligned(as: UInt32.self)
        if header == 0 { return }
        let count = Int((base + Int(header)).loadUnaligned(as: UInt32.self))
        for index in 0..<count { body(base + Int(header) + 8 + index * stride) }
    }

    private mutating func begin(_ entry: UnsafePointer<FieldEntry>) {
        if !self.text.isEmpty && self.text.last != " " { self.text += " " }
        self.text += entry.pointee.name.string
    }

    private mutating func writeField(
        _ entry: UnsafePointer<FieldEntry>,
        _ kind: FieldKind,
        _ base: UnsafeRawPointer,
        _ slot: UnsafeRawPointer
    ) {
        self.begin(entry)
        self.text += kind == .message ? " " : ": "
        self.writeValue(entry, kind, base, slot)
    }

    private mutating func writeValue(
        _ entry: UnsafePointer<FieldEntry>,
        _ kind: FieldKind,
        _ base: UnsafeRawPointer,
        _ slot: UnsafeRawPointer
    ) {
        switch kind {
        case .string, .bytes:
            let extent = slot.loadUnaligned(as: Extent.self)
            let bytes = UnsafeRawBufferPointer(
                start: base + Int(extent.offset),
                count: Int(extent.count)
            )
            self.text += String(reflecting: String(decoding: bytes, as: UTF8.self))
        case .message:
            let offset = slot.loadUnaligned(as: UInt32.self)
            self.text += "{"
            if offset != 0, let child = entry.pointee.child {
                self.text += " "
                self.write(child, base, base + Int(offset))
                self.text += " "
            }
            self.text += "}"
        case .enum:
            let number = slot.loadUnaligned(as: Int32.self)
            let schema = entry.pointee.enumeration?.takeUnretainedValue()
            self.text += schema?.name(of: number) ?? "\(number)"
        case .int32, .sint32, .sfixed32: self.text += "\(slot.loadUnaligned(as: Int32.self))"
        case .int64, .sint64, .sfixed64: self.text += "\(slot.loadUnaligned(as: Int64.self))"
        case .uint32, .fixed32: self.text += "\(slot.loadUnaligned(as: UInt32.self))"
        case .uint64, .fixed64: self.text += "\(slot.loadUnaligned(as: UInt64.self))"
        case .bool: self.text += slot.load(as: UInt8.self) == 0 ? "false" : "true"
        case .float: self.text += "\(slot.loadUnaligned(as: Float.self))"
        case .double: self.text += "\(slot.loadUnaligned(as: Double.self))"
        }
    }
}
