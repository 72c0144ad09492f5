// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes

/// A type that the keys of a map field can have: any integer, `Bool` or `String`.
public protocol MapKey: FieldValue {
    /// The order of two keys in a block, as the encoder writes them: numbers by value, strings by
    /// their bytes.
    static func order(_ block: Block, _ address: UInt32, _ key: Self) -> Int
}

extension MapKey where Self: Comparable {
    @inlinable
    public static func order(_ block: Block, _ address: UInt32, _ key: Self) -> Int {
        let stored = Self.load(block, address)
        return stored < key ? -1 : stored > key ? 1 : 0
    }
}

extension Int32: MapKey {}
extension Int64: MapKey {}
extension UInt32: MapKey {}
extension UInt64: MapKey {}
extension Bool: MapKey {
    @inlinable
    public static func order(_ block: Block, _ address: UInt32, _ key: Bool) -> Int {
        let stored = Bool.load(block, address)
        return stored == key ? 0 : stored ? 1 : -1
    }
}
extension String: MapKey {
    public static func order(_ block: Block, _ address: UInt32, _ key: String) -> Int {
        var key = key
        let extent = block.extent(address)
        defer { withExtendedLifetime(block) {} }
        return key.withUTF8 {
            compareBytes(
                UnsafeRawBufferPointer(
                    start: block.base + Int(extent.offset),
                    count: Int(extent.count)
                ),
                UnsafeRawBufferPointer($0)
            )
        }
    }
}

/// The entries of a map field, kept in the order of their keys.
///
/// ```
/// slot ──> ┌───────┬──────────┬─────┬───────┬─────┬───
///          │ count │ capacity │ key │ value │ key │ …     8 bytes for a key, 8 for a value
///          └───────┴──────────┴─────┴───────┴─────┴───
/// ```
///
/// Look-up is a binary search, so that a map is written in one canonical order and costs no hash
/// table; the maps of an API object are small.
public struct MapField<Key: MapKey, Value: FieldValue>: Sendable {
    @usableFromInline package var block: Block
    @usableFromInline package var slot: UInt32

    @inlinable
    package init(block: Block, slot: UInt32) {
        self.block = block
        self.slot = slot
    }

    /// The empty map; allocates nothing.
    @inlinable
    public init() {
        self.block = Block.zero
        self.slot = Block.rootOffset
    }

    @inlinable
    package var header: UInt32 { UInt32.load(self.block, self.slot) }

    /// Whether the field has been given a value, be it an empty map.
    public var isPresent: Bool { self.header != 0 }

    @inlinable
    func keyAddress(_ index: Int) -> UInt32 {
        self.header &+ 8 &+ UInt32(truncatingIfNeeded: index &* MapLayout.entryBytes)
    }

    /// The index of `key`, or where it would be inserted.
    func search(_ key: Key) -> (index: Int, isFound: Bool) {
        var low = 0
        var high = self.count
        while low < high {
            let middle = (low + high) / 2
            let order = Key.order(self.block, self.keyAddress(middle), key)
            if order == 0 { return (middle, true) }
            if order < 0 { low = middle + 1 } else { high = middle }
        }
        return (low, false)
    }

    private mutating func prepareToWrite(total: Int) {
        if isKnownUniquelyReferenced(&self.block) {
            self.block.reserveItems(at: self.slot, total: total, stride: MapLayout.entryBytes)
            return
        }
        let copy = Block(capacity: 64 + total * MapLayout.entryBytes * 4)
        let slot = copy.allocate(8)
        copy.copyEntries(of: self, to: slot, capacity: total)
        self = Self(block: copy, slot: slot)
    }
}

/// The measures of a map in a block.
@usableFromInline
package enum MapLayout {
    @usableFromInline package static let valueOffset = 8
    @usableFromInline package static let entryBytes = 16
}

