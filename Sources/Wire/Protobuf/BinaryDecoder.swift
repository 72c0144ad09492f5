// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import Glibc

/// Reads the binary form into a block, driven by tables (protobuf encoding guide).
///
/// Works on raw memory for speed: `next` never passes `end`, which is checked once per value.
struct BinaryDecoder {
    let block: Block
    private let start: UnsafeRawPointer
    private let depthLimit: Int
    private let memoryLimit: UInt32

    init(_ input: UnsafeRawBufferPointer, into block: Block, limits: DecodingLimits) {
        self.block = block
        // An empty buffer may have no address; the address of the block is never read through.
        self.start = input.baseAddress ?? UnsafeRawPointer(block.base)
        self.depthLimit = limits.depth
        let (product, overflow) = input.count.multipliedReportingOverflow(
            by: limits.treeBytesPerInputByte
        )
        let allowed = overflow ? Int.max : product.addingReportingOverflow(limits.treeBytes).0
        self.memoryLimit = UInt32(
            clamping: Swift.min(allowed < 0 ? Int.max : allowed, Int(Block.maximumBytes) - 65_536)
        )
    }

    private func offset(_ position: UnsafeRawPointer) -> Int { position - self.start }

    // MARK: - Messages

    /// Merges the fields in `next..<end` into the message at `message`.
    func readMessage(
        _ table: UnsafePointer<MessageTable>,
        _ message: UInt32,
        _ first: UnsafeRawPointer,
        _ end: UnsafeRawPointer,
        depth: Int
    ) throws(DecodingError) {
        guard depth < self.depthLimit else {
            throw .tooDeep(limit: self.depthLimit, offset: self.offset(first))
        }
        guard self.block.used < self.memoryLimit else {
            throw .tooLarge(limit: Int(self.memoryLimit))
        }
        var next = first
        while next < end {
            let fieldStart = next
            let tag = try self.readTag(&next, end)
            let wireType = tag & 7
            guard let entry = table.pointee.entry(number: tag >> 3) else {
                try self.skip(wireType, tag >> 3, &next, end, depth: depth)
                self.keepUnknown(table, message, fieldStart, next)
                continue
            }
            switch entry.pointee.cardinality {
            case .implicit, .always:
                try self.readValue(
                    entry,
                    entry.pointee.kind,
                    wireType,
                    message &+ entry.pointee.offset,
                    &next,
                    end,
                    depth
                )
            case .explicit:
                try self.readValue(
                    entry,
                    entry.pointee.kind,
                    wireType,
                    message &+ entry.pointee.offset,
                    &next,
                    end,
                    depth
                )
                if entry.pointee.kind != .message {
                    self.setBit(message, entry.pointee.presence)
                }
            case .oneof:
                self.beginMember(table, entry, message)
                try self.readValue(
                    entry,
                    entry.pointee.kind,
                    wireType,
                    message &+ entry.pointee.offset,
                    &next,
                    end,
                    depth
                )
            case .repeated, .packed:
                try self.readItems(
                    entry,
                    wireType,
                    message &+ entry.pointee.offset,
                    &next,
                    end,
                    depth
                )
            case .map:
                guard wireType == 2 else { throw self.wrongType(entry, wireType, fieldStart) }
                try self.readMapEntry(
                    entry,
                    message &+ entry.pointee.offset,
                    &next,
                    end,
                    depth
                )
            }
        }
    }

    @inline(__always)
    private func setBit(_ message: UInt32, _ bit: UInt32) {
        let byte = self.block.base + Int(message &+ (bit >> 3))
        let old = byte.load(as: UInt8.self)
        byte.storeBytes(of: old | 1 << UInt8(bit & 7), as: UInt8.self)
    }

    private func beginMember(
        _ table: UnsafePointer<MessageTable>,
        _ entry: UnsafePointer<FieldEntry>,
        _ message: UInt32
    ) {
        let caseSlot = message &+ entry.pointee.presence
        let present = UInt32.load(self.block, caseSlot)
        if present == entry.pointee.number { return }
        if present != 0, let old = table.pointee.entry(number: present) {
            self.block.clearSlot(message &+ old.pointee.offset, old)
        }
        UInt32.store(entry.pointee.number, self.block, caseSlot)
    }

