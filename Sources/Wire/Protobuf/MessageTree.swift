// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import Glibc

extension Block {
    /// Copies the message at `message` of the memory at `source` into this block, to its end.
    ///
    /// The memory must not be this block's own, which may move meanwhile.
    /// - Returns: the offset of the copy.
    @usableFromInline
    package func copyMessage(
        _ table: UnsafePointer<MessageTable>,
        from source: UnsafeMutableRawPointer,
        at message: UInt32
    ) -> UInt32 {
        let size = table.pointee.size
        let copy = self.allocate(size)
        memcpy(self.base + Int(copy), source + Int(message), Int(size))
        if table.pointee.unknownSlot != 0 {
            let slot = copy &+ table.pointee.unknownSlot
            let unknown = self.extent(slot)
            self.putExtent(Extent(offset: 0, count: 0), slot)
            self.appendUnknown(
                slot,
                UnsafeRawBufferPointer(
                    start: source + Int(unknown.offset),
                    count: Int(unknown.count)
                )
            )
        }
        for index in 0..<table.pointee.fieldCount {
            let entry = UnsafePointer(table.pointee.fields + index)
            let slot = copy &+ entry.pointee.offset
            switch entry.pointee.cardinality {
            case .implicit, .always, .explicit, .oneof:
                self.copySlot(entry.pointee.kind, entry.pointee.child, from: source, slot)
            case .repeated, .packed:
                self.copyList(
                    entry.pointee.kind,
                    Int(entry.pointee.kind.slotBytes),
                    entry.pointee.child,
                    from: source,
                    slot
                )
            case .map:
                self.copyMap(entry, from: source, slot)
            }
        }
        return copy
    }

    /// Replaces what a copied slot refers to by a copy in this block.
    @inline(__always)
    private func copySlot(
        _ kind: FieldKind,
        _ child: UnsafePointer<MessageTable>?,
        from source: UnsafeMutableRawPointer,
        _ slot: UInt32
    ) {
        switch kind {
        case .string, .bytes:
            let extent = self.extent(slot)
            if extent.count == 0 { return }
            let moved = self.copyIn(
                UnsafeRawBufferPointer(
                    start: source + Int(extent.offset),
                    count: Int(extent.count)
                )
            )
            self.putExtent(moved, slot)
        case .message:
            let offset = UInt32.load(self, slot)
            if offset == 0 { return }
            guard let child else { return }
            let moved = self.copyMessage(child, from: source, at: offset)
            UInt32.store(moved, self, slot)
        default:
            return
        }
    }

    private func copyItems(
        from source: UnsafeMutableRawPointer,
        _ slot: UInt32,
        stride: Int
    ) -> (first: UInt32, count: Int) {
        let header = UInt32.load(self, slot)
        if header == 0 { return (0, 0) }
        let count = (source + Int(header)).loadUnaligned(as: UInt32.self)
        let byteCount = Int(count) * stride
        let copy = self.allocate(UInt32(8 + byteCount))
        UInt32.store(count, self, copy)
        UInt32.store(count, self, copy &+ 4)
        memcpy(self.base + Int(copy) + 8, source + Int(header) + 8, byteCount)
        UInt32.store(copy, self, slot)
        return (copy &+ 8, Int(count))
    }

    private func copyList(
        _ kind: FieldKind,
        _ stride: Int,
        _ child: UnsafePointer<MessageTable>?,
        from source: UnsafeMutableRawPointer,
        _ slot: UInt32
    ) {
        let (first, count) = self.copyItems(from: source, slot, stride: stride)
        guard kind.wireType == 2 else { return }
        for index in 0..<count {
            self.copySlot(kind, child, from: source, first &+ UInt32(index * stride))
        }
    }

    private func copyMap(
        _ entry: UnsafePointer<FieldEntry>,
        from source: UnsafeMutableRawPointer,
        _ slot: UInt32
    ) {
        let stride = MapLayout.entryBytes
        let (first, count) = self.copyItems(from: source, slot, stride: stride)
        for index in 0..<count {
            let pair = first &+ UInt32(index * stride)
            self.copySlot(entry.pointee.keyKind, nil, from: source, pair)
            self.copySlot(
                entry.pointee.valueKind,
                entry.pointee.child,
                from: source,
                pair &+ UInt32(MapLayout.valueOffset)
            )
        }
    }
}

