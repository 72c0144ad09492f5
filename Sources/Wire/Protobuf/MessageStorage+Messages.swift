// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

// Sub-messages. A message field's slot is the offset of the sub-message; 0 when it is absent.
//
// A nested change such as `pod.spec.nodeName = "a"` lends the block of `pod` to a handle for
// `pod.spec`, changes it in place, and takes the memory back: no copy, whatever the depth.

extension MessageStorage {
    /// The handle of the sub-message whose offset is in the slot; the empty message when absent.
    @inlinable
    package func submessage(_ slot: Int) -> MessageStorage {
        let offset = self.load(slot, as: UInt32.self)
        return offset == 0 ? MessageStorage() : MessageStorage(block: self.block, offset: offset)
    }

    /// Sets a slot to a copy of `value`, or clears it.
    @usableFromInline
    package mutating func putSubmessage(
        _ value: MessageStorage?,
        _ table: UnsafePointer<MessageTable>,
        _ slot: Int
    ) {
        guard let value else {
            self.put(UInt32(0), slot)
            self.block.wasted &+= table.pointee.size
            return
        }
        let isReplaced = self.load(slot, as: UInt32.self) != 0
        let used = self.block.used
        let offset = self.block.adopt(value, table)
        self.put(offset, slot)
        // What is replaced is taken to be as large as what replaces it.
        if isReplaced { self.block.wasted &+= self.block.used &- used }
    }

    /// Lends the block to a handle for the sub-message, which is made when it is absent.
    @usableFromInline
    mutating func lendSubmessage(
        _ slot: Int,
        _ table: UnsafePointer<MessageTable>
    ) -> MessageStorage {
        var offset = self.load(slot, as: UInt32.self)
        if offset == 0 {
            offset = self.block.allocate(table.pointee.size)
            self.put(offset, slot)
        }
        return MessageStorage(block: self.block.lend(), offset: offset)
    }

    /// Ends a loan; `child` is what came back.
    @usableFromInline
    mutating func takeBack(
        _ child: inout MessageStorage,
        _ slot: Int,
        _ table: UnsafePointer<MessageTable>
    ) {
        // Before its end the memory may be the loan's, which has moved it.
        let isLoan = self.block.endLoan(&child.block)
        if isLoan && child.offset == self.load(slot, as: UInt32.self) { return }
        self.putSubmessage(isLoan ? child.reseated(in: self.block) : child, table, slot)
    }

    private func reseated(in block: Block) -> MessageStorage {
        MessageStorage(block: block, offset: self.offset)
    }
}

extension Block {
    /// Copies a message of any block into this one and returns its offset.
    @usableFromInline
    func adopt(_ value: MessageStorage, _ table: UnsafePointer<MessageTable>) -> UInt32 {
        if value.block === self {
            let snapshot = Block(copying: self)
            return self.copyMessage(table, from: snapshot.base, at: value.offset)
        }
        defer { withExtendedLifetime(value.block) {} }
        return self.copyMessage(table, from: value.block.base, at: value.offset)
    }
}

// MARK: - Fields

extension MessageStorage {
    /// Changes a message field without presence in place.
    @inlinable
    public subscript<M: Message>(_ slot: Int, _ schema: MessageSchema) -> M {
        get { self.get(slot) }
        _modify {
            self.prepareToWrite(schema)
            let table = M.schema.table
            var child = M(storage: self.lendSubmessage(slot, table))
            defer { self.takeBack(&child.storage, slot, table) }
            yield &child
        }
    }

    /// A message field with presence.
    @inlinable
    public func getOptional<M: Message>(_ slot: Int, as type: M.Type = M.self) -> M? {
        self.load(slot, as: UInt32.self) == 0 ? nil : M(storage: self.submessage(slot))
    }

    /// Sets or clears a message field with presence.
    @inlinable
    public mutating func setOptional<M: Message>(
        _ value: M?,
        _ slot: Int,
        _ schema: MessageSchema
    ) {
        self.prepareToWrite(schema)
        self.putSubmessage(value?.storage, M.schema.table, slot)
    }

    /// Changes a message field with presence in place.
    @inlinable
    public subscript<M: Message>(optional slot: Int, _ schema: MessageSchema) -> M? {
        get { self.getOptional(slot) }
        _modify {
            self.prepareToWrite(schema)
            let table = M.schema.table
            if self.load(slot, as: UInt32.self) == 0 {
                var child: M?
                defer { self.putSubmessage(child?.storage, table, slot) }
                yield &child
            } else {
                var child: M? = M(storage: self.lendSubmessage(slot, table))
                defer { self.takeBackOptional(&child, slot, table) }
                yield &child
            }
        }
    }

    @inlinable
    mutating func takeBackOptional<M: Message>(
        _ child: inout M?,
        _ slot: Int,
        _ table: UnsafePointer<MessageTable>
    ) {
        if var message = child {
            child = nil
            self.takeBack(&message.storage, slot, table)
        } else {
            var none = MessageStorage()
            _ = self.endLoanIfAny(&none)
            self.putSubmessage(nil, table, slot)
        }
    }

    @usableFromInline
    func endLoanIfAny(_ other: inout MessageStorage) -> Bool {
        self.block.endLoan(&other.block)
    }

    /// A message member of a oneof, when it is the one that is set.
    @inlinable
    public func getMember<M: Message>(_ slot: Int, case number: Int, at caseSlot: Int) -> M? {
        guard self.load(caseSlot, as: UInt32.self) == UInt32(number) else { return nil }
        return M(storage: self.submessage(slot))
    }

    /// Sets a message member of a oneof and forgets the one that was set.
    @inlinable
    public mutating func setMember<M: Message>(
        _ value: M,
        _ slot: Int,
        case number: Int,
        at caseSlot: Int,
        _ schema: MessageSchema
    ) {
        self.prepareToWrite(schema)
        self.clearOneof(at: caseSlot, schema)
        self.putSubmessage(value.storage, M.schema.table, slot)
        self.put(UInt32(number), caseSlot)
    }
}
