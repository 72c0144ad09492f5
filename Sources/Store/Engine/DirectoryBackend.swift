// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Glibc
internal import LMDB
internal import Synchronization

/// The backend of a store on disk: a log and an LMDB table in a directory of their own.
///
/// ```
/// <data directory>/
///   lock        held by the process that has the store open
///   data.mdb    the table: records, leases and the state
///   lock.mdb    LMDB's table of readers
///   log/        frames that are not in the table yet
/// ```
///
/// The key of a record is its main number (8 bytes), sub number (4 bytes) and the number of the
/// piece (2 bytes), big-endian. A record that is bigger than half a page is cut into pieces: LMDB
/// would need neighbouring free pages for it otherwise, and the file would grow as those become
/// rare.
package final class DirectoryBackend: StorageBackend {
    /// Settings of a store on disk.
    package struct Options: Sendable {
        /// The size of a log file.
        package var logFileBytes = LogFiles.standardFileBytes
        /// Whether log frames go past the page cache, where the file system can do that.
        package var writesLogDirectly = true
        /// Space in the data file that only deletions and compactions may use.
        package var reserveBytes = 4 << 20
        /// The sizes of the memory map to try, in order. A map takes address space, not memory.
        package var mapSizes = [1 << 40, 1 << 36, 1 << 33]
        /// Whether to check the structure of the data file before it is opened.
        package var verifies = true

        package init() {}
    }

    private struct Space {
        /// The size of the data file with the blocks allocated ahead.
        var fileBytes: Int
        /// The end of the last page LMDB has used.
        var endBytes: Int
        /// The bytes of pages that hold data.
        var usedBytes: Int
    }

    private let directory: DataDirectory
    private let options: Options
    private let environment: Environment
    private let records: Database
    private let leases: Database
    private let meta: Database
    private let log: LogFiles
    private let table: Mutex<TableState>
    private let space: Mutex<Space>
    private let pieceBytes: Int
    private let mapBytes: Int

    /// The names of the databases in the data file.
    private enum Name {
        static let records = "records"
        static let leases = "leases"
        static let meta = "meta"
        static let state = "state"
    }

    /// The bytes of LMDB's own structures in a page and a node.
    private enum Page {
        static let header = 16
        static let nodeHeader = 8
        static let recordKey = 14
    }

    /// Opens or creates the store in `path`, and brings the table up to the log.
    ///
    /// - Parameters:
    ///   - path: The data directory.
    ///   - options: Settings.
    ///   - fresh: The state a new store begins with.
    /// - Throws: `unusable`, `damaged`, `noSpace` or `failed`, with one line that names the place.
    package init(
        opening path: String,
        options: Options = Options(),
        fresh: () -> TableState
    ) throws(BackendError) {
        let directory = try DataDirectory(opening: path)
        if options.verifies { try PageVerifier.check(path + "/data.mdb") }
        let environment = try Self.openEnvironment(path, options)
        let info = environment.info
        let pieceBytes =
            ((info.pageBytes - Page.header) / 2 & ~1) - 2 - Page.nodeHeader - Page.recordKey
        let stored: StoredState
        do throws(LMDBError) {
            stored = try Self.readState(environment, fresh)
        } catch {
            throw Self.openError(error, path)
        }
        guard let state = stored.state else {
            throw .damaged("\(path)/data.mdb: the record of the store's state")
        }
        let databases = stored.databases
        var recovered = TableBatch(state: state)
        var frames: [[UInt8]] = []
        var headers: [Frame.Header] = []
        let log = try LogFiles.open(
            directory: path + "/log",
            fileBytes: options.logFileBytes,
            writesDirectly: options.writesLogDirectly,
            state: state
        ) { frame in
            frames.append(frame.bytes)
            headers.append(frame.header)
        }
        self.directory = directory
        self.options = options
        self.environment = environment
        self.records = databases[0]
        self.leases = databases[1]
        self.meta = databases[2]
        self.log = log
        self.table = Mutex(state)
        self.space = Mutex(Space(fileBytes: 0, endBytes: 0, usedBytes: 0))
        self.pieceBytes = pieceBytes
        self.mapBytes = info.mapBytes
        self.refreshSpace(usedBytes: 0)
        for (frame, header) in zip(frames, headers) {
            let isSound = frame.withUnsafeBytes { recovered.add($0, header) }
            guard isSound else { throw .damaged("\(path)/log: frame \(header.sequence)") }
        }
        // The log is there from now on: its absence means that it was lost.
        try log.prepare(bytes: 1)
        // The batch points into `frames`, which outlive it.
        recovered.state.term += 1
        recovered.state.isClean = false
        try self.apply(recovered)
        withExtendedLifetime(frames) {}
    }

    private struct StoredState {
        var databases: [Database]
        /// Nil if it is damaged, or missing where there is data.
        var state: TableState?
    }

    /// Opens the databases and reads the state, which a new table is given.
    private static func readState(
        _ environment: Environment,
        _ fresh: () -> TableState
    ) throws(LMDBError) -> StoredState {
        let write = try environment.beginWrite()
        let records = try write.openDatabase(Name.records)
        let leases = try write.openDatabase(Name.leases)
        let meta = try write.openDatabase(Name.meta)
        var state: TableState?
        let isThere = try withName(Name.state) { name throws(LMDBError) in
            guard let bytes = try write.get(name, in: meta) else { return false }
            state = TableState(parsing: bytes)
            return true
        }
        if !isThere, try write.statistics(of: records).entries == 0 {
            let new = fresh()
            try self.put(new, write, meta)
            state = new
        }
        try write.commit()
        return StoredState(databases: [records, leases, meta], state: state)
    }

    private static func openEnvironment(
        _ path: String,
        _ options: Options
    ) throws(BackendError) -> Environment {
        var last: LMDBError?
        for size in options.mapSizes {
            do throws(LMDBError) {
                let environment = try Environment(
                    directory: path,
                    options: Environment.Options(mapBytes: size)
                )
                try environment.clearStaleReaders()
                return environment
            } catch {
                last = error
                if error.reason != .system(ENOMEM) { break }
            }
        }
        guard let last else { throw .failed("no size for the memory map of \(path)/data.mdb") }
        throw self.openError(last, path)
    }

    private static func openError(_ error: LMDBError, _ path: String) -> BackendError {
        let text = "\(path)/data.mdb: \(error)"
        return switch error.reason {
        case .damaged, .notFound, .keyExists, .poisoned: .damaged(text)
        case .system(ENOSPC), .system(EDQUOT): .noSpace(text)
        case .system(EACCES), .system(EPERM), .system(EROFS): .unusable(text)
        case .system, .mapFull, .readersFull, .other: .failed(text)
        }
    }

    private static func put(
        _ state: TableState,
        _ write: borrowing WriteTransaction,
        _ meta: Database
    ) throws(LMDBError) {
        let bytes = state.encoded
        try withName(Name.state) { name throws(LMDBError) in
            try bytes.span.withUnsafeBytes { value throws(LMDBError) in
                try write.put(name, value, in: meta)
            }
        }
    }

    // MARK: - Space

    package func prepare(
        bytes: Int,
        pendingBytes: Int,
        isGrowth: Bool
    ) throws(BackendError) {
        try self.log.prepare(bytes: bytes + Frame.headerBytes + Frame.alignment)
        // A record takes its own size, what a page wastes, and its share of inner pages.
        var needed = (pendingBytes + bytes) * 2 + Self.spaceSlack
        if isGrowth { needed += self.options.reserveBytes }
        try self.allocate(needed)
    }

    /// What a transaction needs besides its data: copies of inner pages and the list of free ones.
    private static let spaceSlack = 1 << 20

    /// The most the data file is enlarged by at once beyond what is needed.
    private static let maximumStep = 32 << 20

    /// Allocates blocks so that `needed` bytes can be written behind the last used page.
    private func allocate(_ needed: Int) throws(BackendError) {
        let (fileBytes, endBytes) = self.space.withLock { ($0.fileBytes, $0.endBytes) }
        let target = endBytes + needed
        if target <= fileBytes { return }
        guard target <= self.mapBytes else {
            throw .noSpace("\(self.directory.path)/data.mdb has no room in its memory map")
        }
        let step = min(Self.maximumStep, max(1 << 20, fileBytes / 8))
        let descriptor = self.environment.fileDescriptor
        for extra in [step, 0] {
            let end = min(target + extra, self.mapBytes)
            if allocateBlocks(descriptor, fileBytes, end - fileBytes) {
                self.space.withLock { $0.fileBytes = max($0.fileBytes, end) }
                return
            }
        }
        throw SystemError("allocate", "\(self.directory.path)/data.mdb").unwritten
    }

    private func refreshSpace(usedBytes: Int) {
        let info = self.environment.info
        var status = stat()
        let isKnown = fstat(self.environment.fileDescriptor, &status) == 0
        self.space.withLock { space in
            space.endBytes = (info.lastPage + 1) * info.pageBytes
            space.usedBytes = usedBytes
            if isKnown { space.fileBytes = Int(status.st_size) }
        }
    }

    package var usage: StorageUsage {
        let logBytes = self.log.allocatedBytes
        return self.space.withLock { space in
            StorageUsage(
                allocatedBytes: Int64(max(space.fileBytes, space.endBytes)) + logBytes,
                usedBytes: Int64(space.usedBytes)
            )
        }
    }

    // MARK: - Changes

    package func append(
        _ frame: UnsafeRawBufferPointer,
        sequence: UInt64
    ) throws(BackendError) {
        try self.log.append(frame, sequence: sequence)
    }

    package func apply(_ batch: borrowing TableBatch) throws(BackendError) {
        let old = self.state
        var state = batch.state
        state.recordCount = old.recordCount
        state.recordBytes = old.recordBytes
        state.recordSum = old.recordSum
        state.leaseSum = old.leaseSum
        let usedBytes: Int
        do throws(LMDBError) {
            let write = try self.environment.beginWrite()
            for addition in batch.additions {
                try self.insert(addition, write)
                state.add(addition.record)
            }
            for revision in batch.deletions { try self.remove(revision, write, &state) }
            for change in batch.leases { try self.apply(change, write, &state) }
            try Self.put(state, write, self.meta)
            usedBytes = try self.usedBytes(write)
            try write.commit()
        } catch {
            throw .failed("\(self.directory.path)/data.mdb: \(error)")
        }
        let applied = state
        self.table.withLock { $0 = applied }
        self.refreshSpace(usedBytes: usedBytes)
        self.log.release(through: state.sequence)
    }

    private func usedBytes(_ write: borrowing WriteTransaction) throws(LMDBError) -> Int {
        var pages = 0
        for database in [self.records, self.leases, self.meta] {
            pages += try write.statistics(of: database).pages
        }
        return pages * self.environment.info.pageBytes
    }

    private func insert(
        _ addition: TableBatch.Addition,
        _ write: borrowing WriteTransaction
    ) throws(LMDBError) {
        let record = addition.record
        var offset = 0
        var piece: UInt16 = 0
        repeat {
            let end = min(offset + self.pieceBytes, record.count)
            let part = UnsafeRawBufferPointer(rebasing: record[offset..<end])
            try withRecordKey(addition.revision, piece) { key throws(LMDBError) in
                try write.append(key, part, in: self.records)
            }
            offset = end
            piece += 1
        } while offset < record.count
    }

    private func remove(
        _ revision: Revision,
        _ write: borrowing WriteTransaction,
        _ state: inout TableState
    ) throws(LMDBError) {
        let found: (total: Int, first: Int, checksum: UInt64)? =
            try withRecordKey(revision, 0) { key throws(LMDBError) in
                guard let part = try write.get(key, in: self.records),
                    let total = Record.byteCount(startingWith: part)
                else { return nil }
                return (total, part.count, Frame.load(part, 0, as: UInt64.self))
            }
        guard let found else { return }
        state.remove(bytes: found.total, checksum: found.checksum)
        var piece: UInt16 = 0
        var isThere = true
        while isThere {
            isThere = try withRecordKey(revision, piece) { key throws(LMDBError) in
                try write.delete(key, in: self.records)
            }
            if piece == 0, found.total == found.first { return }
            piece += 1
        }
    }

    private func apply(
        _ change: TableBatch.LeaseChange,
        _ write: borrowing WriteTransaction,
        _ state: inout TableState
    ) throws(LMDBError) {
        let old = try withLeaseKey(change.id) { key throws(LMDBError) in
            try write.get(key, in: self.leases).map { Frame.load($0, 0, as: UInt64.self) }
        }
        if let old { state.leaseSum &-= old }
        guard let ttl = change.ttl else {
            if old != nil {
                _ = try withLeaseKey(change.id) { key throws(LMDBError) in
                    try write.delete(key, in: self.leases)
                }
            }
            return
        }
        let checksum = TableState.leaseChecksum(change.id, ttl: ttl)
        state.leaseSum &+= checksum
        try withLeaseKey(change.id) { key throws(LMDBError) in
            var value = (checksum.littleEndian, ttl.littleEndian)
            try withUnsafePointer(to: &value) { pointer throws(LMDBError) in
                let bytes = UnsafeRawBufferPointer(start: pointer, count: 16)
                try write.put(key, bytes, in: self.leases)
            }
        }
    }

    // MARK: - Reading

    package var name: String { "\(self.directory.path)/data.mdb" }

    package var state: TableState { self.table.withLock { $0 } }

    package func readRecord(
        _ revision: Revision,
        _ body: (UnsafeRawBufferPointer?) -> Void
    ) throws(BackendError) {
        do throws(LMDBError) {
            let read = try self.environment.beginRead()
            let part = try withRecordKey(revision, 0) { key throws(LMDBError) in
                try read.get(key, in: self.records)
            }
            guard let part else { return body(nil) }
            let total = Record.byteCount(startingWith: part) ?? part.count
            if total <= part.count { return body(part) }
            try read.withCursor(over: self.records) { cursor throws(LMDBError) in
                try self.join(revision, part, total, cursor).withUnsafeBytes { body($0) }
            }
        } catch {
            throw .failed("\(self.name): \(error)")
        }
    }

    package func readRecords(
        _ revisions: ArraySlice<Revision>,
        _ body: (Revision, UnsafeRawBufferPointer?) -> Bool
    ) throws(BackendError) {
        try self.forFirstPieces(of: revisions) { revision, part, cursor throws(LMDBError) in
            guard let part else { return body(revision, nil) }
            let total = Record.byteCount(startingWith: part) ?? part.count
            if total <= part.count { return body(revision, part) }
            let whole = try self.join(revision, part, total, cursor)
            return whole.withUnsafeBytes { body(revision, $0) }
        }
    }

    package func measureRecords(
        _ revisions: ArraySlice<Revision>,
        _ body: (Revision, Int?) -> Bool
    ) throws(BackendError) {
        try self.forFirstPieces(of: revisions) { revision, part, _ throws(LMDBError) in
            body(revision, part.flatMap { Record.byteCount(startingWith: $0) })
        }
    }

    /// How far the cursor is moved entry by entry before it searches.
    private static let maximumSteps = 4

    /// Looks records up in one transaction, with one cursor: neighbours are mostly in one page, and
    /// what was written one after the other lies side by side.
    private func forFirstPieces(
        of revisions: ArraySlice<Revision>,
        _ body:
            (Revision, UnsafeRawBufferPointer?, borrowing Cursor) throws(LMDBError) -> Bool
    ) throws(BackendError) {
        do throws(LMDBError) {
            let read = try self.environment.beginRead()
            try read.withCursor(over: self.records) { cursor throws(LMDBError) in
                var last: Revision?
                for revision in revisions {
                    var part: UnsafeRawBufferPointer?
                    if let last, revision.isClosely(after: last, by: Self.maximumSteps) {
                        part = try Self.step(cursor, to: revision)
                    }
                    if part == nil {
                        part = try withRecordKey(revision, 0) { key throws(LMDBError) in
                            try cursor.get(key)
                        }
                    }
                    last = part == nil ? nil : revision
                    if try !body(revision, part, cursor) { return }
                }
            }
        } catch {
            throw .failed("\(self.name): \(error)")
        }
    }

    /// Moves on to the first piece of `revision`; nil if it is not among the next entries.
    private static func step(
        _ cursor: borrowing Cursor,
        to revision: Revision
    ) throws(LMDBError) -> UnsafeRawBufferPointer? {
        for _ in 0..<Self.maximumSteps {
            guard let entry = try cursor.next() else { return nil }
            let (found, piece) = recordKey(entry.key)
            if found == revision { return piece == 0 ? entry.value : nil }
            if revision < found { return nil }
        }
        return nil
    }

    /// Puts the pieces of a record together. Missing ones leave it short, which its reader notices.
    private func join(
        _ revision: Revision,
        _ first: UnsafeRawBufferPointer,
        _ total: Int,
        _ cursor: borrowing Cursor
    ) throws(LMDBError) -> [UInt8] {
        var whole: [UInt8] = []
        whole.reserveCapacity(total)
        whole.append(contentsOf: first)
        var piece: UInt16 = 1
        while whole.count < total {
            let part = try withRecordKey(revision, piece) { key throws(LMDBError) in
                try cursor.get(key)
            }
            guard let part, piece < UInt16.max else { break }
            whole.append(contentsOf: part)
            piece += 1
        }
        return whole
    }

    package func scanRecords(
        from first: Revision,
        _ body: (Revision, UnsafeRawBufferPointer) -> Bool
    ) throws(BackendError) {
        do throws(LMDBError) {
            let read = try self.environment.beginRead()
            try read.withCursor(over: self.records) { cursor throws(LMDBError) in
                var entry = try withRecordKey(first, 0) { key throws(LMDBError) in
                    try cursor.seek(key)
                }
                var whole: [UInt8] = []
                while let current = entry {
                    let (revision, _) = recordKey(current.key)
                    let part = current.value
                    let total = Record.byteCount(startingWith: part) ?? part.count
                    entry = try cursor.next()
                    if total <= part.count {
                        if !body(revision, part) { return }
                        continue
                    }
                    whole.removeAll(keepingCapacity: true)
                    whole.append(contentsOf: part)
                    while whole.count < total, let next = entry, recordKey(next.key).0 == revision {
                        whole.append(contentsOf: next.value)
                        entry = try cursor.next()
                    }
                    if !whole.withUnsafeBytes({ body(revision, $0) }) { return }
                }
            }
        } catch {
            throw .failed("\(self.directory.path)/data.mdb: \(error)")
        }
    }

    package func scanLeases(_ body: (Int64, Int64) -> Void) throws(BackendError) {
        var damaged: Int64?
        do throws(LMDBError) {
            let read = try self.environment.beginRead()
            try read.withCursor(over: self.leases) { cursor throws(LMDBError) in
                var entry = try cursor.first()
                while let current = entry {
                    let id = Int64(bigEndian: current.key.loadUnaligned(as: Int64.self))
                    if current.value.count == 16 {
                        let checksum = Frame.load(current.value, 0, as: UInt64.self)
                        let ttl = Frame.load(current.value, 8, as: Int64.self)
                        if checksum == TableState.leaseChecksum(id, ttl: ttl) {
                            body(id, ttl)
                        } else {
                            damaged = id
                        }
                    } else {
                        damaged = id
                    }
                    entry = try cursor.next()
                }
            }
        } catch {
            throw .failed("\(self.directory.path)/data.mdb: \(error)")
        }
        if let damaged { throw .damaged("\(self.directory.path)/data.mdb: lease \(damaged)") }
    }

    package func close() throws(BackendError) {
        var state = self.state
        state.isClean = true
        try self.apply(TableBatch(state: state))
    }
}

