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

@Suite("Store killed at random moments", .serialized)
struct CrashTests {
    static let rounds = isLongRun ? 500 : 20

    /// What a killed process had printed.
    struct Account {
        struct Write {
            var revision: Int64
            var key: Bytes
            var value: Bytes?
        }

        /// What a watcher was told.
        enum Sight {
            case event(Write, createRevision: Int64, version: Int64, previous: Int64)
            case progress(Int64)
        }

        var start: Int64?
        var acknowledged: [Write] = []
        var seen: [Int: [Sight]] = [:]
        var complaints: [String] = []

        init(_ output: [UInt8]) {
            // The last line may be cut off.
            let lines = output.split(separator: 10, omittingEmptySubsequences: true)
            let whole = output.last == 10 ? lines[...] : lines.dropLast()
            for line in whole {
                let words = line.split(separator: 32).map { String(decoding: $0, as: UTF8.self) }
                switch words.first {
                case "open" where words.count == 2: self.start = Int64(words[1])
                case "ack" where words.count == 4:
                    self.acknowledged.append(Self.write(words[1], words[2], words[3]))
                case "del" where words.count == 3:
                    self.acknowledged.append(Self.write(words[1], words[2], nil))
                case "event" where words.count == 8:
                    let value = words[4] == "-" ? nil : words[4]
                    let sight = Sight.event(
                        Self.write(words[2], words[3], value),
                        createRevision: Int64(words[5]) ?? -1,
                        version: Int64(words[6]) ?? -1,
                        previous: Int64(words[7]) ?? -1
                    )
                    self.seen[Int(words[1]) ?? -1, default: []].append(sight)
                case "progress" where words.count == 3:
                    let sight = Sight.progress(Int64(words[2]) ?? -1)
                    self.seen[Int(words[1]) ?? -1, default: []].append(sight)
                default: self.complaints.append(words.joined(separator: " "))
                }
            }
        }

        private static func write(_ revision: String, _ key: String, _ value: String?) -> Write {
            Write(
                revision: Int64(revision) ?? -1,
                key: Bytes(utf8: key),
                value: value.map { Bytes(utf8: $0) }
            )
        }
    }

