// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Bytes
internal import Glibc

/// A leaf of the key index: a page of keys in order with what is known of each.
///
/// ```
///  0      2          4        6       8      12         16        24    32        40
///  +------+----------+--------+-------+------+----------+---------+-----+---------+---------+
///  | count| heapStart| garbage| prefix| live | appending| greatest| next| previous| slots … |
///  +------+----------+--------+-------+------+----------+---------+-----+---------+---------+
///  | … slots grow up            free            entries grow down … | prefix of all keys |
///  +------------------------------------------------------------------+------------------+
/// ```
///
/// Slots are 2-byte offsets of entries, in key order. The bytes all keys begin with are kept once,
/// at the end of the page.
struct Leaf {
    static let bytes = 4096
    static let headerBytes = 40
    /// The most bytes of a key that are factored out for the page.
    static let maximumPrefix = 255

    let base: UnsafeMutableRawPointer

    static func create() -> Leaf {
        let leaf = Leaf(base: .allocate(byteCount: self.bytes, alignment: 16))
        memset(leaf.base, 0, self.headerBytes)
        leaf.heapStart = self.bytes
        return leaf
    }

    /// Frees the page, not the entries' own memory.
    func free() {
        self.base.deallocate()
    }

    // MARK: - Header

    var count: Int {
        @inline(__always) get { Int(self.base.load(as: UInt16.self)) }
        nonmutating set { self.base.storeBytes(of: UInt16(newValue), as: UInt16.self) }
    }

    var heapStart: Int {
        @inline(__always) get { Int(self.base.load(fromByteOffset: 2, as: UInt16.self)) }
        nonmutating set {
            self.base.storeBytes(of: UInt16(newValue), toByteOffset: 2, as: UInt16.self)
        }
    }

    /// Bytes of the heap that belong to no entry any more.
    var garbage: Int {
        get { Int(self.base.load(fromByteOffset: 4, as: UInt16.self)) }
        nonmutating set {
            self.base.storeBytes(of: UInt16(newValue), toByteOffset: 4, as: UInt16.self)
        }
    }

    var prefixCount: Int {
        @inline(__always) get { Int(self.base.load(fromByteOffset: 6, as: UInt16.self)) }
        nonmutating set {
            self.base.storeBytes(of: UInt16(newValue), toByteOffset: 6, as: UInt16.self)
        }
    }

    /// Keys whose newest revision is not a tombstone.
    var live: Int {
        get { Int(self.base.load(fromByteOffset: 8, as: UInt32.self)) }
        nonmutating set {
            self.base.storeBytes(of: UInt32(newValue), toByteOffset: 8, as: UInt32.self)
        }
    }

    /// Whether the last key put here went to the end: then a full page is not halved.
    var isAppending: Bool {
        get { self.base.load(fromByteOffset: 12, as: UInt8.self) != 0 }
        nonmutating set {
            self.base.storeBytes(of: newValue ? 1 : 0, toByteOffset: 12, as: UInt8.self)
        }
    }

    /// No key of the page was changed by a later write than this.
    var greatestRevision: Int64 {
        get { self.base.load(fromByteOffset: 16, as: Int64.self) }
        nonmutating set { self.base.storeBytes(of: newValue, toByteOffset: 16, as: Int64.self) }
    }

    var next: Leaf? {
        get { Self.leaf(self.base.load(fromByteOffset: 24, as: UInt.self)) }
        nonmutating set {
            let bits = newValue.map { UInt(bitPattern: $0.base) } ?? 0
            self.base.storeBytes(of: bits, toByteOffset: 24, as: UInt.self)
        }
    }

    var previous: Leaf? {
        get { Self.leaf(self.base.load(fromByteOffset: 32, as: UInt.self)) }
        nonmutating set {
            let bits = newValue.map { UInt(bitPattern: $0.base) } ?? 0
            self.base.storeBytes(of: bits, toByteOffset: 32, as: UInt.self)
        }
    }

    private static func leaf(_ bits: UInt) -> Leaf? {
        UnsafeMutableRawPointer(bitPattern: bits).map { Leaf(base: $0) }
    }

    // MARK: - Entries

