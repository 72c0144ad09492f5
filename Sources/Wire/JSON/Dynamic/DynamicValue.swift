// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import Protobuf

/// Any JSON value: the form in which generic code works on objects of every kind.
///
/// Built-in kinds become one through their schema (`init(_: Message)`), from JSON or from the binary
/// form, and custom resources as they are; patches, server-side apply, selectors, pruning and
/// defaulting do not see the difference. Keys are kept in the order of their bytes, as Go writes maps.
///
/// Like a message, the tree lives in one relocatable block: a copy shares it, and a change to a copy
/// first duplicates the block with one `memcpy`. Nested changes happen in place:
///
/// ```swift
/// object["metadata"]?["labels"]?["app"] = "web"
/// ```
public struct DynamicValue: Sendable {
    var block: Block

    /// The offset of the cell.
    var address: UInt32

    init(block: Block, address: UInt32) {
        self.block = block
        self.address = address
    }

    /// The types of JSON, numbers split as Go's decoder does it: an integer that 64 bits hold, or
    /// anything else.
    public enum Kind: UInt8, Sendable {
        case null, bool, integer, double, string, list, object
    }

    public var kind: Kind { self.cell.valueKind }

    var cell: Cell {
        defer { withExtendedLifetime(self.block) {} }
        return self.block.cell(self.address)
    }
}

// MARK: - Making values

extension DynamicValue {
    private init(_ cell: Cell) {
        let block = Block(capacity: 48)
        self.init(block: block, address: block.allocate(UInt32(Cell.bytes)))
        block.putCell(cell, self.address)
    }

    /// `null`
    public static let null = DynamicValue(Cell(.null))

    /// `{}`
    public static let emptyObject = DynamicValue(Cell(.object))

    /// `[]`
    public static let emptyList = DynamicValue(Cell(.list))

    public init(_ value: Bool) { self.init(Cell(.bool, payload: value ? 1 : 0)) }

    public init(_ value: Int64) { self.init(Cell(.integer, payload: UInt64(bitPattern: value))) }

    public init(_ value: Int) { self.init(Int64(value)) }

    /// A finite number; JSON has no others.
    public init?(_ value: Double) {
        guard value.isFinite else { return nil }
        self.init(Cell(.double, payload: value.bitPattern))
    }

    public init(_ value: String) {
        var value = value
        self = value.withUTF8 { DynamicValue(utf8: UnsafeRawBufferPointer($0)) }
    }

    /// A string from bytes that are UTF-8.
    init(utf8 bytes: UnsafeRawBufferPointer) {
        let block = Block(capacity: 32 + bytes.count)
        self.init(block: block, address: block.allocate(UInt32(Cell.bytes)))
        let extent = block.copyIn(bytes)
        block.putCell(
            Cell(.string, count: bytes.count, payload: UInt64(extent.offset)),
            self.address
        )
    }

    /// A list of values.
    public init(_ items: some Sequence<DynamicValue>) {
        self = Self.emptyList
        for item in items { self.append(item) }
    }
}

extension DynamicValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(stringLiteral value: String) { self.init(value) }
    public init(integerLiteral value: Int64) { self.init(value) }
    public init(booleanLiteral value: Bool) { self.init(value) }
    public init(arrayLiteral elements: DynamicValue...) { self.init(elements) }

    public init(dictionaryLiteral elements: (String, DynamicValue)...) {
        self = Self.emptyObject
        for (key, value) in elements { self[key] = value }
    }
}

// MARK: - Reading

extension DynamicValue {
    public var isNull: Bool { self.kind == .null }

    /// The truth value; nil for any other kind.
    public var bool: Bool? {
        let cell = self.cell
        return cell.valueKind == .bool ? cell.payload != 0 : nil
    }

    /// The integer; nil for any other kind.
    public var integer: Int64? {
        let cell = self.cell
        return cell.valueKind == .integer ? Int64(bitPattern: cell.payload) : nil
    }

