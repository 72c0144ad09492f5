// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Why the store refused or failed a request: etcd's gRPC code and text.
///
/// Clients of etcd compare the text, so it is part of the contract. Two errors are equal if code
/// and message are; the cause is for people.
///
/// Source: etcd 3.6 `api/v3rpc/rpctypes/error.go`.
public struct StoreError: Error, Sendable {
    /// A gRPC status code. Peers may send any number.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: Int

        public init(rawValue: Int) {
            self.rawValue = rawValue
        }

        public static let canceled = Code(rawValue: 1)
        public static let unknown = Code(rawValue: 2)
        public static let invalidArgument = Code(rawValue: 3)
        public static let deadlineExceeded = Code(rawValue: 4)
        public static let notFound = Code(rawValue: 5)
        public static let alreadyExists = Code(rawValue: 6)
        public static let permissionDenied = Code(rawValue: 7)
        public static let resourceExhausted = Code(rawValue: 8)
        public static let failedPrecondition = Code(rawValue: 9)
        public static let aborted = Code(rawValue: 10)
        public static let outOfRange = Code(rawValue: 11)
        public static let unimplemented = Code(rawValue: 12)
        public static let `internal` = Code(rawValue: 13)
        public static let unavailable = Code(rawValue: 14)
        public static let dataLoss = Code(rawValue: 15)
        public static let unauthenticated = Code(rawValue: 16)
    }

    /// The gRPC status code.
    public let code: Code

    /// The text clients compare.
    public let message: String

    /// What led to it, for logs. It is not sent to clients.
    public let cause: String?

    public init(_ code: Code, _ message: String, cause: String? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// The same error with a cause.
    public func because(_ cause: String) -> StoreError {
        StoreError(self.code, self.message, cause: cause)
    }
}

extension StoreError: Hashable {
    public static func == (left: StoreError, right: StoreError) -> Bool {
        left.code == right.code && left.message == right.message
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(self.code)
        hasher.combine(self.message)
    }
}

extension StoreError: CustomStringConvertible {
    public var description: String {
        let cause = self.cause.map { " (\($0))" } ?? ""
        return "code \(self.code.rawValue): \(self.message)\(cause)"
    }
}

// MARK: - etcd's errors

extension StoreError {
    public static let emptyKey = StoreError(.invalidArgument, "etcdserver: key is not provided")
    public static let keyNotFound = StoreError(.invalidArgument, "etcdserver: key not found")
    public static let valueProvided = StoreError(.invalidArgument, "etcdserver: value is provided")
    public static let leaseProvided = StoreError(.invalidArgument, "etcdserver: lease is provided")
    public static let tooManyOps = StoreError(
        .invalidArgument,
        "etcdserver: too many operations in txn request"
    )
    public static let duplicateKey = StoreError(
        .invalidArgument,
        "etcdserver: duplicate key given in txn request"
    )
    public static let invalidClientAPIVersion = StoreError(
        .invalidArgument,
        "etcdserver: invalid client api version"
    )
    public static let invalidSortOption = StoreError(
        .invalidArgument,
        "etcdserver: invalid sort option"
    )
    public static let compacted = StoreError(
        .outOfRange,
        "etcdserver: mvcc: required revision has been compacted"
    )
    public static let futureRevision = StoreError(
        .outOfRange,
        "etcdserver: mvcc: required revision is a future revision"
    )
    public static let noSpace = StoreError(
        .resourceExhausted,
        "etcdserver: mvcc: database space exceeded"
    )
    public static let leaseNotFound = StoreError(.notFound, "etcdserver: requested lease not found")
    public static let leaseExist = StoreError(
        .failedPrecondition,
        "etcdserver: lease already exists"
    )
    public static let leaseTTLTooLarge = StoreError(.outOfRange, "etcdserver: too large lease TTL")
    public static let watchCanceled = StoreError(.canceled, "etcdserver: watch canceled")
    public static let memberNotFound = StoreError(.notFound, "etcdserver: member not found")
    public static let requestTooLarge = StoreError(
        .invalidArgument,
        "etcdserver: request is too large"
    )
    public static let requestTooManyRequests = StoreError(
        .resourceExhausted,
        "etcdserver: too many requests"
    )
    public static let authNotEnabled = StoreError(
        .failedPrecondition,
        "etcdserver: authentication is not enabled"
    )
    public static let noLeader = StoreError(.unavailable, "etcdserver: no leader")
    public static let notCapable = StoreError(.failedPrecondition, "etcdserver: not capable")
    public static let stopped = StoreError(.unavailable, "etcdserver: server stopped")
    public static let timeout = StoreError(.unavailable, "etcdserver: request timed out")
    public static let corrupt = StoreError(.dataLoss, "etcdserver: corrupt cluster")
    public static let canceled = StoreError(.canceled, "etcdserver: request canceled")
    public static let deadlineExceeded = StoreError(
        .deadlineExceeded,
        "etcdserver: context deadline exceeded"
    )
}