/// Comparison of message trees.
package enum MessageTree {
    /// Whether two messages of one type have equal fields.
    package static func areEqual(
        _ table: UnsafePointer<MessageTable>,
        _ left: MessageStorage,
        _ right: MessageStorage
    ) -> Bool {
        if left.block === right.block && left.offset == right.offset { return true }
        defer { withExtendedLifetime((left.block, right.block)) {} }
        return self.areEqual(
            table,
            left.block.base,
            left.address,
            right.block.base,
            right.address
        )
    }

    /// Whether two messages of one type have equal fields.
    package static func areEqual(
        _ table: UnsafePointer<MessageTable>,
        _ leftBase: UnsafeRawPointer,
        _ left: UnsafeRawPointer,
        _ rightBase: UnsafeRawPointer,
        _ right: UnsafeRawPointer
    ) -> Bool {
        if table.pointee.unknownSlot != 0 {
            let slot = Int(table.pointee.unknownSlot)
            guard self.extentsAreEqual(leftBase, left + slot, rightBase, right + slot) else {
                return false
            }
        }
        for index in 0..<table.pointee.fieldCount {
            let entry = UnsafePointer(table.pointee.fields + index)
            guard self.fieldsAreEqual(entry, leftBase, left, rightBase, right) else {
                return false
            }
        }
        return true
    }

    /// Whether a field is equal in two messages of one type.
    package static func fieldsAreEqual(
        _ entry: UnsafePointer<FieldEntry>,
        _ leftBase: UnsafeRawPointer,
        _ left: UnsafeRawPointer,
        _ rightBase: UnsafeRawPointer,
        _ right: UnsafeRawPointer
    ) -> Bool {
        let slot = Int(entry.pointee.offset)
        switch entry.pointee.cardinality {
        case .implicit, .always:
            break
        case .explicit:
            let isSet = BinaryEncoder.isPresent(entry, left)
            guard isSet == BinaryEncoder.isPresent(entry, right) else { return false }
            if !isSet { return true }
        case .oneof:
            let presence = Int(entry.pointee.presence)
            let a = left.loadUnaligned(fromByteOffset: presence, as: UInt32.self)
            let b = right.loadUnaligned(fromByteOffset: presence, as: UInt32.self)
            guard a == b else { return false }
            if a != entry.pointee.number { return true }
        case .repeated, .packed:
            return self.listsAreEqual(
                leftBase,
                left + slot,
                rightBase,
                right + slot,
                stride: Int(entry.pointee.kind.slotBytes)
            ) { a, b in
                self.valuesAreEqual(
                    entry.pointee.kind,
                    entry.pointee.child,
                    leftBase,
                    a,
                    rightBase,
                    b
                )
            }
        case .map:
            return self.listsAreEqual(
                leftBase,
                left + slot,
                rightBase,
                right + slot,
                stride: MapLayout.entryBytes
            ) { a, b in
                self.valuesAreEqual(entry.pointee.keyKind, nil, leftBase, a, rightBase, b)
                    && self.valuesAreEqual(
                        entry.pointee.valueKind,
                        entry.pointee.child,
                        leftBase,
                        a + MapLayout.valueOffset,
                        rightBase,
                        b + MapLayout.valueOffset
                    )
            }
        }
        return self.valuesAreEqual(
            entry.pointee.kind,
            entry.pointee.child,
            leftBase,
            left + slot,
            rightBase,
            right + slot
        )
    }

    /// Whether two slots of a kind hold equal values.
    package static func valuesAreEqual(
        _ kind: FieldKind,
        _ child: UnsafePointer<MessageTable>?,
        _ leftBase: UnsafeRawPointer,
        _ left: UnsafeRawPointer,
        _ rightBase: UnsafeRawPointer,
        _ right: UnsafeRawPointer
    ) -> Bool {
        switch kind {
        case .string, .bytes:
            return self.extentsAreEqual(leftBase, left, rightBase, right)
        case .message:
            guard let child else { return true }
            let zero = Block.zero
            let a = left.loadUnaligned(as: UInt32.self)
            let b = right.loadUnaligned(as: UInt32.self)
            if a == 0 && b == 0 { return true }
            let empty = UnsafeRawPointer(zero.base) + Int(Block.rootOffset)
            let leftMessage = a == 0 ? empty : leftBase + Int(a)
            let rightMessage = b == 0 ? empty : rightBase + Int(b)
            if child.pointee.jsonForm == .quantity,
                self.isZeroQuantity(child, leftBase, leftMessage),
                self.isZeroQuantity(child, rightBase, rightMessage)
            {
                return true
            }
            return self.areEqual(child, leftBase, leftMessage, rightBase, rightMessage)
        default:
            switch kind.slotBytes {
            case 8:
                return left.loadUnaligned(as: UInt64.self) == right.loadUnaligned(as: UInt64.self)
            case 4:
                return left.loadUnaligned(as: UInt32.self) == right.loadUnaligned(as: UInt32.self)
            default:
                return left.load(as: UInt8.self) == right.load(as: UInt8.self)
            }
        }
    }

    /// Whether a quantity is unset or says `0`, which is how an unset one is written.
    private static func isZeroQuantity(
        _ table: UnsafePointer<MessageTable>,
        _ base: UnsafeRawPointer,
        _ message: UnsafeRawPointer
    ) -> Bool {
        guard let entry = table.pointee.entry(number: 1) else { return false }
        let text = message.loadUnaligned(
            fromByteOffset: Int(entry.pointee.offset),
            as: Extent.self
        )
        if text.count == 0 { return true }
        return text.count == 1
            && (base + Int(text.offset)).load(as: UInt8.self) == UInt8(ascii: "0")
    }

    private static func extentsAreEqual(
        _ leftBase: UnsafeRawPointer,
        _ left: UnsafeRawPointer,
        _ rightBase: UnsafeRawPointer,
        _ right: UnsafeRawPointer
    ) -> Bool {
        let a = left.loadUnaligned(as: Extent.self)
        let b = right.loadUnaligned(as: Extent.self)
        guard a.count == b.count else { return false }
        return bytesAreEqual(leftBase + Int(a.offset), rightBase + Int(b.offset), Int(a.count))
    }

    private static func listsAreEqual(
        _ leftBase: UnsafeRawPointer,
        _ left: UnsafeRawPointer,
        _ rightBase: UnsafeRawPointer,
        _ right: UnsafeRawPointer,
        stride: Int,
        _ itemsAreEqual: (UnsafeRawPointer, UnsafeRawPointer) -> Bool
    ) -> Bool {
        let a = left.loadUnaligned(as: UInt32.self)
        let b = right.loadUnaligned(as: UInt32.self)
        let leftCount = a == 0 ? 0 : (leftBase + Int(a)).loadUnaligned(as: UInt32.self)
        let rightCount = b == 0 ? 0 : (rightBase + Int(b)).loadUnaligned(as: UInt32.self)
        guard leftCount == rightCount else { return false }
        for index in 0..<Int(leftCount) {
            let offset = 8 + index * stride
            guard itemsAreEqual(leftBase + Int(a) + offset, rightBase + Int(b) + offset) else {
                return false
            }
        }
        return true
    }
}

