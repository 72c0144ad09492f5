// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import CLMDB

/// The one write transaction of an environment. Dropping it without `commit` undoes it.
///
/// It belongs to the thread that began it.
public struct WriteTransaction: ~Copyable {
    let handle: OpaquePointer
    private let environment: Unmanaged<Environment>

    init(handle: OpaquePointer, environment: Environment) {
        self.handle = handle
        self.environment = .passRetained(environment)
    }

    deinit {
        mdb_txn_abort(self.handle)
        self.environment.release()
    }

    /// Opens the database `name`, creating it if needed. The handle is usable by other
    /// transactions once this one is committed.
    public func openDatabase(_ name: String) throws(LMDBError) -> Database {
        var handle: UInt32 = 0
        try check(mdb_dbi_open(self.handle, name, UInt32(MDB_CREATE), &handle), "mdb_dbi_open")
        return Database(handle: handle)
    }

    /// The value under `key`: valid until the next change in this transaction.
    public func get(
        _ key: UnsafeRawBufferPointer,
        in database: Database
    ) throws(LMDBError) -> UnsafeRawBufferPointer? {
        var name = key.value
        var value = MDB_val()
        let code = mdb_get(self.handle, database.handle, &name, &value)
        if code == MDB_NOTFOUND { return nil }
        try check(code, "mdb_get")
        return UnsafeRawBufferPointer(value)
    }

    /// Sets the value under `key`.
    public func put(
        _ key: UnsafeRawBufferPointer,
        _ value: UnsafeRawBufferPointer,
        in database: Database
    ) throws(LMDBError) {
        var name = key.value
        var data = value.value
        try check(mdb_put(self.handle, database.handle, &name, &data, 0), "mdb_put")
    }

    /// Sets the value under a key greater than all others, which fills pages completely.
    ///
    /// - Throws: `keyExists` if the key is not the greatest.
    @inline(__always)
    public func append(
        _ key: UnsafeRawBufferPointer,
        _ value: UnsafeRawBufferPointer,
        in database: Database
    ) throws(LMDBError) {
        var name = key.value
        var data = value.value
        let code = mdb_put(self.handle, database.handle, &name, &data, UInt32(MDB_APPEND))
        try check(code, "mdb_put")
    }

    /// Removes `key`; false if it is not there.
    public func delete(
        _ key: UnsafeRawBufferPointer,
        in database: Database
    ) throws(LMDBError) -> Bool {
        var name = key.value
        let code = mdb_del(self.handle, database.handle, &name, nil)
        if code == MDB_NOTFOUND { return false }
        try check(code, "mdb_del")
        return true
    }

    /// Gives `body` a cursor over `database`, which is closed when it returns.
    public func withCursor<Result>(
        over database: Database,
        _ body: (borrowing Cursor) throws(LMDBError) -> Result
    ) throws(LMDBError) -> Result {
        let cursor = try Cursor(transaction: self.handle, database: database)
        return try body(cursor)
    }

    /// The pages `database` takes up.
    public func statistics(of database: Database) throws(LMDBError) -> DatabaseStatistics {
        var stat = MDB_stat()
        try check(mdb_stat(self.handle, database.handle, &stat), "mdb_stat")
        return DatabaseStatistics(stat)
    }

    /// Makes the changes durable: on return they are on disk.
    ///
    /// After an error nothing of the transaction is visible and it must not be retried: the
    /// kernel may have dropped what it could not write.
    public consuming func commit() throws(LMDBError) {
        let handle = self.handle
        let environment = self.environment
        discard self
        defer { environment.release() }
        try check(mdb_txn_commit(handle), "mdb_txn_commit")
    }
}
