// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import CLMDB

/// A snapshot of an environment. Pages it sees are not reused while it lives: keep it short.
public struct ReadTransaction: ~Copyable {
    let handle: OpaquePointer
    private let environment: Environment

    init(handle: OpaquePointer, environment: Environment) {
        self.handle = handle
        self.environment = environment
    }

    deinit {
        self.environment.park(self.handle)
    }

    /// The value under `key`, inside the memory map: valid while the transaction lives.
    @inline(__always)
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
}
