// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import Glibc
import KeyValueStore
import KeyValueStoreSuite
import StoreTestSupport
import TestFolders
import Testing

@testable import Engine

@Suite("Store on disk", .serialized)
struct DirectoryTests {
    /// Fills a store with keys of all sizes and closes it.
    private func fill(_ path: String, keys: Int = 300) async throws {
        let store = try openStore(path)
        for number in 0..<keys {
            let size = [10, 500, 1500, 2010, 2020, 5000, 70_000][number % 7]
            let value = Bytes([UInt8](repeating: UInt8(number % 251), count: size))
            _ = try await store.put(PutRequest(key: Bytes(utf8: "key\(number)"), value: value))
        }
        _ = try await store.leaseGrant(LeaseGrantRequest(ttl: 600, id: 5))
        _ = try await store.put(PutRequest(key: "leased", value: "1", lease: 5))
        try store.close()
    }

    private func message(_ body: () throws -> Void) -> String {
        do {
            try body()
            return "nothing was thrown"
        } catch let error as BackendError {
            return "\(error)"
        } catch {
            return "another error: \(error)"
        }
    }

    private func openAndClose(_ path: String) throws {
        try openStore(path).close()
    }

    // MARK: - Reopening

    @Test("opens after a crash before the first write")
    func crashBeforeWriting() throws {
        let directory = TemporaryDirectory()
        let path = directory.path + "/store"
        let copyPath = path + ".copy"
        let store = try openStore(path)
        try #require(mkdir(copyPath, 0o700) == 0 && mkdir(copyPath + "/log", 0o700) == 0)
        try self.copy(path + "/data.mdb", copyPath + "/data.mdb")
        for name in try self.logs(path) {
            try self.copy("\(path)/log/\(name)", "\(copyPath)/log/\(name)")
        }
        try store.close()
        try self.openAndClose(copyPath)
    }

    @Test("finds everything again, leases too")
    func reopen() async throws {
        let directory = TemporaryDirectory()
        try await self.fill(directory.path)
        let clock = ManualClock()
        let store = try openStore(directory.path, clock: clock)
        defer { try? store.close() }
        for number in 0..<300 {
            let size = [10, 500, 1500, 2010, 2020, 5000, 70_000][number % 7]
            let read = try await store.range(RangeRequest(key: Bytes(utf8: "key\(number)")))
            let kv = try #require(read.kvs.first)
            #expect(kv.value.count == size)
            #expect(kv.value.allSatisfy { $0 == UInt8(number % 251) })
            #expect(kv.modRevision == Int64(number + 2))
        }
        let lease = try await store.leaseTimeToLive(LeaseTimeToLiveRequest(id: 5, keys: true))
        #expect(lease.ttl == 600)
        #expect(lease.keys == ["leased"])
        clock.advance(seconds: 601)
        let isGone = try await poll {
            try await store.range(RangeRequest(key: "leased")).kvs.isEmpty
        }
        #expect(isGone)
        #expect(try await store.leaseLeases().leases.isEmpty)
    }

    @Test("gives each opening a term of its own and keeps its numbers")
    func identity() async throws {
        let directory = TemporaryDirectory()
        var terms: [UInt64] = []
        for _ in 0..<3 {
            let store = try openStore(directory.path)
            let header = try await store.status().header
            #expect(header.clusterID == 0xC1 && header.memberID == 0xA1)
            terms.append(header.raftTerm)
            try store.close()
        }
        #expect(terms == terms.sorted() && Set(terms).count == 3)
    }