extension Block {
    /// Copies the entries of a map of another block.
    package func copyEntries<Key: MapKey, Value: FieldValue>(
        of source: MapField<Key, Value>,
        to slot: UInt32,
        capacity: Int
    ) {
        let count = source.count
        if count == 0 && capacity == 0 && !source.isPresent { return }
        let total = Swift.max(count, capacity)
        self.reserveItems(at: slot, total: total, stride: MapLayout.entryBytes)
        let header = UInt32.load(self, slot)
        UInt32.store(UInt32(count), self, header)
        for index in 0..<count {
            let address = header &+ 8 &+ UInt32(index * MapLayout.entryBytes)
            let entry = source[index]
            Key.store(entry.key, self, address)
            Value.store(entry.value, self, address &+ UInt32(MapLayout.valueOffset))
        }
    }
}

// MARK: - Look-up and change

extension MapField {
    /// The value of `key`; assigning nil removes it.
    public subscript(key: Key) -> Value? {
        get {
            let (index, isFound) = self.search(key)
            return isFound ? self[index].value : nil
        }
        set {
            let (index, isFound) = self.search(key)
            switch (newValue, isFound) {
            case (nil, false): return
            case (nil, true): self.remove(at: index)
            case (let value?, let isFound): self.put(key, value, index, isFound)
            }
        }
    }

    /// The value of `key`, or `fallback`; for changing it in place.
    public subscript(key: Key, default fallback: @autoclosure () -> Value) -> Value {
        get { self[key] ?? fallback() }
        set { self[key] = newValue }
    }

    private mutating func put(_ key: Key, _ value: Value, _ index: Int, _ isFound: Bool) {
        let count = self.count
        self.prepareToWrite(total: isFound ? count : count + 1)
        if !isFound {
            let entry = self.block.base + Int(self.keyAddress(index))
            (entry + MapLayout.entryBytes).copyMemory(
                from: entry,
                byteCount: (count - index) * MapLayout.entryBytes
            )
            entry.initializeMemory(as: UInt8.self, repeating: 0, count: MapLayout.entryBytes)
            UInt32.store(UInt32(count + 1), self.block, self.header)
            Key.store(key, self.block, self.keyAddress(index))
        }
        Value.store(value, self.block, self.keyAddress(index) &+ UInt32(MapLayout.valueOffset))
    }

    private mutating func remove(at index: Int) {
        let count = self.count
        self.prepareToWrite(total: count)
        let entry = self.block.base + Int(self.keyAddress(index))
        entry.copyMemory(
            from: entry + MapLayout.entryBytes,
            byteCount: (count - index - 1) * MapLayout.entryBytes
        )
        UInt32.store(UInt32(count - 1), self.block, self.header)
    }

    /// Removes the entry of `key` and returns its value.
    @discardableResult
    public mutating func removeValue(forKey key: Key) -> Value? {
        let old = self[key].map { $0 }
        self[key] = nil
        return old
    }

    /// The keys, in order.
    public var keys: [Key] { self.map(\.key) }

    /// The values, in the order of their keys.
    public var values: [Value] { self.map(\.value) }
}

// MARK: - Collection

extension MapField: RandomAccessCollection {
    public typealias Element = (key: Key, value: Value)

    @inlinable public var startIndex: Int { 0 }
    @inlinable public var endIndex: Int { self.count }

    @inlinable
    public var count: Int {
        let header = self.header
        return header == 0 ? 0 : Int(UInt32.load(self.block, header))
    }

    @inlinable
    public subscript(position: Int) -> Element {
        precondition(position >= 0 && position < self.count, "index out of range")
        let address = self.keyAddress(position)
        return (
            Key.load(self.block, address),
            Value.load(self.block, address &+ UInt32(truncatingIfNeeded: MapLayout.valueOffset))
        )
    }
}

// MARK: - Literals and comparison

extension MapField: ExpressibleByDictionaryLiteral, Hashable, CustomStringConvertible {
    /// Makes a map of unique keys and their values.
    public init(_ entries: some Sequence<(Key, Value)>) {
        self.init()
        for (key, value) in entries { self[key] = value }
    }

    /// Makes a map with the entries of a dictionary.
    public init(_ dictionary: [Key: Value]) {
        self.init()
        for (key, value) in dictionary { self[key] = value }
    }

