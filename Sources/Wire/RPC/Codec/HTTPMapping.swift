// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import RPCInterface

/// What HTTP's own failures mean as a status.
///
/// Source: gRPC `doc/http-grpc-status-mapping.md` and `doc/PROTOCOL-HTTP2.md`, "Errors".
enum HTTPMapping {
    /// The code for a response that has no `grpc-status`.
    static func code(of status: HTTPStatus) -> RPCStatusCode {
        switch status.rawValue {
        case 400: .internalError
        case 401: .unauthenticated
        case 403: .permissionDenied
        case 404: .unimplemented
        case 429, 502, 503, 504: .unavailable
        default: .unknown
        }
    }

    /// The code for a reset stream.
    static func code(of error: HTTP2ErrorCode) -> RPCStatusCode {
        switch error {
        case .refusedStream: .unavailable
        case .cancel: .cancelled
        case .enhanceYourCalm: .resourceExhausted
        case .inadequateSecurity: .permissionDenied
        case .http11Required: .unknown
        default: .internalError
        }
    }

    /// The error of a call whose stream is over before its status came.
    static func error(of closure: HTTPStreamClosure) -> RPCError {
        switch closure {
        case .finished:
            RPCError(code: .internalError, message: "the stream ended without a status")
        case .resetByPeer(let code):
            RPCError(code: Self.code(of: code), message: "stream reset by the peer: \(code)")
        case .resetLocally(let code):
            RPCError(code: Self.code(of: code), message: "stream reset: \(code)")
        case .notProcessed:
            RPCError(code: .unavailable, message: "the server did not process the call")
        case .connectionLost(let error):
            RPCError(code: .unavailable, message: "connection lost: \(error)", cause: error)
        }
    }
}
