// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Bytes
internal import Glibc

/// An inner node of the key index: children in key order, the keys that separate them, and sums
/// over each child.
///
/// Separator `i` (from 1) is greater than every key of child `i - 1` and at most the least key of
/// child `i`. The eight bytes that follow what all separators have in common are kept as numbers,
/// so that most steps of a search compare two integers.
struct InnerNode {
    static let maximumChildren = 64

    private static let childrenOffset = 16
    private static let separatorsOffset = Self.childrenOffset + 8 * Self.maximumChildren
    private static let headsOffset = Self.separatorsOffset + 8 * Self.maximumChildren
    private static let liveOffset = Self.headsOffset + 8 * Self.maximumChildren
    private static let greatestOffset = Self.liveOffset + 8 * Self.maximumChildren
    private static let lengthsOffset = Self.greatestOffset + 8 * Self.maximumChildren
    private static let bytes = Self.lengthsOffset + 4 * Self.maximumChildren

    let base: UnsafeMutableRawPointer

    static func create() -> InnerNode {
        let node = InnerNode(base: .allocate(byteCount: self.bytes, alignment: 16))
        memset(node.base, 0, self.childrenOffset)
        return node
    }

    /// Frees the node, not its separators or children.
    func free() {
        self.base.deallocate()
    }

    var count: Int {
        @inline(__always) get { Int(self.base.load(as: UInt16.self)) }
        nonmutating set { self.base.storeBytes(of: UInt16(newValue), as: UInt16.self) }
    }

    /// The number of bytes all separators have in common at the start.
    private var prefixCount: Int {
        @inline(__always) get { Int(self.base.load(fromByteOffset: 4, as: UInt32.self)) }
        nonmutating set {
            self.base.storeBytes(of: UInt32(newValue), toByteOffset: 4, as: UInt32.self)
        }
    }

    @inline(__always)
    private func word<T: BitwiseCopyable>(_ offset: Int, _ index: Int, as type: T.Type) -> T {
        self.base.load(fromByteOffset: offset + 8 * index, as: type)
    }

    @inline(__always)
    private func setWord<T: BitwiseCopyable>(_ offset: Int, _ index: Int, _ value: T) {
        self.base.storeBytes(of: value, toByteOffset: offset + 8 * index, as: T.self)
    }

    /// The node or leaf of child `index`.
    @inline(__always)
    func child(_ index: Int) -> UnsafeMutableRawPointer {
        self.word(Self.childrenOffset, index, as: UnsafeMutableRawPointer.self)
    }

    func setChild(_ index: Int, _ child: UnsafeMutableRawPointer) {
        self.setWord(Self.childrenOffset, index, child)
    }

    func separator(_ index: Int) -> UnsafeRawBufferPointer {
        let start = UnsafeRawPointer(
            bitPattern: self.word(Self.separatorsOffset, index, as: UInt.self)
        )
        let offset = Self.lengthsOffset + 4 * index
        let count = self.base.load(fromByteOffset: offset, as: UInt32.self)
        return UnsafeRawBufferPointer(start: start, count: Int(count))
    }

    private func setSeparator(_ index: Int, _ separator: UnsafeRawBufferPointer) {
        self.setWord(Self.separatorsOffset, index, UInt(bitPattern: separator.baseAddress))
        let offset = Self.lengthsOffset + 4 * index
        self.base.storeBytes(of: UInt32(separator.count), toByteOffset: offset, as: UInt32.self)
    }

    /// The keys under child `index` that are not deleted.
    func live(_ index: Int) -> Int { self.word(Self.liveOffset, index, as: Int.self) }

    func setLive(_ index: Int, _ value: Int) { self.setWord(Self.liveOffset, index, value) }

    /// No key under child `index` was changed by a later write than this.
    func greatest(_ index: Int) -> Int64 { self.word(Self.greatestOffset, index, as: Int64.self) }

    func setGreatest(_ index: Int, _ value: Int64) {
        self.setWord(Self.greatestOffset, index, value)
    }

    /// The sum of `live` over all children.
    var totalLive: Int {
        var total = 0
        for index in 0..<self.count { total += self.live(index) }
        return total
    }

    /// The maximum of `greatest` over all children.
    var totalGreatest: Int64 {
        var greatest: Int64 = 0
        for index in 0..<self.count { greatest = max(greatest, self.greatest(index)) }
        return greatest
    }

    /// The child that holds `key` if any does.
    @inline(__always)
    func childIndex(for key: UnsafeRawBufferPointer) -> Int {
        let count = self.count
        if count < 2 { return 0 }
        let prefixCount = self.prefixCount
        if prefixCount > 0 {
            let shared = min(prefixCount, key.count)
            if shared > 0, let a = key.baseAddress, let b = self.separator(1).baseAddress {
                let order = memcmp(a, b, shared)
                if order < 0 { return 0 }
                if order > 0 { return count - 1 }
            }
            if shared < prefixCount { return 0 }
        }
        let head = Self.head(key, skipping: prefixCount)
        // Finds the first separator greater than the key; the child before it is the one.
        var low = 1
        var high = count
        while low < high {
            let middle = (low &+ high) / 2
            let other = self.word(Self.headsOffset, middle, as: UInt64.self)
            let isGreater: Bool
            if other != head {
                isGreater = other > head
            } else {
                isGreater = compareBytes(self.separator(middle), key) > 0
            }
            if isGreater { high = middle } else { low = middle &+ 1 }
        }
        return low - 1
    }

