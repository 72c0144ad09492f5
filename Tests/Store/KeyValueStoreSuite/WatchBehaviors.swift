// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Bytes
internal import KeyValueStore

extension KeySpace {
    func watch() async throws -> WatchReader {
        WatchReader(try await self.store.openWatchStream())
    }

    /// A watcher of the whole space.
    func everything(
        from revision: Int64 = 0,
        _ change: (inout WatchCreateRequest) -> Void = { _ in }
    ) -> WatchCreateRequest {
        var request = WatchCreateRequest(
            key: self.start,
            rangeEnd: self.end,
            startRevision: revision
        )
        change(&request)
        return request
    }

    /// What an event did, in short.
    func text(_ event: Event) -> String {
        let name = String(decoding: event.kv.key, as: UTF8.self).dropFirst(self.prefix.count)
        let value = String(decoding: event.kv.value, as: UTF8.self)
        return event.type == .put ? "\(name)=\(value)" : "\(name)-"
    }
}

let watchBehaviors: [Behavior] = [
    Behavior("tells changes as they are made") { environment in
        let space = KeySpace(environment, "watch")
        let reader = try await space.watch()
        let created = try await reader.create(space.everything())
        try expect(!created.canceled)
        try expectEqual(created.header.revision, try await space.revision())
        let one = try await space.put("a", "1")
        let two = try await space.put("b", "2")
        let three = try await space.delete("a").header.revision
        let events = try await reader.events(3)
        try expectEqual(events.map { space.text($0) }, ["a=1", "b=2", "a-"])
        try expectEqual(events.map(\.kv.modRevision), [one, two, three])
        try expectEqual(events.map(\.isCreate), [true, true, false])
        try expect(events.allSatisfy { $0.prevKV == nil })
        try expectEqual(
            events[2],
            Event(type: .delete, kv: KeyValue(key: space.key("a"), modRevision: three))
        )
        reader.stream.close()
        try expect(try await reader.stream.next() == nil)
    },

    Behavior("tells changes from a revision in the past, then new ones") { environment in
        let space = KeySpace(environment, "watch-past")
        let one = try await space.put("a", "1")
        try await space.put("a", "2")
        try await space.delete("a")
        try await space.put("a", "3")
        let expected = ["a=1", "a=2", "a-", "a=3", "a=4"]
        for skip in 0..<4 {
            let reader = try await space.watch()
            try await reader.create(space.everything(from: one + Int64(skip)))
            let events = try await reader.events(4 - skip)
            try expectEqual(events.map { space.text($0) }, Array(expected[skip..<4]))
            reader.stream.close()
        }
        let reader = try await space.watch()
        try await reader.create(space.everything(from: one))
        try await space.put("a", "4")
        try expectEqual(try await reader.events(5).map { space.text($0) }, expected)
        reader.stream.close()
    },

    Behavior("tells nothing before a revision in the future") { environment in
        let space = KeySpace(environment, "watch-future")
        let reader = try await space.watch()
        let start = try await space.revision()
        try await reader.create(space.everything(from: start + 3))
        for number in 1...4 { try await space.put("a", "\(number)") }
        let events = try await reader.events(2)
        try expectEqual(events.map { space.text($0) }, ["a=3", "a=4"])
        reader.stream.close()
    },

    Behavior("tells only what is in the range") { environment in
        let space = KeySpace(environment, "watch-range")
        let ranges: [(Bytes, Bytes, [String])] = [
            (space.key("b"), Bytes(), ["b=1", "b-"]),
            (space.key("a"), space.key("b"), ["a=1", "a1=1"]),
            (space.key("b"), RangeEnd.prefix(space.key("b")), ["b=1", "b1=1", "b-"]),
            (space.key("b1"), RangeEnd.fromKey, ["b1=1", "c=1", "end=1"]),
        ]
        var readers: [WatchReader] = []
        for (key, end, _) in ranges {
            let reader = try await space.watch()
            try await reader.create(WatchCreateRequest(key: key, rangeEnd: end))
            readers.append(reader)
        }
        for name in ["a", "a1", "b", "b1", "c"] { try await space.put(name, "1") }
        try await space.delete("b")
        let last = try await space.put("end", "1")
        for (reader, (key, end, expected)) in zip(readers, ranges) {
            let events = try await reader.events(expected.count)
            try expectEqual(events.map { space.text($0) }, expected)
            reader.stream.close()
            // The same from history.
            let late = try await space.watch()
            try await late.create(
                WatchCreateRequest(key: key, rangeEnd: end, startRevision: last - 6)
            )
            let again = try await late.events(expected.count)
            try expectEqual(again.map { space.text($0) }, expected)
            late.stream.close()
        }
    },

    Behavior("leaves out puts or deletions on request") { environment in
        let space = KeySpace(environment, "watch-filter")
        let reader = try await space.watch()
        let start = try await space.revision()
        try await reader.create(
            space.everything {
                $0.filters = .noPut
                $0.watchID = 7
            }
        )
        try await reader.create(
            space.everything {
                $0.filters = .noDelete
                $0.watchID = 8
            }
        )
        try await space.put("a", "1")
        try await space.delete("a")
        try await space.put("b", "1")
        try await space.delete("b")
        func check(_ reader: WatchReader) async throws {
            var seen: [Int64: [String]] = [:]
            var count = 0
            while count < 4 {
                let response = try await reader.next()
                for event in response.events {
                    seen[response.watchID, default: []].append(space.text(event))
                    count += 1
                }
            }
            try expectEqual(seen, [7: ["a-", "b-"], 8: ["a=1", "b=1"]])
            reader.stream.close()
        }
        try await check(reader)
        let late = try await space.watch()
        try await late.stream.create(
            space.everything(from: start + 1) {
                $0.filters = .noPut
                $0.watchID = 7
            }
        )
        try await late.stream.create(
            space.everything(from: start + 1) {
                $0.filters = .noDelete
                $0.watchID = 8
            }
        )
        try await check(late)
    },

    Behavior("gives events the key as it was before") { environment in
        let space = KeySpace(environment, "watch-prev")
        let reader = try await space.watch()
        try await reader.create(space.everything { $0.prevKV = true })
        let start = try await space.put("a", "1")
        try await space.put("a", "2")
        try await space.delete("a")
        try await space.put("a", "3")
        let expected: [String?] = [nil, "1", "2", nil]
        func check(_ events: [Event]) throws {
            try expectEqual(
                events.map { $0.prevKV.map { String(decoding: $0.value, as: UTF8.self) } },
                expected
            )
            try expectEqual(events[1].prevKV?.modRevision, start)
            try expectEqual(events[2].prevKV?.version, 2)
        }
        try check(try await reader.events(4))
        reader.stream.close()
        let late = try await space.watch()
        try await late.create(space.everything(from: start) { $0.prevKV = true })
        try check(try await late.events(4))
        late.stream.close()
    },

    Behavior("tells all changes of a transaction together") { environment in
        let space = KeySpace(environment, "watch-txn")
        let reader = try await space.watch()
        try await reader.create(space.everything())
        let names = (0..<20).map { String(10 + $0) }
        let response = try await space.store.txn(
            TxnRequest(
                success: names.map { .put(PutRequest(key: space.key($0), value: "1")) }
            )
        )
        let told = try await reader.next()
        try expectEqual(told.events.map { space.text($0) }, names.map { "\($0)=1" })
        try expect(told.events.allSatisfy { $0.kv.modRevision == response.header.revision })
        try expect(!told.fragment)
        _ = try await space.store.deleteRange(
            DeleteRangeRequest(key: space.start, rangeEnd: space.end)
        )
        let gone = try await reader.next()
        try expectEqual(gone.events.map { space.text($0) }, names.map { "\($0)-" })
        reader.stream.close()
        let late = try await space.watch()
        try await late.create(space.everything(from: response.header.revision))
        try expectEqual(try await late.events(40).count, 40)
        late.stream.close()
    },

    Behavior("numbers watchers and ends them on request") { environment in
        let space = KeySpace(environment, "watch-cancel")
        let reader = try await space.watch()
        let first = try await reader.create(space.everything())
        let second = try await reader.create(space.everything())
        try expect(first.watchID != second.watchID)
        let chosen = try await reader.create(space.everything { $0.watchID = 77 })
        try expectEqual(chosen.watchID, 77)
        let duplicate = try await reader.create(space.everything { $0.watchID = 77 })
        try expect(duplicate.canceled)
        try expectEqual(duplicate.watchID, WatchResponse.noWatchID)
        try expect(duplicate.cancelReason.contains("duplicate watch ID"))
        let empty = try await reader.create(
            WatchCreateRequest(key: space.key("b"), rangeEnd: space.key("a"))
        )
        try expect(empty.canceled)
        try await reader.stream.cancel(first.watchID)
        try await reader.stream.cancel(77)
        try await reader.stream.cancel(12_345)
        let ended = [try await reader.next(), try await reader.next()]
        try expect(ended.allSatisfy(\.canceled))
        try expectEqual(ended.map(\.watchID), [first.watchID, 77])
        try await space.put("a", "1")
        let told = try await reader.next()
        try expectEqual(told.watchID, second.watchID)
        try expectEqual(told.events.count, 1)
        reader.stream.close()
    },

    Behavior("ends a watcher whose start is compacted") { environment in
        let space = KeySpace(environment, "watch-compacted")
        let one = try await space.put("a", "1")
        try await space.put("a", "2")
        let three = try await space.put("a", "3")
        _ = try await space.store.compact(CompactionRequest(revision: three))
        let reader = try await space.watch()
        try await reader.create(space.everything(from: one))
        let ended = try await reader.next()
        try expect(ended.canceled)
        try expectEqual(ended.compactRevision, three)
        try await reader.create(space.everything(from: three))
        try expectEqual(try await reader.events(1).map { space.text($0) }, ["a=3"])
        reader.stream.close()
    },

    Behavior("still tells a deletion at the revision that was compacted to") { environment in
        let space = KeySpace(environment, "watch-tombstone")
        try await space.put("a", "1")
        let gone = try await space.delete("a").header.revision
        _ = try await space.store.compact(CompactionRequest(revision: gone, physical: true))
        let reader = try await space.watch()
        try await reader.create(space.everything(from: gone) { $0.prevKV = true })
        let events = try await reader.events(1)
        try expectEqual(events.map { space.text($0) }, ["a-"])
        try expect(events[0].prevKV == nil)
        reader.stream.close()
        let next = try await space.put("b", "1")
        _ = try await space.store.compact(CompactionRequest(revision: next, physical: true))
        try expectEqual(space.names(try await space.range()), ["b"])
    },

    Behavior("tells progress only when everything before has been told") { environment in
        let space = KeySpace(environment, "watch-progress")
        let start = try await space.revision()
        for number in 0..<200 { try await space.put("k\(number % 7)", "\(number)") }
        let reader = try await space.watch()
        try await reader.stream.create(space.everything(from: start + 1))
        try await reader.stream.requestProgress()
        var told: Int64 = 0
        while true {
            let response = try await reader.next()
            if let last = response.events.last {
                told = last.kv.modRevision
                // A store may leave a request unanswered that comes too early.
                if told == start + 200 { try await reader.stream.requestProgress() }
            } else if response.isProgressNotify {
                try expectEqual(response.watchID, WatchResponse.noWatchID)
                try expectEqual(response.header.revision, told)
                try expectEqual(told, start + 200)
                break
            }
        }
        let later = try await space.put("k", "x")
        try await reader.stream.requestProgress()
        var sawEvent = false
        while true {
            let response = try await reader.next()
            if !response.events.isEmpty { sawEvent = true }
            if response.isProgressNotify, response.header.revision >= later {
                try expect(sawEvent, "progress came before the event")
                break
            }
        }
        reader.stream.close()
    },

    Behavior("splits what is too big for one message if asked to") { environment in
        let space = KeySpace(environment, "watch-fragment")
        let value = Bytes([UInt8](repeating: 65, count: 500_000))
        let start = try await space.revision()
        for name in ["a", "b", "c"] {
            _ = try await space.store.put(PutRequest(key: space.key(name), value: value))
        }
        // Each deletion brings its previous value: more than a message takes.
        _ = try await space.store.put(PutRequest(key: space.key("d"), value: value))
        _ = try await space.store.put(PutRequest(key: space.key("e"), value: value))
        _ = try await space.store.deleteRange(
            DeleteRangeRequest(key: space.start, rangeEnd: space.end)
        )
        let reader = try await space.watch()
        try await reader.create(
            space.everything(from: start + 6) {
                $0.prevKV = true
                $0.fragment = true
            }
        )
        var names: [String] = []
        var responses = 0
        while names.count < 5 {
            let response = try await reader.next()
            if response.events.isEmpty { continue }
            responses += 1
            names.append(contentsOf: response.events.map { space.text($0) })
            try expectEqual(response.fragment, names.count < 5)
            try expect(response.events.encoded.count <= 2_100_000)
        }
        try expectEqual(names, ["a-", "b-", "c-", "d-", "e-"])
        try expect(responses > 1)
        reader.stream.close()
    },

    Behavior("serves many watchers of many streams") { environment in
        let space = KeySpace(environment, "watch-many")
        var readers: [WatchReader] = []
        for _ in 0..<20 {
            let reader = try await space.watch()
            for _ in 0..<5 { try await reader.create(space.everything()) }
            readers.append(reader)
        }
        for number in 0..<50 { try await space.put("k\(number % 5)", "\(number)") }
        for reader in readers {
            var seen: [Int64: Int] = [:]
            while seen.values.reduce(0, +) < 250 {
                let response = try await reader.next()
                for event in response.events {
                    let number = seen[response.watchID, default: 0]
                    try expectEqual(space.text(event), "k\(number % 5)=\(number)")
                    seen[response.watchID] = number + 1
                }
            }
            try expectEqual(Array(seen.values), [50, 50, 50, 50, 50])
            reader.stream.close()
        }
    },

    Behavior("keeps its promises to watchers while everything happens at once") { environment in
        let space = KeySpace(environment, "watch-storm")
        let start = try await space.revision()
        let (writes, told) = try await withThrowingTaskGroup(of: StormResult.self) { group in
            for watcher in 0..<8 {
                group.addTask { try await follow(space, from: start + 1, number: watcher) }
            }
            group.addTask {
                var writes = try await storm(space)
                let end = try await space.put("end", "1")
                writes.append(
                    RecordedWrite(revision: end, changes: [(space.key("end"), "1")])
                )
                return .writes(writes)
            }
            var writes: [RecordedWrite] = []
            var told: [Told] = []
            for try await result in group {
                switch result {
                case .writes(let made): writes = made
                case .told(let parts): told.append(contentsOf: parts)
                }
            }
            return (writes, told)
        }
        let checker = WatchChecker(writes: writes)
        for part in told {
            try checker.check(part.responses, part.request, through: part.last)
        }
        try expect(told.count > 8, "no watcher was restarted")
    },
]

