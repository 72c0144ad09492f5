// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Bytes
internal import KeyValueStore

let compactionBehaviors: [Behavior] = [
    Behavior("gives up history before a revision and nothing else") { environment in
        let space = KeySpace(environment, "compact")
        let one = try await space.put("a", "1")
        let two = try await space.put("a", "2")
        try await space.put("b", "1")
        let gone = try await space.delete("b").header.revision
        let three = try await space.put("a", "3")
        _ = try await space.store.compact(CompactionRequest(revision: gone, physical: true))
        try await expectError(.compacted) { try await space.range(revision: one) }
        try await expectError(.compacted) { try await space.range(revision: gone - 1) }
        let at = try await space.range(revision: gone)
        try expectEqual(at.kvs.map(\.modRevision), [two])
        try expectEqual(at.kvs.map(\.value), ["2"])
        let now = try await space.range()
        try expectEqual(now.kvs.map(\.value), ["3"])
        try expectEqual(now.kvs.map(\.version), [3])
        try expectEqual(now.kvs.map(\.createRevision), [one])
        try expectEqual(now.header.revision, three)
        _ = try await space.store.compact(CompactionRequest(revision: three, physical: true))
        try expectEqual(try await space.range().kvs.map(\.value), ["3"])
        try await expectError(.compacted) { try await space.range(revision: gone) }
    },

    Behavior("refuses to compact what is compacted or not there yet") { environment in
        let space = KeySpace(environment, "refused")
        try await space.put("a", "1")
        let revision = try await space.put("a", "2")
        _ = try await space.store.compact(CompactionRequest(revision: revision))
        try await expectError(.compacted) {
            try await space.store.compact(CompactionRequest(revision: revision))
        }
        try await expectError(.compacted) {
            try await space.store.compact(CompactionRequest(revision: revision - 1))
        }
        try await expectError(.futureRevision) {
            try await space.store.compact(CompactionRequest(revision: revision + 1))
        }
    },

    Behavior("refuses compacted revisions inside transactions") { environment in
        let space = KeySpace(environment, "compact-txn")
        let one = try await space.put("a", "1")
        let two = try await space.put("a", "2")
        _ = try await space.store.compact(CompactionRequest(revision: two))
        let range = RequestOp.range(RangeRequest(key: space.key("a"), revision: one))
        try await expectError(.compacted) {
            try await space.store.txn(TxnRequest(success: [range]))
        }
        let put = RequestOp.put(PutRequest(key: space.key("b"), value: "1"))
        try await expectError(.compacted) {
            try await space.store.txn(TxnRequest(success: [put, range]))
        }
        try expect(try await space.get("b") == nil)
    },

    Behavior("has the same hash before and after history is off the disk") { environment in
        let space = KeySpace(environment, "hash")
        for round in 0..<5 {
            for number in 0..<20 { try await space.put("k\(number)", "\(round)") }
        }
        for number in 0..<5 { try await space.delete("k\(number)") }
        let revision = try await space.revision()
        for number in 0..<20 { try await space.put("k\(number)", "new") }
        _ = try await space.store.compact(CompactionRequest(revision: revision))
        let early = try await space.store.hashKV(revision: 0)
        try await space.put("wait", "1")
        let current = early.hashRevision
        try expectEqual(early.compactRevision, revision)
        let deadline = 100
        for _ in 0..<deadline {
            let later = try await space.store.hashKV(revision: current)
            try expectEqual(later.hash, early.hash)
            try expectEqual(later.hashRevision, current)
        }
        try await space.put("k7", "changed")
        try expect(try await space.store.hashKV(revision: 0).hash != early.hash)
    },
]
