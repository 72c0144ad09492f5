// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Bytes
internal import Glibc

/// Checks the structure of an LMDB data file before LMDB opens it.
///
/// LMDB believes its pages: a damaged one can make it read or write where it must not. This walks
/// every page that is in use and checks all that LMDB will rely on: that pages are where they say,
/// that nodes lie inside their page and in order, that no page is used twice or is both used and
/// free, and that the file is as long as it has to be.
///
/// Source: LMDB 0.9.24 `libraries/liblmdb/mdb.c` (`MDB_page`, `MDB_node`, `MDB_db`, `MDB_meta`).
package struct PageVerifier: ~Copyable {
    /// LMDB's constants.
    private enum Layout {
        static let magic: UInt32 = 0xBEEF_C0DE
        static let version: UInt32 = 1
        static let headerBytes = 16
        static let nodeBytes = 8
        static let treeBytes = 48
        static let noPage = UInt64.max
        static let firstDataPage: UInt64 = 2
        static let maximumDepth = 32

        static let branch: UInt16 = 0x01
        static let leaf: UInt16 = 0x02
        static let overflow: UInt16 = 0x04
        static let meta: UInt16 = 0x08
        static let kindMask: UInt16 = 0x6F

        static let bigData: UInt16 = 0x01
        static let subTree: UInt16 = 0x02
    }

    /// The root of a tree and what LMDB has counted of it.
    private struct Tree {
        var depth: Int
        var branchPages: UInt64
        var leafPages: UInt64
        var overflowPages: UInt64
        var entries: UInt64
        var root: UInt64
        var hasIntegerKeys: Bool

        init(_ bytes: UnsafeRawBufferPointer) {
            let flags = Frame.load(bytes, 4, as: UInt16.self)
            self.hasIntegerKeys = flags & 0x08 != 0
            self.depth = Int(Frame.load(bytes, 6, as: UInt16.self))
            self.branchPages = Frame.load(bytes, 8, as: UInt64.self)
            self.leafPages = Frame.load(bytes, 16, as: UInt64.self)
            self.overflowPages = Frame.load(bytes, 24, as: UInt64.self)
            self.entries = Frame.load(bytes, 32, as: UInt64.self)
            self.root = Frame.load(bytes, 40, as: UInt64.self)
        }
    }

    /// What the walk of a tree has counted.
    private struct Counts {
        var branchPages: UInt64 = 0
        var leafPages: UInt64 = 0
        var overflowPages: UInt64 = 0
        var entries: UInt64 = 0
    }

    private let path: String
    private let file: UnsafeRawBufferPointer
    private let pageBytes: Int
    private let lastPage: UInt64
    private var used: [UInt64]

    /// Checks the file at `path`; does nothing if there is none or it is empty.
    ///
    /// - Throws: `damaged` naming the page, or `failed` if the file cannot be read.
    package static func check(_ path: String) throws(BackendError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 {
            if errno == ENOENT { return }
            throw .failed(SystemError("open", path).text)
        }
        defer { close(descriptor) }
        var info = stat()
        guard fstat(descriptor, &info) == 0 else { throw .failed(SystemError("stat", path).text) }
        let count = Int(info.st_size)
        if count == 0 { return }
        guard let base = mmap(nil, count, PROT_READ, MAP_SHARED, descriptor, 0),
            base != MAP_FAILED
        else { throw .failed(SystemError("mmap", path).text) }
        defer { munmap(base, count) }
        madvise(base, count, MADV_SEQUENTIAL)
        let file = UnsafeRawBufferPointer(start: base, count: count)
        if var verifier = try PageVerifier(path, file) { try verifier.run() }
    }

    private let freeTree: Tree
    private let mainTree: Tree

    private init?(_ path: String, _ file: UnsafeRawBufferPointer) throws(BackendError) {
        // Page 0 says how big pages are.
        let metaBytes = Layout.headerBytes + 136
        guard file.count >= metaBytes else {
            throw .damaged("\(path): \(file.count) bytes are too few for a database")
        }
        let pageBytes = Int(Frame.load(file, Layout.headerBytes + 24, as: UInt32.self))
        guard pageBytes >= 512, pageBytes <= 65536, pageBytes & (pageBytes - 1) == 0 else {
            throw .damaged("\(path): page 0 is not the first page of a database")
        }
        guard file.count >= 2 * pageBytes else {
            throw .damaged("\(path): \(file.count) bytes are too few for a database")
        }
        var newest: UnsafeRawBufferPointer?
        var newestTransaction: UInt64 = 0
        for page in 0..<2 {
            let start = page * pageBytes
            let header = UnsafeRawBufferPointer(rebasing: file[start..<(start + pageBytes)])
            let meta = UnsafeRawBufferPointer(rebasing: header[Layout.headerBytes...])
            let transaction = Frame.load(meta, 128, as: UInt64.self)
            guard Frame.load(header, 10, as: UInt16.self) & Layout.meta != 0,
                Frame.load(meta, 0, as: UInt32.self) == Layout.magic,
                Frame.load(meta, 4, as: UInt32.self) == Layout.version,
                Int(Frame.load(meta, 24, as: UInt32.self)) == pageBytes
            else { throw .damaged("\(path): page \(page) is not a meta page") }
            if newest == nil || transaction > newestTransaction {
                newest = meta
                newestTransaction = transaction
            }
        }
        guard let meta = newest else { return nil }
        let lastPage = Frame.load(meta, 120, as: UInt64.self)
        let pages = UInt64(file.count / pageBytes)
        guard lastPage >= 1, lastPage < pages else {
            throw .damaged(
                "\(path): the file has \(pages) pages and needs \(lastPage &+ 1): it was cut off"
            )
        }
        self.path = path
        self.file = file
        self.pageBytes = pageBytes
        self.lastPage = lastPage
        self.used = [UInt64](repeating: 0, count: Int(lastPage / 64) + 1)
        self.freeTree = Tree(UnsafeRawBufferPointer(rebasing: meta[24..<72]))
        self.mainTree = Tree(UnsafeRawBufferPointer(rebasing: meta[72..<120]))
    }

    private mutating func run() throws(BackendError) {
        let free = self.freeTree
        let main = self.mainTree
        try self.walk(main, isFreeList: false)
        try self.walk(free, isFreeList: true)
    }

    // MARK: - Pages

    private func damaged(_ page: UInt64, _ what: String) -> BackendError {
        .damaged("\(self.path): page \(page) \(what)")
    }

    /// Marks a page as used, once.
    private mutating func take(_ page: UInt64, from parent: UInt64) throws(BackendError) {
        guard page >= Layout.firstDataPage, page <= self.lastPage else {
            throw self.damaged(parent, "points to page \(page), which is not there")
        }
        let bit: UInt64 = 1 << (page % 64)
        guard self.used[Int(page / 64)] & bit == 0 else {
            throw self.damaged(page, "is used twice")
        }
        self.used[Int(page / 64)] |= bit
    }

    private func page(_ number: UInt64) -> UnsafeRawBufferPointer {
        let start = Int(number) * self.pageBytes
        return UnsafeRawBufferPointer(rebasing: self.file[start..<(start + self.pageBytes)])
    }

    private mutating func walk(_ tree: Tree, isFreeList: Bool) throws(BackendError) {
        if tree.root == Layout.noPage {
            guard tree.entries == 0, tree.depth == 0 else {
                throw self.damaged(0, "has a tree with entries and without a root")
            }
            return
        }
        guard tree.depth > 0, tree.depth <= Layout.maximumDepth else {
            throw self.damaged(tree.root, "is the root of a tree \(tree.depth) levels deep")
        }
        var counts = Counts()
        try self.walk(tree.root, from: 0, tree, level: 1, isFreeList, Bounds(), &counts)
        guard counts.entries == tree.entries, counts.leafPages == tree.leafPages,
            counts.branchPages == tree.branchPages, counts.overflowPages == tree.overflowPages
        else {
            throw self.damaged(
                tree.root,
                "is the root of \(counts.entries) entries, \(tree.entries) were written"
            )
        }
    }

    private mutating func walk(
        _ number: UInt64,
        from parent: UInt64,
        _ tree: Tree,
        level: Int,
        _ isFreeList: Bool,
        _ bounds: Bounds,
        _ counts: inout Counts
    ) throws(BackendError) {
        try self.take(number, from: parent)
        let page = self.page(number)
        let isLeaf = level == tree.depth
        guard Frame.load(page, 0, as: UInt64.self) == number else {
            throw self.damaged(number, "says that it is another page")
        }
        let kind = Frame.load(page, 10, as: UInt16.self) & Layout.kindMask
        guard kind == (isLeaf ? Layout.leaf : Layout.branch) else {
            throw self.damaged(number, "is of the wrong kind")
        }
        let lower = Int(Frame.load(page, 12, as: UInt16.self))
        let upper = Int(Frame.load(page, 14, as: UInt16.self))
        guard lower >= Layout.headerBytes, lower <= upper, upper <= self.pageBytes,
            lower % 2 == 0
        else { throw self.damaged(number, "has bounds that make no sense") }
        let count = (lower - Layout.headerBytes) / 2
        // Appending can leave a branch with a single child.
        guard count >= 1 else { throw self.damaged(number, "has \(count) nodes") }
        var last: UnsafeRawBufferPointer?
        var pending: Child?
        for index in 0..<count {
            let slot = Layout.headerBytes + 2 * index
            let offset = Int(Frame.load(page, slot, as: UInt16.self))
            guard offset >= upper, offset % 2 == 0,
                offset + Layout.nodeBytes <= self.pageBytes
            else { throw self.damaged(number, "has node \(index) outside of it") }
            let keyBytes = Int(Frame.load(page, offset + 6, as: UInt16.self))
            let start = offset + Layout.nodeBytes
            guard start + keyBytes <= self.pageBytes else {
                throw self.damaged(number, "has a key outside of it in node \(index)")
            }
            let key = UnsafeRawBufferPointer(rebasing: page[start..<(start + keyBytes)])
            // The first key of a branch is not looked at and may be anything.
            if isLeaf || index > 0 {
                if let last, !Self.precedes(last, key, tree.hasIntegerKeys) {
                    throw self.damaged(number, "has keys out of order at node \(index)")
                }
                guard bounds.admit(key, tree.hasIntegerKeys) else {
                    throw self.damaged(number, "has key \(index), which belongs elsewhere")
                }
                if !isLeaf, var open = pending {
                    open.bounds.upper = key
                    try self.walkChild(open, from: number, tree, level, isFreeList, &counts)
                    pending = nil
                }
                last = key
            }
            let low = UInt64(Frame.load(page, offset, as: UInt16.self))
            let high = UInt64(Frame.load(page, offset + 2, as: UInt16.self))
            let flags = Frame.load(page, offset + 4, as: UInt16.self)
            if isLeaf {
                counts.entries += 1
                let size = Int(low | high << 16)
                try self.checkValue(
                    number,
                    page,
                    at: start + keyBytes,
                    size,
                    flags,
                    isFreeList,
                    &counts
                )
            } else {
                // Walked when the key behind it is known, which bounds it.
                pending = Child(
                    page: low | high << 16 | UInt64(flags) << 32,
                    bounds: Bounds(lower: index > 0 ? key : bounds.lower, upper: bounds.upper)
                )
            }
        }
        if let pending {
            try self.walkChild(pending, from: number, tree, level, isFreeList, &counts)
        }
        if isLeaf { counts.leafPages += 1 } else { counts.branchPages += 1 }
    }

    /// The keys a page may have: from `lower` on, and less than `upper`.
    private struct Bounds {
        var lower: UnsafeRawBufferPointer?
        var upper: UnsafeRawBufferPointer?

        func admit(_ key: UnsafeRawBufferPointer, _ areIntegers: Bool) -> Bool {
            if let lower, PageVerifier.precedes(key, lower, areIntegers) { return false }
            if let upper { return PageVerifier.precedes(key, upper, areIntegers) }
            return true
        }
    }

    /// A child of a branch page that is to be walked.
    private struct Child {
        var page: UInt64
        var bounds: Bounds
    }

    private mutating func walkChild(
        _ child: Child,
        from parent: UInt64,
        _ tree: Tree,
        _ level: Int,
        _ isFreeList: Bool,
        _ counts: inout Counts
    ) throws(BackendError) {
        try self.walk(
            child.page,
            from: parent,
            tree,
            level: level + 1,
            isFreeList,
            child.bounds,
            &counts
        )
    }

    private static func precedes(
        _ left: UnsafeRawBufferPointer,
        _ right: UnsafeRawBufferPointer,
        _ areIntegers: Bool
    ) -> Bool {
        if areIntegers {
            guard left.count == 8, right.count == 8 else { return false }
            return Frame.load(left, 0, as: UInt64.self) < Frame.load(right, 0, as: UInt64.self)
        }
        return compareBytes(left, right) < 0
    }

    private mutating func checkValue(
        _ number: UInt64,
        _ page: UnsafeRawBufferPointer,
        at start: Int,
        _ size: Int,
        _ flags: UInt16,
        _ isFreeList: Bool,
        _ counts: inout Counts
    ) throws(BackendError) {
        let inPage = flags & Layout.bigData != 0 ? 8 : size
        guard start + inPage <= self.pageBytes else {
            throw self.damaged(number, "has a value outside of it")
        }
        var value = UnsafeRawBufferPointer(rebasing: page[start..<(start + inPage)])
        if flags & Layout.bigData != 0 {
            let first = Frame.load(value, 0, as: UInt64.self)
            value = try self.overflow(first, from: number, size, &counts)
        }
        if flags & Layout.subTree != 0 {
            guard value.count == Layout.treeBytes else {
                throw self.damaged(number, "has a database that makes no sense")
            }
            try self.walk(Tree(value), isFreeList: false)
        } else if isFreeList {
            try self.checkFreePages(value, number)
        }
    }

    private mutating func overflow(
        _ first: UInt64,
        from number: UInt64,
        _ size: Int,
        _ counts: inout Counts
    ) throws(BackendError) -> UnsafeRawBufferPointer {
        let pages = (Layout.headerBytes - 1 + size) / self.pageBytes + 1
        for offset in 0..<UInt64(pages) {
            try self.take(first &+ offset, from: number)
        }
        let page = self.page(first)
        guard Frame.load(page, 0, as: UInt64.self) == first,
            Frame.load(page, 10, as: UInt16.self) & Layout.kindMask == Layout.overflow,
            Int(Frame.load(page, 12, as: UInt32.self)) == pages
        else { throw self.damaged(first, "is not the big value it should be") }
        counts.overflowPages += UInt64(pages)
        let start = Int(first) * self.pageBytes + Layout.headerBytes
        return UnsafeRawBufferPointer(rebasing: self.file[start..<(start + size)])
    }

    /// Checks a list of free pages: a count, then page numbers, greatest first.
    private mutating func checkFreePages(
        _ list: UnsafeRawBufferPointer,
        _ number: UInt64
    ) throws(BackendError) {
        guard list.count >= 8 else { throw self.damaged(number, "has an empty list of free pages") }
        let count = Frame.load(list, 0, as: UInt64.self)
        guard count <= UInt64(list.count / 8 - 1) else {
            throw self.damaged(number, "has a list of free pages that is cut off")
        }
        var last = UInt64.max
        for index in 0..<Int(count) {
            let free = Frame.load(list, 8 + 8 * index, as: UInt64.self)
            guard free < last else {
                throw self.damaged(number, "has a list of free pages out of order")
            }
            last = free
            try self.take(free, from: number)
        }
    }
}
