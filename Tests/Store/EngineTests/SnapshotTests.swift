// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import Glibc
import KeyValueStore
import StoreTestSupport
import TestFolders
import Testing

@testable import Engine

/// Debian's `etcd-client` and `etcd-server`, if they are installed.
private enum Peer {
    static let etcdctl = Program.find("etcdctl")
    static let etcd = Program.find("etcd")
}

@Suite("Snapshots", .serialized)
struct SnapshotTests {
    /// Saves a snapshot to a file; answers its revision.
    private func save(_ store: EmbeddedStore, _ path: String) async throws -> Int64 {
        let stream = try await store.openSnapshot()
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        var total: UInt64 = 0
        while let part = try await stream.next() {
            let written = part.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            try #require(written == part.count)
            total += UInt64(part.count)
        }
        #expect(total == stream.totalBytes)
        return stream.revision
    }

    private func restoreOptions() -> SnapshotFile.Options {
        var options = SnapshotFile.Options(clusterID: 7, memberID: 8)
        options.backend = testBackendOptions()
        return options
    }

    /// Everything of a store but who it is.
    private func contents(
        _ store: EmbeddedStore,
        revision: Int64 = 0
    ) async throws -> RangeResponse {
        var response = try await store.range(
            RangeRequest(key: [0], rangeEnd: [0], revision: revision)
        )
        response.header = ResponseHeader()
        return response
    }

    private func fill(_ store: EmbeddedStore, rounds: Int = 3) async throws {
        for round in 0..<rounds {
            for number in 0..<150 {
                let size = [0, 100, 1000, 4100, 9_000, 120_000][number % 25 == 0 ? 5 : number % 5]
                let value = Bytes([UInt8](repeating: UInt8(round), count: size))
                let key = Bytes(utf8: "k\(number)")
                _ = try await store.put(PutRequest(key: key, value: value))
            }
        }
        _ = try await store.deleteRange(DeleteRangeRequest(key: "k1", rangeEnd: "k2"))
        _ = try await store.leaseGrant(LeaseGrantRequest(ttl: 500, id: 77))
        _ = try await store.put(PutRequest(key: "leased", value: "1", lease: 77))
    }

    @Test("restore to exactly what was there, history and leases included")
    func roundTrip() async throws {
        let directory = TemporaryDirectory()
        let store = try openStore(directory.path + "/a")
        defer { try? store.close() }
        try await self.fill(store)
        _ = try await store.compact(CompactionRequest(revision: 200))
        let file = directory.path + "/snapshot"
        let revision = try await self.save(store, file)
        let expected = try await self.contents(store)
        let hash = try await store.hashKV(revision: revision)
        let old = try await self.contents(store, revision: 300)
        let restored = try SnapshotFile.restore(
            file,
            into: directory.path + "/b",
            options: self.restoreOptions()
        )
        #expect(restored == revision)
        let copy = try openStore(directory.path + "/b")
        defer { try? copy.close() }
        let header = try await copy.status().header
        #expect(header.revision == revision && header.clusterID == 7 && header.memberID == 8)
        #expect(try await self.contents(copy) == expected)
        #expect(try await self.contents(copy, revision: 300) == old)
        #expect(try await copy.hashKV(revision: revision).hash == hash.hash)
        await #expect(throws: StoreError.compacted) { try await self.contents(copy, revision: 199) }
        let lease = try await copy.leaseTimeToLive(LeaseTimeToLiveRequest(id: 77, keys: true))
        #expect(lease.grantedTTL == 500 && lease.keys == ["leased"])
        let next = try await copy.put(PutRequest(key: "new"))
        #expect(next.header.revision == revision + 1)
        let status = try SnapshotFile.status(file)
        #expect(status.revision == revision)
    }

