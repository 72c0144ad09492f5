// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import Engine
import Glibc
import KeyValueStore
import Synchronization

// A process that is made to be killed: it opens the store in the directory of its first argument and
// writes, watches, reads and compacts until its end. What it learns it prints at once, a line each:
//
//   open <revision>                     the store is open
//   ack <revision> <key> <value>        a put was acknowledged
//   del <revision> <key>                a deletion was acknowledged
//   event <watcher> <revision> <key> <value or -> <create revision> <version> <previous revision or 0>
//   progress <watcher> <revision>       a watcher was told of progress
//   bad <text>                          something is wrong
//
// Watchers are of four kinds, by their number: of everything, with previous values, without deletions,
// and of a part of the keys that asks for progress.

/// How many do what.
private enum Load {
    static let writers = 32
    static let watchers = 16
    static let keys = 64
}

@Sendable func say(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    // A line is shorter than PIPE_BUF, so lines of several threads do not mix.
    _ = bytes.withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
}

@Sendable func text(_ bytes: Bytes) -> String { String(decoding: bytes, as: UTF8.self) }

/// The greatest acknowledged revision of each key.
final class Floors: Sendable {
    private let floors = Mutex<[Bytes: Int64]>([:])

    func raise(_ key: Bytes, _ revision: Int64) {
        self.floors.withLock { $0[key] = max($0[key] ?? 0, revision) }
    }

    func floor(_ key: Bytes) -> Int64 { self.floors.withLock { $0[key] ?? 0 } }
}

let directory = CommandLine.arguments[1]
let run = CommandLine.arguments[2]
var backendOptions = DirectoryBackend.Options()
backendOptions.logFileBytes = 1 << 20
var options = StoreOptions()
options.applyDelay = .milliseconds(3)
let backend = try DirectoryBackend(opening: directory, options: backendOptions) {
    TableState(clusterID: 0xC1, memberID: 0xA1)
}
let store = try EmbeddedStore(backend: backend, options: options) { say("bad \($0)") }
let start = try await store.status().header.revision
say("open \(start)")
let floors = Floors()

await withTaskGroup(of: Void.self) { group in
    for watcher in 0..<Load.watchers {
        group.addTask {
            do {
                let stream = try await store.openWatchStream()
                var request = WatchCreateRequest(key: [0], rangeEnd: [0], startRevision: start + 1)
                switch watcher % 4 {
                case 1: request.prevKV = true
                case 2: request.filters = .noDelete
                case 3: (request.key, request.rangeEnd) = ("k2", "k5")
                default: break
                }
                try await stream.create(request)
                while let response = try await stream.next() {
                    if response.isProgressNotify {
                        say("progress \(watcher) \(response.header.revision)")
                    }
                    for event in response.events {
                        let value = event.type == .put ? text(event.kv.value) : "-"
                        say(
                            "event \(watcher) \(event.kv.modRevision) \(text(event.kv.key)) \(value) "
                                + "\(event.kv.createRevision) \(event.kv.version) "
                                + "\(event.prevKV?.modRevision ?? 0)"
                        )
                    }
                    if watcher % 4 == 3, !response.isProgressNotify {
                        try await stream.requestProgress()
                    }
                }
            } catch {
                say("bad watch \(error)")
            }
        }
    }
    for writer in 0..<Load.writers {
        group.addTask {
            var number = 0
            while true {
                let key = Bytes(utf8: "k\((writer * 31 + number * 7) % Load.keys)")
                let value = "\(run).\(writer).\(number)"
                number += 1
                do {
                    if number % 11 == 0 {
                        let response = try await store.deleteRange(DeleteRangeRequest(key: key))
                        if response.deleted > 0 {
                            floors.raise(key, response.header.revision)
                            say("del \(response.header.revision) \(text(key))")
                        }
                    } else if number % 5 == 0 {
                        // Two keys at one revision: watchers are told of both or of neither.
                        let other = Bytes(utf8: "k\((writer * 31 + number * 7 + 1) % Load.keys)")
                        let response = try await store.txn(
                            TxnRequest(
                                success: [key, other].map {
                                    .put(PutRequest(key: $0, value: Bytes(utf8: value)))
                                }
                            )
                        )
                        for key in [key, other] {
                            floors.raise(key, response.header.revision)
                            say("ack \(response.header.revision) \(text(key)) \(value)")
                        }
                    } else {
                        let response = try await store.put(
                            PutRequest(key: key, value: Bytes(utf8: value))
                        )
                        floors.raise(key, response.header.revision)
                        say("ack \(response.header.revision) \(text(key)) \(value)")
                    }
                    let floor = floors.floor(key)
                    let read = try await store.range(RangeRequest(key: key))
                    if read.header.revision < floor { say("bad read \(text(key)) is stale") }
                    if let kv = read.kvs.first, kv.modRevision < floor {
                        say("bad read \(text(key)) at \(kv.modRevision), acknowledged \(floor)")
                    }
                    if writer == 0, number % 50 == 0 {
                        let revision = read.header.revision - 2000
                        if revision > start {
                            _ = try? await store.compact(CompactionRequest(revision: revision))
                        }
                    }
                } catch {
                    say("bad write \(error)")
                    return
                }
            }
        }
    }
}
