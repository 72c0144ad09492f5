// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Bytes
internal import KeyValueStore

let rangeBehaviors: [Behavior] = [
    Behavior("reads back what was put, with its revisions") { environment in
        let space = KeySpace(environment, "read")
        let first = try await space.put("a", "1")
        let second = try await space.put("a", "2")
        let third = try await space.put("b", "3")
        try expectEqual(second, first + 1)
        try expectEqual(third, first + 2)
        let a = try require(try await space.get("a"))
        try expectEqual(
            a,
            KeyValue(
                key: space.key("a"),
                createRevision: first,
                modRevision: second,
                version: 2,
                value: "2"
            )
        )
        let response = try await space.range()
        try expectEqual(response.header.revision, third)
        try expectEqual(space.names(response), ["a", "b"])
        try expectEqual(response.count, 2)
        try expect(!response.more)
        try expect(try await space.get("c") == nil)
    },

    Behavior("reads ranges by their ends") { environment in
        let space = KeySpace(environment, "ends")
        for name in ["a", "a/1", "b", "b\u{1}", "c"] { try await space.put(name, name) }
        let cases: [(String, Bytes, [String])] = [
            ("a", Bytes(), ["a"]),
            ("a", space.key("b"), ["a", "a/1"]),
            ("a", RangeEnd.prefix(space.key("a")), ["a", "a/1"]),
            ("b", space.key("b"), []),
            ("c", space.key("a"), []),
            ("", space.end, ["a", "a/1", "b", "b\u{1}", "c"]),
            ("b\u{0}", space.end, ["b\u{1}", "c"]),
            ("d", space.end, []),
            ("x", Bytes(), []),
        ]
        for (name, end, expected) in cases {
            let response = try await space.store.range(
                RangeRequest(key: space.key(name), rangeEnd: end)
            )
            try expectEqual(space.names(response), expected)
            try expectEqual(response.count, Int64(expected.count))
            let counted = try await space.store.range(
                RangeRequest(key: space.key(name), rangeEnd: end, countOnly: true)
            )
            try expectEqual(counted.count, Int64(expected.count))
            try expect(counted.kvs.isEmpty)
        }
        let fromKey = try await space.store.range(
            RangeRequest(key: space.key("b"), rangeEnd: RangeEnd.fromKey)
        )
        let own = fromKey.kvs.filter { $0.key.starts(with: space.start) }
        try expectEqual(own.count, 3)
        try expectEqual(fromKey.count, Int64(fromKey.kvs.count))
        let all = try await space.store.range(
            RangeRequest(key: [0], rangeEnd: RangeEnd.fromKey, countOnly: true)
        )
        try expect(all.count >= 5)
    },

    Behavior("cuts at the limit and says that there is more") { environment in
        let space = KeySpace(environment, "limit")
        for number in 0..<10 { try await space.put("k\(number)", "v") }
        for limit in [1, 9, 10, 11] as [Int64] {
            let response = try await space.store.range(
                RangeRequest(key: space.start, rangeEnd: space.end, limit: limit)
            )
            try expectEqual(response.kvs.count, Int(min(limit, 10)))
            try expectEqual(response.more, limit < 10)
            try expectEqual(response.count, 10)
        }
        let rest = try await space.store.range(
            RangeRequest(key: space.key("k4\u{0}"), rangeEnd: space.end, limit: 2)
        )
        try expectEqual(space.names(rest), ["k5", "k6"])
        try expectEqual(rest.count, 5)
    },

    Behavior("sorts by every target in both orders") { environment in
        let space = KeySpace(environment, "sort")
        try await space.put("b", "x")
        try await space.put("a", "z")
        try await space.put("c", "y")
        try await space.put("b", "w")
        try await space.put("b", "v")
        try await space.put("a", "u")
        let ascending: [(RangeRequest.SortTarget, [String])] = [
            (.key, ["a", "b", "c"]),
            (.version, ["c", "a", "b"]),
            (.create, ["b", "a", "c"]),
            (.mod, ["c", "b", "a"]),
            (.value, ["a", "b", "c"]),
        ]
        for (target, expected) in ascending {
            for order in RangeRequest.SortOrder.allCases {
                let request = RangeRequest(
                    key: space.start,
                    rangeEnd: space.end,
                    sortOrder: order,
                    sortTarget: target
                )
                let names = space.names(try await space.store.range(request))
                try expectEqual(names, order == .descend ? expected.reversed() : expected)
                var limited = request
                limited.limit = 2
                if order != .none || target == .key {
                    let response = try await space.store.range(limited)
                    try expectEqual(space.names(response), Array(names.prefix(2)))
                    try expect(response.more)
                    try expectEqual(response.count, 3)
                }
            }
        }
    },

    Behavior("leaves keys out by their revisions, and values on request") { environment in
        let space = KeySpace(environment, "filter")
        let a = try await space.put("a", "1")
        let b = try await space.put("b", "1")
        let c = try await space.put("c", "1")
        let a2 = try await space.put("a", "2")
        func names(_ change: (inout RangeRequest) -> Void) async throws -> [String] {
            var request = RangeRequest(key: space.start, rangeEnd: space.end)
            change(&request)
            let response = try await space.store.range(request)
            try expectEqual(response.count, 3)
            return space.names(response)
        }
        try expectEqual(try await names { $0.minModRevision = c }, ["a", "c"])
        try expectEqual(try await names { $0.maxModRevision = c }, ["b", "c"])
        try expectEqual(try await names { $0.minModRevision = a2 + 1 }, [])
        try expectEqual(try await names { $0.minCreateRevision = b }, ["b", "c"])
        try expectEqual(try await names { $0.maxCreateRevision = a }, ["a"])
        try expectEqual(
            try await names {
                $0.minCreateRevision = a
                $0.maxModRevision = b
            },
            ["b"]
        )
        let keys = try await space.store.range(
            RangeRequest(key: space.start, rangeEnd: space.end, keysOnly: true)
        )
        try expectEqual(keys.kvs.map(\.value), [Bytes(), Bytes(), Bytes()])
        try expectEqual(keys.kvs.map(\.version), [2, 1, 1])
        try expectEqual(keys.kvs.map(\.createRevision), [a, b, c])
    },

    Behavior("reads at any revision") { environment in
        let space = KeySpace(environment, "history")
        let before = try await space.revision()
        let one = try await space.put("a", "1")
        let two = try await space.put("a", "2")
        let gone = try await space.delete("a").header.revision
        let three = try await space.put("a", "3")
        try expect(try await space.get("a", revision: before) == nil)
        try expectEqual(try await space.value("a", revision: one), "1")
        try expectEqual(try await space.value("a", revision: two), "2")
        try expect(try await space.get("a", revision: gone) == nil)
        try expectEqual(try await space.value("a", revision: three), "3")
        try expectEqual(try await space.get("a", revision: two)?.version, 2)
        let again = try require(try await space.get("a"))
        try expectEqual(again.version, 1)
        try expectEqual(again.createRevision, three)
        let old = try await space.range(revision: two)
        try expectEqual(old.header.revision, three)
        try expectEqual(old.kvs.map(\.modRevision), [two])
        try expectEqual(try await space.range(revision: -1).kvs.count, 1)
        try await expectError(.futureRevision) { try await space.range(revision: three + 1) }
    },

    Behavior("refuses a range without a key") { environment in
        let store = environment.store
        try await expectError(.emptyKey) { try await store.range(RangeRequest(key: "")) }
        try await expectError(.emptyKey) {
            try await store.range(RangeRequest(key: "", rangeEnd: "a"))
        }
    },

    Behavior("keeps any bytes in keys and values") { environment in
        let space = KeySpace(environment, "bytes")
        var keys: [Bytes] = []
        for byte in UInt8.min...UInt8.max {
            keys.append(Bytes([UInt8](space.start) + [byte]))
            keys.append(Bytes([UInt8](space.start) + [byte, 0]))
            keys.append(Bytes([UInt8](space.start) + [byte, 255]))
        }
        for key in keys.shuffled() {
            _ = try await space.store.put(PutRequest(key: key, value: Bytes(key.reversed())))
        }
        let response = try await space.range()
        try expectEqual(response.kvs.map(\.key), keys)
        for kv in response.kvs { try expectEqual(kv.value, Bytes(kv.key.reversed())) }
        let long = Bytes([UInt8](space.start) + [UInt8](repeating: 200, count: 20_000))
        _ = try await space.store.put(PutRequest(key: long, value: ""))
        let read = try await space.store.range(RangeRequest(key: long))
        try expectEqual(read.kvs.first?.key, long)
        try expectEqual(read.kvs.first?.value, "")
    },

    Behavior("reads many keys as one consistent state") { environment in
        let space = KeySpace(environment, "many")
        let count = 3000
        let names = (0..<count).map { String(100_000 + $0) }
        for start in stride(from: 0, to: count, by: 100) {
            let puts = names[start..<(start + 100)].map {
                RequestOp.put(PutRequest(key: space.key($0), value: Bytes(utf8: $0)))
            }
            _ = try await space.store.txn(TxnRequest(success: puts))
        }
        let revision = try await space.revision()
        for start in stride(from: 0, to: count, by: 300) {
            let deletions = stride(from: start, to: start + 300, by: 3).map {
                RequestOp.deleteRange(DeleteRangeRequest(key: space.key(names[$0])))
            }
            _ = try await space.store.txn(TxnRequest(success: deletions))
        }
        let old = try await space.range(revision: revision)
        try expectEqual(old.kvs.count, count)
        let new = try await space.range()
        try expectEqual(new.kvs.count, count - (count + 2) / 3)
        for kv in new.kvs { try expect(kv.key.ends(with: kv.value)) }
    },

    Behavior("reads ranges that are longer than any buffer") { environment in
        let space = KeySpace(environment, "long")
        let count = 60
        func value(_ number: Int) -> Bytes {
            Bytes([UInt8](repeating: UInt8(number), count: 40_000 + number))
        }
        for number in 0..<count {
            let key = space.key(String(100 + number))
            _ = try await space.store.put(PutRequest(key: key, value: value(number)))
        }
        let revision = try await space.revision()
        _ = try await space.delete("100")
        for (limit, order) in [(0, RangeRequest.SortOrder.none), (0, .descend), (59, .ascend)] {
            let response = try await space.store.range(
                RangeRequest(
                    key: space.start,
                    rangeEnd: space.end,
                    limit: Int64(limit),
                    revision: revision,
                    sortOrder: order
                )
            )
            var numbers = Array(0..<count)
            if order == .descend { numbers.reverse() }
            if limit > 0 { numbers = Array(numbers.prefix(limit)) }
            try expectEqual(space.names(response), numbers.map { String(100 + $0) })
            try expectEqual(response.kvs.map(\.value), numbers.map(value))
            try expectEqual(response.count, Int64(count))
            try expectEqual(response.more, limit > 0)
        }
    },
]

extension Bytes {
    func ends(with other: Bytes) -> Bool {
        self.count >= other.count && self.slice((self.count - other.count)..<self.count) == other
    }
}
