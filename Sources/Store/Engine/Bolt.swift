// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The layout of bbolt's files, which is what etcd's snapshots are.
///
/// Source: go.etcd.io/bbolt 1.3 `page.go`, `db.go` (`meta`), `bucket.go`.
enum Bolt {
    static let pageBytes = 4096
    static let pageHeaderBytes = 16
    static let elementBytes = 16
    static let bucketBytes = 16
    static let metaBytes = 64

    static let magic: UInt32 = 0xED0C_DAED
    static let version: UInt32 = 2

    /// Kinds of pages.
    enum Flag {
        static let branch: UInt16 = 0x01
        static let leaf: UInt16 = 0x02
        static let meta: UInt16 = 0x04
        static let freelist: UInt16 = 0x10
    }

    /// Marks a leaf element whose value is a bucket.
    static let bucketElement: UInt32 = 1

    /// The checksum of a meta page: FNV-1a of its fields.
    static func checksum(_ bytes: some Sequence<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in bytes {
            hash ^= UInt64(byte)
            hash &*= 0x100_0000_01B3
        }
        return hash
    }

    /// The bytes an element takes in a leaf.
    static func leafBytes(keyBytes: Int, valueBytes: Int) -> Int {
        self.elementBytes + keyBytes + valueBytes
    }

    /// The number of pages that `bytes` of elements take.
    static func pageCount(_ bytes: Int) -> Int {
        (self.pageHeaderBytes + bytes + self.pageBytes - 1) / self.pageBytes
    }
}

extension [UInt8] {
    /// Appends an integer, little-endian.
    mutating func append<T: FixedWidthInteger>(integer value: T) {
        Swift.withUnsafeBytes(of: value.littleEndian) { self.append(contentsOf: $0) }
    }

    /// Appends zeros until the count is a multiple of `size`.
    mutating func pad(to size: Int) {
        let missing = (size - self.count % size) % size
        self.append(contentsOf: repeatElement(0, count: missing))
    }

    /// Appends the header of a page.
    mutating func appendPageHeader(id: UInt64, flags: UInt16, count: Int, overflow: Int) {
        self.append(integer: id)
        self.append(integer: flags)
        self.append(integer: UInt16(count))
        self.append(integer: UInt32(overflow))
    }
}

/// Plans the pages of a bucket whose entries come in order, without keeping the entries.
///
/// Entries go to leaves as full as they get; branches are put on top when all leaves are known.
struct BoltBucketPlan {
    /// A page and the first key under it.
    struct Node {
        var page: UInt64
        var key: [UInt8]
    }

    /// A branch page.
    struct Branch {
        var page: UInt64
        var children: [Node]
    }

    /// The number of entries of each leaf.
    private(set) var leafCounts: [UInt32] = []
    /// Pages from the bottom up, in the order they are written behind the leaves.
    private(set) var branches: [Branch] = []
    /// The root page; nil if the bucket is empty.
    private(set) var root: UInt64?
    /// The page behind the last one.
    private(set) var endPage: UInt64

    private var leaves: [Node] = []
    private var bytes = 0
    private var count: UInt32 = 0

    /// - Parameter firstPage: Where the bucket begins.
    init(firstPage: UInt64) {
        self.endPage = firstPage
    }

    /// The most entries of a page: their number is 16 bits wide.
    private static let maximumEntries: UInt32 = 60_000

    mutating func add(_ key: [UInt8], valueBytes: Int) {
        let needed = Bolt.leafBytes(keyBytes: key.count, valueBytes: valueBytes)
        let isFull =
            self.bytes + needed > Bolt.pageBytes - Bolt.pageHeaderBytes
            || self.count == Self.maximumEntries
        if self.count > 0, isFull { self.closeLeaf() }
        if self.count == 0 { self.leaves.append(Node(page: self.endPage, key: key)) }
        self.count += 1
        self.bytes += needed
    }

    private mutating func closeLeaf() {
        if self.count == 0 { return }
        self.leafCounts.append(self.count)
        self.endPage += UInt64(Bolt.pageCount(self.bytes))
        self.count = 0
        self.bytes = 0
    }

    /// Puts the branches on top of the leaves.
    mutating func finish() {
        self.closeLeaf()
        var level = self.leaves
        self.leaves = []
        while level.count > 1 {
            var next: [Node] = []
            var children: [Node] = []
            var bytes = 0
            for node in level {
                let needed = Bolt.elementBytes + node.key.count
                // A branch needs two children at least.
                if bytes + needed > Bolt.pageBytes - Bolt.pageHeaderBytes, children.count > 1 {
                    next.append(self.close(&children))
                    bytes = 0
                }
                children.append(node)
                bytes += needed
            }
            next.append(self.close(&children))
            level = next
        }
        self.root = level.first?.page
    }

    private mutating func close(_ children: inout [Node]) -> Node {
        let node = Node(page: self.endPage, key: children.first?.key ?? [])
        let bytes = children.reduce(0) { $0 + Bolt.elementBytes + $1.key.count }
        self.branches.append(Branch(page: self.endPage, children: children))
        self.endPage += UInt64(Bolt.pageCount(bytes))
        children = []
        return node
    }

    /// The bytes of a branch page.
    static func encode(_ branch: Branch) -> [UInt8] {
        var bytes: [UInt8] = []
        let total = branch.children.reduce(0) { $0 + Bolt.elementBytes + $1.key.count }
        bytes.appendPageHeader(
            id: branch.page,
            flags: Bolt.Flag.branch,
            count: branch.children.count,
            overflow: Bolt.pageCount(total) - 1
        )
        var position = Bolt.elementBytes * branch.children.count
        for child in branch.children {
            // Positions count from the element itself.
            bytes.append(integer: UInt32(position))
            bytes.append(integer: UInt32(child.key.count))
            bytes.append(integer: child.page)
            position += child.key.count - Bolt.elementBytes
        }
        for child in branch.children { bytes.append(contentsOf: child.key) }
        bytes.pad(to: Bolt.pageBytes)
        return bytes
    }
}

/// Puts the entries of one leaf page together.
struct BoltLeaf {
    private var elements: [(flags: UInt32, keyBytes: Int, valueBytes: Int)] = []
    private var data: [UInt8] = []

    var count: Int { self.elements.count }

    mutating func add(_ key: [UInt8], _ value: UnsafeRawBufferPointer, flags: UInt32 = 0) {
        self.elements.append((flags, key.count, value.count))
        self.data.append(contentsOf: key)
        self.data.append(contentsOf: value)
    }

    /// The bytes of the page; the leaf is empty afterwards.
    mutating func encode(page: UInt64) -> [UInt8] {
        let total = self.elements.count * Bolt.elementBytes + self.data.count
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Bolt.pageCount(total) * Bolt.pageBytes)
        bytes.appendPageHeader(
            id: page,
            flags: Bolt.Flag.leaf,
            count: self.elements.count,
            overflow: Bolt.pageCount(total) - 1
        )
        var position = self.elements.count * Bolt.elementBytes
        for element in self.elements {
            bytes.append(integer: element.flags)
            bytes.append(integer: UInt32(position))
            bytes.append(integer: UInt32(element.keyBytes))
            bytes.append(integer: UInt32(element.valueBytes))
            position += element.keyBytes + element.valueBytes - Bolt.elementBytes
        }
        bytes.append(contentsOf: self.data)
        bytes.pad(to: Bolt.pageBytes)
        self = BoltLeaf()
        return bytes
    }
}