    private func wrongType(
        _ entry: UnsafePointer<FieldEntry>,
        _ wireType: UInt32,
        _ position: UnsafeRawPointer
    ) -> DecodingError {
        .wrongWireType(
            field: Int(entry.pointee.number),
            wireType: Int(wireType),
            offset: self.offset(position)
        )
    }

    // MARK: - Single values

    /// Reads one value into the slot at `slot`.
    @inline(__always)
    private func readValue(
        _ entry: UnsafePointer<FieldEntry>,
        _ kind: FieldKind,
        _ wireType: UInt32,
        _ slot: UInt32,
        _ next: inout UnsafeRawPointer,
        _ end: UnsafeRawPointer,
        _ depth: Int
    ) throws(DecodingError) {
        guard wireType == kind.wireType else { throw self.wrongType(entry, wireType, next) }
        switch kind {
        case .string, .bytes:
            let extent = try self.readExtent(entry, kind, &next, end)
            self.block.putExtent(extent, slot)
        case .message:
            guard let table = entry.pointee.child else { return }
            let length = try self.readLength(&next, end)
            var child = UInt32.load(self.block, slot)
            if child == 0 {
                child = self.block.allocate(table.pointee.size)
                UInt32.store(child, self.block, slot)
            }
            try self.readMessage(table, child, next, next + length, depth: depth + 1)
            next += length
        default:
            try self.readScalar(kind, slot, &next, end)
        }
    }

    @inline(__always)
    private func readScalar(
        _ kind: FieldKind,
        _ slot: UInt32,
        _ next: inout UnsafeRawPointer,
        _ end: UnsafeRawPointer
    ) throws(DecodingError) {
        let target = self.block.base + Int(slot)
        switch kind {
        case .int32, .uint32, .enum:
            let value = try self.readVarint(&next, end)
            target.storeBytes(of: UInt32(truncatingIfNeeded: value), as: UInt32.self)
        case .int64, .uint64:
            target.storeBytes(of: try self.readVarint(&next, end), as: UInt64.self)
        case .bool:
            let isTrue = try self.readVarint(&next, end) != 0
            target.storeBytes(of: isTrue ? 1 : 0, as: UInt8.self)
        case .sint32:
            let value = UInt32(truncatingIfNeeded: try self.readVarint(&next, end))
            target.storeBytes(of: value >> 1 ^ (0 &- (value & 1)), as: UInt32.self)
        case .sint64:
            let value = try self.readVarint(&next, end)
            target.storeBytes(of: value >> 1 ^ (0 &- (value & 1)), as: UInt64.self)
        case .double, .fixed64, .sfixed64:
            guard end - next >= 8 else { throw .truncated(offset: self.offset(next)) }
            target.storeBytes(of: next.loadUnaligned(as: UInt64.self), as: UInt64.self)
            next += 8
        case .float, .fixed32, .sfixed32:
            guard end - next >= 4 else { throw .truncated(offset: self.offset(next)) }
            target.storeBytes(of: next.loadUnaligned(as: UInt32.self), as: UInt32.self)
            next += 4
        case .string, .bytes, .message:
            break
        }
    }

    /// Copies a string or byte string into the block.
    @inline(__always)
    private func readExtent(
        _ entry: UnsafePointer<FieldEntry>,
        _ kind: FieldKind,
        _ next: inout UnsafeRawPointer,
        _ end: UnsafeRawPointer
    ) throws(DecodingError) -> Extent {
        let length = try self.readLength(&next, end)
        let source = next
        next += length
        if length == 0 { return Extent(offset: 0, count: 0) }
        if kind == .string {
            let text = UnsafeRawBufferPointer(start: source, count: length)
            if let invalid = UTF8Validation.firstInvalidOffset(in: text) {
                throw .invalidUTF8(
                    field: Int(entry.pointee.number),
                    offset: self.offset(source) + invalid
                )
            }
        }
        guard length < Int(self.memoryLimit) - Int(self.block.used) else {
            throw .tooLarge(limit: Int(self.memoryLimit))
        }
        let offset = self.block.allocateRaw(UInt32(truncatingIfNeeded: length))
        memcpy(self.block.base + Int(offset), source, length)
        return Extent(offset: offset, count: UInt32(truncatingIfNeeded: length))
    }

