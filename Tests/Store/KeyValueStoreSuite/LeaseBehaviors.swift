// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Bytes
internal import KeyValueStore

let leaseBehaviors: [Behavior] = [
    Behavior("grants, lists and revokes leases") { environment in
        let space = KeySpace(environment, "lease")
        let store = environment.store
        let granted = try await store.leaseGrant(LeaseGrantRequest(ttl: 600))
        try expect(granted.id != 0)
        try expectEqual(granted.ttl, 600)
        let id = granted.id ^ 0x55AA
        let chosen = try await store.leaseGrant(LeaseGrantRequest(ttl: 700, id: id))
        try expectEqual(chosen.id, id)
        try await expectError(.leaseExist) {
            try await store.leaseGrant(LeaseGrantRequest(ttl: 700, id: id))
        }
        try await expectError(.leaseTTLTooLarge) {
            try await store.leaseGrant(LeaseGrantRequest(ttl: 9_000_000_001))
        }
        let listed = try await store.leaseLeases().leases
        try expect(listed.contains(granted.id) && listed.contains(id))
        let revision = try await space.revision()
        _ = try await store.leaseRevoke(LeaseRevokeRequest(id: id))
        try expectEqual(try await space.revision(), revision)
        try expect(try await !store.leaseLeases().leases.contains(id))
        try await expectError(.leaseNotFound) {
            try await store.leaseRevoke(LeaseRevokeRequest(id: id))
        }
        _ = try await store.leaseRevoke(LeaseRevokeRequest(id: granted.id))
    },

    Behavior("ends the keys of a lease in one revision") { environment in
        let space = KeySpace(environment, "lease-keys")
        let store = environment.store
        let lease = try await store.leaseGrant(LeaseGrantRequest(ttl: 600)).id
        let other = try await store.leaseGrant(LeaseGrantRequest(ttl: 600)).id
        for name in ["b", "a", "c", "d", "e"] { try await space.put(name, "1", lease: lease) }
        try await space.put("c", "2")
        try await space.put("d", "2", lease: other)
        try await space.delete("e")
        try expectEqual(try await space.get("a")?.lease, lease)
        try expectEqual(try await space.get("c")?.lease, 0)
        let ttl = try await store.leaseTimeToLive(
            LeaseTimeToLiveRequest(id: lease, keys: true)
        )
        try expectEqual(ttl.keys.sorted(), [space.key("a"), space.key("b")])
        try expectEqual(ttl.grantedTTL, 600)
        try expect(ttl.ttl > 500 && ttl.ttl <= 600)
        let start = try await space.revision()
        _ = try await store.leaseRevoke(LeaseRevokeRequest(id: lease))
        try expectEqual(space.names(try await space.range()), ["c", "d"])
        try expectEqual(try await space.revision(), start + 1)
        _ = try await store.leaseRevoke(LeaseRevokeRequest(id: other))
        try expectEqual(space.names(try await space.range()), ["c"])
    },

    Behavior("refuses keys for a lease that does not exist") { environment in
        let space = KeySpace(environment, "no-lease")
        try await expectError(.leaseNotFound) { try await space.put("a", "1", lease: 987_654_321) }
        try expect(try await space.get("a") == nil)
    },

    Behavior("answers for unknown leases") { environment in
        let store = environment.store
        let kept = try await store.leaseKeepAlive(LeaseKeepAliveRequest(id: 987_654_321))
        try expectEqual(kept.ttl, 0)
        try expectEqual(kept.id, 987_654_321)
        let left = try await store.leaseTimeToLive(LeaseTimeToLiveRequest(id: 987_654_321))
        try expectEqual(left.ttl, -1)
        try expectEqual(left.grantedTTL, 0)
    },

    Behavior("ends a lease when its time is up, unless it is kept alive") { environment in
        let space = KeySpace(environment, "expiry")
        let store = environment.store
        let short = try await store.leaseGrant(LeaseGrantRequest(ttl: 2)).id
        let kept = try await store.leaseGrant(LeaseGrantRequest(ttl: 3)).id
        try await space.put("short", "1", lease: short)
        try await space.put("kept", "1", lease: kept)
        try await environment.pass(seconds: 1.2)
        try expectEqual(space.names(try await space.range()), ["kept", "short"])
        let renewed = try await store.leaseKeepAlive(LeaseKeepAliveRequest(id: kept))
        try expectEqual(renewed.ttl, 3)
        try await environment.pass(seconds: 2)
        var names = space.names(try await space.range())
        for _ in 0..<100 where names.count > 1 {
            try await Task.sleep(for: .milliseconds(20))
            names = space.names(try await space.range())
        }
        try expectEqual(names, ["kept"])
        try expectEqual(
            try await store.leaseTimeToLive(LeaseTimeToLiveRequest(id: short)).ttl,
            -1
        )
        _ = try await store.leaseRevoke(LeaseRevokeRequest(id: kept))
    },
]