    @Test("goes on with a compaction that was cut short by a restart")
    func compactionAfterRestart() async throws {
        let directory = TemporaryDirectory()
        var options = testOptions()
        options.applyDelay = .seconds(60)
        var store: EmbeddedStore? = try openStore(directory.path, options: options)
        for number in 0..<500 {
            let request = PutRequest(key: Bytes(utf8: "k\(number % 10)"), value: "v")
            _ = try await store?.put(request)
        }
        _ = try await store?.compact(CompactionRequest(revision: 490))
        try store?.close()
        store = nil
        let again = try openStore(directory.path)
        defer { try? again.close() }
        let isDone = try await poll { again.state.withLock { $0.compactedRevision } == 490 }
        #expect(isDone)
        #expect(again.backend.state.recordCount <= 21)
        await #expect(throws: StoreError.compacted) {
            try await again.range(RangeRequest(key: "k1", revision: 489))
        }
    }

    // MARK: - The directory

    @Test("refuses a directory that others may enter, with the cure")
    func permissions() throws {
        let directory = TemporaryDirectory()
        try #require(chmod(directory.path, 0o755) == 0)
        let text = self.message { try self.openAndClose(directory.path) }
        #expect(text.contains("has permissions 755"))
        #expect(text.contains("chmod 700 \(directory.path)"))
        #expect(!text.contains("\n"))
        try #require(chmod(directory.path, 0o700) == 0)
        try self.openAndClose(directory.path)
        var info = stat()
        for name in ["lock", "data.mdb", "lock.mdb", "log/00000001.log"] {
            try #require(stat("\(directory.path)/\(name)", &info) == 0)
            #expect(info.st_mode & 0o077 == 0, "\(name)")
        }
    }

    @Test("makes the directory for its user alone")
    func creates() throws {
        let directory = TemporaryDirectory()
        let path = directory.path + "/new"
        try self.openAndClose(path)
        var info = stat()
        try #require(stat(path, &info) == 0)
        #expect(info.st_mode & 0o777 == 0o700)
    }

    @Test("refuses a directory that is in use, naming it and the process")
    func inUse() throws {
        let directory = TemporaryDirectory()
        let store = try openStore(directory.path)
        defer { try? store.close() }
        let text = self.message { try self.openAndClose(directory.path) }
        let expected =
            "data directory \(directory.path) is in use by another process (pid \(getpid()))"
        #expect(text == expected)
    }

    @Test("refuses what is not a directory, or is somebody else's data")
    func notOurs() throws {
        let directory = TemporaryDirectory()
        let file = directory.path + "/file"
        close(open(file, O_CREAT | O_WRONLY, 0o600))
        #expect(self.message { try self.openAndClose(file) }.contains("is not a directory"))
        let missing = directory.path + "/none/deeper"
        #expect(self.message { try self.openAndClose(missing) }.contains("No such file"))
        let etcd = directory.path + "/etcd"
        try #require(mkdir(etcd, 0o700) == 0 && mkdir(etcd + "/member", 0o700) == 0)
        #expect(self.message { try self.openAndClose(etcd) }.contains("data of an etcd"))
    }

    // MARK: - Damage

    private func flip(_ path: String, at offset: Int) throws {
        let descriptor = open(path, O_RDWR)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        var byte: UInt8 = 0
        try #require(pread(descriptor, &byte, 1, off_t(offset)) == 1)
        byte ^= 0x10
        try #require(pwrite(descriptor, &byte, 1, off_t(offset)) == 1)
    }

    private func size(_ path: String) throws -> Int {
        var info = stat()
        try #require(stat(path, &info) == 0)
        return Int(info.st_size)
    }

    private func copy(_ source: String, _ target: String) throws {
        let input = open(source, O_RDONLY)
        let output = open(target, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        try #require(input >= 0 && output >= 0)
        defer {
            close(input)
            close(output)
        }
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(input, &buffer, buffer.count)
            if count <= 0 { return }
            try #require(write(output, buffer, count) == count)
        }
    }

    /// Everything a client can read, to tell whether it is what was written.
    private func contents(_ path: String) async throws -> RangeResponse {
        let store = try openStore(path)
        defer { try? store.close() }
        var response = try await store.range(RangeRequest(key: [0], rangeEnd: [0]))
        response.header.raftTerm = 0
        return response
    }

    @Test("notices a flipped bit wherever it is, or is not touched by it")
    func flippedBits() async throws {
        let directory = TemporaryDirectory()
        try await self.fill(directory.path, keys: 120)
        let expected = try await self.contents(directory.path)
        let data = directory.path + "/data.mdb"
        let saved = directory.path + "/saved"
        try self.copy(data, saved)
        let bytes = try self.size(saved)
        var random = SeededGenerator(seed: 7)
        var noticed = 0
        let rounds = isLongRun ? 5000 : 250
        for round in 0..<rounds {
            try self.copy(saved, data)
            // The first pages hold what all else hangs on.
            let offset = round % 3 == 0 ? random.below(12 * 4096) : random.below(bytes)
            try self.flip(data, at: offset)
            do {
                let found = try await self.contents(directory.path)
                #expect(found == expected, "offset \(offset)")
            } catch let error as BackendError {
                noticed += 1
                #expect("\(error)".contains(data), "\(error)")
                switch error {
                case .damaged: break
                default: Issue.record("offset \(offset): \(error)")
                }
            }
        }
        #expect(noticed > rounds / 8)
    }

    @Test("notices that the file was cut off")
    func truncated() async throws {
        let directory = TemporaryDirectory()
        try await self.fill(directory.path, keys: 120)
        let data = directory.path + "/data.mdb"
        let saved = directory.path + "/saved"
        try self.copy(data, saved)
        let bytes = try self.size(saved)
        for length in [1, 100, 4096, 8191, 8192, 40_000, 3 * 4096, 1_000_000] {
            try self.copy(saved, data)
            try #require(Glibc.truncate(data, off_t(min(length, bytes - 1))) == 0)
            let text = self.message { try self.openAndClose(directory.path) }
            #expect(text.contains(data), "\(length): \(text)")
        }
    }

    @Test("notices a record that is of another time")
    func staleRecords() async throws {
        let backend = MemoryBackend()
        let store = try EmbeddedStore(backend: backend, options: testOptions())
        _ = try await store.put(PutRequest(key: "a", value: "1"))
        _ = try await store.put(PutRequest(key: "b", value: "1"))
        try store.close()
        // A record that is there and should not be: all checksums are right.
        var batch = TableBatch(state: backend.state)
        batch.deletions = [Revision(main: 2, sub: 0)]
        var state = backend.state
        try backend.apply(batch)
        try EmbeddedStore(backend: backend, options: testOptions()).close()
        state.term += 1
        backend.setState(state)
        let text = self.message { try EmbeddedStore(backend: backend).close() }
        #expect(text.contains("1 records are there, 2 were written"))
    }

    // MARK: - The log

    /// Makes a store whose last writes are in the log only, as after a crash.
    private func leaveInLog(
        _ path: String,
        writes: Int = 40,
        writesDirectly: Bool = true
    ) async throws {
        let copyPath = path + ".copy"
        var options = testOptions()
        options.applyDelay = .seconds(600)
        var backendOptions = testBackendOptions()
        backendOptions.writesLogDirectly = writesDirectly
        let store = try EmbeddedStore(
            backend: try DirectoryBackend(
                opening: path,
                options: backendOptions,
                fresh: testState
            ),
            options: options
        )
        for number in 0..<writes {
            let value = Bytes([UInt8](repeating: 1, count: 3000))
            _ = try await store.put(PutRequest(key: Bytes(utf8: "k\(number)"), value: value))
        }
        // What a crash would leave: the files as they are now.
        try #require(mkdir(copyPath, 0o700) == 0 && mkdir(copyPath + "/log", 0o700) == 0)
        try self.copy(path + "/data.mdb", copyPath + "/data.mdb")
        for name in try self.logs(path) {
            try self.copy("\(path)/log/\(name)", "\(copyPath)/log/\(name)")
        }
        try store.close()
    }

    private func logs(_ path: String) throws -> [String] {
        let handle = try #require(opendir(path + "/log"))
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { buffer in
                String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasSuffix(".log") { names.append(name) }
        }
        return names.sorted()
    }

    @Test("brings back what was only in the log, however it was written", arguments: [true, false])
    func replay(_ writesDirectly: Bool) async throws {
        let directory = TemporaryDirectory()
        let path = directory.path + "/store"
        try await self.leaveInLog(path, writesDirectly: writesDirectly)
        let found = try await self.contents(path + ".copy")
        #expect(found.kvs.count == 40)
        #expect(found.header.revision == 41)
    }

    @Test("takes a torn end of the log for what was never acknowledged")
    func tornEnd() async throws {
        let directory = TemporaryDirectory()
        let path = directory.path + "/store"
        try await self.leaveInLog(path)
        let log = path + ".copy/log/00000001.log"
        // Frames are about 3 kB: this is inside the last one.
        let end = try self.endOfFrames(log)
        try self.flip(log, at: end - 1500)
        let found = try await self.contents(path + ".copy")
        #expect(found.kvs.count == 39)
    }

    private func endOfFrames(_ path: String) throws -> Int {
        var bytes = [UInt8](repeating: 0, count: try self.size(path))
        let descriptor = open(path, O_RDONLY)
        defer { close(descriptor) }
        try #require(read(descriptor, &bytes, bytes.count) == bytes.count)
        return bytes.withUnsafeBytes { buffer in
            var offset = 0
            while let header = Frame.open(UnsafeRawBufferPointer(rebasing: buffer[offset...])) {
                offset += header.totalBytes
            }
            return offset
        }
    }

    @Test("notices damage in the middle of the log")
    func damagedLog() async throws {
        let directory = TemporaryDirectory()
        let path = directory.path + "/store"
        try await self.leaveInLog(path)
        let log = path + ".copy/log/00000001.log"
        try self.flip(log, at: 10_000)
        let text = self.message { try self.openAndClose(path + ".copy") }
        #expect(text.contains(path + ".copy/log"))
        #expect(text.contains("is damaged or missing"))
    }

    @Test("notices that the log is gone")
    func missingLog() async throws {
        let directory = TemporaryDirectory()
        let path = directory.path + "/store"
        try await self.leaveInLog(path)
        for name in try self.logs(path + ".copy") { unlink("\(path).copy/log/\(name)") }
        let text = self.message { try self.openAndClose(path + ".copy") }
        #expect(text.contains("/log is empty"))
        rmdir(path + ".copy/log")
        let text2 = self.message { try self.openAndClose(path + ".copy") }
        #expect(text2.contains("/log is missing"))
    }

    // MARK: - Big records

    @Test("cuts big records into pieces and puts them together again")
    func pieces() async throws {
        let directory = TemporaryDirectory()
        var store: EmbeddedStore? = try openStore(directory.path)
        let sizes = Array(1950...2060) + [4000, 4032, 4033, 6000, 100_000, 1_500_000]
        for size in sizes {
            let value = Bytes((0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) })
            _ = try await store?.put(PutRequest(key: Bytes(utf8: "s\(size)"), value: value))
        }
        try store?.close()
        store = nil
        let again = try await self.contents(directory.path)
        #expect(again.kvs.count == sizes.count)
        for kv in again.kvs {
            let expected = (0..<kv.value.count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            #expect([UInt8](kv.value) == expected)
        }
    }
}
