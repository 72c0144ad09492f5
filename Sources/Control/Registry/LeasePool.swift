// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KeyValueStore
import Synchronization

/// Leases of the store for objects that do not stay: one is used for many objects, which end up to a
/// twentieth of their time late.
///
/// Source: upstream k8s.io/apiserver `pkg/storage/etcd3/lease_manager.go`.
final class LeasePool: Sendable {
    private struct Entry {
        var lease: Int64
        var uses: Int
        var reusableUntil: ContinuousClock.Instant
    }

    private let store: any KeyValueStore
    private let entries = Mutex<[Int64: Entry]>([:])

    /// The most objects of one lease.
    private static let maximumUses = 1000
    /// The longest time that a lease is used again, in seconds.
    private static let maximumReuseSeconds: Int64 = 60

    init(store: any KeyValueStore) {
        self.store = store
    }

    /// A lease that lasts at least so many seconds.
    func lease(seconds: Int64) async throws(StoreError) -> Int64 {
        let now = ContinuousClock.now
        let kept = self.entries.withLock { entries -> Int64? in
            guard var entry = entries[seconds], entry.reusableUntil > now,
                entry.uses < Self.maximumUses
            else { return nil }
            entry.uses += 1
            entries[seconds] = entry
            return entry.lease
        }
        if let kept { return kept }
        let reuse = min(seconds / 20, Self.maximumReuseSeconds)
        let granted = try await self.store.leaseGrant(LeaseGrantRequest(ttl: seconds + reuse))
        self.entries.withLock { entries in
            entries[seconds] = Entry(
                lease: granted.id,
                uses: 1,
                reusableUntil: now + .seconds(reuse)
            )
        }
        return granted.id
    }
}
