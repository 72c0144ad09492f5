// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Bytes
internal import KeyValueStore

let maintenanceBehaviors: [Behavior] = [
    Behavior("says who it is and how it is") { environment in
        let space = KeySpace(environment, "status")
        let revision = try await space.put("a", "1")
        let status = try await environment.store.status()
        try expectEqual(status.header.revision, revision)
        try expect(status.header.memberID != 0)
        try expect(status.header.clusterID != 0)
        try expectEqual(status.leader, status.header.memberID)
        try expect(status.version.split(separator: ".").count == 3)
        try expect(status.raftTerm > 0)
        try expect(status.databaseBytes >= status.databaseBytesInUse)
        try expect(!status.isLearner)
        let other = try await environment.store.status()
        try expectEqual(other.header.clusterID, status.header.clusterID)
    },

    Behavior("refuses growth while the alarm for space is raised") { environment in
        let space = KeySpace(environment, "alarm")
        let store = environment.store
        try await space.put("a", "1")
        let member = try await store.status().header.memberID
        try expectEqual(try await store.alarm(AlarmRequest()).alarms, [])
        let raised = try await store.alarm(
            AlarmRequest(action: .activate, memberID: member, alarm: .noSpace)
        )
        let expected = [AlarmMember(memberID: member, alarm: .noSpace)]
        try expectEqual(raised.alarms, expected)
        try expectEqual(try await store.alarm(AlarmRequest()).alarms, expected)
        try await expectError(.noSpace) { try await space.put("a", "2") }
        try await expectError(.noSpace) {
            try await store.leaseGrant(LeaseGrantRequest(ttl: 60))
        }
        try await expectError(.noSpace) {
            let put = RequestOp.put(PutRequest(key: space.key("b"), value: "1"))
            return try await store.txn(TxnRequest(success: [put]))
        }
        try expectEqual(try await space.value("a"), "1")
        try expectEqual(try await space.delete("a").deleted, 1)
        let cleared = try await store.alarm(
            AlarmRequest(action: .deactivate, memberID: member, alarm: .noSpace)
        )
        try expectEqual(cleared.alarms, expected)
        try await space.put("a", "3")
        try expectEqual(try await store.alarm(AlarmRequest()).alarms, [])
    },

    Behavior("hashes the same state to the same number") { environment in
        let space = KeySpace(environment, "hashkv")
        let revision = try await space.put("a", "1")
        let one = try await environment.store.hashKV(revision: 0)
        let two = try await environment.store.hashKV(revision: revision)
        try expectEqual(one.hash, two.hash)
        try await space.put("a", "2")
        let three = try await environment.store.hashKV(revision: revision)
        try expectEqual(three.hash, one.hash)
        let four = try await environment.store.hashKV(revision: 0)
        try expect(four.hash != one.hash)
        try await expectError(.futureRevision) {
            try await environment.store.hashKV(revision: revision + 100)
        }
    },

    Behavior("has nothing to defragment, or does it") { environment in
        let space = KeySpace(environment, "defragment")
        let revision = try await space.put("a", "1")
        _ = try await environment.store.defragment()
        try expectEqual(try await space.value("a"), "1")
        try expectEqual(try await space.revision(), revision)
    },
]