    @Test("hold one revision while the store is written to and compacted")
    func underLoad() async throws {
        let directory = TemporaryDirectory()
        let store = try openStore(directory.path + "/a")
        defer { try? store.close() }
        try await self.fill(store, rounds: 2)
        let load = Task {
            var number = 0
            while !Task.isCancelled {
                let key = Bytes(utf8: "k\(number % 200)")
                let revision = try await store.put(PutRequest(key: key, value: "load"))
                    .header.revision
                if number % 40 == 39 {
                    _ = try await store.compact(CompactionRequest(revision: revision - 20))
                }
                number += 1
            }
        }
        for round in 0..<5 {
            try await Task.sleep(for: .milliseconds(20))
            let file = directory.path + "/snapshot"
            let revision = try await self.save(store, file)
            let target = directory.path + "/b\(round)"
            let restored = try SnapshotFile.restore(
                file,
                into: target,
                options: self.restoreOptions()
            )
            #expect(restored == revision)
            let copy = try openStore(target)
            let response = try await self.contents(copy)
            #expect(response.kvs.allSatisfy { $0.modRevision <= revision })
            #expect(response.kvs.contains { $0.modRevision == revision })
            #expect(copy.state.withLock { $0.index.defect() } == nil)
            try copy.close()
        }
        load.cancel()
        _ = try? await load.value
        // What was kept for the snapshots goes once they are read.
        let revision = try await store.status().header.revision
        _ = try await store.compact(CompactionRequest(revision: revision, physical: true))
        let live = try await store.range(RangeRequest(key: [0], rangeEnd: [0], countOnly: true))
        #expect(store.backend.state.recordCount <= live.count + 1)
    }

    @Test("of an empty store restore to an empty store")
    func empty() async throws {
        let directory = TemporaryDirectory()
        let store = try openStore(directory.path + "/a")
        defer { try? store.close() }
        let file = directory.path + "/snapshot"
        #expect(try await self.save(store, file) == 1)
        let target = directory.path + "/b"
        #expect(try SnapshotFile.restore(file, into: target, options: self.restoreOptions()) == 1)
        let copy = try openStore(target)
        defer { try? copy.close() }
        #expect(try await self.contents(copy).kvs.isEmpty)
        #expect(try await copy.put(PutRequest(key: "a")).header.revision == 2)
    }

    @Test("restore with a later revision if asked to")
    func bump() async throws {
        let directory = TemporaryDirectory()
        let store = try openStore(directory.path + "/a")
        defer { try? store.close() }
        try await self.fill(store, rounds: 1)
        let file = directory.path + "/snapshot"
        let revision = try await self.save(store, file)
        var options = self.restoreOptions()
        options.revisionBump = 1_000_000
        let target = directory.path + "/b"
        let restored = try SnapshotFile.restore(file, into: target, options: options)
        #expect(restored == revision + 1_000_000)
        let copy = try openStore(target)
        defer { try? copy.close() }
        #expect(try await self.contents(copy) == self.contents(store))
        let next = try await copy.put(PutRequest(key: "a"))
        #expect(next.header.revision == revision + 1_000_001)
    }

