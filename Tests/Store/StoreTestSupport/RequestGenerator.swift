// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Bytes
public import KeyValueStore

/// Makes random requests over a small set of keys, so that they meet.
public struct RequestGenerator {
    public var random: SeededGenerator
    /// Lease numbers in use, about.
    var leases: [Int64] = []

    public init(seed: UInt64) {
        self.random = SeededGenerator(seed: seed)
    }

    /// What to do next.
    public enum Step {
        case range(RangeRequest)
        case put(PutRequest)
        case deleteRange(DeleteRangeRequest)
        case txn(TxnRequest)
        case compact(Int64)
        case grant(Int64, ttl: Int64)
        case revoke(Int64)
        case restart
    }

    public mutating func step(revision: Int64, compactRevision: Int64) -> Step {
        switch self.random.below(100) {
        case 0..<28: return .range(self.range(revision, compactRevision))
        case 28..<60: return .put(self.put())
        case 60..<72: return .deleteRange(self.deletion())
        case 72..<92: return .txn(self.txn(revision, compactRevision, depth: 0))
        case 92..<94: return .compact(max(compactRevision, revision - self.number(12)))
        case 94..<97:
            let id = Int64(1 + self.random.below(12))
            self.leases.append(id)
            return .grant(id, ttl: 60 + self.number(60))
        case 97..<99: return .revoke(self.lease())
        default: return .restart
        }
    }

    private mutating func number(_ bound: Int) -> Int64 { Int64(self.random.below(bound)) }

    public mutating func key() -> Bytes {
        switch self.random.below(12) {
        case 0: return Bytes([0])
        case 1: return Bytes([255, 255])
        case 2: return Bytes(utf8: "k" + String(repeating: "x", count: 600 + self.random.below(3)))
        default: return Bytes(utf8: "k\(self.random.below(9))")
        }
    }

    public mutating func end() -> Bytes {
        switch self.random.below(8) {
        case 0..<3: return Bytes()
        case 3: return RangeEnd.fromKey
        case 4: return RangeEnd.prefix("k")
        default: return self.key()
        }
    }

    private mutating func value() -> Bytes {
        let counts = [0, 1, 5, 100, 2100, 9000]
        let count = counts[self.random.below(self.random.oneIn(4) ? 6 : 4)]
        let byte = UInt8(truncatingIfNeeded: self.random.next())
        return Bytes([UInt8](repeating: byte, count: count))
    }

    private mutating func lease() -> Int64 {
        if self.leases.isEmpty || self.random.oneIn(10) { return 999 }
        return self.leases[self.random.below(self.leases.count)]
    }

    private mutating func revision(_ revision: Int64, _ compactRevision: Int64) -> Int64 {
        switch self.random.below(10) {
        case 0..<5: return 0
        case 5: return revision + self.number(2)
        case 6: return max(0, compactRevision - 1 + self.number(3))
        default: return max(1, revision - self.number(20))
        }
    }

    public mutating func range(_ revision: Int64, _ compactRevision: Int64) -> RangeRequest {
        var request = RangeRequest(key: self.key(), rangeEnd: self.end())
        request.revision = self.revision(revision, compactRevision)
        if self.random.oneIn(3) { request.limit = self.number(5) }
        if self.random.oneIn(4) {
            request.sortTarget = [.key, .version, .create, .mod, .value][self.random.below(5)]
            request.sortOrder = [.none, .ascend, .descend][self.random.below(3)]
        }
        if self.random.oneIn(8) { request.keysOnly = true }
        if self.random.oneIn(8) { request.countOnly = true }
        if self.random.oneIn(8) { request.minModRevision = max(1, revision - self.number(9)) }
        if self.random.oneIn(8) { request.maxModRevision = max(1, revision - self.number(9)) }
        if self.random.oneIn(8) { request.minCreateRevision = max(1, revision - self.number(9)) }
        if self.random.oneIn(8) { request.maxCreateRevision = max(1, revision - self.number(9)) }
        return request
    }

    public mutating func put() -> PutRequest {
        var request = PutRequest(key: self.key(), value: self.value())
        request.prevKV = self.random.oneIn(3)
        if self.random.oneIn(6) { request.lease = self.lease() }
        if self.random.oneIn(12) {
            request.ignoreValue = true
            if !self.random.oneIn(5) { request.value = Bytes() }
        }
        if self.random.oneIn(12) {
            request.ignoreLease = true
            if !self.random.oneIn(5) { request.lease = 0 }
        }
        return request
    }

    private mutating func deletion() -> DeleteRangeRequest {
        DeleteRangeRequest(key: self.key(), rangeEnd: self.end(), prevKV: self.random.oneIn(2))
    }

    private mutating func compare(_ revision: Int64) -> Compare {
        let recent = max(0, revision - self.number(6))
        let operands: [Compare.Operand] = [
            .version(self.number(3)), .createRevision(recent), .modRevision(recent),
            .lease(self.random.oneIn(2) ? 0 : self.lease()), .value(self.value()),
        ]
        return Compare(
            key: self.key(),
            rangeEnd: self.random.oneIn(3) ? self.end() : Bytes(),
            operand: operands[self.random.below(5)],
            result: Compare.Result.allCases[self.random.below(4)]
        )
    }

    /// A transaction that changes no key twice.
    private mutating func txn(
        _ revision: Int64,
        _ compactRevision: Int64,
        depth: Int
    ) -> TxnRequest {
        var used: [Bytes] = []
        return self.txn(revision, compactRevision, depth: depth, &used)
    }

    private mutating func txn(
        _ revision: Int64,
        _ compactRevision: Int64,
        depth: Int,
        _ used: inout [Bytes]
    ) -> TxnRequest {
        var request = TxnRequest()
        for _ in 0..<self.random.below(3) { request.compare.append(self.compare(revision)) }
        request.success = self.operations(revision, compactRevision, depth, &used)
        request.failure = self.operations(revision, compactRevision, depth, &used)
        return request
    }

    private mutating func operations(
        _ revision: Int64,
        _ compactRevision: Int64,
        _ depth: Int,
        _ used: inout [Bytes]
    ) -> [RequestOp] {
        var operations: [RequestOp] = []
        for _ in 0..<self.random.below(4) {
            switch self.random.below(depth < 2 ? 8 : 7) {
            case 0..<3:
                let put = self.put()
                if put.ignoreValue && !put.value.isEmpty { continue }
                if put.ignoreLease && put.lease != 0 { continue }
                if used.contains(put.key) { continue }
                used.append(put.key)
                operations.append(.put(put))
            case 3:
                let key = self.key()
                if used.contains(key) { continue }
                used.append(key)
                operations.append(
                    .deleteRange(DeleteRangeRequest(key: key, prevKV: self.random.oneIn(2)))
                )
            case 4..<7:
                var range = self.range(revision, compactRevision)
                if self.random.oneIn(2) { range.revision = 0 }
                operations.append(.range(range))
            default:
                operations.append(
                    .txn(self.txn(revision, compactRevision, depth: depth + 1, &used))
                )
            }
        }
        return operations
    }
}
