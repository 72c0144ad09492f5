// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// A call that did not end with `OK`.
///
/// A client's calls throw it; a server's handler throws it to end its call with this status. A
/// handler that throws anything else ends its call with `UNKNOWN`, and one that throws
/// `CancellationError` with `CANCELLED`.
public struct RPCError: Error, Sendable {
    /// The status code, never `ok`.
    public var code: RPCStatusCode
    /// Text for people; crosses the wire.
    public var message: String
    /// The bytes of a `google.rpc.Status` (`grpc-status-details-bin`); empty when there are none.
    public var details: [UInt8]
    /// Trailing metadata of the call.
    public var metadata: Metadata
    /// What led to it in this process; does not cross the wire.
    public var cause: (any Error)?

    /// An error with its parts.
    public init(
        code: RPCStatusCode,
        message: String,
        details: [UInt8] = [],
        metadata: Metadata = Metadata(),
        cause: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.details = details
        self.metadata = metadata
        self.cause = cause
    }

    /// The code and message.
    public var status: RPCStatus { RPCStatus(code: self.code, message: self.message) }
}

extension RPCError: CustomStringConvertible {
    public var description: String {
        self.message.isEmpty ? "\(self.code)" : "\(self.code): \(self.message)"
    }
}

extension RPCError {
    /// The error that a handler's or an encoder's error stands for.
    public init(wrapping error: any Error) {
        switch error {
        case let error as RPCError:
            self = error
        case is CancellationError:
            self.init(code: .cancelled, message: "cancelled", cause: error)
        default:
            self.init(code: .unknown, message: "\(error)", cause: error)
        }
    }

    /// `UNIMPLEMENTED` for `method`.
    public static func unimplemented(_ method: RPCMethod) -> RPCError {
        RPCError(code: .unimplemented, message: "unknown method \(method.path)")
    }
}
