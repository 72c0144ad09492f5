// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Bytes
internal import KeyValueStore

let txnBehaviors: [Behavior] = [
    Behavior("compares everything with every operator") { environment in
        let space = KeySpace(environment, "compare")
        let lease = try await space.store.leaseGrant(LeaseGrantRequest(ttl: 600)).id
        let create = try await space.put("a", "1")
        let mod = try await space.put("a", "m", lease: lease)
        /// The operands that are less than, equal to and greater than what the key has.
        let operands: [[Compare.Operand]] = [
            [.version(1), .version(2), .version(3)],
            [
                .createRevision(create - 1), .createRevision(create),
                .createRevision(create + 1),
            ],
            [.modRevision(mod - 1), .modRevision(mod), .modRevision(mod + 1)],
            [.value("a"), .value("m"), .value("ma")],
            [.lease(lease - 1), .lease(lease), .lease(lease + 1)],
        ]
        let expected: [Compare.Result: [Bool]] = [
            .equal: [false, true, false],
            .notEqual: [true, false, true],
            .greater: [true, false, false],
            .less: [false, false, true],
        ]
        for triple in operands {
            for (result, answers) in expected {
                for (operand, answer) in zip(triple, answers) {
                    let compare = Compare(key: space.key("a"), operand: operand, result: result)
                    let response = try await space.store.txn(TxnRequest(compare: [compare]))
                    try expectEqual(response.succeeded, answer)
                }
            }
        }
        _ = try await space.store.leaseRevoke(LeaseRevokeRequest(id: lease))
    },

    Behavior("compares a missing key as zero, but never its value") { environment in
        let space = KeySpace(environment, "missing")
        func holds(_ operand: Compare.Operand, _ result: Compare.Result) async throws -> Bool {
            let compare = Compare(key: space.key("a"), operand: operand, result: result)
            let response = try await space.store.txn(TxnRequest(compare: [compare]))
            return response.succeeded
        }
        try expect(try await holds(.version(0), .equal))
        try expect(try await holds(.modRevision(0), .equal))
        try expect(try await holds(.createRevision(1), .less))
        try expect(try await holds(.lease(0), .equal))
        try expect(try await !holds(.value(""), .equal))
        try expect(try await !holds(.value("x"), .notEqual))
    },

    Behavior("compares every key of a range") { environment in
        let space = KeySpace(environment, "compare-range")
        try await space.put("a", "x")
        try await space.put("b", "x")
        func holds(_ value: Bytes) async throws -> Bool {
            let compare = Compare(
                key: space.start,
                rangeEnd: space.end,
                operand: .value(value)
            )
            let response = try await space.store.txn(TxnRequest(compare: [compare]))
            return response.succeeded
        }
        try expect(try await holds("x"))
        try await space.put("b", "y")
        try expect(try await !holds("x"))
        let allNew = Compare(
            key: space.start,
            rangeEnd: space.end,
            operand: .createRevision(0),
            result: .greater
        )
        try expect(try await space.store.txn(TxnRequest(compare: [allNew])).succeeded)
    },

    Behavior("runs one of two branches in one revision") { environment in
        let space = KeySpace(environment, "branch")
        let start = try await space.revision()
        let request = TxnRequest(
            compare: [Compare(key: space.key("a"), operand: .modRevision(0))],
            success: [
                .put(PutRequest(key: space.key("a"), value: "1")),
                .put(PutRequest(key: space.key("b"), value: "1")),
                .range(RangeRequest(key: space.start, rangeEnd: space.end)),
            ],
            failure: [
                .range(RangeRequest(key: space.key("a"))),
                .deleteRange(DeleteRangeRequest(key: space.key("b"), prevKV: true)),
                .range(RangeRequest(key: space.start, rangeEnd: space.end)),
            ]
        )
        let first = try await space.store.txn(request)
        try expect(first.succeeded)
        try expectEqual(first.header.revision, start + 1)
        try expectEqual(first.responses.count, 3)
        guard case .range(let own) = first.responses[2] else {
            throw BehaviorFailure(message: "not a range", file: #fileID, line: #line)
        }
        try expectEqual(space.names(own), ["a", "b"])
        try expectEqual(own.kvs.map(\.modRevision), [start + 1, start + 1])
        let second = try await space.store.txn(request)
        try expect(!second.succeeded)
        try expectEqual(second.header.revision, start + 2)
        guard case .range(let read) = second.responses[0],
            case .deleteRange(let deleted) = second.responses[1],
            case .range(let after) = second.responses[2]
        else { throw BehaviorFailure(message: "wrong responses", file: #fileID, line: #line) }
        try expectEqual(read.kvs.map(\.value), ["1"])
        try expectEqual(deleted.deleted, 1)
        try expectEqual(deleted.prevKVs.map(\.value), ["1"])
        try expectEqual(space.names(after), ["a"])
        let third = try await space.store.txn(request)
        try expectEqual(third.header.revision, start + 2)
    },

    Behavior("runs transactions inside transactions") { environment in
        let space = KeySpace(environment, "nested")
        try await space.put("a", "1")
        let inner = TxnRequest(
            // Compares are all evaluated before the first operation.
            compare: [Compare(key: space.key("a"), operand: .value("1"))],
            success: [.put(PutRequest(key: space.key("b"), value: "inner"))],
            failure: [.put(PutRequest(key: space.key("b"), value: "wrong"))]
        )
        let response = try await space.store.txn(
            TxnRequest(
                success: [
                    .put(PutRequest(key: space.key("a"), value: "2")),
                    .txn(inner),
                    .txn(TxnRequest(success: [.range(RangeRequest(key: space.key("b")))])),
                ]
            )
        )
        try expect(response.succeeded)
        try expectEqual(try await space.value("b"), "inner")
        guard case .txn(let first) = response.responses[1],
            case .txn(let second) = response.responses[2],
            case .range(let range) = second.responses[0]
        else { throw BehaviorFailure(message: "wrong responses", file: #fileID, line: #line) }
        try expect(first.succeeded)
        try expectEqual(range.kvs.map(\.value), ["inner"])
        let kvs = try await space.range().kvs
        try expectEqual(Set(kvs.map(\.modRevision)).count, 1)
    },

    Behavior("refuses transactions that change a key twice") { environment in
        let space = KeySpace(environment, "duplicate")
        let revision = try await space.revision()
        let put = RequestOp.put(PutRequest(key: space.key("a"), value: "1"))
        let delete = RequestOp.deleteRange(
            DeleteRangeRequest(key: space.start, rangeEnd: space.end)
        )
        let refused: [TxnRequest] = [
            TxnRequest(success: [put, put]),
            TxnRequest(failure: [put, put]),
            TxnRequest(success: [put, delete]),
            TxnRequest(success: [delete, put]),
            TxnRequest(success: [put, .txn(TxnRequest(success: [put]))]),
            TxnRequest(success: [delete, .txn(TxnRequest(failure: [put]))]),
            TxnRequest(success: [put, .txn(TxnRequest(failure: [delete]))]),
            TxnRequest(
                success: [
                    .txn(TxnRequest(success: [put])), .txn(TxnRequest(success: [put])),
                ]
            ),
        ]
        for request in refused {
            try await expectError(.duplicateKey) { try await space.store.txn(request) }
        }
        try expectEqual(try await space.revision(), revision)
        let allowed: [TxnRequest] = [
            TxnRequest(success: [put], failure: [put]),
            TxnRequest(success: [delete, delete]),
            TxnRequest(success: [.txn(TxnRequest(success: [put], failure: [put]))]),
            TxnRequest(success: [delete, .txn(TxnRequest(success: [delete]))]),
        ]
        for request in allowed { _ = try await space.store.txn(request) }
    },

    Behavior("refuses transactions with too much or malformed content") { environment in
        let space = KeySpace(environment, "malformed")
        let limit = StoreLimits().maximumTxnOperations
        func puts(_ count: Int) -> [RequestOp] {
            (0..<count).map { .put(PutRequest(key: space.key("\($0)"), value: "1")) }
        }
        for count in [limit - 1, limit] {
            let response = try await space.store.txn(TxnRequest(success: puts(count)))
            try expectEqual(response.responses.count, count)
        }
        let revision = try await space.revision()
        try await expectError(.tooManyOps) {
            try await space.store.txn(TxnRequest(success: puts(limit + 1)))
        }
        try await expectError(.tooManyOps) {
            try await space.store.txn(TxnRequest(failure: puts(limit + 1)))
        }
        let compare = Compare(key: space.key("a"), operand: .version(0))
        try await expectError(.tooManyOps) {
            try await space.store.txn(
                TxnRequest(compare: [Compare](repeating: compare, count: limit + 1))
            )
        }
        try await expectError(.emptyKey) {
            try await space.store.txn(
                TxnRequest(compare: [Compare(key: "", operand: .version(0))])
            )
        }
        try await expectError(.emptyKey) {
            try await space.store.txn(TxnRequest(failure: [.range(RangeRequest(key: ""))]))
        }
        try await expectError(.emptyKey) {
            try await space.store.txn(TxnRequest(success: [.put(PutRequest(key: ""))]))
        }
        try expectEqual(try await space.revision(), revision)
    },

    Behavior("changes nothing if one operation is refused") { environment in
        let space = KeySpace(environment, "atomic")
        try await space.put("a", "1")
        let revision = try await space.revision()
        let put = RequestOp.put(PutRequest(key: space.key("a"), value: "2"))
        let cases: [(StoreError, RequestOp)] = [
            (.keyNotFound, .put(PutRequest(key: space.key("none"), ignoreValue: true))),
            (.leaseNotFound, .put(PutRequest(key: space.key("b"), value: "1", lease: 123_456_789))),
            (.futureRevision, .range(RangeRequest(key: space.key("a"), revision: revision + 10))),
        ]
        for (error, operation) in cases {
            try await expectError(error) {
                try await space.store.txn(TxnRequest(success: [put, operation]))
            }
        }
        try expectEqual(try await space.revision(), revision)
        try expectEqual(try await space.value("a"), "1")
    },
]