    /// The number, an integer included; nil for any other kind.
    public var double: Double? {
        let cell = self.cell
        switch cell.valueKind {
        case .double: return Double(bitPattern: cell.payload)
        case .integer: return Double(Int64(bitPattern: cell.payload))
        case .null, .bool, .string, .list, .object: return nil
        }
    }

    /// The string; nil for any other kind.
    public var string: String? {
        self.withUTF8 { $0.map { String(decoding: $0, as: UTF8.self) } }
    }

    /// Gives the bytes of a string to `body` without copying them; nil for any other kind.
    public func withUTF8<R, E: Error>(
        _ body: (UnsafeRawBufferPointer?) throws(E) -> R
    ) throws(E) -> R {
        defer { withExtendedLifetime(self.block) {} }
        let cell = self.cell
        return try body(cell.valueKind == .string ? self.block.stringBytes(cell) : nil)
    }

    /// The number of items or entries; 0 for anything but a list or object.
    public var count: Int {
        let cell = self.cell
        switch cell.valueKind {
        case .list, .object: return Int(cell.count)
        case .null, .bool, .integer, .double, .string: return 0
        }
    }

    /// The items of a list; empty for any other kind.
    public var items: Items { Items(value: self) }

    /// The entries of an object in the order of their keys; empty for any other kind.
    public var entries: Entries { Entries(value: self) }

    /// The items of a list.
    public struct Items: RandomAccessCollection, Sendable {
        let value: DynamicValue

        public var startIndex: Int { 0 }
        public var endIndex: Int { self.value.kind == .list ? self.value.count : 0 }

        public subscript(position: Int) -> DynamicValue {
            precondition(position >= 0 && position < self.endIndex, "index out of range")
            return DynamicValue(
                block: self.value.block,
                address: self.value.itemAddress(position)
            )
        }
    }

    /// The entries of an object.
    public struct Entries: RandomAccessCollection, Sendable {
        let value: DynamicValue

        public var startIndex: Int { 0 }
        public var endIndex: Int { self.value.kind == .object ? self.value.count : 0 }

        public subscript(position: Int) -> (key: String, value: DynamicValue) {
            precondition(position >= 0 && position < self.endIndex, "index out of range")
            let entry = self.value.entryAddress(position)
            let key = String(decoding: self.value.block.keyBytes(entry), as: UTF8.self)
            return (
                key, DynamicValue(block: self.value.block, address: entry &+ Cell.keyBytes)
            )
        }
    }

    func itemAddress(_ index: Int) -> UInt32 {
        self.cell.offset &+ UInt32(truncatingIfNeeded: index * Cell.bytes)
    }

    func entryAddress(_ index: Int) -> UInt32 {
        self.cell.offset &+ UInt32(truncatingIfNeeded: index * Cell.entryBytes)
    }

    /// The index of a key, or where it would be inserted. Logarithmic.
    func search(_ key: UnsafeRawBufferPointer) -> (index: Int, isFound: Bool) {
        defer { withExtendedLifetime(self.block) {} }
        guard self.kind == .object else { return (0, false) }
        var low = 0
        var high = self.count
        while low < high {
            let middle = (low + high) / 2
            let order = compareBytes(self.block.keyBytes(self.entryAddress(middle)), key)
            if order == 0 { return (middle, true) }
            if order < 0 { low = middle + 1 } else { high = middle }
        }
        return (low, false)
    }
}

// MARK: - Paths

/// A step from a value to one inside it.
public enum PathStep: Hashable, Sendable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
    case key(String)
    case index(Int)

    public init(stringLiteral value: String) { self = .key(value) }
    public init(integerLiteral value: Int) { self = .index(value) }
}

extension DynamicValue {
    /// The value at the end of a path; nil where a step leads nowhere.
    ///
    /// ```swift
    /// pod[path: ["spec", "containers", 0, "image"]]?.string
    /// ```
    public subscript(path path: [PathStep]) -> DynamicValue? {
        var value = self
        for step in path {
            switch step {
            case .key(let key):
                guard let next = value[key] else { return nil }
                value = next
            case .index(let index):
                guard value.items.indices.contains(index) else { return nil }
                value = value.items[index]
            }
        }
        return value
    }
}