    /// The program beside the test bundle.
    static var childPath: String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        let path = buffer.prefix(max(count, 0)).map { UInt8(bitPattern: $0) }
        let own = String(decoding: path, as: UTF8.self)
        // swift-testing may run in a helper of the toolchain: the bundle is an argument then.
        let candidates = [own] + CommandLine.arguments
        for candidate in candidates {
            guard let slash = candidate.lastIndex(of: "/") else { continue }
            let path = String(candidate[..<slash]) + "/StoreCrashChild"
            if access(path, X_OK) == 0 { return path }
        }
        return "StoreCrashChild"
    }

    /// Runs the program, kills it some time after it has opened the store, and answers what it
    /// printed.
    static func runAndKill(
        _ directory: String,
        round: Int,
        after microseconds: Int
    ) throws -> [UInt8] {
        let program = try Program(Self.childPath, [directory, "r\(round)"])
        defer { close(program.output) }
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        var deadline: UInt64?
        var isKilled = false
        while true {
            if !isKilled, let deadline, Self.now() >= deadline {
                kill(program.pid, SIGKILL)
                isKilled = true
            }
            var poller = pollfd(fd: program.output, events: Int16(POLLIN), revents: 0)
            let ready = poll(&poller, 1, 1)
            if ready <= 0 { continue }
            let count = buffer.withUnsafeMutableBytes {
                read(program.output, $0.baseAddress, $0.count)
            }
            if count <= 0 { break }
            output.append(contentsOf: buffer[..<count])
            if deadline == nil { deadline = Self.now() + UInt64(microseconds) }
        }
        var status: Int32 = 0
        waitpid(program.pid, &status, 0)
        return output
    }

    private static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1000
    }

    @Test("has every acknowledged write and every event that was seen")
    func killLoop() async throws {
        let directory = TemporaryDirectory()
        var random = SeededGenerator(seed: 42)
        var last: Int64 = 1
        var total = 0
        for round in 0..<Self.rounds {
            let wait = random.below(round % 5 == 0 ? 20_000 : 250_000)
            let output = try Self.runAndKill(directory.path, round: round, after: wait)
            let account = Account(output)
            #expect(account.complaints.isEmpty, "round \(round)")
            total += account.acknowledged.count
            last = try await self.check(directory.path, account, last, "round \(round)")
        }
        #expect(total > Self.rounds * 10, "the processes hardly got to write")
    }

    private func check(
        _ path: String,
        _ account: Account,
        _ before: Int64,
        _ comment: String
    ) async throws -> Int64 {
        let store = try openStore(path)
        defer { try? store.close() }
        #expect(store.state.withLock { $0.index.defect() } == nil, "\(comment)")
        let last = try await store.status().header.revision
        if let start = account.start {
            #expect(start >= before, "\(comment): the revision ran back")
        }
        let compactRevision = store.state.withLock { $0.compactRevision }
        for write in account.acknowledged {
            #expect(write.revision <= last, "\(comment): an acknowledged write is gone")
            if write.revision < compactRevision { continue }
            let read = try await store.range(
                RangeRequest(key: write.key, revision: write.revision)
            )
            let kv = read.kvs.first
            #expect(kv?.value == write.value, "\(comment): revision \(write.revision)")
            if write.value != nil { #expect(kv?.modRevision == write.revision) }
        }
        // What each watcher saw is what is there, without gap, as far as it got.
        let first = max((account.start ?? last) + 1, compactRevision)
        let history = try await self.history(store, from: first, through: last)
        for (watcher, seen) in account.seen {
            let problem = Self.problem(seen, watcher, history, from: first)
            #expect(problem == nil, "\(comment): watcher \(watcher)")
        }
        return last
    }

    /// What breaks the promises to watchers (ordered, unique, atomic, reliable, resumable,
    /// bookmarkable; previous values, create and modify, filters); nil if nothing does.
    ///
    /// - Parameters:
    ///   - seen: What the watcher was told, in order.
    ///   - watcher: Its number, which says what it asked for; see `StoreCrashChild`.
    ///   - history: Everything that happened.
    ///   - first: Where both begin.
    private static func problem(
        _ seen: [Account.Sight],
        _ watcher: Int,
        _ history: [Event],
        from first: Int64
    ) -> String? {
        let due = history.filter { event in
            switch watcher % 4 {
            case 2: event.type == .put
            case 3: event.kv.key >= "k2" && event.kv.key < "k5"
            default: true
            }
        }
        var position = 0
        for sight in seen {
            switch sight {
            case .progress(let revision):
                if position < due.count, due[position].kv.modRevision <= revision {
                    return "progress \(revision) before event \(due[position].kv.modRevision)"
                }
            case .event(let write, let createRevision, let version, let previous):
                if write.revision < first { continue }
                guard position < due.count else { return "event \(write.revision) is not there" }
                let event = due[position]
                position += 1
                let value = event.type == .put ? event.kv.value : nil
                guard write.revision == event.kv.modRevision, write.key == event.kv.key,
                    write.value == value, createRevision == event.kv.createRevision,
                    version == event.kv.version
                else { return "\(write) instead of \(event.kv)" }
                if watcher % 4 == 1, let before = event.prevKV, previous != before.modRevision {
                    return "previous revision \(previous) instead of \(before.modRevision)"
                }
            }
        }
        return nil
    }

    private func history(
        _ store: EmbeddedStore,
        from first: Int64,
        through last: Int64
    ) async throws -> [Event] {
        if first > last { return [] }
        let reader = WatchReader(try await store.openWatchStream())
        defer { reader.stream.close() }
        try await reader.create(
            WatchCreateRequest(key: [0], rangeEnd: [0], startRevision: first, prevKV: true)
        )
        var events: [Event] = []
        while events.last.map({ $0.kv.modRevision < last }) ?? true {
            events.append(contentsOf: try await reader.events(1))
        }
        return events
    }
}
