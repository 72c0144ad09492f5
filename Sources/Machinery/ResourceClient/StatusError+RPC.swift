// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import CallStatus
import KubernetesAPI
public import ObjectModel
public import RPCInterface

extension StatusError {
    /// What the failure of a call says: the Status in its details, or else one made of its code.
    public init(_ error: RPCError) {
        if let status = error.apiStatus {
            self = status
            return
        }
        let (reason, code) = Self.translation(of: error.code)
        self.init(reason, code: code, error.message)
    }

    /// The nearest reason and HTTP code of a gRPC status code.
    private static func translation(of code: RPCStatusCode) -> (Reason, Int32) {
        switch code {
        case .cancelled: (.timeout, 499)
        case .invalidArgument, .outOfRange: (.badRequest, 400)
        case .deadlineExceeded: (.timeout, 504)
        case .notFound: (.notFound, 404)
        case .alreadyExists: (.alreadyExists, 409)
        case .permissionDenied: (.forbidden, 403)
        case .resourceExhausted: (.tooManyRequests, 429)
        case .failedPrecondition, .aborted: (.conflict, 409)
        case .unimplemented: (.methodNotAllowed, 405)
        case .unavailable: (.serviceUnavailable, 503)
        case .unauthenticated: (.unauthorized, 401)
        default: (.internalError, 500)
        }
    }

    public var isNotFound: Bool { self.reason == .notFound }
    public var isAlreadyExists: Bool { self.reason == .alreadyExists }
    public var isConflict: Bool { self.reason == .conflict }
    /// The resource version asked for is gone: a list must be made anew.
    public var isExpired: Bool { self.reason == .expired || self.reason == .gone }
    public var isForbidden: Bool { self.reason == .forbidden }
    public var isInvalid: Bool { self.reason == .invalid }
    /// The namespace of the object is being deleted.
    public var isNamespaceTerminating: Bool {
        self.isForbidden
            && self.status.details?.causes.contains { $0.reason == "NamespaceTerminating" } == true
    }
}
