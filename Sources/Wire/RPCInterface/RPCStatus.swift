// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// A gRPC status code. Peers may send numbers this list does not have.
///
/// Source: gRPC `doc/statuscodes.md`.
public struct RPCStatusCode: RawRepresentable, Sendable, Hashable {
    /// The number on the wire.
    public let rawValue: Int

    /// Any number; numbers outside the list count as `UNKNOWN` where a decision is made on them.
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// Success.
    public static let ok = RPCStatusCode(rawValue: 0)
    /// The caller cancelled.
    public static let cancelled = RPCStatusCode(rawValue: 1)
    /// An error without a better code.
    public static let unknown = RPCStatusCode(rawValue: 2)
    /// The request is wrong whatever the state of the system.
    public static let invalidArgument = RPCStatusCode(rawValue: 3)
    /// The deadline passed first.
    public static let deadlineExceeded = RPCStatusCode(rawValue: 4)
    /// What was asked for does not exist.
    public static let notFound = RPCStatusCode(rawValue: 5)
    /// What was to be created exists.
    public static let alreadyExists = RPCStatusCode(rawValue: 6)
    /// The caller is known and may not do this.
    public static let permissionDenied = RPCStatusCode(rawValue: 7)
    /// A limit was reached: quota, message size, queue length.
    public static let resourceExhausted = RPCStatusCode(rawValue: 8)
    /// The system is not in the state that the call needs; do not retry as it is.
    public static let failedPrecondition = RPCStatusCode(rawValue: 9)
    /// A concurrent change won; retry at a higher level.
    public static let aborted = RPCStatusCode(rawValue: 10)
    /// Past the valid range.
    public static let outOfRange = RPCStatusCode(rawValue: 11)
    /// No such method or service, or not supported here.
    public static let unimplemented = RPCStatusCode(rawValue: 12)
    /// An invariant is broken.
    public static let internalError = RPCStatusCode(rawValue: 13)
    /// Not reachable just now; a retry may succeed.
    public static let unavailable = RPCStatusCode(rawValue: 14)
    /// Unrecoverable loss or corruption.
    public static let dataLoss = RPCStatusCode(rawValue: 15)
    /// The caller is not known.
    public static let unauthenticated = RPCStatusCode(rawValue: 16)

    /// The 17 codes of the specification in the order of their numbers.
    public static let all: [RPCStatusCode] = (0...16).map(RPCStatusCode.init(rawValue:))
}

extension RPCStatusCode: CustomStringConvertible {
    /// The specification's name, or `CODE(n)`.
    public var description: String {
        let names = [
            "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND",
            "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
            "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS",
            "UNAUTHENTICATED",
        ]
        return names.indices.contains(self.rawValue)
            ? names[self.rawValue] : "CODE(\(self.rawValue))"
    }
}

/// How a call ended.
public struct RPCStatus: Sendable, Hashable {
    /// The code.
    public var code: RPCStatusCode
    /// Text for people; any Unicode.
    public var message: String

    /// A status.
    public init(code: RPCStatusCode, message: String = "") {
        self.code = code
        self.message = message
    }

    /// Success.
    public static let ok = RPCStatus(code: .ok)
}
