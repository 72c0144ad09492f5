// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Where a message is: a block and the offset of its fixed part.
///
/// Generated message types are this and nothing else. Reading goes through constant offsets;
/// writing first makes the block unique (`prepareToWrite`), so that messages behave as values.
public struct MessageStorage: Sendable {
    @usableFromInline package var block: Block
    @usableFromInline package var offset: UInt32

    @inlinable
    package init(block: Block, offset: UInt32) {
        self.block = block
        self.offset = offset
    }

    /// The empty message: shared, allocates nothing.
    @inlinable
    public init() {
        self.block = Block.zero
        self.offset = Block.rootOffset
    }

    /// The address of the fixed part. The caller keeps `block` alive while it uses the pointer.
    @inlinable
    package var address: UnsafeMutableRawPointer {
        self.block.base + Int(self.offset)
    }
}

// MARK: - Writing

extension MessageStorage {
    /// Makes the block writable through this handle alone.
    @inlinable
    public mutating func prepareToWrite(_ schema: MessageSchema) {
        if !isKnownUniquelyReferenced(&self.block) || self.block.wasted > Block.wasteWorthCopying {
            self.renewBlock(schema)
        }
    }

    /// Moves to a block of its own when the present one is shared or mostly waste.
    @usableFromInline
    @inline(never)
    mutating func renewBlock(_ schema: MessageSchema) {
        if isKnownUniquelyReferenced(&self.block) {
            let isRoot = self.offset == Block.rootOffset
            guard isRoot && self.block.wasted > self.block.used / 2 else { return }
        }
        self = self.copied(schema.table)
    }

    /// A deep copy in a block of its own.
    package func copied(_ table: UnsafePointer<MessageTable>) -> MessageStorage {
        if self.block === Block.zero {
            let block = Block(capacity: Int(table.pointee.size) + 64)
            return MessageStorage(block: block, offset: block.allocate(table.pointee.size))
        }
        let isCompact = self.block.wasted < self.block.used / 4
        if self.offset == Block.rootOffset && isCompact {
            return MessageStorage(block: Block(copying: self.block), offset: self.offset)
        }
        let block = Block(capacity: Int(table.pointee.size) * 2)
        let offset = block.copyMessage(table, from: self.block.base, at: self.offset)
        return MessageStorage(block: block, offset: offset)
    }
}

// MARK: - Scalars

extension MessageStorage {
    /// The bits of a slot.
    @inlinable
    package func load<T: BitwiseCopyable>(_ slot: Int, as type: T.Type = T.self) -> T {
        defer { withExtendedLifetime(self.block) {} }
        return UnsafeRawPointer(self.address + slot).loadUnaligned(as: T.self)
    }

    /// Sets the bits of a slot of a block that is ours to write.
    @inlinable
    package func put<T: BitwiseCopyable>(_ value: T, _ slot: Int) {
        defer { withExtendedLifetime(self.block) {} }
        (self.address + slot).storeBytes(of: value, as: T.self)
    }

    /// Whether a field with a presence bit is set.
    @inlinable
    package func hasBit(_ bit: Int) -> Bool {
        self.load(bit >> 3, as: UInt8.self) & (1 << UInt8(bit & 7)) != 0
    }

    @inlinable
    package func putBit(_ bit: Int, _ present: Bool) {
        let old = self.load(bit >> 3, as: UInt8.self)
        let mask: UInt8 = 1 << UInt8(bit & 7)
        self.put(present ? old | mask : old & ~mask, bit >> 3)
    }
}

// MARK: - Fields of one value

extension MessageStorage {
    /// A field without presence.
    @inlinable
    public func get<T: FieldValue>(_ slot: Int, as type: T.Type = T.self) -> T {
        T.load(self.block, self.offset &+ UInt32(truncatingIfNeeded: slot))
    }

    /// Sets a field without presence.
    @inlinable
    public mutating func set<T: FieldValue>(_ value: T, _ slot: Int, _ schema: MessageSchema) {
        self.prepareToWrite(schema)
        T.store(value, self.block, self.offset &+ UInt32(truncatingIfNeeded: slot))
    }

    /// A field with a presence bit.
    @inlinable
    public func get<T: FieldValue>(_ slot: Int, bit: Int, as type: T.Type = T.self) -> T? {
        self.hasBit(bit) ? self.get(slot) : nil
    }

    /// Sets or clears a field with a presence bit.
    @inlinable
    public mutating func set<T: FieldValue>(
        _ value: T?,
        _ slot: Int,
        bit: Int,
        _ schema: MessageSchema
    ) {
        self.prepareToWrite(schema)
        T.store(value ?? T.zero, self.block, self.offset &+ UInt32(truncatingIfNeeded: slot))
        self.putBit(bit, value != nil)
    }

    /// A member of a oneof, when it is the one that is set.
    @inlinable
    public func get<T: FieldValue>(_ slot: Int, case number: Int, at caseSlot: Int) -> T? {
        self.load(caseSlot, as: UInt32.self) == UInt32(number) ? self.get(slot) : nil
    }

    /// The number of the member of a oneof that is set; 0 for none.
    @inlinable
    public func oneofCase(at caseSlot: Int) -> Int {
        Int(self.load(caseSlot, as: UInt32.self))
    }

    /// Sets a member of a oneof and forgets the one that was set.
    @inlinable
    public mutating func set<T: FieldValue>(
        _ value: T,
        _ slot: Int,
        case number: Int,
        at caseSlot: Int,
        _ schema: MessageSchema
    ) {
        self.prepareToWrite(schema)
        self.clearOneof(at: caseSlot, schema)
        T.store(value, self.block, self.offset &+ UInt32(truncatingIfNeeded: slot))
        self.put(UInt32(number), caseSlot)
    }

    /// Forgets the member of a oneof that is set.
    @usableFromInline
    package mutating func clearOneof(at caseSlot: Int, _ schema: MessageSchema) {
        self.prepareToWrite(schema)
        let number = self.load(caseSlot, as: UInt32.self)
        guard number != 0 else { return }
        if let entry = schema.table.pointee.entry(number: number) {
            self.block.clearSlot(self.offset &+ entry.pointee.offset, entry)
        }
        self.put(UInt32(0), caseSlot)
    }

    /// Forgets the member of a oneof that is set.
    public mutating func clearOneofCase(at caseSlot: Int, _ schema: MessageSchema) {
        self.clearOneof(at: caseSlot, schema)
    }
}