    /// The eight bytes after the first `skipped`, as a number that orders as they do.
    private static func head(_ key: UnsafeRawBufferPointer, skipping skipped: Int) -> UInt64 {
        if key.count >= skipped + 8 {
            return UInt64(bigEndian: key.loadUnaligned(fromByteOffset: skipped, as: UInt64.self))
        }
        var head: UInt64 = 0
        for index in 0..<8 {
            let at = skipped + index
            head = head &<< 8 | (at < key.count ? UInt64(key[at]) : 0)
        }
        return head
    }

    private func refreshHeads() {
        let count = self.count
        if count < 2 { return }
        let prefix = sharedPrefixCount(self.separator(1), self.separator(count - 1))
        self.prefixCount = prefix
        for index in 1..<count {
            self.setWord(
                Self.headsOffset,
                index,
                Self.head(self.separator(index), skipping: prefix)
            )
        }
    }

    /// What `insert` and `append` put in.
    struct Child {
        var pointer: UnsafeMutableRawPointer
        var live: Int
        var greatest: Int64
    }

    /// Puts a child in at `index` with the separator before it, whose memory the node takes over.
    func insert(_ child: Child, separator: UnsafeRawBufferPointer, at index: Int) {
        let count = self.count
        precondition(count < Self.maximumChildren, "\(count) children")
        self.move(from: index, to: index + 1, count: count - index)
        self.setChild(index, child.pointer)
        self.setSeparator(index, separator)
        self.setLive(index, child.live)
        self.setGreatest(index, child.greatest)
        self.count = count + 1
        self.refreshHeads()
    }

    /// Takes child `index` out; its separator, or for the first child the one after it, is freed.
    func remove(at index: Int) {
        let count = self.count
        let freed = index == 0 ? 1 : index
        if freed < count {
            UnsafeMutableRawPointer(mutating: self.separator(freed).baseAddress)?.deallocate()
        }
        self.move(from: index + 1, to: index, count: count - index - 1)
        self.count = count - 1
        self.refreshHeads()
    }

    private func move(from source: Int, to target: Int, count: Int) {
        if count <= 0 { return }
        for offset in [
            Self.childrenOffset, Self.separatorsOffset, Self.liveOffset, Self.greatestOffset,
        ] {
            memmove(self.base + offset + 8 * target, self.base + offset + 8 * source, 8 * count)
        }
        let lengths = self.base + Self.lengthsOffset
        memmove(lengths + 4 * target, lengths + 4 * source, 4 * count)
    }

    /// Moves the children from `index` on into a new node. Answers it and the separator between
    /// the two, whose memory goes to the caller.
    func split(at index: Int) -> (node: InnerNode, separator: UnsafeRawBufferPointer) {
        let node = Self.create()
        let separator = self.separator(index)
        for source in index..<self.count {
            node.copyChild(source, of: self, to: source - index)
        }
        node.count = self.count - index
        self.count = index
        self.refreshHeads()
        node.refreshHeads()
        return (node, separator)
    }

    /// Moves all children of `other` behind those of this node.
    ///
    /// - Parameter separator: The key between the two nodes; the node takes its memory over.
    func append(_ other: InnerNode, separator: UnsafeRawBufferPointer) {
        let count = self.count
        for source in 0..<other.count {
            self.copyChild(source, of: other, to: count + source)
        }
        self.setSeparator(count, separator)
        self.count = count + other.count
        other.count = 0
        self.refreshHeads()
    }

    private func copyChild(_ source: Int, of other: InnerNode, to target: Int) {
        self.setChild(target, other.child(source))
        self.setSeparator(target, other.separator(source))
        self.setLive(target, other.live(source))
        self.setGreatest(target, other.greatest(source))
    }

    /// Gives away the separator at `index` so that it survives `remove(at:)` of that child.
    func takeSeparator(_ index: Int) -> UnsafeRawBufferPointer {
        let separator = self.separator(index)
        let copy = UnsafeMutableRawBufferPointer.allocate(
            byteCount: separator.count,
            alignment: 1
        )
        copy.copyMemory(from: separator)
        return UnsafeRawBufferPointer(copy)
    }

    /// Frees the memory of all separators.
    func freeSeparators() {
        for index in stride(from: 1, to: self.count, by: 1) {
            UnsafeMutableRawPointer(mutating: self.separator(index).baseAddress)?.deallocate()
        }
    }
}
