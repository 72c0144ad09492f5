// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The items of a repeated field, in a message or on their own.
///
/// ```
/// slot ──> ┌───────┬──────────┬────────┬────────┬───
///          │ count │ capacity │ item 0 │ item 1 │ …      count and capacity: 4 bytes each
///          └───────┴──────────┴────────┴────────┴───
/// ```
///
/// A slot of 0 is the absent list, which Go calls nil; `isPresent` tells it from an empty one where
/// JSON does.
public struct RepeatedField<Element: FieldValue>: Sendable {
    @usableFromInline package var block: Block

    /// The offset of the slot that holds the offset of the list.
    @usableFromInline package var slot: UInt32

    @inlinable
    package init(block: Block, slot: UInt32) {
        self.block = block
        self.slot = slot
    }

    /// The empty list; allocates nothing.
    @inlinable
    public init() {
        self.block = Block.zero
        self.slot = Block.rootOffset
    }

    /// The offset of the list; 0 when it is absent.
    @inlinable
    package var header: UInt32 {
        UInt32.load(self.block, self.slot)
    }

    /// Whether the field has been given a value, be it an empty list.
    @inlinable
    public var isPresent: Bool { self.header != 0 }

    /// Makes the block ours, with room for `total` items.
    @usableFromInline
    mutating func prepareToWrite(total: Int) {
        if !isKnownUniquelyReferenced(&self.block) {
            let copy = Block(capacity: 64 + total * Element.slotBytes * 4)
            let slot = copy.allocate(8)
            copy.copyItems(Element.self, from: self, to: slot, capacity: total)
            copy.reserveItems(at: slot, total: total, stride: Element.slotBytes)
            self = Self(block: copy, slot: slot)
        } else {
            self.block.reserveItems(at: self.slot, total: total, stride: Element.slotBytes)
        }
    }

    @inlinable
    func address(_ index: Int) -> UInt32 {
        self.header &+ 8 &+ UInt32(truncatingIfNeeded: index &* Element.slotBytes)
    }
}

extension Block {
    /// Makes a list of at least `total` slots at `slot`, keeping the items that are there.
    @usableFromInline
    package func reserveItems(at slot: UInt32, total: Int, stride: Int) {
        let header = UInt32.load(self, slot)
        if header != 0 {
            let capacity = UInt32.load(self, header &+ 4)
            if Int(capacity) >= total { return }
        }
        let count = header == 0 ? 0 : UInt32.load(self, header)
        let bytes = Swift.max(total, Int(count) * 2, header == 0 ? total : 4) * stride
        precondition(bytes < Int(Self.maximumBytes), "a list exceeds 4 GiB")
        let moved = self.allocate(UInt32(8 + bytes))
        if header != 0 {
            let old = self.base + Int(header) + 8
            (self.base + Int(moved) + 8).copyMemory(from: old, byteCount: Int(count) * stride)
            self.wasted &+= 8 &+ count &* UInt32(stride)
        }
        UInt32.store(count, self, moved)
        UInt32.store(UInt32(bytes / Swift.max(stride, 1)), self, moved &+ 4)
        UInt32.store(moved, self, slot)
    }

    /// Copies the items of a list of another block.
    func copyItems<Element: FieldValue>(
        _ type: Element.Type,
        from source: RepeatedField<Element>,
        to slot: UInt32,
        capacity: Int
    ) {
        let count = source.count
        if count == 0 && capacity == 0 && !source.isPresent { return }
        self.reserveItems(at: slot, total: Swift.max(count, capacity), stride: Element.slotBytes)
        let header = UInt32.load(self, slot)
        UInt32.store(UInt32(count), self, header)
        for index in 0..<count {
            let address = header &+ 8 &+ UInt32(index * Element.slotBytes)
            Element.store(source[index], self, address)
        }
    }
}

// MARK: - Collection

extension RepeatedField: RandomAccessCollection, MutableCollection {
    @inlinable public var startIndex: Int { 0 }
    @inlinable public var endIndex: Int { self.count }

    @inlinable
    public var count: Int {
        let header = self.header
        return header == 0 ? 0 : Int(UInt32.load(self.block, header))
    }

    @inlinable
    public subscript(position: Int) -> Element {
        get {
            precondition(position >= 0 && position < self.count, "index out of range")
            return Element.load(self.block, self.address(position))
        }
        _modify {
            precondition(position >= 0 && position < self.count, "index out of range")
            self.prepareToWrite(total: self.count)
            // Taken before the loan: until its end the memory may be the loan's, which has moved it.
            let address = self.address(position)
            var item = Element.borrow(self.block, address)
            defer { Element.giveBack(&item, self.block, address) }
            yield &item
        }
        set {
            precondition(position >= 0 && position < self.count, "index out of range")
            self.prepareToWrite(total: self.count)
            Element.store(newValue, self.block, self.address(position))
        }
    }
}