    public init(dictionaryLiteral elements: (Key, Value)...) {
        self.init(elements)
    }

    public static func == (left: Self, right: Self) -> Bool {
        if left.block === right.block, left.slot == right.slot { return true }
        let count = left.count
        guard count == right.count else { return false }
        // Labels and annotations, which are compared at every event of every object.
        if Key.self == String.self, Value.self == String.self {
            return left.hasSameBytes(as: right)
        }
        for index in 0..<count {
            let (a, b) = (left[index], right[index])
            guard a.key == b.key, a.value == b.value else { return false }
        }
        return true
    }

    /// Whether the texts of two maps of as many entries are the same, byte by byte.
    private func hasSameBytes(as other: Self) -> Bool {
        defer { withExtendedLifetime((self.block, other.block)) {} }
        for index in 0..<self.count {
            let (a, b) = (self.keyAddress(index), other.keyAddress(index))
            let offset = UInt32(MapLayout.valueOffset)
            guard self.hasSameText(a, as: other, b),
                self.hasSameText(a &+ offset, as: other, b &+ offset)
            else { return false }
        }
        return true
    }

    private func hasSameText(_ address: UInt32, as other: Self, _ otherAddress: UInt32) -> Bool {
        let left = self.block.extent(address)
        let right = other.block.extent(otherAddress)
        return left.count == right.count
            && bytesAreEqual(
                self.block.base + Int(left.offset),
                other.block.base + Int(right.offset),
                Int(left.count)
            )
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(self.count)
        for (key, value) in self {
            hasher.combine(key)
            hasher.combine(value)
        }
    }

    public var description: String {
        "[" + self.map { "\($0.key): \($0.value)" }.joined(separator: ", ") + "]"
    }
}

// MARK: - Fields

extension MessageStorage {
    /// A map field.
    @inlinable
    public func map<K: MapKey, V: FieldValue>(_ slot: Int) -> MapField<K, V> {
        MapField(block: self.block, slot: self.offset &+ UInt32(truncatingIfNeeded: slot))
    }

    /// Sets a map field.
    public mutating func setMap<K: MapKey, V: FieldValue>(
        _ value: MapField<K, V>,
        _ slot: Int,
        _ schema: MessageSchema
    ) {
        let source = value
        self.prepareToWrite(schema)
        let isReplaced = self.load(slot, as: UInt32.self) != 0
        let used = self.block.used
        defer { if isReplaced { self.block.wasted &+= self.block.used &- used } }
        self.put(UInt32(0), slot)
        self.copyMap(source, to: self.offset &+ UInt32(truncatingIfNeeded: slot))
    }

    /// Changes a map field in place.
    @inlinable
    public subscript<K: MapKey, V: FieldValue>(
        map slot: Int, _ schema: MessageSchema
    ) -> MapField<K, V> {
        get { self.map(slot) }
        _modify {
            self.prepareToWrite(schema)
            var map = MapField<K, V>(
                block: self.lendBlock(),
                slot: self.offset &+ UInt32(truncatingIfNeeded: slot)
            )
            defer { self.takeBackMap(&map, slot) }
            yield &map
        }
    }

    @inlinable
    mutating func takeBackMap<K: MapKey, V: FieldValue>(
        _ map: inout MapField<K, V>,
        _ slot: Int
    ) {
        let own = self.offset &+ UInt32(truncatingIfNeeded: slot)
        let isLoan = self.endLoanOfBlock(&map.block)
        if isLoan && map.slot == own { return }
        self.put(UInt32(0), slot)
        self.copyMap(isLoan ? MapField(block: self.block, slot: map.slot) : map, to: own)
    }

    @usableFromInline
    func copyMap<K: MapKey, V: FieldValue>(_ map: MapField<K, V>, to slot: UInt32) {
        let isOwn = map.block === self.block
        let source =
            isOwn ? MapField<K, V>(block: Block(copying: self.block), slot: map.slot) : map
        self.block.copyEntries(of: source, to: slot, capacity: 0)
    }
}
