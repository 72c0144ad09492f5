// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
package import KeyValueStore
import KubernetesAPI
import ObjectModel
import Protobuf

/// The one place where it is written which ports on nodes Services have; every server changes it in
/// a transaction.
///
/// Source: upstream `pkg/registry/core/service/allocator/storage`, whose key and form it has.
package final class PortRegister: Sendable {
    private let store: any KeyValueStore
    package let range: ClosedRange<Int32>
    private let present: @Sendable () -> Set<Int32>

    private static let key: Bytes = "/registry/ranges/servicenodeports"
    /// How often a change is tried while others change the register too.
    private static let attempts = 64

    /// What is written, and when.
    package struct Entry: Sendable {
        package var allocations: PortAllocations
        /// The key's revision; 0 when there is no register yet.
        package var modified: Int64
        /// The store's revision when it was read.
        package var revision: Int64
    }

    /// - Parameter present: the ports that Services have, asked when there is no register yet.
    init(
        store: any KeyValueStore,
        range: ClosedRange<Int32>,
        present: @escaping @Sendable () -> Set<Int32>
    ) {
        self.store = store
        self.range = range
        self.present = present
    }

    /// Reads the register. Ports of another range than the present one are left out.
    package func read() async throws(StoreError) -> Entry {
        let response = try await self.store.range(RangeRequest(key: Self.key))
        let ports: Set<Int32>
        if let value = response.kvs.first?.value, let stored = Self.allocations(in: value) {
            ports = stored.ports
        } else {
            ports = self.present()
        }
        return Entry(
            allocations: PortAllocations(range: self.range, ports: ports),
            modified: response.kvs.first?.modRevision ?? 0,
            revision: response.header.revision
        )
    }

    /// Writes the register unless somebody else has done so since it was read.
    package func replace(
        _ entry: Entry,
        with allocations: PortAllocations
    ) async throws(StoreError) -> Bool {
        let value = Bytes(Envelope.seal(allocations.message))
        return try await self.store.txn(
            TxnRequest(
                compare: [Compare(key: Self.key, operand: .modRevision(entry.modified))],
                success: [.put(PutRequest(key: Self.key, value: value))]
            )
        ).succeeded
    }

    /// Changes the register, again and again until nobody else has changed it meanwhile.
    func change<R>(
        isDryRun: Bool,
        _ body: (inout PortAllocations) throws(StatusError) -> R
    ) async throws(StatusError) -> R {
        for _ in 0..<Self.attempts {
            let entry = try await self.mapped { () throws(StoreError) in try await self.read() }
            var allocations = entry.allocations
            let result = try body(&allocations)
            if isDryRun || allocations == entry.allocations && entry.modified != 0 { return result }
            let changed = allocations
            let isWritten = try await self.mapped { () throws(StoreError) in
                try await self.replace(entry, with: changed)
            }
            if isWritten { return result }
        }
        throw .tooManyRequests("the register of node ports is busy", retryAfterSeconds: 1)
    }

    private func mapped<R: Sendable>(
        _ body: () async throws(StoreError) -> R
    ) async throws(StatusError) -> R {
        do throws(StoreError) {
            return try await body()
        } catch {
            throw StatusError(store: error)
        }
    }

    /// Gives ports back. What fails is found by the repair.
    func release(_ ports: [Int32]) async {
        guard !ports.isEmpty else { return }
        try? await self.change(isDryRun: false) { (allocations) throws(StatusError) in
            for port in ports { allocations.release(port) }
        }
    }

    private static func allocations(in value: Bytes) -> PortAllocations? {
        value.withUnsafeBytes { bytes in
            guard let content = try? Envelope.open(bytes),
                let message = try? CoreV1.RangeAllocation(serialized: content.raw)
            else { return nil }
            return PortAllocations(message)
        }
    }
}
