// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import KeyValueStore

/// A store as simple as it can be: a whole dictionary for each revision.
///
/// Written from etcd's documentation and not from the engine, so that the two can disagree.
struct ModelStore {
    struct Lease {
        var ttl: Int64
    }

    private(set) var revision: Int64 = 1
    private(set) var compactRevision: Int64 = -1
    private var states: [Int64: [Bytes: KeyValue]] = [1: [:]]
    private(set) var events: [Event] = []
    var leases: [Int64: Lease] = [:]

    var current: [Bytes: KeyValue] { self.states[self.revision] ?? [:] }

    // MARK: - Requests

    func range(_ request: RangeRequest) throws -> RangeResponse {
        try self.range(request, current: self.current, revision: self.revision)
    }

    mutating func put(_ request: PutRequest) throws -> PutResponse {
        if request.key.isEmpty { throw StoreError.emptyKey }
        if request.ignoreValue, !request.value.isEmpty { throw StoreError.valueProvided }
        if request.ignoreLease, request.lease != 0 { throw StoreError.leaseProvided }
        try self.checkPut(request)
        var next = self.current
        let response = self.put(request, &next)
        self.commit(next)
        return PutResponse(header: self.header, prevKV: response.prevKV)
    }

    mutating func deleteRange(_ request: DeleteRangeRequest) throws -> DeleteRangeResponse {
        if request.key.isEmpty { throw StoreError.emptyKey }
        var next = self.current
        var response = self.delete(request, &next)
        if response.deleted > 0 { self.commit(next) }
        response.header = self.header
        return response
    }

    mutating func txn(_ request: TxnRequest) throws -> TxnResponse {
        let start = self.current
        var next = start
        var changed = false
        try self.checkPuts(request, start)
        try self.checkOperations(request, start)
        var response = try self.run(request, start, &next, &changed)
        if changed { self.commit(next) }
        response.header = self.header
        return response
    }

    mutating func compact(_ revision: Int64) throws {
        if revision <= self.compactRevision { throw StoreError.compacted }
        if revision > self.revision { throw StoreError.futureRevision }
        self.compactRevision = revision
        for old in self.states.keys where old < revision { self.states[old] = nil }
    }

    mutating func grant(_ id: Int64, ttl: Int64) throws {
        if self.leases[id] != nil { throw StoreError.leaseExist }
        self.leases[id] = Lease(ttl: ttl)
    }

    mutating func revoke(_ id: Int64) throws {
        guard self.leases.removeValue(forKey: id) != nil else { throw StoreError.leaseNotFound }
        var next = self.current
        let keys = next.values.filter { $0.lease == id }.map(\.key)
        if keys.isEmpty { return }
        for key in keys { next[key] = nil }
        self.commit(next)
    }

    /// The events from `revision` on in a range.
    func events(from revision: Int64, key: Bytes, rangeEnd: Bytes, prevKV: Bool) -> [Event] {
        self.events.filter {
            $0.kv.modRevision >= revision && Self.contains(key, rangeEnd, $0.kv.key)
        }.map { event in
            var event = event
            if !prevKV || event.kv.modRevision - 1 < self.compactRevision { event.prevKV = nil }
            return event
        }
    }

    // MARK: - How

    private var header: ResponseHeader { ResponseHeader(revision: self.revision) }

    private mutating func commit(_ next: [Bytes: KeyValue]) {
        let before = self.current
        self.revision += 1
        self.states[self.revision] = next
        var changes: [Event] = []
        for key in Set(before.keys).union(next.keys) {
            let old = before[key]
            if let new = next[key] {
                if new.modRevision == self.revision {
                    changes.append(Event(type: .put, kv: new, prevKV: old))
                }
            } else {
                let gone = KeyValue(key: key, modRevision: self.revision)
                changes.append(Event(type: .delete, kv: gone, prevKV: old))
            }
        }
        // The order inside a revision is the order of the operations, which tests that look at it
        // compare as sets.
        self.events.append(contentsOf: changes.sorted { $0.kv.key < $1.kv.key })
    }

    static func contains(_ key: Bytes, _ end: Bytes, _ other: Bytes) -> Bool {
        if end.isEmpty { return other == key }
        if end == [0] { return other >= key }
        return other >= key && other < end
    }

    private func range(
        _ request: RangeRequest,
        current: [Bytes: KeyValue],
        revision: Int64
    ) throws -> RangeResponse {
        if request.key.isEmpty { throw StoreError.emptyKey }
        var state = current
        if request.revision > 0 {
            if request.revision > revision { throw StoreError.futureRevision }
            if request.revision < self.compactRevision { throw StoreError.compacted }
            if request.revision <= self.revision { state = self.states[request.revision] ?? [:] }
        }
        var kvs = state.values.filter { Self.contains(request.key, request.rangeEnd, $0.key) }
        kvs.sort { $0.key < $1.key }
        var response = RangeResponse(header: ResponseHeader(revision: revision))
        response.count = Int64(kvs.count)
        if request.countOnly { return response }
        let hasFilters =
            request.minModRevision != 0 || request.maxModRevision != 0
            || request.minCreateRevision != 0 || request.maxCreateRevision != 0
        if request.sortTarget != .key, request.sortOrder == .none, request.limit > 0, !hasFilters {
            // etcd cuts before it sorts in this one case.
            response.more = Int64(kvs.count) > request.limit
            kvs = Array(kvs.prefix(Int(request.limit) + 1))
        }
        kvs = kvs.filter {
            (request.minModRevision == 0 || $0.modRevision >= request.minModRevision)
                && (request.maxModRevision == 0 || $0.modRevision <= request.maxModRevision)
                && (request.minCreateRevision == 0
                    || $0.createRevision >= request.minCreateRevision)
                && (request.maxCreateRevision == 0
                    || $0.createRevision <= request.maxCreateRevision)
        }
        func sort<V: Comparable>(_ value: (KeyValue) -> V) {
            let isDown = request.sortOrder == .descend
            kvs.sort { isDown ? value($0) > value($1) : value($0) < value($1) }
        }
        switch request.sortTarget {
        case .key: sort(\.key)
        case .version: sort(\.version)
        case .create: sort(\.createRevision)
        case .mod: sort(\.modRevision)
        case .value: sort(\.value)
        }
        if request.limit > 0, Int64(kvs.count) > request.limit {
            kvs = Array(kvs.prefix(Int(request.limit)))
            response.more = true
        }
        if request.keysOnly { for index in kvs.indices { kvs[index].value = Bytes() } }
        response.kvs = kvs
        return response
    }