// MARK: - Questions about a tree

extension MessageTree {
    /// The start of the memory of the empty message, and the message.
    package static var emptyBase: UnsafeRawPointer { UnsafeRawPointer(Block.zero.base) }

    package static var empty: UnsafeRawPointer { self.emptyBase + Int(Block.rootOffset) }

    /// Whether a slot holds zero or nothing.
    @inline(__always)
    package static func isZero(_ kind: FieldKind, _ slot: UnsafeRawPointer) -> Bool {
        BinaryEncoder.isZero(kind, slot)
    }

    /// Whether a field with presence is set in the message at `message`.
    @inline(__always)
    package static func isPresent(
        _ field: UnsafePointer<FieldEntry>,
        _ message: UnsafeRawPointer
    ) -> Bool {
        guard field.pointee.cardinality == .oneof else {
            return BinaryEncoder.isPresent(field, message)
        }
        let number = message.loadUnaligned(
            fromByteOffset: Int(field.pointee.presence),
            as: UInt32.self
        )
        return number == field.pointee.number
    }

    /// The number of items of the list or map in a slot.
    @inline(__always)
    package static func count(_ slot: UnsafeRawPointer, _ base: UnsafeRawPointer) -> Int {
        let header = slot.loadUnaligned(as: UInt32.self)
        return header == 0 ? 0 : Int((base + Int(header)).loadUnaligned(as: UInt32.self))
    }

    /// The items of the list or map in a slot; nil when it is absent.
    @inline(__always)
    package static func items(
        _ slot: UnsafeRawPointer,
        _ base: UnsafeRawPointer
    ) -> (first: UnsafeRawPointer, count: Int)? {
        let header = slot.loadUnaligned(as: UInt32.self)
        if header == 0 { return nil }
        let list = base + Int(header)
        return (list + 8, Int(list.loadUnaligned(as: UInt32.self)))
    }
}
