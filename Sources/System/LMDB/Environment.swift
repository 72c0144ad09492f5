// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import CLMDB
internal import Synchronization

/// An open LMDB environment: one data file, its lock file and its memory map.
///
/// Any thread may use it. Writes are serialised by the library: `beginWrite` blocks while another
/// write transaction lives. Readers never block and are never blocked.
public final class Environment: @unchecked Sendable {
    // SAFETY: an `MDB_env` may be used from any thread; parked readers are guarded by the mutex.

    /// How an environment is opened.
    public struct Options: Sendable {
        /// The size of the memory map in bytes: the most the data file can grow to.
        public var mapBytes: Int
        /// The most named databases.
        public var maximumDatabases: UInt32
        /// The most readers at one time.
        public var maximumReaders: UInt32
        /// Do not flush on commit. Only for data that may be lost.
        public var withoutSync: Bool

        public init(
            mapBytes: Int,
            maximumDatabases: UInt32 = 8,
            maximumReaders: UInt32 = 510,
            withoutSync: Bool = false
        ) {
            self.mapBytes = mapBytes
            self.maximumDatabases = maximumDatabases
            self.maximumReaders = maximumReaders
            self.withoutSync = withoutSync
        }
    }

    /// The size and use of the data file.
    public struct Info: Sendable {
        /// The bytes of one page.
        public let pageBytes: Int
        /// The size of the memory map in bytes.
        public let mapBytes: Int
        /// The number of the last page in use; pages up to it are in use or free for reuse.
        public let lastPage: Int
        /// The last committed transaction.
        public let lastTransaction: Int
    }

    let handle: OpaquePointer
    private let parked: Mutex<ParkedReaders>

    private struct ParkedReaders: @unchecked Sendable {
        // SAFETY: a parked transaction belongs to the list alone.
        var transactions: [OpaquePointer] = []
    }

    /// Opens or creates `data.mdb` and `lock.mdb` in `directory`, which must exist.
    ///
    /// - Parameters:
    ///   - directory: The path of the directory.
    ///   - options: Sizes and limits.
    ///   - mode: The permissions of new files.
    public init(
        directory: String,
        options: Options,
        mode: UInt32 = 0o600
    ) throws(LMDBError) {
        var created: OpaquePointer?
        try check(mdb_env_create(&created), "mdb_env_create")
        guard let env = created else {
            throw LMDBError(code: MDB_PANIC, function: "mdb_env_create")
        }
        self.handle = env
        self.parked = Mutex(ParkedReaders())
        do {
            try check(mdb_env_set_mapsize(env, options.mapBytes), "mdb_env_set_mapsize")
            try check(mdb_env_set_maxdbs(env, options.maximumDatabases), "mdb_env_set_maxdbs")
            try check(mdb_env_set_maxreaders(env, options.maximumReaders), "mdb_env_set_maxreaders")
            var flags = UInt32(MDB_NOTLS)
            if options.withoutSync { flags |= UInt32(MDB_NOSYNC) }
            try check(mdb_env_open(env, directory, flags, mode), "mdb_env_open")
        } catch {
            // The environment is closed by `deinit`: all stored properties are set.
            throw error
        }
    }

    deinit {
        self.parked.withLock { parked in
            for transaction in parked.transactions { mdb_txn_abort(transaction) }
            parked.transactions.removeAll()
        }
        mdb_env_close(self.handle)
    }

    /// The descriptor of the data file. It belongs to the environment.
    public var fileDescriptor: Int32 {
        var descriptor: Int32 = -1
        _ = mdb_env_get_fd(self.handle, &descriptor)
        return descriptor
    }

    /// The size and use of the file as of the last commit.
    public var info: Info {
        var info = MDB_envinfo()
        _ = mdb_env_info(self.handle, &info)
        var stat = MDB_stat()
        _ = mdb_env_stat(self.handle, &stat)
        return Info(
            pageBytes: Int(stat.ms_psize),
            mapBytes: info.me_mapsize,
            lastPage: info.me_last_pgno,
            lastTransaction: info.me_last_txnid
        )
    }

    /// Enlarges the memory map. No transaction of this process may be live; parked readers are
    /// ended first.
    public func growMap(to bytes: Int) throws(LMDBError) {
        self.dropParkedReaders()
        try check(mdb_env_set_mapsize(self.handle, bytes), "mdb_env_set_mapsize")
    }

    /// Flushes the file; needed only when commits do not.
    public func sync() throws(LMDBError) {
        try check(mdb_env_sync(self.handle, 1), "mdb_env_sync")
    }

    /// Clears slots of readers whose process died.
    public func clearStaleReaders() throws(LMDBError) {
        var dead: Int32 = 0
        try check(mdb_reader_check(self.handle, &dead), "mdb_reader_check")
    }

    /// Starts the write transaction, waiting for another one to end.
    public func beginWrite() throws(LMDBError) -> WriteTransaction {
        var transaction: OpaquePointer?
        try check(mdb_txn_begin(self.handle, nil, 0, &transaction), "mdb_txn_begin")
        guard let transaction else { throw LMDBError(code: MDB_PANIC, function: "mdb_txn_begin") }
        return WriteTransaction(handle: transaction, environment: self)
    }

    /// Starts a read transaction: a snapshot of the last commit.
    ///
    /// Ended readers are parked and started again for a fraction of the cost of a new one.
    public func beginRead() throws(LMDBError) -> ReadTransaction {
        if let transaction = self.parked.withLock({ $0.transactions.popLast() }) {
            let code = mdb_txn_renew(transaction)
            if code != MDB_SUCCESS {
                mdb_txn_abort(transaction)
                throw LMDBError(code: code, function: "mdb_txn_renew")
            }
            return ReadTransaction(handle: transaction, environment: self)
        }
        var transaction: OpaquePointer?
        let code = mdb_txn_begin(self.handle, nil, UInt32(MDB_RDONLY), &transaction)
        try check(code, "mdb_txn_begin")
        guard let transaction else { throw LMDBError(code: MDB_PANIC, function: "mdb_txn_begin") }
        return ReadTransaction(handle: transaction, environment: self)
    }

    func park(_ transaction: OpaquePointer) {
        mdb_txn_reset(transaction)
        self.parked.withLock { $0.transactions.append(transaction) }
    }

    private func dropParkedReaders() {
        let dropped = self.parked.withLock { parked in
            let all = parked.transactions
            parked.transactions.removeAll()
            return ParkedReaders(transactions: all)
        }
        for transaction in dropped.transactions { mdb_txn_abort(transaction) }
    }
}