    private func checkPut(_ request: PutRequest) throws {
        if request.lease != 0, self.leases[request.lease] == nil {
            throw StoreError.leaseNotFound
        }
        if request.ignoreValue || request.ignoreLease, self.current[request.key] == nil {
            throw StoreError.keyNotFound
        }
    }

    private func put(_ request: PutRequest, _ next: inout [Bytes: KeyValue]) -> PutResponse {
        let old = next[request.key]
        next[request.key] = KeyValue(
            key: request.key,
            createRevision: old?.createRevision ?? self.revision + 1,
            modRevision: self.revision + 1,
            version: (old?.version ?? 0) + 1,
            value: request.ignoreValue ? old?.value ?? Bytes() : request.value,
            lease: request.ignoreLease ? old?.lease ?? 0 : request.lease
        )
        return PutResponse(
            header: ResponseHeader(revision: self.revision + 1),
            prevKV: request.prevKV ? old : nil
        )
    }

    private func delete(
        _ request: DeleteRangeRequest,
        _ next: inout [Bytes: KeyValue]
    ) -> DeleteRangeResponse {
        let gone = next.values.filter {
            Self.contains(request.key, request.rangeEnd, $0.key)
        }.sorted { $0.key < $1.key }
        for kv in gone { next[kv.key] = nil }
        return DeleteRangeResponse(
            deleted: Int64(gone.count),
            prevKVs: request.prevKV ? gone : []
        )
    }

    private func holds(_ request: TxnRequest, _ start: [Bytes: KeyValue]) -> Bool {
        request.compare.allSatisfy { compare in
            let kvs = start.values.filter { Self.contains(compare.key, compare.rangeEnd, $0.key) }
            if kvs.isEmpty {
                if case .value = compare.operand { return false }
                return Self.holds(compare, KeyValue())
            }
            return kvs.allSatisfy { Self.holds(compare, $0) }
        }
    }

    private static func holds(_ compare: Compare, _ kv: KeyValue) -> Bool {
        func check<V: Comparable>(_ left: V, _ right: V) -> Bool {
            switch compare.result {
            case .equal: left == right
            case .notEqual: left != right
            case .less: left < right
            case .greater: left > right
            }
        }
        switch compare.operand {
        case .version(let number): return check(kv.version, number)
        case .createRevision(let number): return check(kv.createRevision, number)
        case .modRevision(let number): return check(kv.modRevision, number)
        case .lease(let number): return check(kv.lease, number)
        case .value(let value): return check(kv.value, value)
        }
    }

    /// In a transaction puts come first, and the key before the lease.
    private func checkPuts(_ request: TxnRequest, _ start: [Bytes: KeyValue]) throws {
        for operation in self.holds(request, start) ? request.success : request.failure {
            switch operation {
            case .put(let put):
                var keyOnly = put
                keyOnly.lease = 0
                try self.checkPut(keyOnly)
                try self.checkPut(put)
            case .txn(let inner): try self.checkPuts(inner, start)
            case .range, .deleteRange, .empty: continue
            }
        }
    }

    private func checkOperations(_ request: TxnRequest, _ start: [Bytes: KeyValue]) throws {
        for operation in self.holds(request, start) ? request.success : request.failure {
            switch operation {
            case .put: continue
            case .range(let range) where range.revision > 0:
                if range.revision > self.revision { throw StoreError.futureRevision }
                if range.revision < self.compactRevision { throw StoreError.compacted }
            case .txn(let inner): try self.checkOperations(inner, start)
            case .range, .deleteRange, .empty: continue
            }
        }
    }

    private func run(
        _ request: TxnRequest,
        _ start: [Bytes: KeyValue],
        _ next: inout [Bytes: KeyValue],
        _ changed: inout Bool
    ) throws -> TxnResponse {
        let succeeds = self.holds(request, start)
        var response = TxnResponse(succeeded: succeeds)
        for operation in succeeds ? request.success : request.failure {
            let revision = { (changed: Bool) in changed ? self.revision + 1 : self.revision }
            switch operation {
            case .put(let put):
                changed = true
                response.responses.append(.put(self.put(put, &next)))
            case .deleteRange(let deletion):
                var deleted = self.delete(deletion, &next)
                if deleted.deleted > 0 { changed = true }
                deleted.header.revision = revision(changed)
                response.responses.append(.deleteRange(deleted))
            case .range(let range):
                let read = try self.range(range, current: next, revision: revision(changed))
                response.responses.append(.range(read))
            case .txn(let inner):
                let ran = try self.run(inner, start, &next, &changed)
                response.responses.append(.txn(ran))
            case .empty:
                continue
            }
        }
        return response
    }
}
