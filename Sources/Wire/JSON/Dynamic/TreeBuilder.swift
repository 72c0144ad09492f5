// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import Protobuf
import Scalars

/// A stack of plain values in memory of its own.
private struct PendingStack<Element: BitwiseCopyable>: ~Copyable {
    private var memory: UnsafeMutablePointer<Element>
    private var capacity: Int
    private(set) var count = 0

    init(capacity: Int) {
        self.memory = .allocate(capacity: capacity)
        self.capacity = capacity
    }

    deinit {
        self.memory.deallocate()
    }

    subscript(index: Int) -> Element {
        @inline(__always) get { self.memory[index] }
        @inline(__always) set { self.memory[index] = newValue }
    }

    @inline(__always)
    mutating func append(_ element: Element) {
        if self.count == self.capacity { self.grow() }
        (self.memory + self.count).initialize(to: element)
        self.count += 1
    }

    private mutating func grow() {
        let larger = UnsafeMutablePointer<Element>.allocate(capacity: self.capacity * 2)
        larger.initialize(from: self.memory, count: self.count)
        self.memory.deallocate()
        self.memory = larger
        self.capacity *= 2
    }

    @inline(__always)
    mutating func removeLast(_ number: Int) {
        self.count -= number
    }
}

/// Builds a tree from a walk in the shape of JSON, or from text.
///
/// The children of open objects and lists wait on one stack and are copied to the block, sorted and
/// in one piece, when their parent ends; nothing in the block is wasted.
struct TreeBuilder: JSONOutput, ~Copyable {
    private struct Pending: BitwiseCopyable {
        var key: Extent
        /// The first eight bytes of the key as a number that sorts as they do.
        var prefix: UInt64
        var cell: Cell
    }

    let block: Block
    private var pending = PendingStack<Pending>(capacity: 64)
    /// Where the children of each open object or list begin in `pending`.
    private var marks: [Int] = []
    private var key = Extent(offset: 0, count: 0)
    private var prefix: UInt64 = 0
    /// Called with each key that an object has twice.
    private(set) var duplicates = 0

    init(capacity: Int) {
        self.block = Block(capacity: capacity)
        _ = self.block.allocate(UInt32(Cell.bytes))
        self.marks.reserveCapacity(16)
    }

    /// The one value that was built.
    consuming func finish() -> DynamicValue {
        if self.pending.count > 0 { self.block.putCell(self.pending[0].cell, Block.rootOffset) }
        self.block.trim()
        return DynamicValue(block: self.block, address: Block.rootOffset)
    }

    @inline(__always)
    private mutating func add(_ cell: Cell) {
        self.pending.append(Pending(key: self.key, prefix: self.prefix, cell: cell))
    }

    mutating func beginObject() {
        self.add(Cell(.object))
        self.marks.append(self.pending.count)
    }

    mutating func beginList() {
        self.add(Cell(.list))
        self.marks.append(self.pending.count)
    }

    mutating func endList() {
        guard let mark = self.marks.popLast() else { return }
        let count = self.pending.count - mark
        if count > 0 {
            let items = self.block.allocate(UInt32(count * Cell.bytes))
            for index in 0..<count {
                let address = items &+ UInt32(index * Cell.bytes)
                self.block.putCell(self.pending[mark + index].cell, address)
            }
            self.pending[mark - 1].cell = Cell(
                .list,
                count: count,
                payload: Cell.payload(offset: items, capacity: count)
            )
        }
        self.pending.removeLast(count)
    }

    mutating func endObject() {
        guard let mark = self.marks.popLast() else { return }
        self.sort(from: mark)
        let count = self.pending.count - mark
        if count > 0 {
            let entries = self.block.allocate(UInt32(count * Cell.entryBytes))
            for index in 0..<count {
                let address = entries &+ UInt32(index * Cell.entryBytes)
                self.block.putExtent(self.pending[mark + index].key, address)
                self.block.putCell(self.pending[mark + index].cell, address &+ Cell.keyBytes)
            }
            self.pending[mark - 1].cell = Cell(
                .object,
                count: count,
                payload: Cell.payload(offset: entries, capacity: count)
            )
        }
        self.pending.removeLast(count)
    }

    /// The order of two keys. Few share their first eight bytes.
    @inline(__always)
    private func compare(_ left: Pending, _ right: Pending) -> Int {
        if left.prefix != right.prefix { return left.prefix < right.prefix ? -1 : 1 }
        return self.compareText(left.key, right.key)
    }

    private func compareText(_ left: Extent, _ right: Extent) -> Int {
        compareBytes(
            UnsafeRawBufferPointer(
                start: self.block.base + Int(left.offset),
                count: Int(left.count)
            ),
            UnsafeRawBufferPointer(
                start: self.block.base + Int(right.offset),
                count: Int(right.count)
            )
        )
    }

    /// Sorts the entries of the innermost object; of equal keys the last one stays.
    private mutating func sort(from mark: Int) {
        var index = mark + 1
        while index < self.pending.count,
            self.compare(self.pending[index - 1], self.pending[index]) < 0
        {
            index += 1
        }
        if index >= self.pending.count { return }
        if self.pending.count - mark <= 24 {
            self.insertionSort(from: mark)
        } else {
            let entries = (mark..<self.pending.count).map { (offset: $0, entry: self.pending[$0]) }
            let sorted = entries.sorted { left, right in
                let order = self.compare(left.entry, right.entry)
                return order < 0 || order == 0 && left.offset < right.offset
            }
            for (index, entry) in sorted.enumerated() {
                self.pending[mark + index] = entry.entry
            }
        }
        self.dropDuplicates(from: mark)
    }

