// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Bytes

/// A condition of a transaction on a key or on every key of a range.
///
/// A range without keys, or a key that does not exist, compares as if all its numbers were 0,
/// except that a comparison of values fails.
public struct Compare: Hashable, Sendable {
    /// How the two sides have to stand.
    public enum Result: Int32, Hashable, Sendable, CaseIterable {
        case equal = 0
        case greater = 1
        case less = 2
        case notEqual = 3
    }

    /// What of the key is compared, and with what.
    public enum Operand: Hashable, Sendable {
        case version(Int64)
        case createRevision(Int64)
        case modRevision(Int64)
        case value(Bytes)
        case lease(Int64)
    }

    public var key: Bytes
    public var rangeEnd: Bytes
    public var operand: Operand
    public var result: Result

    public init(
        key: Bytes,
        rangeEnd: Bytes = Bytes(),
        operand: Operand,
        result: Result = .equal
    ) {
        self.key = key
        self.rangeEnd = rangeEnd
        self.operand = operand
        self.result = result
    }
}

/// An operation inside a transaction.
public indirect enum RequestOp: Hashable, Sendable {
    case range(RangeRequest)
    case put(PutRequest)
    case deleteRange(DeleteRangeRequest)
    case txn(TxnRequest)
    /// An operation that says nothing, as a client may send one.
    case empty
}

/// Runs `success` if all of `compare` hold, else `failure`, as one revision.
public struct TxnRequest: Hashable, Sendable {
    public var compare: [Compare]
    public var success: [RequestOp]
    public var failure: [RequestOp]

    public init(
        compare: [Compare] = [],
        success: [RequestOp] = [],
        failure: [RequestOp] = []
    ) {
        self.compare = compare
        self.success = success
        self.failure = failure
    }
}

/// What an operation inside a transaction answered.
public indirect enum ResponseOp: Hashable, Sendable {
    case range(RangeResponse)
    case put(PutResponse)
    case deleteRange(DeleteRangeResponse)
    case txn(TxnResponse)
}

/// The answer to a transaction.
public struct TxnResponse: Hashable, Sendable {
    public var header: ResponseHeader
    /// Whether all compares held.
    public var succeeded: Bool
    public var responses: [ResponseOp]

    public init(
        header: ResponseHeader = ResponseHeader(),
        succeeded: Bool = false,
        responses: [ResponseOp] = []
    ) {
        self.header = header
        self.succeeded = succeeded
        self.responses = responses
    }
}
