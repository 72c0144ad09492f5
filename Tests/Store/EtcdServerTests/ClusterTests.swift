// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import KeyValueStore
import KeyValueStoreSuite
import Testing

/// `RemoteStore` on a cluster of three real members, of which one at a time is killed.
@Suite("RemoteStore on an etcd cluster", .serialized, .enabled(if: RealEtcd.path != nil))
struct ClusterTests {
    private static let counter: Bytes = "/cluster/counter"

    /// Adds one to the counter. When it is not known whether that was done, it looks.
    private func increment(_ store: any KeyValueStore) async throws {
        var attempt: (before: Int64, after: Int64)?
        for _ in 0..<400 {
            do throws(StoreError) {
                let kv = try await store.range(RangeRequest(key: Self.counter)).kvs.first
                let value = kv.flatMap { Int64(String(decoding: $0.value, as: UTF8.self)) } ?? 0
                if let attempt, value == attempt.after { return }
                attempt = (value, value + 1)
                let txn = try await store.txn(
                    TxnRequest(
                        compare: [
                            Compare(
                                key: Self.counter,
                                operand: .modRevision(kv?.modRevision ?? 0)
                            )
                        ],
                        success: [
                            .put(
                                PutRequest(key: Self.counter, value: Bytes(utf8: "\(value + 1)"))
                            )
                        ]
                    )
                )
                if txn.succeeded { return }
                attempt = nil
            } catch {
                guard error.code == .unavailable || error.code == .deadlineExceeded else {
                    throw error
                }
                try await Task.sleep(for: .milliseconds(50))
            }
        }
        Issue.record("the cluster does not come back")
    }

    /// Collects the values of the counter, through new streams when one breaks.
    private func follow(_ store: any KeyValueStore, upTo last: Int64) async throws -> [Int64] {
        var seen: [Int64] = []
        var next: Int64 = 1
        for _ in 0..<200 {
            do throws(StoreError) {
                let stream = try await store.openWatchStream()
                defer { stream.close() }
                try await stream.create(
                    WatchCreateRequest(key: Self.counter, startRevision: next)
                )
                while let response = try await stream.next() {
                    for event in response.events {
                        seen.append(Int64(String(decoding: event.kv.value, as: UTF8.self)) ?? -1)
                        next = event.kv.modRevision + 1
                    }
                    if seen.last == last { return seen }
                }
            } catch {
                guard error.code == .unavailable else { throw error }
                try await Task.sleep(for: .milliseconds(50))
            }
        }
        return seen
    }

    @Test("loses no write and no event while members are killed")
    func kills() async throws {
        let cluster = try await RealEtcd(members: 3, timeout: .seconds(2))
        let rounds = isLongRun ? 12 : 3
        let perRound: Int64 = 40
        let store = cluster.store
        let total = Int64(rounds) * perRound
        let follower = Task { try await self.follow(store, upTo: total) }
        for round in 0..<rounds {
            let victim = round % 3
            for number in 0..<perRound {
                if number == 10 { await cluster.kill(victim) }
                if number == 30 { try await cluster.start(victim) }
                try await self.increment(store)
            }
        }
        let kv = try #require(try await store.range(RangeRequest(key: Self.counter)).kvs.first)
        #expect(String(decoding: kv.value, as: UTF8.self) == "\(total)")
        #expect(kv.version == total)
        #expect(try await follower.value == Array(1...total))
        await cluster.stop()
    }

    /// What only a store of one member answers so: that whoever is asked leads.
    private static let ofOneMember = "says who it is and how it is"

    /// The whole suite in the long run, every third behaviour otherwise.
    private static let behaviors = Behavior.all.filter { behavior in
        !RemoteStoreTests.otherwise.contains(behavior.name) && behavior.name != Self.ofOneMember
    }.enumerated().filter { isLongRun || $0.offset % 3 == 0 }.map(\.element)

    @Test("behaves while one member after the other is down")
    func behaves() async throws {
        let cluster = try await RealEtcd(members: 3, timeout: .seconds(10))
        for (number, behavior) in Self.behaviors.enumerated() {
            // Ten behaviours with one member dead, the next ten with another.
            let victim = number / 10 % 3
            if number % 10 == 0 {
                if number > 0 { try await cluster.start((victim + 2) % 3) }
                try await self.increment(cluster.store)
                await cluster.kill(victim)
                try await self.increment(cluster.store)
            }
            do {
                try await behavior.run(cluster)
            } catch {
                Issue.record(error, "\(behavior)")
            }
        }
        await cluster.stop()
    }
}