/// What a watcher was told between two restarts.
private struct Told {
    var request: WatchCreateRequest
    var responses: [WatchResponse]
    var last: Int64
}

private enum StormResult {
    case writes([RecordedWrite])
    case told([Told])
}

/// Writes from several tasks at once; answers every write.
private func storm(_ space: KeySpace) async throws -> [RecordedWrite] {
    try await withThrowingTaskGroup(of: [RecordedWrite].self) { group in
        for writer in 0..<6 {
            group.addTask {
                var writes: [RecordedWrite] = []
                for round in 0..<150 {
                    let name = "k\((writer * 7 + round) % 11)"
                    let value = Bytes(utf8: "\(writer)-\(round)")
                    if round % 5 == 4 {
                        let response = try await space.delete(name)
                        if response.deleted == 0 { continue }
                        writes.append(
                            RecordedWrite(
                                revision: response.header.revision,
                                changes: [(space.key(name), nil)]
                            )
                        )
                        continue
                    }
                    let names = round % 7 == 3 ? ["x", "y", name] : [name]
                    let puts = names.map {
                        RequestOp.put(PutRequest(key: space.key($0), value: value))
                    }
                    let response = try await space.store.txn(TxnRequest(success: puts))
                    writes.append(
                        RecordedWrite(
                            revision: response.header.revision,
                            changes: names.map { (space.key($0), value) }
                        )
                    )
                }
                return writes
            }
        }
        var writes: [RecordedWrite] = []
        for try await part in group { writes.append(contentsOf: part) }
        return writes
    }
}

/// Watches until the end mark, opening a new stream now and then that goes on where the last one
/// was left.
private func follow(
    _ space: KeySpace,
    from start: Int64,
    number: Int
) async throws -> StormResult {
    var told: [Told] = []
    var next = start
    while true {
        let reader = try await space.watch()
        defer { reader.stream.close() }
        let request = space.everything(from: next) {
            $0.prevKV = number % 2 == 0
            $0.filters = number % 4 == 3 ? .noDelete : []
        }
        try await reader.create(request)
        var part = Told(request: request, responses: [], last: next - 1)
        var count = 0
        while count < 60 + number * 17 {
            let response = try await reader.next()
            part.responses.append(response)
            guard let last = response.events.last else { continue }
            part.last = last.kv.modRevision
            next = last.kv.modRevision + 1
            count += response.events.count
            if count % 9 == 0 { try await reader.stream.requestProgress() }
            if last.kv.key == space.key("end") {
                told.append(part)
                return .told(told)
            }
        }
        told.append(part)
    }
}