    // MARK: - Lists

    private func readItems(
        _ entry: UnsafePointer<FieldEntry>,
        _ wireType: UInt32,
        _ slot: UInt32,
        _ next: inout UnsafeRawPointer,
        _ end: UnsafeRawPointer,
        _ depth: Int
    ) throws(DecodingError) {
        let kind = entry.pointee.kind
        if wireType == 2 && kind.wireType != 2 {
            let length = try self.readLength(&next, end)
            let packedEnd = next + length
            while next < packedEnd {
                let item = try self.addItem(slot, kind.slotBytes)
                try self.readScalar(kind, item, &next, packedEnd)
            }
            return
        }
        guard wireType == kind.wireType else { throw self.wrongType(entry, wireType, next) }
        let item = try self.addItem(slot, kind.slotBytes)
        try self.readValue(entry, kind, wireType, item, &next, end, depth)
    }

    /// Adds a zeroed item to the list at `slot` and returns its address.
    @inline(__always)
    private func addItem(_ slot: UInt32, _ stride: UInt32) throws(DecodingError) -> UInt32 {
        let header = UInt32.load(self.block, slot)
        if header != 0 {
            let count = UInt32.load(self.block, header)
            if count < UInt32.load(self.block, header &+ 4) {
                UInt32.store(count &+ 1, self.block, header)
                return header &+ 8 &+ count &* stride
            }
        }
        return try self.addItemSlowly(slot, stride)
    }

    private func addItemSlowly(
        _ slot: UInt32,
        _ stride: UInt32
    ) throws(DecodingError) -> UInt32 {
        let header = UInt32.load(self.block, slot)
        let count = header == 0 ? 0 : UInt32.load(self.block, header)
        guard UInt64(count) * UInt64(stride) * 2 < UInt64(self.memoryLimit),
            self.block.used < self.memoryLimit
        else { throw .tooLarge(limit: Int(self.memoryLimit)) }
        self.block.reserveItems(
            at: slot,
            total: Swift.max(Int(count) * 2, 4),
            stride: Int(stride)
        )
        let moved = UInt32.load(self.block, slot)
        UInt32.store(count &+ 1, self.block, moved)
        return moved &+ 8 &+ count &* stride
    }

    // MARK: - Maps

    private func readMapEntry(
        _ entry: UnsafePointer<FieldEntry>,
        _ slot: UInt32,
        _ next: inout UnsafeRawPointer,
        _ end: UnsafeRawPointer,
        _ depth: Int
    ) throws(DecodingError) {
        let length = try self.readLength(&next, end)
        let entryEnd = next + length
        // The new pair is read into the free place behind the last one, then moved to its place.
        let pair = try self.addItem(slot, UInt32(MapLayout.entryBytes))
        UInt64.store(0, self.block, pair)
        UInt64.store(0, self.block, pair &+ 8)
        while next < entryEnd {
            let tag = try self.readTag(&next, entryEnd)
            switch tag >> 3 {
            case 1:
                try self.readValue(
                    entry,
                    entry.pointee.keyKind,
                    tag & 7,
                    pair,
                    &next,
                    entryEnd,
                    depth
                )
            case 2:
                try self.readValue(
                    entry,
                    entry.pointee.valueKind,
                    tag & 7,
                    pair &+ 8,
                    &next,
                    entryEnd,
                    depth
                )
            default:
                try self.skip(tag & 7, tag >> 3, &next, entryEnd, depth: depth)
            }
        }
        if entry.pointee.valueKind == .message, UInt32.load(self.block, pair &+ 8) == 0,
            let table = entry.pointee.child
        {
            let empty = self.block.allocate(table.pointee.size)
            UInt32.store(empty, self.block, pair &+ 8)
        }
        self.block.sortLastEntry(slot, entry.pointee.keyKind)
    }

