// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import KeyValueStore

/// Gives up the store's history, as old as one interval at each time.
///
/// Of several servers one compacts: the one that wins the write of a key whose version counts the
/// compactions.
///
/// Source: upstream k8s.io/apiserver `pkg/storage/etcd3/compact.go`; WIRE facts "Storage in etcd".
struct Compactor: Sendable {
    let store: any KeyValueStore
    let interval: Duration

    private static let key: Bytes = "compact_rev_key"

    /// Compacts until the task is cancelled.
    func run() async {
        var version: Int64 = 0
        var revision: Int64 = 0
        while !Task.isCancelled {
            try? await Task.sleep(for: self.interval)
            if Task.isCancelled { return }
            if let next = try? await self.step(version, revision) {
                (version, revision) = next
            }
        }
    }

    /// Compacts what was the present one interval ago.
    ///
    /// - Returns: the number of compactions, and the revision that is the next to go.
    private func step(
        _ version: Int64,
        _ revision: Int64
    ) async throws(StoreError) -> (Int64, Int64) {
        let response = try await self.store.txn(
            TxnRequest(
                compare: [Compare(key: Self.key, operand: .version(version))],
                success: [
                    .put(PutRequest(key: Self.key, value: Bytes(utf8: String(revision))))
                ],
                failure: [.range(RangeRequest(key: Self.key))]
            )
        )
        let present = response.header.revision
        guard response.succeeded else {
            // Another server does it; its count is where this one goes on.
            if case .range(let range)? = response.responses.first, let found = range.kvs.first {
                return (found.version, present)
            }
            return (version, present)
        }
        if revision > 0 {
            _ = try await self.store.compact(CompactionRequest(revision: revision))
        }
        return (version + 1, present)
    }
}