    var prefix: UnsafeRawBufferPointer {
        @inline(__always) get {
            let count = self.prefixCount
            return UnsafeRawBufferPointer(start: self.base + (Self.bytes - count), count: count)
        }
    }

    @inline(__always)
    func entry(at slot: Int) -> IndexEntry {
        let offset = self.base.load(fromByteOffset: Self.headerBytes + 2 * slot, as: UInt16.self)
        return IndexEntry(base: self.base + Int(offset))
    }

    /// The bytes between slots and entries.
    private var freeBytes: Int { self.heapStart - Self.headerBytes - 2 * self.count }

    /// The bytes that would stay free if the page were packed.
    var packedFreeBytes: Int { self.freeBytes + self.garbage }

    /// The number of bytes of the whole key in `slot`.
    func keyCount(at slot: Int) -> Int { self.prefixCount + self.entry(at: slot).suffix.count }

    /// Copies the whole key in `slot`.
    func key(at slot: Int) -> [UInt8] {
        [UInt8](self.prefix) + [UInt8](self.entry(at: slot).suffix)
    }

    /// Orders the key in `slot` against `key`.
    func compare(at slot: Int, with key: UnsafeRawBufferPointer) -> Int {
        let prefix = self.prefix
        let shared = min(prefix.count, key.count)
        let order = compareBytes(prefix, UnsafeRawBufferPointer(rebasing: key[..<shared]))
        if order != 0 || shared < prefix.count { return order }
        return compareBytes(
            self.entry(at: slot).suffix,
            UnsafeRawBufferPointer(rebasing: key[shared...])
        )
    }

    /// How many bytes `key`, which begins with the prefix of the page, shares with the key in
    /// `slot` at the start.
    func sharedCount(at slot: Int, with key: UnsafeRawBufferPointer) -> Int {
        let rest = UnsafeRawBufferPointer(rebasing: key[self.prefixCount...])
        return self.prefixCount + sharedPrefixCount(self.entry(at: slot).suffix, rest)
    }

    /// Where a key is or would be.
    struct Place {
        var slot: Int
        var isFound: Bool
        /// Whether the key begins with the prefix of the page.
        var sharesPrefix: Bool
    }

    func place(of key: UnsafeRawBufferPointer) -> Place {
        let prefix = self.prefix
        let shared = min(prefix.count, key.count)
        if shared > 0, let a = prefix.baseAddress, let b = key.baseAddress {
            let order = memcmp(b, a, shared)
            if order < 0 { return Place(slot: 0, isFound: false, sharesPrefix: false) }
            if order > 0 { return Place(slot: self.count, isFound: false, sharesPrefix: false) }
        }
        if shared < prefix.count { return Place(slot: 0, isFound: false, sharesPrefix: false) }
        let suffix = UnsafeRawBufferPointer(rebasing: key[shared...])
        var low = 0
        var high = self.count
        while low < high {
            let middle = (low &+ high) / 2
            let order = compareBytes(self.entry(at: middle).suffix, suffix)
            if order == 0 { return Place(slot: middle, isFound: true, sharesPrefix: true) }
            if order < 0 { low = middle &+ 1 } else { high = middle }
        }
        return Place(slot: low, isFound: false, sharesPrefix: true)
    }

    // MARK: - Changes

    /// Puts a key into `slot`; nil if there is no room even after packing.
    ///
    /// The key begins with the prefix of the page.
    func insert(_ key: UnsafeRawBufferPointer, at slot: Int) -> IndexEntry? {
        let suffix = UnsafeRawBufferPointer(rebasing: key[self.prefixCount...])
        let needed = IndexEntry.byteCount(suffixCount: suffix.count)
        let count = self.count
        if self.freeBytes < needed + 2 {
            guard self.packedFreeBytes >= needed + 2 else { return nil }
            self.pack(prefixCount: self.prefixCount)
        }
        let offset = self.heapStart - needed
        self.heapStart = offset
        let slots = self.base + Self.headerBytes
        memmove(slots + 2 * (slot + 1), slots + 2 * slot, 2 * (count - slot))
        slots.storeBytes(of: UInt16(offset), toByteOffset: 2 * slot, as: UInt16.self)
        self.count = count + 1
        self.isAppending = slot == count
        let entry = IndexEntry(base: self.base + offset)
        entry.initialize(suffix: suffix)
        return entry
    }

