// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Bytes
import Glibc

/// A Swift type that a field, a list item or a map value can have.
///
/// `address` is the offset in the block of the slot that holds the value. `store` is called only on
/// a block that is ours to write.
public protocol FieldValue: Sendable, Hashable {
    /// The size of a slot in bytes.
    static var slotBytes: Int { get }

    /// What an unset field reads as.
    static var zero: Self { get }

    static func load(_ block: Block, _ address: UInt32) -> Self
    static func store(_ value: Self, _ block: Block, _ address: UInt32)

    /// The value of a slot, for changing it in place; `giveBack` follows.
    static func borrow(_ block: Block, _ address: UInt32) -> Self

    /// Puts a borrowed value back.
    static func giveBack(_ value: inout Self, _ block: Block, _ address: UInt32)
}

extension FieldValue {
    @inlinable
    public static func borrow(_ block: Block, _ address: UInt32) -> Self {
        Self.load(block, address)
    }

    @inlinable
    public static func giveBack(_ value: inout Self, _ block: Block, _ address: UInt32) {
        Self.store(value, block, address)
    }
}

// MARK: - Numbers

/// A number or truth value: its slot holds its bits.
public protocol ScalarFieldValue: FieldValue, BitwiseCopyable {}

extension ScalarFieldValue {
    @inlinable
    public static var slotBytes: Int { MemoryLayout<Self>.size }

    @inlinable
    public static func load(_ block: Block, _ address: UInt32) -> Self {
        defer { withExtendedLifetime(block) {} }
        return UnsafeRawPointer(block.base + Int(address)).loadUnaligned(as: Self.self)
    }

    @inlinable
    public static func store(_ value: Self, _ block: Block, _ address: UInt32) {
        defer { withExtendedLifetime(block) {} }
        (block.base + Int(address)).storeBytes(of: value, as: Self.self)
    }
}

extension Int32: ScalarFieldValue {}
extension Int64: ScalarFieldValue {}
extension UInt32: ScalarFieldValue {}
extension UInt64: ScalarFieldValue {}
extension Float: ScalarFieldValue {}
extension Double: ScalarFieldValue {}
extension Bool: ScalarFieldValue {
    @inlinable public static var zero: Bool { false }

    @inlinable
    public static func load(_ block: Block, _ address: UInt32) -> Bool {
        UInt8.load(block, address) != 0
    }
}

extension UInt8 {
    @inlinable
    static func load(_ block: Block, _ address: UInt32) -> UInt8 {
        defer { withExtendedLifetime(block) {} }
        return UnsafeRawPointer(block.base + Int(address)).loadUnaligned(as: UInt8.self)
    }
}

// MARK: - Enums

/// A generated enum: an open set of numbers with names.
///
/// Numbers that the schema does not name are kept and compare like any other.
public protocol MessageEnum: ScalarFieldValue, RawRepresentable where RawValue == Int32 {
    init(rawValue: Int32)

    /// Names and numbers, from the schema.
    static var schema: EnumSchema { get }
}

extension MessageEnum {
    @inlinable public static var zero: Self { Self(rawValue: 0) }

    @inlinable public static var slotBytes: Int { 4 }

    @inlinable
    public static func load(_ block: Block, _ address: UInt32) -> Self {
        Self(rawValue: Int32.load(block, address))
    }

    @inlinable
    public static func store(_ value: Self, _ block: Block, _ address: UInt32) {
        Int32.store(value.rawValue, block, address)
    }
}

// MARK: - Strings and bytes

/// A string or byte string in a block: its offset and its length. An empty one has offset 0.
@frozen
public struct Extent: BitwiseCopyable, Sendable {
    public var offset: UInt32
    public var count: UInt32

    @inlinable
    public init(offset: UInt32, count: UInt32) {
        self.offset = offset
        self.count = count
    }
}

extension Block {
    @inlinable
    package func extent(_ address: UInt32) -> Extent {
        UnsafeRawPointer(self.base + Int(address)).loadUnaligned(as: Extent.self)
    }

    @inlinable
    package func putExtent(_ extent: Extent, _ address: UInt32) {
        (self.base + Int(address)).storeBytes(of: extent, as: Extent.self)
    }

    /// Copies `source`, which lies outside this block, into it.
    @inlinable @inline(__always)
    package func copyIn(_ source: UnsafeRawBufferPointer) -> Extent {
        guard let start = source.baseAddress, source.count > 0 else {
            return Extent(offset: 0, count: 0)
        }
        precondition(source.count < Int(Self.maximumBytes), "a field exceeds 4 GiB")
        let offset = self.allocateRaw(UInt32(truncatingIfNeeded: source.count))
        (self.base + Int(offset)).copyMemory(from: start, byteCount: source.count)
        return Extent(offset: offset, count: UInt32(truncatingIfNeeded: source.count))
    }

    /// Puts `source`, which lies outside this block, in the slot at `address`: in place of the
    /// old value when it fits there.
    @usableFromInline
    package func replaceExtent(_ address: UInt32, with source: UnsafeRawBufferPointer) {
        let old = self.extent(address)
        if source.count > 0, source.count <= Int(old.count), let start = source.baseAddress {
            memcpy(self.base + Int(old.offset), start, source.count)
            self.wasted &+= old.count - UInt32(source.count)
            self.putExtent(Extent(offset: old.offset, count: UInt32(source.count)), address)
            return
        }
        self.wasted &+= old.count
        let new = self.copyIn(source)
        self.putExtent(new, address)
    }
}

extension String: FieldValue {
    @inlinable public static var slotBytes: Int { 8 }
    @inlinable public static var zero: String { "" }

    @inlinable
    public static func load(_ block: Block, _ address: UInt32) -> String {
        let extent = block.extent(address)
        if extent.count == 0 { return "" }
        defer { withExtendedLifetime(block) {} }
        return String(
            decoding: UnsafeRawBufferPointer(
                start: block.base + Int(extent.offset),
                count: Int(extent.count)
            ),
            as: UTF8.self
        )
    }

    public static func store(_ value: String, _ block: Block, _ address: UInt32) {
        var value = value
        value.withUTF8 { block.replaceExtent(address, with: UnsafeRawBufferPointer($0)) }
    }
}

extension Bytes: FieldValue {
    @inlinable public static var slotBytes: Int { 8 }
    @inlinable public static var zero: Bytes { Bytes() }

    /// Shares the memory of the message.
    @inlinable
    public static func load(_ block: Block, _ address: UInt32) -> Bytes {
        let extent = block.extent(address)
        if extent.count == 0 { return Bytes() }
        return Bytes(
            start: block.base + Int(extent.offset),
            count: Int(extent.count),
            owner: block
        )
    }

    public static func store(_ value: Bytes, _ block: Block, _ address: UInt32) {
        value.withUnsafeBytes { block.replaceExtent(address, with: $0) }
    }
}
