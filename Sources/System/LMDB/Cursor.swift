// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import CLMDB

/// A position in a database, moving in key order.
///
/// Returned bytes are valid until the transaction ends or, in a write transaction, until its next
/// change.
public struct Cursor: ~Copyable {
    /// One entry of a database.
    public struct Entry {
        /// The key.
        public let key: UnsafeRawBufferPointer
        /// The value.
        public let value: UnsafeRawBufferPointer
    }

    private let handle: OpaquePointer

    init(transaction: OpaquePointer, database: Database) throws(LMDBError) {
        var opened: OpaquePointer?
        try check(mdb_cursor_open(transaction, database.handle, &opened), "mdb_cursor_open")
        guard let opened else { throw LMDBError(code: MDB_PANIC, function: "mdb_cursor_open") }
        self.handle = opened
    }

    deinit {
        mdb_cursor_close(self.handle)
    }

    /// The first entry whose key is `key` or greater.
    public func seek(_ key: UnsafeRawBufferPointer) throws(LMDBError) -> Entry? {
        var name = key.value
        return try self.move(&name, MDB_SET_RANGE)
    }

    /// The value under `key` exactly; nil if it is not there. Costs next to nothing where `key` is in
    /// the page that the cursor is on.
    @inline(__always)
    public func get(
        _ key: UnsafeRawBufferPointer
    ) throws(LMDBError) -> UnsafeRawBufferPointer? {
        var name = key.value
        return try self.move(&name, MDB_SET)?.value
    }

    /// The first entry.
    public func first() throws(LMDBError) -> Entry? {
        var name = MDB_val()
        return try self.move(&name, MDB_FIRST)
    }

    /// The last entry.
    public func last() throws(LMDBError) -> Entry? {
        var name = MDB_val()
        return try self.move(&name, MDB_LAST)
    }

    /// The entry after the current one; the first if there is no current one.
    public func next() throws(LMDBError) -> Entry? {
        var name = MDB_val()
        return try self.move(&name, MDB_NEXT)
    }

    /// Removes the entry at the cursor. The next call of `next` gives the entry after it.
    public func deleteCurrent() throws(LMDBError) {
        try check(mdb_cursor_del(self.handle, 0), "mdb_cursor_del")
    }

    @inline(__always)
    private func move(_ name: inout MDB_val, _ operation: MDB_cursor_op) throws(LMDBError) -> Entry?
    {
        var value = MDB_val()
        let code = mdb_cursor_get(self.handle, &name, &value, operation)
        if code == MDB_NOTFOUND { return nil }
        try check(code, "mdb_cursor_get")
        return Entry(key: UnsafeRawBufferPointer(name), value: UnsafeRawBufferPointer(value))
    }
}