    /// Takes the entry in `slot` out and frees what it owns.
    func remove(at slot: Int) {
        let entry = self.entry(at: slot)
        self.garbage += entry.byteCount
        entry.history?.free()
        entry.freeSuffix()
        let count = self.count
        let slots = self.base + Self.headerBytes
        memmove(slots + 2 * slot, slots + 2 * (slot + 1), 2 * (count - slot - 1))
        self.count = count - 1
        self.isAppending = false
    }

    /// The longest prefix that all keys share and that may be factored out.
    func bestPrefixCount() -> Int {
        let count = self.count
        if count < 2 { return self.prefixCount }
        let first = self.entry(at: 0).suffix
        let last = self.entry(at: count - 1).suffix
        return min(self.prefixCount + sharedPrefixCount(first, last), Self.maximumPrefix)
    }

    /// Lays the entries out anew with another length of the shared prefix. False, with nothing
    /// changed, if they do not fit.
    @discardableResult
    func pack(prefixCount: Int) -> Bool {
        let scratch = Leaf.create()
        defer { scratch.free() }
        guard self.copyEntries(0..<self.count, to: scratch, prefixCount: prefixCount) else {
            return false
        }
        scratch.next = self.next
        scratch.previous = self.previous
        scratch.isAppending = self.isAppending
        self.base.copyMemory(from: scratch.base, byteCount: Self.bytes)
        return true
    }

    /// Moves the entries of `slots` to the end of `target`, which is empty or has the same prefix.
    /// False, with the target's content undefined but nothing lost here, if they do not fit.
    func copyEntries(_ slots: Range<Int>, to target: Leaf, prefixCount: Int) -> Bool {
        let oldPrefix = self.prefix
        if target.count == 0 {
            guard let sample = slots.first else { return true }
            target.prefixCount = prefixCount
            target.heapStart = Self.bytes - prefixCount
            let room = target.base + (Self.bytes - prefixCount)
            let fromPrefix = min(prefixCount, oldPrefix.count)
            if fromPrefix > 0, let source = oldPrefix.baseAddress {
                room.copyMemory(from: source, byteCount: fromPrefix)
            }
            if prefixCount > fromPrefix, let source = self.entry(at: sample).suffix.baseAddress {
                (room + fromPrefix).copyMemory(
                    from: source,
                    byteCount: prefixCount - fromPrefix
                )
            }
        }
        // The part of the old prefix that goes back into the suffixes, or of the suffixes that
        // goes into the prefix.
        let back = max(0, oldPrefix.count - prefixCount)
        let away = max(0, prefixCount - oldPrefix.count)
        var needed = 0
        for slot in slots {
            let suffix = self.entry(at: slot).suffix.count + back - away
            needed += IndexEntry.byteCount(suffixCount: suffix) + 2
        }
        guard needed <= target.freeBytes else { return false }
        let returned = UnsafeRawBufferPointer(rebasing: oldPrefix[(oldPrefix.count - back)...])
        var live = target.live
        var greatest = target.greatestRevision
        for slot in slots {
            let entry = self.entry(at: slot)
            let suffix = entry.suffix
            let kept = UnsafeRawBufferPointer(rebasing: suffix[away...])
            let bytes = IndexEntry.byteCount(suffixCount: returned.count + kept.count)
            let offset = target.heapStart - bytes
            target.heapStart = offset
            let copy = IndexEntry(base: target.base + offset)
            copy.initialize(moving: entry, suffix: returned, kept)
            let index = target.count
            target.base.storeBytes(
                of: UInt16(offset),
                toByteOffset: Self.headerBytes + 2 * index,
                as: UInt16.self
            )
            target.count = index + 1
            if !entry.isTombstone { live += 1 }
            greatest = max(greatest, entry.revision.main)
        }
        target.live = live
        target.greatestRevision = greatest
        return true
    }

    /// Forgets the entries from `slot` on without freeing what they own: it was moved.
    func truncate(to slot: Int) {
        self.count = slot
    }
}

/// The number of bytes two runs have in common at the start.
func sharedPrefixCount(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
    let most = min(left.count, right.count)
    var index = 0
    while index < most, left[index] == right[index] { index += 1 }
    return index
}