    @Test("that are damaged are refused, whatever the damage")
    func damage() async throws {
        let directory = TemporaryDirectory()
        let store = try openStore(directory.path + "/a")
        for number in 0..<40 {
            let value = Bytes([UInt8](repeating: UInt8(number), count: number * 50))
            _ = try await store.put(PutRequest(key: Bytes(utf8: "k\(number % 30)"), value: value))
        }
        _ = try await store.leaseGrant(LeaseGrantRequest(ttl: 500, id: 77))
        let file = directory.path + "/snapshot"
        _ = try await self.save(store, file)
        try store.close()
        let descriptor = open(file, O_RDWR)
        defer { close(descriptor) }
        var info = stat()
        try #require(fstat(descriptor, &info) == 0)
        var random = SeededGenerator(seed: 5)
        for round in 0..<(isLongRun ? 3000 : 60) {
            let limit = round % 2 == 0 ? 40_960 : Int(info.st_size)
            let offset = off_t(random.below(limit))
            var byte: UInt8 = 0
            try #require(pread(descriptor, &byte, 1, offset) == 1)
            var changed = byte ^ UInt8(1 << random.below(8))
            try #require(pwrite(descriptor, &changed, 1, offset) == 1)
            #expect(throws: BackendError.self) {
                try SnapshotFile.restore(
                    file,
                    into: directory.path + "/x",
                    options: self.restoreOptions()
                )
            }
            // Without the hash nothing may crash, whatever comes of it.
            var options = self.restoreOptions()
            options.skipsHashCheck = true
            _ = try? SnapshotFile.restore(file, into: directory.path + "/y", options: options)
            _ = try? SnapshotFile.status(file)
            TemporaryDirectory.remove(directory.path + "/x")
            TemporaryDirectory.remove(directory.path + "/y")
            try #require(pwrite(descriptor, &byte, 1, offset) == 1)
        }
    }

    @Test("are not restored over a store")
    func notEmpty() async throws {
        let directory = TemporaryDirectory()
        let store = try openStore(directory.path + "/a")
        try await self.fill(store, rounds: 1)
        let file = directory.path + "/snapshot"
        _ = try await self.save(store, file)
        try store.close()
        #expect(throws: BackendError.self) {
            try SnapshotFile.restore(
                file,
                into: directory.path + "/a",
                options: self.restoreOptions()
            )
        }
    }

    // MARK: - etcd's tools

    private func etcdctl(_ arguments: String...) throws -> (status: Int32, output: String) {
        let path = try #require(Peer.etcdctl)
        return try Program.run(path, arguments, environment: ["ETCDCTL_API=3"])
    }

    @Test("are taken by etcdctl for etcd's", .enabled(if: Peer.etcdctl != nil))
    func etcdctlStatus() async throws {
        let directory = TemporaryDirectory()
        let store = try openStore(directory.path + "/a")
        defer { try? store.close() }
        try await self.fill(store)
        let file = directory.path + "/snapshot"
        let revision = try await self.save(store, file)
        let told = try self.etcdctl("snapshot", "status", file, "-w", "json")
        #expect(told.status == 0, "\(told.output)")
        let status = try SnapshotFile.status(file)
        #expect(told.output.contains("\"hash\":\(status.hash)"), "\(told.output) \(status)")
        #expect(told.output.contains("\"revision\":\(revision)"))
        #expect(told.output.contains("\"totalKey\":\(status.totalKeys)"))
        #expect(told.output.contains("\"totalSize\":\(status.totalBytes)"))
    }

    /// A real etcd on ports of its own.
    private func startEtcd(_ data: String, client: Int, peer: Int) throws -> Program {
        let program = try Program(
            try #require(Peer.etcd),
            [
                "--data-dir", data, "--listen-client-urls", "http://127.0.0.1:\(client)",
                "--advertise-client-urls", "http://127.0.0.1:\(client)", "--listen-peer-urls",
                "http://127.0.0.1:\(peer)", "--initial-advertise-peer-urls",
                "http://127.0.0.1:\(peer)", "--initial-cluster",
                "default=http://127.0.0.1:\(peer)", "--logger", "zap", "--log-outputs",
                "\(data).log",
            ]
        )
        return program
    }

    private func waitFor(_ client: Int) throws {
        for _ in 0..<100 {
            let health = try self.etcdctl(
                "--endpoints=127.0.0.1:\(client)",
                "--command-timeout=500ms",
                "--dial-timeout=500ms",
                "endpoint",
                "health"
            )
            if health.status == 0 { return }
            usleep(50_000)
        }
        Issue.record("etcd did not start")
    }

    @Test(
        "go to a real etcd and come from one",
        .enabled(if: Peer.etcdctl != nil && Peer.etcd != nil)
    )
    func etcdBothWays() async throws {
        let directory = TemporaryDirectory()
        let store = try openStore(directory.path + "/a")
        defer { try? store.close() }
        try await self.fill(store)
        let file = directory.path + "/ours"
        let revision = try await self.save(store, file)
        // Ours to etcd.
        let data = directory.path + "/etcd"
        let peer = try Program.freePort()
        let client = try Program.freePort()
        let restored = try self.etcdctl(
            "snapshot",
            "restore",
            file,
            "--data-dir",
            data,
            "--name",
            "default",
            "--initial-cluster",
            "default=http://127.0.0.1:\(peer)",
            "--initial-advertise-peer-urls",
            "http://127.0.0.1:\(peer)"
        )
        #expect(restored.status == 0, "\(restored.output)")
        let etcd = try self.startEtcd(data, client: client, peer: peer)
        var isStopped = false
        defer { if !isStopped { etcd.stop() } }
        try self.waitFor(client)
        let endpoint = "--endpoints=127.0.0.1:\(client)"
        let expected = try await self.contents(store)
        let keys = try self.etcdctl(endpoint, "get", "", "--from-key", "--keys-only")
        let names = keys.output.split(separator: "\n").map(String.init)
        #expect(names == expected.kvs.map { String(decoding: $0.key, as: UTF8.self) })
        let one = try self.etcdctl(endpoint, "get", "k3", "-w", "json")
        let kv = try #require(expected.kvs.first { $0.key == "k3" })
        #expect(one.output.contains("\"mod_revision\":\(kv.modRevision)"), "\(one.output)")
        #expect(one.output.contains("\"create_revision\":\(kv.createRevision)"))
        let leases = try self.etcdctl(endpoint, "lease", "timetolive", "4d", "--keys")
        #expect(leases.output.contains("granted with TTL(500s)"), "\(leases.output)")
        #expect(leases.output.contains("leased"))
        // And back, with what etcd added.
        _ = try self.etcdctl(endpoint, "put", "from-etcd", "value")
        _ = try self.etcdctl(endpoint, "del", "k3")
        _ = try self.etcdctl(endpoint, "compaction", "\(revision)", "--physical")
        let theirs = directory.path + "/theirs"
        let saved = try self.etcdctl(endpoint, "snapshot", "save", theirs)
        #expect(saved.status == 0, "\(saved.output)")
        etcd.stop()
        isStopped = true
        let back = try SnapshotFile.restore(
            theirs,
            into: directory.path + "/b",
            options: self.restoreOptions()
        )
        #expect(back == revision + 2)
        let copy = try openStore(directory.path + "/b")
        defer { try? copy.close() }
        var now = try await self.contents(copy).kvs
        #expect(now.first { $0.key == "from-etcd" }?.value == "value")
        now.removeAll { $0.key == "from-etcd" }
        #expect(now == expected.kvs.filter { $0.key != "k3" })
        let lease = try await copy.leaseTimeToLive(LeaseTimeToLiveRequest(id: 77, keys: true))
        #expect(lease.keys == ["leased"])
        // The data file as it is, without a hash behind it.
        var options = self.restoreOptions()
        options.skipsHashCheck = true
        let raw = try SnapshotFile.restore(
            data + "/member/snap/db",
            into: directory.path + "/c",
            options: options
        )
        #expect(raw == revision + 2)
    }
}

@Suite("SHA-256 and CRC-32C")
struct DigestTests {
    @Test(
        "are the standard's",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
        ]
    )
    func sha(text: String, digest: String) {
        var sha = SHA256()
        // In pieces of all sizes.
        let bytes = Array(text.utf8)
        var start = 0
        var size = 1
        while start < bytes.count {
            let end = min(start + size, bytes.count)
            bytes[start..<end].withUnsafeBytes { sha.update($0) }
            start = end
            size += 7
        }
        let hex = sha.finish().map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        #expect(hex.joined() == digest)
    }

    @Test("of a million bytes")
    func million() {
        var sha = SHA256()
        let block = [UInt8](repeating: UInt8(ascii: "a"), count: 1000)
        for _ in 0..<1000 { block.withUnsafeBytes { sha.update($0) } }
        let digest = sha.finish()
        #expect(digest.prefix(4) == [0xcd, 0xc7, 0x6e, 0x5c])
        var crc = CRC32C()
        Array("123456789".utf8).withUnsafeBytes { crc.update($0) }
        #expect(crc.value == 0xE306_9283)
    }
}
