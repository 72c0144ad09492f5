// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf
import Scalars

extension DefaultingPlan {
    /// Sets what is unset in the message at `storage`, whose block is ours to write.
    func run(on storage: inout MessageStorage, now: Timestamp?) {
        for constant in self.constants { constant.set(storage.block, storage.offset) }
        for rule in self.rules where rule.isNeeded(storage) { rule.apply(&storage, now) }
        for child in self.children { child.run(storage.block, storage.offset, now) }
    }

    /// Sets what is unset in a message of `block`, which is ours to write.
    fileprivate func run(_ block: Block, _ message: UInt32, _ now: Timestamp?) {
        for constant in self.constants { constant.set(block, message) }
        for rule in self.rules {
            guard rule.isNeeded(MessageStorage(block: block, offset: message)) else { continue }
            // Lent, so that the rule finds the block unshared.
            var lent = MessageStorage(block: block.lend(), offset: message)
            rule.apply(&lent, now)
            let isLoan = block.endLoan(&lent.block)
            if isLoan { continue }
            self.putBack(lent, block, message)
        }
        for child in self.children { child.run(block, message, now) }
    }
}

extension DefaultingPlan {
    /// Takes over a message that a rule has moved to a block of its own: its fixed part gets the
    /// place of the old one, and what it owns lies behind.
    private func putBack(_ moved: MessageStorage, _ block: Block, _ message: UInt32) {
        defer { withExtendedLifetime(moved.block) {} }
        let table = self.schema.table
        let copy = block.copyMessage(table, from: moved.block.base, at: moved.offset)
        (block.base + Int(message)).copyMemory(
            from: block.base + Int(copy),
            byteCount: Int(table.pointee.size)
        )
    }
}

extension DefaultingPlan.Child {
    fileprivate func run(_ block: Block, _ message: UInt32, _ now: Timestamp?) {
        let slot = message &+ self.entry.pointee.offset
        switch self.shape {
        case .message: self.runOnMessage(block, slot, now)
        case .list: self.runOnItems(block, slot, stride: 4, valueOffset: 0, now)
        case .map:
            self.runOnItems(
                block,
                slot,
                stride: MapLayout.entryBytes,
                valueOffset: MapLayout.valueOffset,
                now
            )
        case .resources: self.roundResources(block, slot)
        }
    }

    private func runOnMessage(_ block: Block, _ slot: UInt32, _ now: Timestamp?) {
        guard let plan = self.plan else { return }
        var offset = UInt32.load(block, slot)
        if offset == 0 {
            // A pointer that is nil stays so; a Go value is there, with nothing in it.
            guard self.entry.pointee.cardinality == .always, plan.isNeededWhenEmpty else { return }
            offset = block.allocate(plan.schema.table.pointee.size)
            UInt32.store(offset, block, slot)
        }
        plan.run(block, offset, now)
    }

    private func runOnItems(
        _ block: Block,
        _ slot: UInt32,
        stride: Int,
        valueOffset: Int,
        _ now: Timestamp?
    ) {
        guard let plan = self.plan else { return }
        let header = UInt32.load(block, slot)
        guard header != 0 else { return }
        let count = UInt32.load(block, header)
        for index in 0..<count {
            let item = header &+ 8 &+ index &* UInt32(stride) &+ UInt32(valueOffset)
            var offset = UInt32.load(block, item)
            if offset == 0 {
                guard plan.isNeededWhenEmpty else { continue }
                offset = block.allocate(plan.schema.table.pointee.size)
                UInt32.store(offset, block, item)
            }
            plan.run(block, offset, now)
        }
    }

    /// Rounds each quantity up to milli units.
    private func roundResources(_ block: Block, _ slot: UInt32) {
        let header = UInt32.load(block, slot)
        guard header != 0 else { return }
        for index in 0..<UInt32.load(block, header) {
            let item =
                header &+ 8 &+ index &* UInt32(MapLayout.entryBytes)
                &+ UInt32(MapLayout.valueOffset)
            let quantity = UInt32.load(block, item)
            guard quantity != 0 else { continue }
            let text = quantity &+ CoreQuantity.textSlot
            if CoreQuantity.isWholeMilli(block.extentBytes(text)) { continue }
            guard var value = try? Quantity(parsing: String.load(block, text)) else { continue }
            if !value.roundUp(to: .milli) { String.store(value.description, block, text) }
        }
    }
}

/// The one field of `Quantity`.
private enum CoreQuantity {
    static let textSlot: UInt32 = {
        guard let field = KubernetesAPI.Resource.Quantity.schema.field(named: "string") else {
            preconditionFailure("Quantity has no text")
        }
        return field.entry.pointee.offset
    }()

    /// Whether the text is one of the common ones that cannot have parts of a milli unit: digits
    /// and a suffix other than `n` and `u`, without point and exponent.
    static func isWholeMilli(_ text: UnsafeRawBufferPointer) -> Bool {
        guard let last = text.last else { return true }
        if last == UInt8(ascii: "n") || last == UInt8(ascii: "u") { return false }
        for byte in text.dropLast() {
            let isDigit = byte &- UInt8(ascii: "0") < 10
            let isBinary = byte != UInt8(ascii: "E") && byte &- UInt8(ascii: "A") < 26
            if !isDigit && !isBinary { return false }
        }
        return true
    }
}

extension Block {
    /// The bytes of the text in a slot; valid while the block lives and is not changed.
    fileprivate func extentBytes(_ address: UInt32) -> UnsafeRawBufferPointer {
        let extent = self.extent(address)
        return UnsafeRawBufferPointer(
            start: self.base + Int(extent.offset),
            count: Int(extent.count)
        )
    }
}