    // MARK: - Unknown fields

    /// Skips a value of a field that the table does not know.
    private func skip(
        _ wireType: UInt32,
        _ number: UInt32,
        _ next: inout UnsafeRawPointer,
        _ end: UnsafeRawPointer,
        depth: Int
    ) throws(DecodingError) {
        switch wireType {
        case 0:
            _ = try self.readVarint(&next, end)
        case 1:
            guard end - next >= 8 else { throw .truncated(offset: self.offset(next)) }
            next += 8
        case 2:
            next += try self.readLength(&next, end)
        case 3:
            guard depth < self.depthLimit else {
                throw .tooDeep(limit: self.depthLimit, offset: self.offset(next))
            }
            while true {
                let tag = try self.readTag(&next, end)
                if tag & 7 == 4 {
                    guard tag >> 3 == number else {
                        throw .invalidWireType(wireType: 4, offset: self.offset(next))
                    }
                    return
                }
                try self.skip(tag & 7, tag >> 3, &next, end, depth: depth + 1)
            }
        case 5:
            guard end - next >= 4 else { throw .truncated(offset: self.offset(next)) }
            next += 4
        default:
            throw .invalidWireType(wireType: Int(wireType), offset: self.offset(next))
        }
    }

    /// Appends the bytes of an unknown field to those that the message keeps.
    private func keepUnknown(
        _ table: UnsafePointer<MessageTable>,
        _ message: UInt32,
        _ first: UnsafeRawPointer,
        _ end: UnsafeRawPointer
    ) {
        guard table.pointee.unknownSlot != 0 else { return }
        self.block.appendUnknown(
            message &+ table.pointee.unknownSlot,
            UnsafeRawBufferPointer(start: first, count: end - first)
        )
    }

    // MARK: - Numbers

    @inline(__always)
    private func readTag(
        _ next: inout UnsafeRawPointer,
        _ end: UnsafeRawPointer
    ) throws(DecodingError) -> UInt32 {
        guard next < end else { throw .truncated(offset: self.offset(next)) }
        let position = next
        let low = next.load(as: UInt8.self)
        let tag: UInt64
        if low < 0x80 {
            next += 1
            tag = UInt64(low)
        } else {
            tag = try self.readLongVarint(&next, end)
        }
        guard tag >= 8, tag <= UInt64(UInt32.max) else {
            throw .invalidFieldNumber(offset: self.offset(position))
        }
        return UInt32(truncatingIfNeeded: tag)
    }

    @inline(__always)
    private func readVarint(
        _ next: inout UnsafeRawPointer,
        _ end: UnsafeRawPointer
    ) throws(DecodingError) -> UInt64 {
        guard next < end else { throw .truncated(offset: self.offset(next)) }
        let low = next.load(as: UInt8.self)
        if low < 0x80 {
            next += 1
            return UInt64(low)
        }
        return try self.readLongVarint(&next, end)
    }