    private mutating func insertionSort(from mark: Int) {
        for index in (mark + 1)..<self.pending.count {
            let entry = self.pending[index]
            var hole = index
            while hole > mark, self.compare(self.pending[hole - 1], entry) > 0 {
                self.pending[hole] = self.pending[hole - 1]
                hole -= 1
            }
            self.pending[hole] = entry
        }
    }

    private mutating func dropDuplicates(from mark: Int) {
        var kept = mark
        for index in (mark + 1)..<self.pending.count {
            if self.compare(self.pending[kept], self.pending[index]) == 0 {
                self.duplicates += 1
            } else {
                kept += 1
            }
            self.pending[kept] = self.pending[index]
        }
        self.pending.removeLast(self.pending.count - kept - 1)
    }

    // MARK: - JSONOutput

    @inline(__always)
    mutating func key(_ key: UnsafePointer<JSONKey>) {
        self.setKey(key.pointee.name.bytes)
    }

    @inline(__always)
    mutating func key(_ text: UnsafeRawBufferPointer) {
        self.setKey(text)
    }

    @inline(__always)
    private mutating func setKey(_ text: UnsafeRawBufferPointer) {
        self.key = self.block.copyIn(text)
        // Shorter keys are filled up with zeros; equal prefixes are compared as text.
        guard let start = text.baseAddress else {
            self.prefix = 0
            return
        }
        if text.count >= 8 {
            self.prefix = UInt64(bigEndian: start.loadUnaligned(as: UInt64.self))
        } else if text.count >= 4 {
            let first = UInt32(bigEndian: start.loadUnaligned(as: UInt32.self))
            let last = UInt32(
                bigEndian: start.loadUnaligned(fromByteOffset: text.count - 4, as: UInt32.self)
            )
            self.prefix = UInt64(first) << 32 | UInt64(last) << UInt64(8 * (8 - text.count))
        } else {
            var prefix: UInt64 = 0
            for byte in text { prefix = prefix << 8 | UInt64(byte) }
            self.prefix = text.isEmpty ? 0 : prefix << UInt64(8 * (8 - text.count))
        }
    }

    @inline(__always)
    mutating func string(_ text: UnsafeRawBufferPointer) {
        let extent = self.block.copyIn(text)
        self.add(Cell(.string, count: text.count, payload: UInt64(extent.offset)))
    }

    mutating func integer(_ value: Int64) {
        self.add(Cell(.integer, payload: UInt64(bitPattern: value)))
    }

    mutating func unsigned(_ value: UInt64) {
        if let signed = Int64(exactly: value) {
            self.integer(signed)
        } else {
            self.double(Double(value))
        }
    }

    mutating func double(_ value: Double) {
        self.add(Cell(.double, payload: value.bitPattern))
    }

    mutating func bool(_ value: Bool) {
        self.add(Cell(.bool, payload: value ? 1 : 0))
    }

    mutating func null() {
        self.add(Cell(.null))
    }

    mutating func base64(_ bytes: UnsafeRawBufferPointer) {
        let count = Base64.encodedCount(bytes.count)
        let offset = self.block.allocateRaw(UInt32(count))
        let target = (self.block.base + Int(offset)).assumingMemoryBound(to: UInt8.self)
        Base64.encode(bytes, to: target)
        self.add(Cell(.string, count: count, payload: UInt64(offset)))
    }

    mutating func time(_ time: Timestamp, as layout: Timestamp.Layout) {
        self.string(copying: time.text(as: layout))
    }

    mutating func json(_ text: UnsafeRawBufferPointer) throws(JSONError) {
        var scanner = JSONScanner(text)
        try self.parse(&scanner, depth: 0, limit: JSONLimits.defaultDepth)
        try scanner.finish()
    }

    // MARK: - Text

    /// Adds the value that comes next in the text.
    mutating func parse(
        _ scanner: inout JSONScanner,
        depth: Int,
        limit: Int
    ) throws(JSONError) {
        switch scanner.peek() {
        case UInt8(ascii: "{"):
            guard depth < limit else { throw .tooDeep(limit: limit, offset: scanner.offset) }
            scanner.position += 1
            self.beginObject()
            if scanner.peek() == UInt8(ascii: "}") {
                scanner.position += 1
            } else {
                repeat {
                    self.key(try scanner.string())
                    try scanner.expect(UInt8(ascii: ":"), "':'")
                    try self.parse(&scanner, depth: depth + 1, limit: limit)
                } while try scanner.continues(until: UInt8(ascii: "}"))
            }
            self.endObject()
        case UInt8(ascii: "["):
            guard depth < limit else { throw .tooDeep(limit: limit, offset: scanner.offset) }
            scanner.position += 1
            self.beginList()
            if scanner.peek() == UInt8(ascii: "]") {
                scanner.position += 1
            } else {
                repeat {
                    try self.parse(&scanner, depth: depth + 1, limit: limit)
                } while try scanner.continues(until: UInt8(ascii: "]"))
            }
            self.endList()
        case UInt8(ascii: "\""): self.string(try scanner.string())
        case UInt8(ascii: "t"):
            try scanner.literal("true")
            self.bool(true)
        case UInt8(ascii: "f"):
            try scanner.literal("false")
            self.bool(false)
        case UInt8(ascii: "n"):
            try scanner.literal("null")
            self.null()
        default:
            try self.parseNumber(&scanner)
        }
    }

    private mutating func parseNumber(_ scanner: inout JSONScanner) throws(JSONError) {
        let offset = scanner.offset
        let (text, isInteger) = try scanner.number()
        if isInteger, let value = JSONScanner.integer(text) {
            self.integer(value)
        } else if let value = Double(String(decoding: text, as: UTF8.self)), value.isFinite {
            self.double(value)
        } else {
            throw .invalidNumber(offset: offset)
        }
    }
}
