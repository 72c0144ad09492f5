// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Bytes
internal import KeyValueStore

/// Why a request could not be evaluated.
enum EvaluationError: Error {
    /// The request is refused; the store is as before.
    case refused(StoreError)
    /// The store itself is broken.
    case broken(BackendError)
}

/// Evaluates requests one after the other against the state, and collects what they change in a
/// log frame.
///
/// All that can refuse a request is looked at before its first change, so that a refused request
/// has changed nothing.
struct Evaluator: ~Copyable {
    let backend: any StorageBackend
    let limits: StoreLimits
    var frame = FrameBuilder()

    /// The revision that reads of the request see before its own changes.
    private var base: Int64 = 0
    /// The revision of the request's changes.
    private var main: Int64 = 0
    /// The number of the request's changes so far.
    private var sub: UInt32 = 0

    init(backend: any StorageBackend, limits: StoreLimits) {
        self.backend = backend
        self.limits = limits
    }

    /// The revision that reads see now.
    private var current: Int64 { self.sub > 0 ? self.main : self.base }

    /// Begins a request that may change the state.
    mutating func begin(_ state: borrowing StoreState) {
        self.base = state.revision
        self.main = state.revision + 1
        self.sub = 0
    }

    /// Begins a request that only reads what is durable.
    mutating func beginReading(_ state: borrowing StoreState) {
        self.base = state.committed
        self.main = state.committed
        self.sub = 0
    }

    /// Ends a request: its changes, if any, have used up a revision.
    mutating func end(_ state: inout StoreState) {
        if self.sub > 0 { state.revision = self.main }
        self.sub = 0
    }

    private mutating func nextRevision() -> Revision {
        defer { self.sub += 1 }
        return Revision(main: self.main, sub: self.sub)
    }

    // MARK: - Records

    /// Gives `body` the record of `revision`, wherever it is.
    private func withRecord<R>(
        _ revision: Revision,
        _ state: borrowing StoreState,
        _ body: (Record.View) -> R?
    ) throws(EvaluationError) -> R {
        var result: R?
        if let pending = self.frame.record(revision) {
            result = body(Record.openUnchecked(pending))
        } else if revision.main > state.applied {
            result = state.tail.record(revision)?.withUnsafeBytes {
                body(Record.openUnchecked($0))
            }
        } else {
            do throws(BackendError) {
                try self.backend.readRecord(revision) { bytes in
                    result = bytes.flatMap { Record.open($0, revision) }.flatMap(body)
                }
            } catch {
                throw .broken(error)
            }
        }
        guard let result else { throw .broken(.damaged("record \(revision)")) }
        return result
    }

    private func keyValue(
        _ revision: Revision,
        _ state: borrowing StoreState
    ) throws(EvaluationError) -> KeyValue {
        try self.withRecord(revision, state) { KeyValue(encoded: Bytes(copying: $0.body)) }
    }

    // MARK: - Range

    func range(
        _ request: RangeRequest,
        _ state: borrowing StoreState
    ) throws(EvaluationError) -> RangeResponse {
        let revision: Int64
        do throws(StoreError) {
            revision = try state.readRevision(request.revision, current: self.current)
        } catch {
            throw .refused(error)
        }
        var response = RangeResponse(header: ResponseHeader(revision: self.current))
        let range = request.keyRange
        if request.countOnly {
            response.count = Int64(state.index.count(range, at: revision))
            return response
        }
        let match = state.match(
            range,
            at: revision,
            limit: request.scanLimit ?? .max,
            chunk: .max
        )
        response.count =
            request.scanLimit == nil
            ? Int64(match.records.count)
            : Int64(state.index.count(range, at: revision))
        var kvs: [KeyValue] = []
        kvs.reserveCapacity(match.records.count)
        for record in match.records {
            kvs.append(try self.keyValue(record.revision, state))
        }
        (response.kvs, response.more) = request.arrange(kvs)
        if request.keysOnly {
            for index in response.kvs.indices { response.kvs[index].value = Bytes() }
        }
        return response
    }

    // MARK: - Put and delete

