// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import KeyValueStore
import KeyValueStoreSuite
import StoreTestSupport
import Testing

/// Random requests to our services and to Debian's etcd, over the network: both answer the same,
/// revisions of headers included.
@Suite("Store against Debian's etcd", .serialized, .enabled(if: RealEtcd.path != nil))
struct OracleTests {
    static let seeds: UInt64 = isLongRun ? 1_000 : 16
    static let stepsPerSeed = 50

    @Test("answers the same")
    func requests() async throws {
        let etcd = try await RealEtcd()
        let served = try await ServedStore()
        var differences = 0
        for seed in 1...Self.seeds {
            let found = try await self.run(seed, served.store, etcd.store)
            for difference in found { Issue.record("seed \(seed): \(difference)") }
            differences += found.count
            if differences >= 20 { break }
        }
        await served.stop()
        await etcd.stop()
    }

    private func run(
        _ seed: UInt64,
        _ ours: any KeyValueStore,
        _ theirs: any KeyValueStore
    ) async throws -> [String] {
        var generator = RequestGenerator(seed: seed)
        var differences: [String] = []
        // Both begin with the same keys: none.
        let all = DeleteRangeRequest(key: [0], rangeEnd: [0])
        differences += await self.compare("clear") { try await $0.deleteRange(all) }(ours, theirs)
        for id in try await ours.leaseLeases().leases {
            differences += await self.compare("clear lease \(id)") { store in
                try await store.leaseRevoke(LeaseRevokeRequest(id: id))
            }(ours, theirs)
        }
        for step in 0..<Self.stepsPerSeed {
            let revision = try await ours.range(RangeRequest(key: "x")).header.revision
            let compacted = try await ours.hashKV(revision: 0).compactRevision
            let next = generator.step(revision: revision, compactRevision: compacted)
            differences += await self.perform(next, "step \(step): \(next)", ours, theirs)
        }
        return differences
    }

    private func perform(
        _ step: RequestGenerator.Step,
        _ comment: String,
        _ ours: any KeyValueStore,
        _ theirs: any KeyValueStore
    ) async -> [String] {
        switch step {
        case .range(var request):
            // Keys that are equal in what is sorted by come in any order from etcd.
            if request.sortTarget != .key { request.sortTarget = .key }
            let range = request
            return await self.compare(comment) { try await $0.range(range) }(ours, theirs)
        case .put(let request):
            return await self.compare(comment) { try await $0.put(request) }(ours, theirs)
        case .deleteRange(let request):
            return await self.compare(comment) { try await $0.deleteRange(request) }(ours, theirs)
        case .txn(let request):
            let txn = Self.settled(request)
            return await self.compare(comment) { try await $0.txn(txn) }(ours, theirs)
        case .compact(let revision):
            let request = CompactionRequest(revision: revision, physical: true)
            return await self.compare(comment) { try await $0.compact(request) }(ours, theirs)
        case .grant(let id, let ttl):
            return await self.compare(comment) { store in
                try await store.leaseGrant(LeaseGrantRequest(ttl: ttl, id: id))
            }(ours, theirs)
        case .revoke(let id):
            return await self.compare(comment) { store in
                try await store.leaseRevoke(LeaseRevokeRequest(id: id))
            }(ours, theirs)
        case .restart: return []
        }
    }

    /// A transaction whose ranges have one order only.
    private static func settled(_ txn: TxnRequest) -> TxnRequest {
        func settled(_ operation: RequestOp) -> RequestOp {
            switch operation {
            case .range(var range):
                range.sortTarget = .key
                return .range(range)
            case .txn(let inner): return .txn(Self.settled(inner))
            default: return operation
            }
        }
        var copy = txn
        copy.success = txn.success.map(settled)
        copy.failure = txn.failure.map(settled)
        return copy
    }

    private func compare<Response: Answer>(
        _ comment: String,
        _ body: @escaping @Sendable (any KeyValueStore) async throws -> Response
    ) -> (any KeyValueStore, any KeyValueStore) async -> [String] {
        { ours, theirs in
            let mine = await Self.outcome { try await body(ours) }
            let other = await Self.outcome { try await body(theirs) }
            if mine == other { return [] }
            return ["\(comment)\n  ours   \(mine)\n  theirs \(other)"]
        }
    }

    /// What a call answered or threw, without who answered.
    private enum Outcome<Response: Answer>: Equatable {
        case answer(Response)
        case error(StoreError)
        case other(String)
    }

    private static func outcome<Response: Answer>(
        _ body: () async throws -> Response
    ) async -> Outcome<Response> {
        do {
            var response = try await body()
            response.header = ResponseHeader(revision: response.header.revision)
            return .answer(response)
        } catch let error as StoreError {
            return .error(error)
        } catch {
            return .other("\(error)")
        }
    }
}

/// A response with a header.
protocol Answer: Equatable, Sendable {
    var header: ResponseHeader { get set }
}

extension RangeResponse: Answer {}
extension PutResponse: Answer {}
extension DeleteRangeResponse: Answer {}
extension TxnResponse: Answer {}
extension CompactionResponse: Answer {}
extension LeaseGrantResponse: Answer {}
extension LeaseRevokeResponse: Answer {}
