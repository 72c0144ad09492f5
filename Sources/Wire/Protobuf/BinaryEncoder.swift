// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc

/// Writes the binary form from the end to the start.
///
/// A length stands before what it measures; written backwards, it is known when its turn comes, so
/// that one pass suffices and no sizes are computed beforehand. Fields come out in ascending order
/// of number and maps in the order of their keys: equal messages give equal bytes.
struct BinaryEncoder: ~Copyable {
    private var memory: UnsafeMutableRawPointer
    private var capacity: Int
    /// The number of bytes before the first one written.
    private var free: Int

    init(capacity: Int) {
        self.capacity = Swift.max(capacity, 256)
        self.memory = .allocate(byteCount: self.capacity, alignment: 16)
        self.free = self.capacity
    }

    deinit {
        self.memory.deallocate()
    }

    /// Forgets what was written; gives memory beyond `keeping` bytes back.
    mutating func reset(keeping limit: Int) {
        if self.capacity > limit {
            self.memory.deallocate()
            self.capacity = limit
            self.memory = .allocate(byteCount: limit, alignment: 16)
        }
        self.free = self.capacity
    }

    /// What has been written.
    var written: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: self.memory + self.free, count: self.capacity - self.free)
    }

    private var count: Int { self.capacity - self.free }

    // MARK: - Messages

    /// Writes the fields of the message at `message`, which lies in the block that begins at `base`.
    mutating func writeMessage(
        _ table: UnsafePointer<MessageTable>,
        _ base: UnsafeRawPointer,
        _ message: UnsafeRawPointer
    ) {
        if table.pointee.unknownSlot != 0 {
            let unknown = message.loadUnaligned(
                fromByteOffset: Int(table.pointee.unknownSlot),
                as: Extent.self
            )
            self.writeBytes(base + Int(unknown.offset), Int(unknown.count))
        }
        var index = table.pointee.fieldCount
        while index > 0 {
            index -= 1
            let entry = UnsafePointer(table.pointee.fields + index)
            let slot = message + Int(entry.pointee.offset)
            switch entry.pointee.cardinality {
            case .implicit:
                if !Self.isZero(entry.pointee.kind, slot) { self.writeField(entry, base, slot) }
            case .always:
                self.writeField(entry, base, slot)
            case .explicit:
                if Self.isPresent(entry, message) { self.writeField(entry, base, slot) }
            case .oneof:
                let number = message.loadUnaligned(
                    fromByteOffset: Int(entry.pointee.presence),
                    as: UInt32.self
                )
                if number == entry.pointee.number { self.writeField(entry, base, slot) }
            case .repeated:
                self.writeList(entry, base, slot)
            case .packed:
                self.writePacked(entry, base, slot)
            case .map:
                self.writeMap(entry, base, slot)
            }
        }
    }

    @inline(__always)
    static func isPresent(
        _ entry: UnsafePointer<FieldEntry>,
        _ message: UnsafeRawPointer
    ) -> Bool {
        if entry.pointee.kind == .message {
            let offset = message.loadUnaligned(
                fromByteOffset: Int(entry.pointee.offset),
                as: UInt32.self
            )
            return offset != 0
        }
        let bit = entry.pointee.presence
        let byte = message.load(fromByteOffset: Int(bit >> 3), as: UInt8.self)
        return byte & (1 << UInt8(bit & 7)) != 0
    }

    @inline(__always)
    static func isZero(_ kind: FieldKind, _ slot: UnsafeRawPointer) -> Bool {
        switch kind {
        case .string, .bytes:
            slot.loadUnaligned(as: Extent.self).count == 0
        default:
            switch kind.slotBytes {
            case 8: slot.loadUnaligned(as: UInt64.self) == 0
            case 4: slot.loadUnaligned(as: UInt32.self) == 0
            default: slot.load(as: UInt8.self) == 0
            }
        }
    }

    // MARK: - Fields

    @inline(__always)
    private mutating func writeField(
        _ entry: UnsafePointer<FieldEntry>,
        _ base: UnsafeRawPointer,
        _ slot: UnsafeRawPointer
    ) {
        self.writeValue(entry.pointee.kind, entry.pointee.child, base, slot)
        self.writeTag(entry.pointee.tag, Int(entry.pointee.tagBytes))
    }

    /// Writes the value in a slot, with its length where it has one.
    @inline(__always)
    private mutating func writeValue(
        _ kind: FieldKind,
        _ child: UnsafePointer<MessageTable>?,
        _ base: UnsafeRawPointer,
        _ slot: UnsafeRawPointer
    ) {
        switch kind {
        case .string, .bytes:
            let extent = slot.loadUnaligned(as: Extent.self)
            self.writeBytes(base + Int(extent.offset), Int(extent.count))
            self.writeVarint(UInt64(extent.count))
        case .message:
            guard let child else { return }
            let offset = slot.loadUnaligned(as: UInt32.self)
            let end = self.count
            if offset == 0 {
                self.writeEmpty(child)
            } else {
                self.writeMessage(child, base, base + Int(offset))
            }
            self.writeVarint(UInt64(self.count - end))
        case .int32, .enum:
            self.writeVarint(
                UInt64(bitPattern: Int64(slot.loadUnaligned(as: Int32.self)))
            )
        case .uint32:
            self.writeVarint(UInt64(slot.loadUnaligned(as: UInt32.self)))
        case .int64, .uint64:
            self.writeVarint(slot.loadUnaligned(as: UInt64.self))
        case .bool:
            self.reserve(1)
            self.free -= 1
            let isTrue: UInt8 = slot.load(as: UInt8.self) == 0 ? 0 : 1
            self.memory.storeBytes(of: isTrue, toByteOffset: self.free, as: UInt8.self)
        case .sint32:
            let value = slot.loadUnaligned(as: Int32.self)
            self.writeVarint(UInt64(UInt32(bitPattern: value << 1 ^ value >> 31)))
        case .sint64:
            let value = slot.loadUnaligned(as: Int64.self)
            self.writeVarint(UInt64(bitPattern: value << 1 ^ value >> 63))
        case .double, .fixed64, .sfixed64:
            self.writeBytes(slot, 8)
        case .float, .fixed32, .sfixed32:
            self.writeBytes(slot, 4)
        }
    }

    /// Writes an absent message that is always written: its fields that are always written. An unset
    /// quantity is zero, which upstream writes as the text `0`.
    private mutating func writeEmpty(_ table: UnsafePointer<MessageTable>) {
        if table.pointee.jsonForm == .quantity {
            withUnsafeBytes(of: (0x0A as UInt8, 0x01 as UInt8, UInt8(ascii: "0"))) { text in
                if let start = text.baseAddress { self.writeBytes(start, text.count) }
            }
            return
        }
        let zero = Block.zero
        self.writeMessage(table, zero.base, zero.base + Int(Block.rootOffset))
        withExtendedLifetime(zero) {}
    }

    private mutating func writeList(
        _ entry: UnsafePointer<FieldEntry>,
        _ base: UnsafeRawPointer,
        _ slot: UnsafeRawPointer
    ) {
        let header = slot.loadUnaligned(as: UInt32.self)
        if header == 0 { return }
        let stride = Int(entry.pointee.kind.slotBytes)
        var index = Int((base + Int(header)).loadUnaligned(as: UInt32.self))
        let first = base + Int(header) + 8
        while index > 0 {
            index -= 1
            self.writeField(entry, base, first + index * stride)
        }
    }

    private mutating func writePacked(
        _ entry: UnsafePointer<FieldEntry>,
        _ base: UnsafeRawPointer,
        _ slot: UnsafeRawPointer
    ) {
        let header = slot.loadUnaligned(as: UInt32.self)
        if header == 0 { return }
        let stride = Int(entry.pointee.kind.slotBytes)
        var index = Int((base + Int(header)).loadUnaligned(as: UInt32.self))
        if index == 0 { return }
        let first = base + Int(header) + 8
        let end = self.count
        while index > 0 {
            index -= 1
            self.writeValue(entry.pointee.kind, nil, base, first + index * stride)
        }
        self.writeVarint(UInt64(self.count - end))
        self.writeTag(entry.pointee.tag, Int(entry.pointee.tagBytes))
    }

    private mutating func writeMap(
        _ entry: UnsafePointer<FieldEntry>,
        _ base: UnsafeRawPointer,
        _ slot: UnsafeRawPointer
    ) {
        let header = slot.loadUnaligned(as: UInt32.self)
        if header == 0 { return }
        var index = Int((base + Int(header)).loadUnaligned(as: UInt32.self))
        let first = base + Int(header) + 8
        let keyTag = 1 << 3 | UInt64(entry.pointee.keyKind.wireType)
        let valueTag = 2 << 3 | UInt64(entry.pointee.valueKind.wireType)
        while index > 0 {
            index -= 1
            let pair = first + index * MapLayout.entryBytes
            let end = self.count
            self.writeValue(
                entry.pointee.valueKind,
                entry.pointee.child,
                base,
                pair + MapLayout.valueOffset
            )
            self.writeTag(valueTag, 1)
            self.writeValue(entry.pointee.keyKind, nil, base, pair)
            self.writeTag(keyTag, 1)
            self.writeVarint(UInt64(self.count - end))
            self.writeTag(entry.pointee.tag, Int(entry.pointee.tagBytes))
        }
    }

    // MARK: - Bytes

    @inline(__always)
    private mutating func reserve(_ byteCount: Int) {
        if self.free < byteCount { self.grow(byteCount) }
    }

    @inline(never)
    private mutating func grow(_ byteCount: Int) {
        let used = self.count
        let larger = Swift.max(self.capacity * 2, used + byteCount + 256)
        let moved = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
        memcpy(moved + larger - used, self.memory + self.free, used)
        self.memory.deallocate()
        self.memory = moved
        self.capacity = larger
        self.free = larger - used
    }

    /// Writes `byteCount` bytes as they are.
    @inline(__always)
    mutating func writeBytes(_ source: UnsafeRawPointer, _ byteCount: Int) {
        if byteCount == 0 { return }
        self.reserve(byteCount)
        self.free -= byteCount
        memcpy(self.memory + self.free, source, byteCount)
    }

    @inline(__always)
    private mutating func writeTag(_ tag: UInt64, _ byteCount: Int) {
        self.reserve(8)
        self.free -= byteCount
        if byteCount == 1 {
            self.memory.storeBytes(
                of: UInt8(truncatingIfNeeded: tag),
                toByteOffset: self.free,
                as: UInt8.self
            )
        } else {
            for index in 0..<byteCount {
                self.memory.storeBytes(
                    of: UInt8(truncatingIfNeeded: tag >> (8 * UInt64(index))),
                    toByteOffset: self.free + index,
                    as: UInt8.self
                )
            }
        }
    }

    @inline(__always)
    mutating func writeVarint(_ value: UInt64) {
        self.reserve(10)
        if value < 0x80 {
            self.free -= 1
            self.memory.storeBytes(
                of: UInt8(truncatingIfNeeded: value),
                toByteOffset: self.free,
                as: UInt8.self
            )
        } else {
            self.writeLongVarint(value)
        }
    }

    private mutating func writeLongVarint(_ value: UInt64) {
        let byteCount = (70 - value.leadingZeroBitCount) / 7
        self.free -= byteCount
        var rest = value
        var position = self.free
        while rest >= 0x80 {
            self.memory.storeBytes(
                of: UInt8(truncatingIfNeeded: rest) | 0x80,
                toByteOffset: position,
                as: UInt8.self
            )
            rest >>= 7
            position += 1
        }
        self.memory.storeBytes(
            of: UInt8(truncatingIfNeeded: rest),
            toByteOffset: position,
            as: UInt8.self
        )
    }
}