extension RepeatedField: RangeReplaceableCollection {
    public mutating func replaceSubrange<C: Collection>(
        _ subrange: Range<Int>,
        with newElements: C
    ) where C.Element == Element {
        let count = self.count
        precondition(subrange.lowerBound >= 0 && subrange.upperBound <= count)
        let added = newElements.count
        let total = count - subrange.count + added
        let items = Array(newElements)
        self.prepareToWrite(total: total)
        let header = self.header
        if header == 0 { return }
        let stride = Element.slotBytes
        let first = self.block.base + Int(header) + 8
        let tail = (count - subrange.upperBound) * stride
        if tail > 0 && added != subrange.count {
            (first + (subrange.lowerBound + added) * stride).copyMemory(
                from: first + subrange.upperBound * stride,
                byteCount: tail
            )
        }
        let opened = first + subrange.lowerBound * stride
        opened.initializeMemory(as: UInt8.self, repeating: 0, count: added * stride)
        UInt32.store(UInt32(total), self.block, header)
        for (index, item) in items.enumerated() {
            Element.store(item, self.block, self.address(subrange.lowerBound + index))
        }
    }

    @inlinable
    public mutating func append(_ newElement: Element) {
        let count = self.count
        self.prepareToWrite(total: count + 1)
        Element.clear(self.block, self.address(count))
        Element.store(newElement, self.block, self.address(count))
        UInt32.store(UInt32(count + 1), self.block, self.header)
    }

    public mutating func reserveCapacity(_ capacity: Int) {
        self.prepareToWrite(total: Swift.max(capacity, self.count))
    }

    public mutating func removeAll(keepingCapacity keepCapacity: Bool = false) {
        self.prepareToWrite(total: keepCapacity ? self.count : 0)
        if self.header != 0 { UInt32.store(0, self.block, self.header) }
    }
}

extension FieldValue {
    /// Clears a slot whose old content means nothing.
    @inlinable
    static func clear(_ block: Block, _ address: UInt32) {
        (block.base + Int(address)).initializeMemory(
            as: UInt8.self,
            repeating: 0,
            count: Self.slotBytes
        )
    }
}

// MARK: - Literals and comparison

extension RepeatedField: ExpressibleByArrayLiteral, Hashable, CustomStringConvertible {
    /// A list that is present, be it empty.
    public init(arrayLiteral elements: Element...) {
        self.init()
        self.prepareToWrite(total: elements.count)
        self.append(contentsOf: elements)
    }

    public static func == (left: Self, right: Self) -> Bool {
        left.elementsEqual(right)
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(self.count)
        for item in self { hasher.combine(item) }
    }

    public var description: String {
        Array(self).description
    }
}

// MARK: - Fields

extension MessageStorage {
    /// A repeated field.
    @inlinable
    public func list<T: FieldValue>(_ slot: Int, of type: T.Type = T.self) -> RepeatedField<T> {
        RepeatedField(block: self.block, slot: self.offset &+ UInt32(truncatingIfNeeded: slot))
    }

    /// Sets a repeated field.
    public mutating func setList<T: FieldValue>(
        _ value: RepeatedField<T>,
        _ slot: Int,
        _ schema: MessageSchema
    ) {
        let source = value
        self.prepareToWrite(schema)
        let isReplaced = self.load(slot, as: UInt32.self) != 0
        let used = self.block.used
        defer { if isReplaced { self.block.wasted &+= self.block.used &- used } }
        self.put(UInt32(0), slot)
        let target = self.offset &+ UInt32(truncatingIfNeeded: slot)
        if source.block === self.block {
            let snapshot = Block(copying: self.block)
            let copy = RepeatedField<T>(block: snapshot, slot: source.slot)
            self.block.copyItems(T.self, from: copy, to: target, capacity: 0)
        } else {
            self.block.copyItems(T.self, from: source, to: target, capacity: 0)
        }
    }

    /// Changes a repeated field in place.
    @inlinable
    public subscript<T: FieldValue>(list slot: Int, _ schema: MessageSchema) -> RepeatedField<T> {
        get { self.list(slot) }
        _modify {
            self.prepareToWrite(schema)
            var list = RepeatedField<T>(
                block: self.lendBlock(),
                slot: self.offset &+ UInt32(truncatingIfNeeded: slot)
            )
            defer { self.takeBackList(&list, slot) }
            yield &list
        }
    }

    @usableFromInline
    func lendBlock() -> Block {
        self.block.lend()
    }

    @inlinable
    mutating func takeBackList<T: FieldValue>(_ list: inout RepeatedField<T>, _ slot: Int) {
        let own = self.offset &+ UInt32(truncatingIfNeeded: slot)
        let isLoan = self.endLoanOfBlock(&list.block)
        if isLoan && list.slot == own { return }
        self.put(UInt32(0), slot)
        self.copyList(isLoan ? RepeatedField(block: self.block, slot: list.slot) : list, to: own)
    }

    @usableFromInline
    func endLoanOfBlock(_ block: inout Block) -> Bool {
        self.block.endLoan(&block)
    }

    @usableFromInline
    func copyList<T: FieldValue>(_ list: RepeatedField<T>, to slot: UInt32) {
        self.block.copyItems(T.self, from: list, to: slot, capacity: 0)
    }
}
