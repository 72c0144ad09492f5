// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KeyValueStore
import KeyValueStoreSuite
import Testing

@Suite("Behaviour of stores over the network", .serialized)
struct RemoteStoreTests {
    @Test("our services")
    func ours() async throws {
        for behavior in Behavior.all {
            let served = try await ServedStore()
            do {
                try await behavior.run(served)
            } catch {
                Issue.record(error, "\(behavior)")
            }
            await served.stop()
        }
    }

    /// What etcd 3.4 does otherwise than we do: hashes change while a compaction is under way, a
    /// deletion at the compacted revision is lost to watchers (fixed in 3.6, #19179), and progress
    /// is told ahead of events (fixed in 3.5, #15220).
    static let otherwise: Set<String> = [
        "has the same hash before and after history is off the disk",
        "still tells a deletion at the revision that was compacted to",
        "tells progress only when everything before has been told",
        "keeps its promises to watchers while everything happens at once",
    ]

    @Test("Debian's etcd", .enabled(if: RealEtcd.path != nil))
    func theirs() async throws {
        let etcd = try await RealEtcd()
        for behavior in Behavior.all where !Self.otherwise.contains(behavior.name) {
            do {
                try await behavior.run(etcd)
            } catch {
                Issue.record(error, "\(behavior)")
            }
        }
        await etcd.stop()
    }
}
