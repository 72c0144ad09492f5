// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import CLMDB

/// A named database inside an environment, opened by a write transaction.
public struct Database: Hashable, Sendable {
    let handle: UInt32
}

/// The number of pages a database takes up.
public struct DatabaseStatistics: Hashable, Sendable {
    /// The depth of the tree.
    public let depth: Int
    /// Inner pages.
    public let branchPages: Int
    /// Leaf pages.
    public let leafPages: Int
    /// Pages of values too big for a leaf.
    public let overflowPages: Int
    /// The number of entries.
    public let entries: Int

    init(_ stat: MDB_stat) {
        self.depth = Int(stat.ms_depth)
        self.branchPages = stat.ms_branch_pages
        self.leafPages = stat.ms_leaf_pages
        self.overflowPages = stat.ms_overflow_pages
        self.entries = stat.ms_entries
    }

    /// All pages together.
    public var pages: Int { self.branchPages + self.leafPages + self.overflowPages }
}

extension UnsafeRawBufferPointer {
    /// The bytes as the library takes them. It never writes to what it is given.
    @inline(__always)
    var value: MDB_val {
        MDB_val(mv_size: self.count, mv_data: UnsafeMutableRawPointer(mutating: self.baseAddress))
    }

    @inline(__always)
    init(_ value: MDB_val) {
        self.init(start: value.mv_data, count: value.mv_size)
    }
}
