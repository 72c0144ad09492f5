// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Bytes
package import KeyValueStore

/// A request that goes through the writer.
package enum WriteRequest: Sendable {
    case put(PutRequest)
    case deleteRange(DeleteRangeRequest)
    case txn(TxnRequest)
    case compact(CompactionRequest)
    case leaseGrant(LeaseGrantRequest)
    case leaseRevoke(LeaseRevokeRequest)
    case alarm(AlarmRequest)
    /// Changes nothing: answered when everything before it is durable.
    case barrier
}

/// What the writer answers, matching the request.
package enum WriteResult: Sendable {
    case put(PutResponse)
    case deleteRange(DeleteRangeResponse)
    case txn(TxnResponse)
    case compact(CompactionResponse)
    case leaseGrant(LeaseGrantResponse)
    case leaseRevoke(LeaseRevokeResponse)
    case alarm(AlarmResponse)
    case barrier
    case failure(StoreError)
}

/// What can be said of a request without looking at the store.
///
/// Source: etcd 3.6 `server/etcdserver/api/v3rpc/key.go`.
package enum RequestCheck {
    // MARK: - Size

    /// What etcd adds to a request before it measures it.
    ///
    /// Source: etcd `api/etcdserverpb/raft_internal.proto`: the header with a number of the request,
    /// and tag and length of the request.
    static let envelopeBytes = 18

    /// Checks a write as it comes from a client, and answers how many bytes it has; 0 of one that is
    /// never large.
    static func checkedByteCount(
        _ request: WriteRequest,
        _ limits: StoreLimits
    ) throws(StoreError) -> Int {
        let bytes: Int
        switch request {
        case .put(let request):
            try self.check(request)
            bytes = self.byteCount(request)
        case .deleteRange(let request):
            try self.check(request)
            bytes = self.byteCount(request)
        case .txn(let request):
            try self.check(request, limits)
            bytes = self.byteCount(request)
        case .compact, .leaseGrant, .leaseRevoke, .alarm, .barrier:
            return 0
        }
        if bytes + self.envelopeBytes > limits.maximumRequestBytes {
            throw StoreError.requestTooLarge
        }
        return bytes
    }

    /// The size of a request as encoded for etcd.
    package static func byteCount(_ request: PutRequest) -> Int {
        Wire.bytesFieldCount(request.key.count) + Wire.bytesFieldCount(request.value.count)
            + Wire.intFieldCount(request.lease) + (request.prevKV ? 2 : 0)
            + (request.ignoreValue ? 2 : 0) + (request.ignoreLease ? 2 : 0)
    }

    package static func byteCount(_ request: DeleteRangeRequest) -> Int {
        Wire.bytesFieldCount(request.key.count) + Wire.bytesFieldCount(request.rangeEnd.count)
            + (request.prevKV ? 2 : 0)
    }

    package static func byteCount(_ request: RangeRequest) -> Int {
        Wire.bytesFieldCount(request.key.count) + Wire.bytesFieldCount(request.rangeEnd.count)
            + Wire.intFieldCount(request.limit) + Wire.intFieldCount(request.revision)
            + (request.sortOrder == .none ? 0 : 2) + (request.sortTarget == .key ? 0 : 2)
            + (request.serializable ? 2 : 0) + (request.keysOnly ? 2 : 0)
            + (request.countOnly ? 2 : 0) + Wire.intFieldCount(request.minModRevision)
            + Wire.intFieldCount(request.maxModRevision)
            + Wire.intFieldCount(request.minCreateRevision)
            + Wire.intFieldCount(request.maxCreateRevision)
    }

    package static func byteCount(_ compare: Compare) -> Int {
        let target =
            switch compare.operand {
            case .version(let number): Wire.intFieldCount(number)
            case .createRevision(let number), .modRevision(let number), .lease(let number):
                2 + Wire.intFieldCount(number)
            case .value(let value): 2 + Wire.bytesFieldCount(value.count)
            }
        return (compare.result == .equal ? 0 : 2) + target
            + Wire.bytesFieldCount(compare.key.count)
            + (compare.rangeEnd.isEmpty ? 0 : 1 + Wire.bytesFieldCount(compare.rangeEnd.count))
    }

    package static func byteCount(_ request: TxnRequest) -> Int {
        var total = 0
        for compare in request.compare {
            total += Wire.bytesFieldCount(self.byteCount(compare))
        }
        for operations in [request.success, request.failure] {
            for operation in operations {
                let inner =
                    switch operation {
                    case .range(let request): self.byteCount(request)
                    case .put(let request): self.byteCount(request)
                    case .deleteRange(let request): self.byteCount(request)
                    case .txn(let request): self.byteCount(request)
                    case .empty: 0
                    }
                total += Wire.bytesFieldCount(Wire.bytesFieldCount(inner))
            }
        }
        return total
    }

    // MARK: - Content

    package static func check(_ request: RangeRequest) throws(StoreError) {
        if request.key.isEmpty { throw StoreError.emptyKey }
    }

    package static func check(_ request: PutRequest) throws(StoreError) {
        if request.key.isEmpty { throw StoreError.emptyKey }
        if request.ignoreValue, !request.value.isEmpty { throw StoreError.valueProvided }
        if request.ignoreLease, request.lease != 0 { throw StoreError.leaseProvided }
    }

    package static func check(_ request: DeleteRangeRequest) throws(StoreError) {
        if request.key.isEmpty { throw StoreError.emptyKey }
    }

    package static func check(
        _ request: TxnRequest,
        _ limits: StoreLimits
    ) throws(StoreError) {
        try self.checkOperations(
            request,
            limits.maximumTxnOperations,
            depth: limits.maximumTxnDepth
        )
        for operations in [request.success, request.failure] where !self.isSimple(operations) {
            _ = try self.checkKeys(operations)
        }
    }

    /// Whether there are too few operations for two of them to change the same key.
    private static func isSimple(_ operations: [RequestOp]) -> Bool {
        if operations.isEmpty { return true }
        guard operations.count == 1, let first = operations.first else { return false }
        if case .txn = first { return false }
        return true
    }

    private static func checkOperations(
        _ request: TxnRequest,
        _ maximum: Int,
        depth: Int
    ) throws(StoreError) {
        let operations = max(request.compare.count, request.success.count, request.failure.count)
        if operations > maximum || depth == 0 { throw StoreError.tooManyOps }
        for compare in request.compare where compare.key.isEmpty { throw StoreError.emptyKey }
        for list in [request.success, request.failure] {
            for operation in list {
                switch operation {
                case .range(let request): try self.check(request)
                case .put(let request): try self.check(request)
                case .deleteRange(let request): try self.check(request)
                case .txn(let request):
                    try self.checkOperations(request, maximum - operations, depth: depth - 1)
                case .empty: throw StoreError.keyNotFound
                }
            }
        }
    }

    /// What a list of operations would change.
    private struct Changes {
        var puts: Set<Bytes> = []
        var deletions = IntervalTree()

        func deletes(_ key: Bytes) -> Bool {
            key.withUnsafeBytes { self.deletions.contains($0) }
        }
    }

    /// Checks that no key is put twice, or put and deleted, on any way through the operations.
    ///
    /// Source: etcd `checkIntervals`.
    private static func checkKeys(_ operations: [RequestOp]) throws(StoreError) -> Changes {
        var changes = Changes()
        for case .deleteRange(let request) in operations {
            let range = KeyRange(key: request.key, rangeEnd: request.rangeEnd)
            if !range.isEmpty { changes.deletions.insert(range, 0) }
        }
        for case .txn(let request) in operations {
            let success = try self.checkKeys(request.success)
            let failure = try self.checkKeys(request.failure)
            for key in success.puts {
                if changes.puts.contains(key) || changes.deletes(key) {
                    throw StoreError.duplicateKey
                }
            }
            for key in failure.puts {
                // Only one of the two is run.
                if changes.puts.contains(key) || changes.deletes(key) {
                    throw StoreError.duplicateKey
                }
            }
            changes.puts.formUnion(success.puts)
            changes.puts.formUnion(failure.puts)
            changes.deletions.formUnion(success.deletions)
            changes.deletions.formUnion(failure.deletions)
        }
        for case .put(let request) in operations {
            if changes.deletes(request.key) || !changes.puts.insert(request.key).inserted {
                throw StoreError.duplicateKey
            }
        }
        return changes
    }

    // MARK: - Effect

    /// Whether any way through the transaction can change something.
    package static func isReadOnly(_ request: TxnRequest) -> Bool {
        for operations in [request.success, request.failure] {
            for operation in operations {
                switch operation {
                case .range, .empty: continue
                case .put, .deleteRange: return false
                case .txn(let request): if !self.isReadOnly(request) { return false }
                }
            }
        }
        return true
    }

    /// The space a request may take, as etcd reckons it for the quota; 0 if it takes none.
    ///
    /// Source: etcd 3.6 `server/storage/quota.go`.
    package static func cost(_ request: WriteRequest) -> Int {
        switch request {
        case .put(let request): self.cost(request)
        case .txn(let request): self.cost(request)
        case .leaseGrant: self.leaseOverhead
        case .deleteRange, .compact, .leaseRevoke, .alarm, .barrier: 0
        }
    }

    private static let leaseOverhead = 64
    private static let keyOverhead = 256

    private static func cost(_ request: PutRequest) -> Int {
        self.keyOverhead + request.key.count + request.value.count
    }

    private static func cost(_ request: TxnRequest) -> Int {
        var costs = [0, 0]
        for (index, operations) in [request.success, request.failure].enumerated() {
            for operation in operations {
                switch operation {
                case .put(let request): costs[index] += self.cost(request)
                case .txn(let request): costs[index] += self.cost(request)
                case .range, .deleteRange, .empty: continue
                }
            }
        }
        return max(costs[0], costs[1])
    }
}
