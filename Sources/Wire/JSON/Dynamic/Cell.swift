// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Protobuf

/// One value of a tree in a block.
///
/// ```
/// ┌──────┬───────┬─────────┐   string: payload = offset of the bytes, count = their number
/// │ kind │ count │ payload │   list:   payload = offset of the cells | capacity << 32
/// │ 4    │ 4     │ 8       │   object: payload = offset of the entries | capacity << 32
/// └──────┴───────┴─────────┘   else:   payload = the bits of the value
/// ```
///
/// The entries of an object are sorted by the bytes of their keys, no two alike; each is a key (offset
/// and length, 8 bytes) and a cell.
struct Cell: BitwiseCopyable {
    var kind: UInt32
    var count: UInt32
    var payload: UInt64

    static let bytes = 16
    static let entryBytes = 24
    static let keyBytes: UInt32 = 8

    init(_ kind: DynamicValue.Kind, count: Int = 0, payload: UInt64 = 0) {
        self.kind = UInt32(kind.rawValue)
        self.count = UInt32(truncatingIfNeeded: count)
        self.payload = payload
    }

    var valueKind: DynamicValue.Kind {
        DynamicValue.Kind(rawValue: UInt8(truncatingIfNeeded: self.kind)) ?? .null
    }

    /// The offset of what the value refers to.
    var offset: UInt32 { UInt32(truncatingIfNeeded: self.payload) }

    var capacity: UInt32 { UInt32(truncatingIfNeeded: self.payload >> 32) }

    static func payload(offset: UInt32, capacity: Int) -> UInt64 {
        UInt64(offset) | UInt64(UInt32(truncatingIfNeeded: capacity)) << 32
    }
}

extension Block {
    @inline(__always)
    func cell(_ address: UInt32) -> Cell {
        UnsafeRawPointer(self.base + Int(address)).loadUnaligned(as: Cell.self)
    }

    @inline(__always)
    func putCell(_ cell: Cell, _ address: UInt32) {
        (self.base + Int(address)).storeBytes(of: cell, as: Cell.self)
    }

    /// Copies a value of another block into this one.
    func copyCell(_ cell: Cell, from source: Block) -> Cell {
        var copy = cell
        switch cell.valueKind {
        case .null, .bool, .integer, .double:
            break
        case .string:
            copy.payload = UInt64(self.copyIn(source.stringBytes(cell)).offset)
        case .list:
            let items = self.allocate(cell.count &* UInt32(Cell.bytes))
            copy.payload = Cell.payload(offset: items, capacity: Int(cell.count))
            for index in 0..<cell.count {
                let offset = index &* UInt32(Cell.bytes)
                let item = self.copyCell(source.cell(cell.offset &+ offset), from: source)
                self.putCell(item, items &+ offset)
            }
        case .object:
            let entries = self.allocate(cell.count &* UInt32(Cell.entryBytes))
            copy.payload = Cell.payload(offset: entries, capacity: Int(cell.count))
            for index in 0..<cell.count {
                let offset = index &* UInt32(Cell.entryBytes)
                let key = self.copyIn(source.keyBytes(cell.offset &+ offset))
                self.putExtent(key, entries &+ offset)
                let from = cell.offset &+ offset &+ Cell.keyBytes
                let value = self.copyCell(source.cell(from), from: source)
                self.putCell(value, entries &+ offset &+ Cell.keyBytes)
            }
        }
        return copy
    }

    /// The bytes of a string; valid while the block lives and is not changed.
    func stringBytes(_ cell: Cell) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: self.base + Int(cell.offset), count: Int(cell.count))
    }

    /// The bytes of the key of the entry at `address`.
    func keyBytes(_ address: UInt32) -> UnsafeRawBufferPointer {
        let extent = self.extent(address)
        return UnsafeRawBufferPointer(
            start: self.base + Int(extent.offset),
            count: Int(extent.count)
        )
    }
}