    /// Refuses a put whose lease is not there.
    private func checkLease(
        _ request: PutRequest,
        _ state: borrowing StoreState
    ) throws(EvaluationError) {
        if request.lease != 0, !state.leases.contains(request.lease) {
            throw .refused(.leaseNotFound)
        }
    }

    /// Refuses a put that keeps something of a key that is not there.
    private func checkKey(
        _ request: PutRequest,
        _ state: borrowing StoreState
    ) throws(EvaluationError) {
        guard request.ignoreValue || request.ignoreLease else { return }
        let known = request.key.withUnsafeBytes {
            state.index.revision(of: $0, at: self.base)
        }
        if known == nil { throw .refused(.keyNotFound) }
    }

    mutating func put(
        _ request: PutRequest,
        _ state: inout StoreState
    ) throws(EvaluationError) -> PutResponse {
        try self.checkLease(request, state)
        try self.checkKey(request, state)
        var previous: KeyValue?
        if request.prevKV || request.ignoreValue {
            let known = request.key.withUnsafeBytes {
                state.index.revision(of: $0, at: self.current)
            }
            if let known { previous = try self.keyValue(known, state) }
        }
        let value = request.ignoreValue ? previous?.value ?? Bytes() : request.value
        let lease = request.ignoreLease ? state.leases.holder(of: request.key) : request.lease
        let revision = self.nextRevision()
        request.key.withUnsafeBytes { key in
            let change = state.index.apply(key, revision, isTombstone: false)
            value.withUnsafeBytes { value in
                self.frame.addPut(
                    revision,
                    key: key,
                    value: value,
                    createRevision: change.createRevision,
                    version: change.version,
                    lease: lease
                )
            }
        }
        if lease != 0 || state.leases.holder(of: request.key) != 0 {
            state.leases.attach(request.key, to: lease)
            state.hasPendingLeases = true
        }
        return PutResponse(
            header: ResponseHeader(revision: self.current),
            prevKV: request.prevKV ? previous : nil
        )
    }

    mutating func deleteRange(
        _ request: DeleteRangeRequest,
        _ state: inout StoreState
    ) throws(EvaluationError) -> DeleteRangeResponse {
        let range = KeyRange(key: request.key, rangeEnd: request.rangeEnd)
        var keys: [Bytes] = []
        var revisions: [Revision] = []
        var bytes = 0
        if !range.isEmpty {
            state.index.visit(range, at: self.current) { item in
                let key = range.end == .single ? request.key : Bytes(item.key)
                bytes += key.count + Self.tombstoneBytes
                keys.append(key)
                if request.prevKV { revisions.append(item.revision) }
                return true
            }
        }
        guard bytes + self.frame.payloadBytes <= Frame.maximumPayload else {
            throw .refused(StoreError.requestTooLarge.because("it deletes \(keys.count) keys"))
        }
        var response = DeleteRangeResponse(deleted: Int64(keys.count))
        for revision in revisions {
            response.prevKVs.append(try self.keyValue(revision, state))
        }
        for key in keys { self.delete(key, &state) }
        response.header.revision = self.current
        return response
    }

    /// What a deletion takes in a frame besides its key.
    private static var tombstoneBytes: Int { 64 }

    private mutating func delete(_ key: Bytes, _ state: inout StoreState) {
        let revision = self.nextRevision()
        key.withUnsafeBytes { key in
            _ = state.index.apply(key, revision, isTombstone: true)
            self.frame.addTombstone(revision, key: key)
        }
        if state.leases.holder(of: key) != 0 {
            state.leases.attach(key, to: 0)
            state.hasPendingLeases = true
        }
    }

    // MARK: - Transactions

    /// Source: etcd 3.6 `server/etcdserver/txn/txn.go`.
    mutating func txn(
        _ request: TxnRequest,
        _ state: inout StoreState
    ) throws(EvaluationError) -> TxnResponse {
        var way: [Bool] = []
        try self.choose(request, state, &way)
        // All puts are looked at before all else, the key before the lease, other than for a put
        // alone: it decides which error is told where there are two.
        var rest = way[...]
        try self.checkPuts(request, state, &rest)
        rest = way[...]
        try self.checkOthers(request, state, &rest)
        rest = way[...]
        var response = try self.run(request, &state, &rest)
        response.header.revision = self.current
        return response
    }