// MARK: - Keys

extension Revision {
    /// Whether few records can lie between `other` and this one, which is the later.
    fileprivate func isClosely(after other: Revision, by distance: Int) -> Bool {
        if self.main == other.main {
            return self.sub > other.sub && Int(self.sub - other.sub) <= distance
        }
        return self.main > other.main && self.main - other.main <= Int64(distance)
    }
}

/// Gives `body` the key of a piece of a record.
@inline(__always)
private func withRecordKey<R>(
    _ revision: Revision,
    _ piece: UInt16,
    _ body: (UnsafeRawBufferPointer) throws(LMDBError) -> R
) throws(LMDBError) -> R {
    var key = (revision.main.bigEndian, revision.sub.bigEndian, piece.bigEndian)
    return try withUnsafePointer(to: &key) { pointer throws(LMDBError) in
        try body(UnsafeRawBufferPointer(start: pointer, count: 14))
    }
}

/// Reads the key of a piece of a record.
@inline(__always)
private func recordKey(_ key: UnsafeRawBufferPointer) -> (Revision, UInt16) {
    guard key.count == 14 else { return (Revision(main: 0, sub: 0), 0) }
    let main = Int64(bigEndian: key.loadUnaligned(as: Int64.self))
    let sub = UInt32(bigEndian: key.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
    let piece = UInt16(bigEndian: key.loadUnaligned(fromByteOffset: 12, as: UInt16.self))
    return (Revision(main: main, sub: sub), piece)
}

/// Gives `body` the key of a lease.
private func withLeaseKey<R>(
    _ id: Int64,
    _ body: (UnsafeRawBufferPointer) throws(LMDBError) -> R
) throws(LMDBError) -> R {
    var key = id.bigEndian
    return try withUnsafePointer(to: &key) { pointer throws(LMDBError) in
        try body(UnsafeRawBufferPointer(start: pointer, count: 8))
    }
}

/// Gives `body` the bytes of a name.
private func withName<R>(
    _ name: String,
    _ body: (UnsafeRawBufferPointer) throws(LMDBError) -> R
) throws(LMDBError) -> R {
    let bytes = Array(name.utf8)
    return try bytes.span.withUnsafeBytes(body)
}
