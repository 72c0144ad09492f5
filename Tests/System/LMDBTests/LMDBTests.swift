// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import LMDB
import Testing

@Suite("LMDB", .serialized)
struct LMDBTests {
    /// A directory of its own, removed with the value.
    final class Directory: Sendable {
        let path: String

        init() throws {
            var template = Array("/tmp/apus-lmdb-XXXXXX".utf8CString)
            let made = template.withUnsafeMutableBufferPointer { buffer in
                buffer.baseAddress.flatMap { mkdtemp($0) } != nil
            }
            try #require(made)
            let bytes = template.dropLast().map { UInt8(bitPattern: $0) }
            self.path = String(decoding: bytes, as: UTF8.self)
        }

        deinit {
            for name in ["data.mdb", "lock.mdb"] { unlink("\(self.path)/\(name)") }
            rmdir(self.path)
        }
    }

    private func put(
        _ key: String,
        _ value: String,
        _ write: borrowing WriteTransaction,
        _ database: Database
    ) throws {
        let key = Array(key.utf8)
        let value = Array(value.utf8)
        try key.withUnsafeBytes { key in
            try value.withUnsafeBytes { value in try write.put(key, value, in: database) }
        }
    }

    private func get(
        _ key: String,
        _ read: borrowing ReadTransaction,
        _ database: Database
    ) throws -> String? {
        let key = Array(key.utf8)
        return try key.withUnsafeBytes { key in
            try read.get(key, in: database).map { String(decoding: $0, as: UTF8.self) }
        }
    }

    private func open(_ path: String, mapBytes: Int = 1 << 24) throws -> Environment {
        try Environment(directory: path, options: Environment.Options(mapBytes: mapBytes))
    }

    @Test("keeps what is committed and nothing else")
    func commit() throws {
        let directory = try Directory()
        let environment = try self.open(directory.path)
        let write = try environment.beginWrite()
        let database = try write.openDatabase("a")
        try self.put("k", "1", write, database)
        try write.commit()
        do {
            let dropped = try environment.beginWrite()
            try self.put("k", "2", dropped, database)
        }
        let read = try environment.beginRead()
        #expect(try self.get("k", read, database) == "1")
        #expect(try self.get("x", read, database) == nil)
    }

    @Test("gives readers the state as of their start")
    func isolation() throws {
        let directory = try Directory()
        let environment = try self.open(directory.path)
        var write = try environment.beginWrite()
        let database = try write.openDatabase("a")
        try self.put("k", "1", write, database)
        try write.commit()
        let old = try environment.beginRead()
        write = try environment.beginWrite()
        try self.put("k", "2", write, database)
        try write.commit()
        let new = try environment.beginRead()
        #expect(try self.get("k", old, database) == "1")
        #expect(try self.get("k", new, database) == "2")
    }

    @Test("moves through keys in order")
    func cursor() throws {
        let directory = try Directory()
        let environment = try self.open(directory.path)
        let write = try environment.beginWrite()
        let database = try write.openDatabase("a")
        for key in ["b", "a", "d", "c"] { try self.put(key, key + key, write, database) }
        try write.commit()
        let read = try environment.beginRead()
        let found = try read.withCursor(over: database) { cursor throws(LMDBError) in
            var found: [String] = []
            var entry = try Array("b".utf8).span.withUnsafeBytes { key throws(LMDBError) in
                try cursor.seek(key)
            }
            while let current = entry {
                found.append(String(decoding: current.value, as: UTF8.self))
                entry = try cursor.next()
            }
            return found
        }
        #expect(found == ["bb", "cc", "dd"])
        #expect(try read.statistics(of: database).entries == 4)
    }

    /// Appends a key with itself as value; false if it is out of order.
    private func append(
        _ key: String,
        _ write: borrowing WriteTransaction,
        _ database: Database
    ) throws -> Bool {
        do {
            try Array(key.utf8).withUnsafeBytes { try write.append($0, $0, in: database) }
            return true
        } catch let error as LMDBError where error.reason == .keyExists {
            return false
        }
    }

    @Test("appends in order only")
    func append() throws {
        let directory = try Directory()
        let environment = try self.open(directory.path)
        let write = try environment.beginWrite()
        let database = try write.openDatabase("a")
        #expect(try self.append("b", write, database))
        #expect(try !self.append("a", write, database))
        #expect(try !self.append("b", write, database))
        #expect(try self.append("c", write, database))
        try write.commit()
    }

    @Test("says when the map is full, and goes on with a bigger one")
    func mapFull() throws {
        let directory = try Directory()
        let environment = try self.open(directory.path, mapBytes: 256 << 10)
        let value = String(repeating: "x", count: 100_000)
        var write = try environment.beginWrite()
        let database = try write.openDatabase("a")
        try write.commit()
        var reason: LMDBError.Reason?
        do {
            let full = try environment.beginWrite()
            for number in 0..<10 { try self.put("\(number)", value, full, database) }
        } catch let error as LMDBError {
            reason = error.reason
        }
        #expect(reason == .mapFull)
        try environment.growMap(to: 8 << 20)
        write = try environment.beginWrite()
        for number in 0..<10 { try self.put("\(number)", value, write, database) }
        try write.commit()
        let read = try environment.beginRead()
        #expect(try self.get("9", read, database)?.count == 100_000)
    }

    @Test("names the call and the cause of an error")
    func errors() throws {
        let error = #expect(throws: LMDBError.self) { try self.open("/nonexistent") }
        #expect(error?.reason == .system(ENOENT))
        #expect(error?.description == "mdb_env_open: No such file or directory")
    }

    @Test("uses ended read transactions again")
    func parking() throws {
        let directory = try Directory()
        let environment = try self.open(directory.path)
        let write = try environment.beginWrite()
        let database = try write.openDatabase("a")
        try self.put("k", "1", write, database)
        try write.commit()
        // More than there are slots for readers.
        for _ in 0..<2000 {
            let read = try environment.beginRead()
            #expect(try self.get("k", read, database) == "1")
        }
    }
}