    /// Evaluates the compares of the transaction and of those inside it that will be run, all
    /// against the state before it.
    private func choose(
        _ request: TxnRequest,
        _ state: borrowing StoreState,
        _ way: inout [Bool]
    ) throws(EvaluationError) {
        var succeeds = true
        for compare in request.compare where succeeds {
            succeeds = try self.holds(compare, state)
        }
        way.append(succeeds)
        for case .txn(let inner) in succeeds ? request.success : request.failure {
            try self.choose(inner, state, &way)
        }
    }

    private func holds(
        _ compare: Compare,
        _ state: borrowing StoreState
    ) throws(EvaluationError) -> Bool {
        let range = KeyRange(key: compare.key, rangeEnd: compare.rangeEnd)
        let match = state.match(range, at: self.base, limit: .max, chunk: .max)
        if match.records.isEmpty {
            if case .value = compare.operand { return false }
            return compare.holds(for: KeyValue())
        }
        for record in match.records {
            let kv: KeyValue
            if case .modRevision = compare.operand {
                kv = KeyValue(modRevision: record.revision.main)
            } else {
                kv = try self.keyValue(record.revision, state)
            }
            if !compare.holds(for: kv) { return false }
        }
        return true
    }

    /// Looks at what can refuse the puts that will be run.
    private func checkPuts(
        _ request: TxnRequest,
        _ state: borrowing StoreState,
        _ way: inout ArraySlice<Bool>
    ) throws(EvaluationError) {
        let succeeds = way.popFirst() ?? false
        for operation in succeeds ? request.success : request.failure {
            switch operation {
            case .put(let request):
                try self.checkKey(request, state)
                try self.checkLease(request, state)
            case .txn(let request):
                try self.checkPuts(request, state, &way)
            case .range, .deleteRange, .empty: continue
            }
        }
    }

    /// Looks at what can refuse the other operations that will be run.
    private func checkOthers(
        _ request: TxnRequest,
        _ state: borrowing StoreState,
        _ way: inout ArraySlice<Bool>
    ) throws(EvaluationError) {
        let succeeds = way.popFirst() ?? false
        var deletedBytes = 0
        for operation in succeeds ? request.success : request.failure {
            switch operation {
            case .range(let request):
                do throws(StoreError) {
                    _ = try state.readRevision(request.revision, current: self.base)
                } catch {
                    throw .refused(error)
                }
            case .put: continue
            case .deleteRange(let request):
                let range = KeyRange(key: request.key, rangeEnd: request.rangeEnd)
                if range.end == .single || range.isEmpty { continue }
                state.index.visit(range, at: self.base) { item in
                    deletedBytes += item.key.count + Self.tombstoneBytes
                    return true
                }
            case .txn(let request):
                try self.checkOthers(request, state, &way)
            case .empty:
                throw .refused(.keyNotFound)
            }
        }
        if deletedBytes > Frame.maximumPayload / 2 {
            throw .refused(StoreError.requestTooLarge.because("it deletes too many keys"))
        }
    }

    private mutating func run(
        _ request: TxnRequest,
        _ state: inout StoreState,
        _ way: inout ArraySlice<Bool>
    ) throws(EvaluationError) -> TxnResponse {
        let succeeds = way.popFirst() ?? false
        let operations = succeeds ? request.success : request.failure
        var response = TxnResponse(succeeded: succeeds)
        response.responses.reserveCapacity(operations.count)
        for operation in operations {
            switch operation {
            case .range(let request):
                response.responses.append(.range(try self.range(request, state)))
            case .put(let request):
                response.responses.append(.put(try self.put(request, &state)))
            case .deleteRange(let request):
                response.responses.append(.deleteRange(try self.deleteRange(request, &state)))
            case .txn(let request):
                response.responses.append(.txn(try self.run(request, &state, &way)))
            case .empty:
                continue
            }
        }
        return response
    }