    private func readLongVarint(
        _ next: inout UnsafeRawPointer,
        _ end: UnsafeRawPointer
    ) throws(DecodingError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        let first = next
        while next < end {
            let byte = next.load(as: UInt8.self)
            next += 1
            // The tenth byte holds the one bit that is left.
            if shift == 63 && byte > 1 { throw .malformedVarint(offset: self.offset(first)) }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw .truncated(offset: self.offset(first))
    }

    /// Reads a length and checks that so many bytes follow.
    @inline(__always)
    private func readLength(
        _ next: inout UnsafeRawPointer,
        _ end: UnsafeRawPointer
    ) throws(DecodingError) -> Int {
        let position = next
        let length = try self.readVarint(&next, end)
        guard length <= UInt64(end - next) else { throw .truncated(offset: self.offset(position)) }
        return Int(truncatingIfNeeded: length)
    }
}

// MARK: - Maps and unknown fields in a block

extension Block {
    /// Moves the last entry of the map at `slot` to its place in the order of keys; it replaces an
    /// entry with the same key, as the later of two does on the wire.
    package func sortLastEntry(_ slot: UInt32, _ keyKind: FieldKind) {
        let header = UInt32.load(self, slot)
        let count = Int(UInt32.load(self, header))
        guard count > 1 else { return }
        let stride = MapLayout.entryBytes
        let first = header &+ 8
        func address(_ index: Int) -> UInt32 { first &+ UInt32(index * stride) }
        let last = address(count - 1)
        if self.compareKeys(address(count - 2), last, keyKind) < 0 { return }
        var low = 0
        var high = count - 1
        while low < high {
            let middle = (low + high) / 2
            if self.compareKeys(address(middle), last, keyKind) < 0 {
                low = middle + 1
            } else {
                high = middle
            }
        }
        let key = UInt64.load(self, last)
        let value = UInt64.load(self, last &+ 8)
        let isSame = self.compareKeys(address(low), last, keyKind) == 0
        if isSame {
            UInt32.store(UInt32(count - 1), self, header)
        } else {
            (self.base + Int(address(low + 1))).copyMemory(
                from: self.base + Int(address(low)),
                byteCount: (count - 1 - low) * stride
            )
        }
        UInt64.store(key, self, address(low))
        UInt64.store(value, self, address(low) &+ 8)
    }

    /// The order of two keys of a map: strings by their bytes, numbers by value.
    func compareKeys(_ left: UInt32, _ right: UInt32, _ kind: FieldKind) -> Int {
        func order<T: Comparable>(_ a: T, _ b: T) -> Int { a < b ? -1 : a == b ? 0 : 1 }
        switch kind {
        case .string, .bytes:
            let (a, b) = (self.extent(left), self.extent(right))
            return compareBytes(
                UnsafeRawBufferPointer(start: self.base + Int(a.offset), count: Int(a.count)),
                UnsafeRawBufferPointer(start: self.base + Int(b.offset), count: Int(b.count))
            )
        case .int32, .sint32, .sfixed32, .enum:
            return order(Int32.load(self, left), Int32.load(self, right))
        case .int64, .sint64, .sfixed64:
            return order(Int64.load(self, left), Int64.load(self, right))
        case .uint32, .fixed32:
            return order(UInt32.load(self, left), UInt32.load(self, right))
        case .bool:
            return order(UInt8.load(self, left), UInt8.load(self, right))
        case .uint64, .fixed64, .double, .float, .message:
            return order(UInt64.load(self, left), UInt64.load(self, right))
        }
    }

    /// Appends to the unknown fields at `slot`. The space grows to powers of two, so that many
    /// unknown fields cost linear time.
    func appendUnknown(_ slot: UInt32, _ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        let old = self.extent(slot)
        let total = Int(old.count) + bytes.count
        precondition(total < Int(Self.maximumBytes), "unknown fields exceed 4 GiB")
        var target = old.offset
        if old.count == 0 || total > Self.unknownCapacity(Int(old.count)) {
            target = self.allocateRaw(UInt32(Self.unknownCapacity(total)))
            memcpy(self.base + Int(target), self.base + Int(old.offset), Int(old.count))
            self.wasted &+= old.count
        }
        memcpy(self.base + Int(target) + Int(old.count), source, bytes.count)
        self.putExtent(Extent(offset: target, count: UInt32(total)), slot)
    }

    /// The space that `count` bytes of unknown fields have.
    static func unknownCapacity(_ count: Int) -> Int {
        var capacity = 16
        while capacity < count { capacity *= 2 }
        return capacity
    }

    /// Empties the slot of a member of a oneof.
    @usableFromInline
    package func clearSlot(_ slot: UInt32, _ entry: UnsafePointer<FieldEntry>) {
        switch entry.pointee.kind.slotBytes {
        case 8: UInt64.store(0, self, slot)
        case 4: UInt32.store(0, self, slot)
        default: (self.base + Int(slot)).storeBytes(of: 0, as: UInt8.self)
        }
    }
}
