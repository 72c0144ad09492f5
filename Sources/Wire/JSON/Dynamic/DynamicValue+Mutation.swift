// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import Protobuf

extension DynamicValue {
    /// The value of a key; nil when it is absent or this is no object. Assigning nil removes the
    /// key; assigning to a value that is no object makes it one.
    public subscript(key: String) -> DynamicValue? {
        get {
            var key = key
            let (index, isFound) = key.withUTF8 { self.search(UnsafeRawBufferPointer($0)) }
            guard isFound else { return nil }
            return DynamicValue(
                block: self.block,
                address: self.entryAddress(index) &+ Cell.keyBytes
            )
        }
        set {
            if let newValue {
                self.put(key, newValue)
            } else {
                self.removeValue(forKey: key)
            }
        }
        _modify {
            var text = key
            let (index, isFound) = text.withUTF8 { self.search(UnsafeRawBufferPointer($0)) }
            if isFound {
                self.prepareToWrite()
                let address = self.entryAddress(index) &+ Cell.keyBytes
                var child: DynamicValue? = self.lend(address)
                defer { self.takeBack(&child, address, orRemoveEntry: index) }
                yield &child
            } else {
                var child: DynamicValue?
                defer { if let child { self.put(key, child) } }
                yield &child
            }
        }
    }

    /// An item of a list.
    public subscript(index: Int) -> DynamicValue {
        get { self.items[index] }
        _modify {
            precondition(self.items.indices.contains(index), "index out of range")
            self.prepareToWrite()
            let address = self.itemAddress(index)
            var child = self.lend(address)
            defer { self.takeBack(&child, address) }
            yield &child
        }
        set {
            precondition(self.items.indices.contains(index), "index out of range")
            self.prepareToWrite()
            self.replace(self.itemAddress(index), with: newValue)
        }
    }

    /// Adds an item to a list; a value that is no list becomes one.
    public mutating func append(_ item: DynamicValue) {
        self.insert(item, at: self.items.count)
    }

    /// Adds an item before the one at `index`; a value that is no list becomes one.
    public mutating func insert(_ item: DynamicValue, at index: Int) {
        self.prepareToWrite()
        if self.kind != .list { self.block.putCell(Cell(.list), self.address) }
        precondition(index >= 0 && index <= self.count, "index out of range")
        let adopted = self.adopt(item)
        self.openGap(at: index, stride: Cell.bytes)
        self.block.putCell(adopted, self.itemAddress(index))
    }

    /// Removes an item of a list.
    public mutating func remove(at index: Int) {
        precondition(self.items.indices.contains(index), "index out of range")
        self.prepareToWrite()
        self.closeGap(at: index, stride: Cell.bytes)
    }

    /// Removes a key of an object; true when it was there.
    @discardableResult
    public mutating func removeValue(forKey key: String) -> Bool {
        var key = key
        let (index, isFound) = key.withUTF8 { self.search(UnsafeRawBufferPointer($0)) }
        if isFound { self.removeEntry(at: index) }
        return isFound
    }

    private mutating func removeEntry(at index: Int) {
        self.prepareToWrite()
        self.closeGap(at: index, stride: Cell.entryBytes)
    }

    private mutating func put(_ key: String, _ value: DynamicValue) {
        self.prepareToWrite()
        if self.kind != .object { self.block.putCell(Cell(.object), self.address) }
        var key = key
        key.withUTF8 { text in
            let bytes = UnsafeRawBufferPointer(text)
            let (index, isFound) = self.search(bytes)
            if isFound {
                self.replace(self.entryAddress(index) &+ Cell.keyBytes, with: value)
                return
            }
            let adopted = self.adopt(value)
            let extent = self.block.copyIn(bytes)
            self.openGap(at: index, stride: Cell.entryBytes)
            self.block.putExtent(extent, self.entryAddress(index))
            self.block.putCell(adopted, self.entryAddress(index) &+ Cell.keyBytes)
        }
    }

    // MARK: - Space

    /// Makes room for an item or entry at `index` and counts it.
    private func openGap(at index: Int, stride: Int) {
        var cell = self.cell
        let count = Int(cell.count)
        if count == Int(cell.capacity) {
            let capacity = Swift.max(4, count * 2)
            let moved = self.block.allocate(UInt32(capacity * stride))
            (self.block.base + Int(moved)).copyMemory(
                from: self.block.base + Int(cell.offset),
                byteCount: count * stride
            )
            self.block.wasted &+= UInt32(count * stride)
            cell.payload = Cell.payload(offset: moved, capacity: capacity)
        }
        let gap = self.block.base + Int(cell.offset) + index * stride
        (gap + stride).copyMemory(from: gap, byteCount: (count - index) * stride)
        cell.count += 1
        self.block.putCell(cell, self.address)
    }

    /// Removes the item or entry at `index`.
    private func closeGap(at index: Int, stride: Int) {
        var cell = self.cell
        let count = Int(cell.count)
        let gap = self.block.base + Int(cell.offset) + index * stride
        gap.copyMemory(from: gap + stride, byteCount: (count - index - 1) * stride)
        cell.count -= 1
        self.block.putCell(cell, self.address)
        self.block.wasted &+= UInt32(stride)
    }

    // MARK: - Blocks

    /// Makes the block ours to write, as `MessageStorage.prepareToWrite` does.
    private mutating func prepareToWrite() {
        let isRoot = self.address == Block.rootOffset
        if isKnownUniquelyReferenced(&self.block) {
            let isWasteful =
                self.block.wasted > Block.wasteWorthCopying
                && self.block.wasted > self.block.used / 2
            guard isRoot && isWasteful else { return }
        } else if isRoot && self.block.wasted < self.block.used / 4 {
            self.block = Block(copying: self.block)
            return
        }
        let block = Block(capacity: 256)
        let address = block.allocate(UInt32(Cell.bytes))
        block.putCell(block.copyCell(self.cell, from: self.block), address)
        self = DynamicValue(block: block, address: address)
    }

    /// Copies a value into the block and returns its cell.
    private func adopt(_ value: DynamicValue) -> Cell {
        let source = value.block === self.block ? Block(copying: self.block) : value.block
        defer { withExtendedLifetime(source) {} }
        return self.block.copyCell(source.cell(value.address), from: source)
    }

    /// Puts a copy of a value in the place of another.
    private func replace(_ address: UInt32, with value: DynamicValue) {
        let used = self.block.used
        self.block.putCell(self.adopt(value), address)
        // What is replaced is taken to be as large as what replaces it.
        self.block.wasted &+= self.block.used &- used
    }

    private func lend(_ address: UInt32) -> DynamicValue {
        DynamicValue(block: self.block.lend(), address: address)
    }

    /// Ends a loan; `child` is what came back.
    private func takeBack(_ child: inout DynamicValue, _ address: UInt32) {
        let isLoan = self.block.endLoan(&child.block)
        if isLoan && child.address == address { return }
        if isLoan { child.block = self.block }
        self.replace(address, with: child)
    }

    /// Ends a loan of the value of an entry, which is removed when nothing came back.
    private mutating func takeBack(
        _ child: inout DynamicValue?,
        _ address: UInt32,
        orRemoveEntry index: Int
    ) {
        // Taken out, so that the loan is referenced once.
        if var value = child.take() {
            self.takeBack(&value, address)
        } else {
            var none = Block.zero
            _ = self.block.endLoan(&none)
            self.removeEntry(at: index)
        }
    }
}