    /// Evaluates a transaction that changes nothing, for a reader.
    mutating func readOnlyTxn(
        _ request: TxnRequest,
        _ state: inout StoreState
    ) throws(EvaluationError) -> TxnResponse {
        self.beginReading(state)
        return try self.txn(request, &state)
    }

    // MARK: - Leases

    mutating func leaseGrant(
        _ request: LeaseGrantRequest,
        _ state: inout StoreState,
        now: Int64,
        newID: () -> Int64
    ) throws(EvaluationError) -> LeaseGrantResponse {
        if request.ttl > self.limits.maximumLeaseTTL { throw .refused(.leaseTTLTooLarge) }
        if request.id != 0, state.leases.contains(request.id) { throw .refused(.leaseExist) }
        var id = request.id
        while id == 0 || (request.id == 0 && state.leases.contains(id)) { id = newID() }
        let ttl = max(request.ttl, self.limits.minimumLeaseTTL)
        state.leases.grant(id, ttl: ttl, now: now)
        state.hasPendingLeases = true
        self.frame.addLeaseGrant(id, ttl: ttl)
        return LeaseGrantResponse(
            header: ResponseHeader(revision: self.current),
            id: id,
            ttl: ttl
        )
    }

    mutating func leaseRevoke(
        _ id: Int64,
        _ state: inout StoreState
    ) throws(EvaluationError) -> LeaseRevokeResponse {
        guard state.leases.contains(id) else { throw .refused(.leaseNotFound) }
        for key in state.leases.revoke(id) { self.delete(key, &state) }
        state.hasPendingLeases = true
        self.frame.addLeaseRevoke(id)
        return LeaseRevokeResponse(header: ResponseHeader(revision: self.current))
    }

    // MARK: - Compaction and alarms

    mutating func compact(
        _ request: CompactionRequest,
        _ state: inout StoreState
    ) throws(EvaluationError) -> CompactionResponse {
        if request.revision <= state.compactRevision { throw .refused(.compacted) }
        if request.revision > state.revision { throw .refused(.futureRevision) }
        state.compactRevision = request.revision
        self.frame.addCompaction(request.revision)
        return CompactionResponse(header: ResponseHeader(revision: self.current))
    }

    mutating func alarm(
        _ request: AlarmRequest,
        _ state: inout StoreState
    ) throws(EvaluationError) -> AlarmResponse {
        let isMine = request.memberID == 0 || request.memberID == state.memberID
        let member = AlarmMember(memberID: state.memberID, alarm: request.alarm)
        let bit = StoreState.bit(request.alarm)
        var response = AlarmResponse(header: ResponseHeader(revision: self.current))
        switch request.action {
        case .get:
            response.alarms = state.raised.filter {
                request.alarm == .none || $0.alarm == request.alarm
            }
        case .activate:
            if request.alarm == .none || !isMine { return response }
            if state.alarms & bit == 0 {
                state.alarms |= bit
                self.frame.addAlarms(state.alarms)
            }
            response.alarms = [member]
        case .deactivate:
            if state.alarms & bit == 0 || !isMine { return response }
            state.alarms &= ~bit
            self.frame.addAlarms(state.alarms)
            response.alarms = [member]
        }
        return response
    }
}

extension Compare {
    /// Whether the comparison holds for a key.
    func holds(for kv: KeyValue) -> Bool {
        switch self.operand {
        case .version(let number): self.matches(kv.version, number)
        case .createRevision(let number): self.matches(kv.createRevision, number)
        case .modRevision(let number): self.matches(kv.modRevision, number)
        case .lease(let number): self.matches(kv.lease, number)
        case .value(let value): self.matches(kv.value, value)
        }
    }

    private func matches<T: Comparable>(_ actual: T, _ wanted: T) -> Bool {
        switch self.result {
        case .equal: actual == wanted
        case .greater: actual > wanted
        case .less: actual < wanted
        case .notEqual: actual != wanted
        }
    }
}
