// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import CLMDB

/// A failed call of the LMDB library.
public struct LMDBError: Error, Hashable, Sendable {
    /// What went wrong, as far as a caller treats it differently.
    public enum Reason: Hashable, Sendable {
        /// The key or the database is not there (`MDB_NOTFOUND`).
        case notFound
        /// The key is there already, or an append is out of order (`MDB_KEYEXIST`).
        case keyExists
        /// The memory map is used up (`MDB_MAP_FULL`).
        case mapFull
        /// All reader slots are taken (`MDB_READERS_FULL`).
        case readersFull
        /// The file is not an LMDB file, or of another version, or damaged.
        case damaged
        /// The environment had a fatal error before and must be closed (`MDB_PANIC`).
        case poisoned
        /// A system call failed with this `errno`.
        case system(Int32)
        /// Any other code of the library.
        case other(Int32)
    }

    /// Why the call failed.
    public let reason: Reason

    /// The library function that failed.
    public let function: String

    /// The library's own text for the code.
    public let message: String

    init(code: Int32, function: StaticString) {
        self.function = "\(function)"
        self.message = mdb_strerror(code).map { String(cString: $0) } ?? "code \(code)"
        switch code {
        case MDB_NOTFOUND: self.reason = .notFound
        case MDB_KEYEXIST: self.reason = .keyExists
        case MDB_MAP_FULL: self.reason = .mapFull
        case MDB_READERS_FULL: self.reason = .readersFull
        case MDB_CORRUPTED, MDB_PAGE_NOTFOUND, MDB_INVALID, MDB_VERSION_MISMATCH:
            self.reason = .damaged
        case MDB_PANIC: self.reason = .poisoned
        case 1...: self.reason = .system(code)
        default: self.reason = .other(code)
        }
    }
}

extension LMDBError: CustomStringConvertible {
    public var description: String { "\(self.function): \(self.message)" }
}

/// Turns a return code of the library into an error.
@inline(__always)
func check(_ code: Int32, _ function: StaticString) throws(LMDBError) {
    if code != MDB_SUCCESS { throw LMDBError(code: code, function: function) }
}
