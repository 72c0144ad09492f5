// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Bytes
internal import Glibc

/// The earlier revisions of one key, oldest first, in one block of memory.
///
/// ```
///  0       4        8          16       20       24
///  +-------+--------+----------+--------+--------+-- ...
///  | count | room   | main     | sub    | unused | next revision
///  +-------+--------+----------+--------+--------+-- ...
/// ```
///
/// The top bit of `sub` marks a tombstone. Only keys that were changed since the last compaction
/// have a block.
struct History {
    /// Marks a deletion in the `sub` of a stored revision.
    static let tombstoneBit: UInt32 = 0x8000_0000

    private static let headerBytes = 8
    private static let entryBytes = 16
    private static let firstRoom = 2

    let base: UnsafeMutableRawPointer

    var count: Int {
        get { Int(self.base.load(as: UInt32.self)) }
        nonmutating set { self.base.storeBytes(of: UInt32(newValue), as: UInt32.self) }
    }

    private var room: Int { Int(self.base.load(fromByteOffset: 4, as: UInt32.self)) }

    /// A block with one revision.
    static func create(_ revision: Revision, isTombstone: Bool) -> History {
        let history = self.allocate(self.firstRoom)
        history.count = 0
        history.store(revision, isTombstone: isTombstone, at: 0)
        history.count = 1
        return history
    }

    private static func allocate(_ room: Int) -> History {
        let bytes = self.headerBytes + room * self.entryBytes
        let base = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 8)
        base.storeBytes(of: UInt32(room), toByteOffset: 4, as: UInt32.self)
        return History(base: base)
    }

    func free() {
        self.base.deallocate()
    }

    /// Adds the newest revision; answers the block, which may have moved.
    func appending(_ revision: Revision, isTombstone: Bool) -> History {
        let count = self.count
        var target = self
        if count == self.room {
            target = Self.allocate(self.room * 2)
            (target.base + Self.headerBytes).copyMemory(
                from: self.base + Self.headerBytes,
                byteCount: count * Self.entryBytes
            )
            self.free()
        }
        target.store(revision, isTombstone: isTombstone, at: count)
        target.count = count + 1
        return target
    }

    func revision(at index: Int) -> Revision {
        let at = self.base + Self.headerBytes + index * Self.entryBytes
        let sub = at.load(fromByteOffset: 8, as: UInt32.self)
        return Revision(main: at.load(as: Int64.self), sub: sub & ~Self.tombstoneBit)
    }

    func isTombstone(at index: Int) -> Bool {
        let at = self.base + Self.headerBytes + index * Self.entryBytes
        return at.load(fromByteOffset: 8, as: UInt32.self) & Self.tombstoneBit != 0
    }

    private func store(_ revision: Revision, isTombstone: Bool, at index: Int) {
        let at = self.base + Self.headerBytes + index * Self.entryBytes
        at.storeBytes(of: revision.main, as: Int64.self)
        let sub = revision.sub | (isTombstone ? Self.tombstoneBit : 0)
        at.storeBytes(of: sub, toByteOffset: 8, as: UInt32.self)
        at.storeBytes(of: 0, toByteOffset: 12, as: UInt32.self)
    }

    /// The index of the newest revision whose main number is at most `main`; nil if all are newer.
    func newest(atMost main: Int64) -> Int? {
        var low = 0
        var high = self.count
        while low < high {
            let middle = (low + high) / 2
            if self.revision(at: middle).main <= main { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? nil : low - 1
    }

    /// Forgets the `number` oldest revisions and gives memory back when little is left.
    /// Answers the block, which may have moved, or nil if nothing is left.
    func droppingOldest(_ number: Int) -> History? {
        let left = self.count - number
        precondition(left >= 0, "\(number) of \(self.count) revisions")
        if left == 0 {
            self.free()
            return nil
        }
        let source = self.base + Self.headerBytes + number * Self.entryBytes
        if left * 4 <= self.room, self.room > Self.firstRoom {
            let target = Self.allocate(max(left, Self.firstRoom))
            (target.base + Self.headerBytes).copyMemory(
                from: source,
                byteCount: left * Self.entryBytes
            )
            target.count = left
            self.free()
            return target
        }
        memmove(self.base + Self.headerBytes, source, left * Self.entryBytes)
        self.count = left
        return self
    }
}
