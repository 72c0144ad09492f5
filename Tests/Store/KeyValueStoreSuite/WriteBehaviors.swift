// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Bytes
internal import KeyValueStore

let writeBehaviors: [Behavior] = [
    Behavior("answers a put with the key as it was") { environment in
        let space = KeySpace(environment, "prev")
        let none = try await space.store.put(
            PutRequest(key: space.key("a"), value: "1", prevKV: true)
        )
        try expect(none.prevKV == nil)
        let some = try await space.store.put(
            PutRequest(key: space.key("a"), value: "2", prevKV: true)
        )
        try expectEqual(some.prevKV?.value, "1")
        try expectEqual(some.prevKV?.version, 1)
        try await space.delete("a")
        let gone = try await space.store.put(
            PutRequest(key: space.key("a"), value: "3", prevKV: true)
        )
        try expect(gone.prevKV == nil)
    },

    Behavior("keeps value or lease if told to") { environment in
        let space = KeySpace(environment, "ignore")
        let key = space.key("a")
        let revision = try await space.revision()
        try await expectError(.keyNotFound) {
            try await space.store.put(PutRequest(key: key, ignoreValue: true))
        }
        try await expectError(.keyNotFound) {
            try await space.store.put(PutRequest(key: key, value: "1", ignoreLease: true))
        }
        try await expectError(.valueProvided) {
            try await space.store.put(PutRequest(key: key, value: "1", ignoreValue: true))
        }
        try await expectError(.leaseProvided) {
            try await space.store.put(PutRequest(key: key, lease: 1, ignoreLease: true))
        }
        try await expectError(.emptyKey) {
            try await space.store.put(PutRequest(key: "", value: "1"))
        }
        try expectEqual(try await space.revision(), revision)
        let lease = try await space.store.leaseGrant(LeaseGrantRequest(ttl: 600)).id
        try await space.put("a", "1", lease: lease)
        _ = try await space.store.put(PutRequest(key: key, value: "2", ignoreLease: true))
        var kv = try require(try await space.get("a"))
        try expectEqual(kv.value, "2")
        try expectEqual(kv.lease, lease)
        try expectEqual(kv.version, 2)
        _ = try await space.store.put(PutRequest(key: key, ignoreValue: true))
        kv = try require(try await space.get("a"))
        try expectEqual(kv.value, "2")
        try expectEqual(kv.lease, 0)
        try expectEqual(kv.version, 3)
        _ = try await space.store.leaseRevoke(LeaseRevokeRequest(id: lease))
        try expect(try await space.get("a") != nil)
    },

    Behavior("deletes keys and ranges, each in one revision") { environment in
        let space = KeySpace(environment, "delete")
        for name in ["a", "b", "c", "d"] { try await space.put(name, name) }
        let start = try await space.revision()
        let one = try await space.store.deleteRange(
            DeleteRangeRequest(key: space.key("b"), prevKV: true)
        )
        try expectEqual(one.deleted, 1)
        try expectEqual(one.prevKVs.map(\.value), ["b"])
        try expectEqual(one.header.revision, start + 1)
        let none = try await space.delete("b")
        try expectEqual(none.deleted, 0)
        try expectEqual(none.header.revision, start + 1)
        let rest = try await space.store.deleteRange(
            DeleteRangeRequest(key: space.start, rangeEnd: space.end, prevKV: true)
        )
        try expectEqual(rest.deleted, 3)
        try expectEqual(rest.prevKVs.map(\.value), ["a", "c", "d"])
        try expectEqual(rest.header.revision, start + 2)
        try expectEqual(try await space.range().count, 0)
        try expectEqual(try await space.range(revision: start).count, 4)
        try await expectError(.emptyKey) {
            try await space.store.deleteRange(DeleteRangeRequest(key: ""))
        }
        let empty = try await space.store.deleteRange(
            DeleteRangeRequest(key: space.key("z"), rangeEnd: space.key("a"))
        )
        try expectEqual(empty.deleted, 0)
    },

    Behavior("takes requests up to the limit and refuses bigger ones") { environment in
        let space = KeySpace(environment, "size")
        let limit = StoreLimits().maximumRequestBytes
        // Well inside: what exactly counts for the limit differs by a few bytes.
        let big = Bytes([UInt8](repeating: 7, count: limit - 1024))
        let revision = try await space.store.put(PutRequest(key: space.key("a"), value: big))
            .header.revision
        let read = try await space.store.range(RangeRequest(key: space.key("a")))
        try expectEqual(read.kvs.first?.value, big)
        let tooBig = Bytes([UInt8](repeating: 7, count: limit + 1024))
        try await expectError(.requestTooLarge) {
            try await space.store.put(PutRequest(key: space.key("a"), value: tooBig))
        }
        let half = Bytes([UInt8](repeating: 7, count: limit / 2 + 1024))
        try await expectError(.requestTooLarge) {
            try await space.store.txn(
                TxnRequest(
                    success: [
                        .put(PutRequest(key: space.key("a"), value: half)),
                        .put(PutRequest(key: space.key("b"), value: half)),
                    ]
                )
            )
        }
        try expectEqual(try await space.revision(), revision)
    },

    Behavior("lets writers race without losing anything") { environment in
        let space = KeySpace(environment, "race")
        let store = environment.store
        let writers = 16
        let rounds = 25
        let key = space.key("counter")
        _ = try await store.put(PutRequest(key: key, value: "0"))
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<writers {
                group.addTask {
                    var retries = 0
                    for _ in 0..<rounds {
                        while true {
                            let read = try await store.range(RangeRequest(key: key))
                            let kv = try require(read.kvs.first)
                            let number = Int(String(decoding: kv.value, as: UTF8.self)) ?? 0
                            let next = Bytes(utf8: String(number + 1))
                            let response = try await store.txn(
                                TxnRequest(
                                    compare: [
                                        Compare(key: key, operand: .modRevision(kv.modRevision))
                                    ],
                                    success: [.put(PutRequest(key: key, value: next))]
                                )
                            )
                            if response.succeeded { break }
                            retries += 1
                        }
                    }
                    return retries
                }
            }
            for try await _ in group {}
        }
        let kv = try require(try await space.get("counter"))
        try expectEqual(String(decoding: kv.value, as: UTF8.self), String(writers * rounds))
        try expectEqual(kv.version, Int64(writers * rounds + 1))
    },
]
