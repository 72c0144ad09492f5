// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Bytes

/// What the index knows of one key, inside a leaf.
///
/// ```
///  0             8        16       24        32            36      38
///  +-------------+--------+--------+---------+-------------+-------+-----------
///  | mod revision| create | version| history | sub | tomb  | count | suffix …
///  +-------------+--------+--------+---------+-------------+-------+-----------
/// ```
///
/// A suffix longer than `inlineSuffix` is kept outside: `count` is 0xFFFF, and a pointer (8 bytes)
/// and a length (4 bytes) stand in its place. Entries are not aligned.
struct IndexEntry {
    static let headerBytes = 38
    /// The longest suffix kept in the page.
    static let inlineSuffix = 512
    private static let outside: UInt16 = 0xFFFF
    private static let outsideBytes = 12

    let base: UnsafeMutableRawPointer

    @inline(__always)
    static func byteCount(suffixCount: Int) -> Int {
        self.headerBytes + (suffixCount <= self.inlineSuffix ? suffixCount : self.outsideBytes)
    }

    var byteCount: Int { Self.byteCount(suffixCount: self.suffix.count) }

    /// The newest revision of the key.
    var revision: Revision {
        @inline(__always) get {
            let sub = self.base.loadUnaligned(fromByteOffset: 32, as: UInt32.self)
            return Revision(
                main: self.base.loadUnaligned(as: Int64.self),
                sub: sub & ~History.tombstoneBit
            )
        }
    }

    /// Whether the newest revision is a deletion.
    var isTombstone: Bool {
        @inline(__always) get {
            let sub = self.base.loadUnaligned(fromByteOffset: 32, as: UInt32.self)
            return sub & History.tombstoneBit != 0
        }
    }

    func setRevision(_ revision: Revision, isTombstone: Bool) {
        self.base.storeBytes(of: revision.main, as: Int64.self)
        let sub = revision.sub | (isTombstone ? History.tombstoneBit : 0)
        self.base.storeBytes(of: sub, toByteOffset: 32, as: UInt32.self)
    }

    /// The revision that created the key; 0 for a deleted one.
    var createRevision: Int64 {
        get { self.base.loadUnaligned(fromByteOffset: 8, as: Int64.self) }
        nonmutating set { self.base.storeBytes(of: newValue, toByteOffset: 8, as: Int64.self) }
    }

    /// The number of changes since then; 0 for a deleted key.
    var version: Int64 {
        get { self.base.loadUnaligned(fromByteOffset: 16, as: Int64.self) }
        nonmutating set { self.base.storeBytes(of: newValue, toByteOffset: 16, as: Int64.self) }
    }

    /// The earlier revisions.
    var history: History? {
        get {
            let bits = self.base.loadUnaligned(fromByteOffset: 24, as: UInt.self)
            return UnsafeMutableRawPointer(bitPattern: bits).map { History(base: $0) }
        }
        nonmutating set {
            let bits = newValue.map { UInt(bitPattern: $0.base) } ?? 0
            self.base.storeBytes(of: bits, toByteOffset: 24, as: UInt.self)
        }
    }

    /// The key without the prefix of the page.
    var suffix: UnsafeRawBufferPointer {
        @inline(__always) get {
            let count = self.base.loadUnaligned(fromByteOffset: 36, as: UInt16.self)
            if count != Self.outside {
                return UnsafeRawBufferPointer(
                    start: self.base + Self.headerBytes,
                    count: Int(count)
                )
            }
            return self.outsideSuffix
        }
    }

    private var outsideSuffix: UnsafeRawBufferPointer {
        let bits = self.base.loadUnaligned(fromByteOffset: Self.headerBytes, as: UInt.self)
        let count = self.base.loadUnaligned(fromByteOffset: Self.headerBytes + 8, as: UInt32.self)
        return UnsafeRawBufferPointer(
            start: UnsafeRawPointer(bitPattern: bits),
            count: Int(count)
        )
    }

    /// Fills the entry with a key that has no revision yet.
    func initialize(suffix: UnsafeRawBufferPointer) {
        self.setRevision(Revision(main: 0, sub: 0), isTombstone: true)
        self.createRevision = 0
        self.version = 0
        self.history = nil
        self.setSuffix(suffix, UnsafeRawBufferPointer(start: nil, count: 0))
    }

    /// Fills the entry with what `other` knows, under a suffix of two parts, and frees the other's
    /// outside suffix.
    func initialize(
        moving other: IndexEntry,
        suffix first: UnsafeRawBufferPointer,
        _ second: UnsafeRawBufferPointer
    ) {
        self.base.copyMemory(from: other.base, byteCount: 36)
        self.setSuffix(first, second)
        other.freeSuffix()
    }

    func freeSuffix() {
        let count = self.base.loadUnaligned(fromByteOffset: 36, as: UInt16.self)
        if count == Self.outside {
            UnsafeMutableRawPointer(mutating: self.outsideSuffix.baseAddress)?.deallocate()
        }
    }

    private func setSuffix(
        _ first: UnsafeRawBufferPointer,
        _ second: UnsafeRawBufferPointer
    ) {
        let count = first.count + second.count
        var target = self.base + Self.headerBytes
        if count <= Self.inlineSuffix {
            self.base.storeBytes(of: UInt16(count), toByteOffset: 36, as: UInt16.self)
        } else {
            let memory = UnsafeMutableRawPointer.allocate(byteCount: count, alignment: 1)
            self.base.storeBytes(of: Self.outside, toByteOffset: 36, as: UInt16.self)
            target.storeBytes(of: UInt(bitPattern: memory), as: UInt.self)
            target.storeBytes(of: UInt32(count), toByteOffset: 8, as: UInt32.self)
            target = memory
        }
        if let source = first.baseAddress, first.count > 0 {
            target.copyMemory(from: source, byteCount: first.count)
        }
        if let source = second.baseAddress, second.count > 0 {
            (target + first.count).copyMemory(from: source, byteCount: second.count)
        }
    }

    /// The revision a reader at `main` sees, deleted or not; nil if the key was not there yet.
    @inline(__always)
    func version(at main: Int64) -> Version? {
        let newest = self.revision
        if newest.main <= main {
            return Version(revision: newest, isTombstone: self.isTombstone, isNewest: true)
        }
        guard let history = self.history, let index = history.newest(atMost: main) else {
            return nil
        }
        return Version(
            revision: history.revision(at: index),
            isTombstone: history.isTombstone(at: index),
            isNewest: false
        )
    }

    /// One of the revisions of a key.
    struct Version {
        var revision: Revision
        var isTombstone: Bool
        /// Whether the key has no later one, so that the entry's create revision and version hold.
        var isNewest: Bool
    }
}
